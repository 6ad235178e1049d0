package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// TestExitCodesOfErrors: the same mistake gives the same code in every command, as none has a table of its own.
func TestExitCodesOfErrors(t *testing.T) {
	t.Parallel()
	of := func(method string, kind control.Kind) error { return &control.Error{Method: method, Kind: kind} }
	for code, all := range map[int][]error{
		0: {nil},
		1: {
			errUnknown, inventory.ErrProject, fix.ErrNotApplied, fix.ErrInPlace, fix.ErrValueLost, fix.Refusal{},
			of(http.MethodPatch, control.Refused), of(http.MethodPut, control.Refused),
			errors.Join(fix.ErrNotApplied, of(http.MethodGet, control.Busy)), fmt.Errorf("%w; %w", fix.ErrInPlace, fix.ErrCannotTell),
		},
		2: {
			usage.Err, file.ErrUnusable, inventory.ErrOrganization, fix.ErrOrganization, fix.ErrEdited, fix.ErrTokenNeeded,
			of(http.MethodGet, control.Unusable), errors.New("cobra's own"), fmt.Errorf("%w: read key file: %w", usage.Err, &fs.PathError{Err: fs.ErrNotExist}),
		},
		3: {
			infrastructure(usage.Err), fix.ErrCannotTell, file.ErrLocked, &fs.PathError{Op: "write", Err: errors.New("no space left")},
			of(http.MethodGet, control.WrongKey), of(http.MethodPatch, control.WrongKey), of(http.MethodGet, control.Forbidden),
			of(http.MethodPatch, control.Forbidden), of(http.MethodGet, control.NotFound), of(http.MethodGet, control.Refused),
			of(http.MethodPatch, control.Busy), of(http.MethodGet, control.Broken), of(http.MethodGet, control.Unreachable),
		},
		7: {exitCode(7)},
	} {
		for _, err := range all {
			if err != nil {
				err = fmt.Errorf("do it: %w", err)
			}
			assert.Equal(t, code, exitOf(t.Context(), err), "%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, exitInterrupted, exitOf(ctx, of(http.MethodGet, control.Interrupted)))
}
