package steps

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
)

// TestARemedysErrorIsAMismatch: it should have come to a result; what is no error of the remedy says nothing of it.
func TestARemedysErrorIsAMismatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.gaveWay("it", nil))
	for _, own := range []error{errors.New("no luck"), &control.Error{Kind: control.WrongKey}, &control.Error{Kind: control.Refused}} {
		var found *evidence.Mismatch
		require.ErrorAs(t, r.gaveWay("it", own), &found)
		assert.Equal(t, own.Error(), found.Actual)
	}
	for _, others := range []error{context.DeadlineExceeded, context.Canceled, &control.Error{Kind: control.Unreachable}, &control.Error{Kind: control.Broken}} {
		assert.Equal(t, others, r.gaveWay("it", others))
	}

	r.share.answers["GET /v1/organization"] = answer{http.StatusUnauthorized, "no"}
	var found *evidence.Mismatch
	require.ErrorAs(t, r.audit(t.Context(), "", ""), &found)
	assert.Equal(t, "what came of the inventory", found.What)
	require.ErrorAs(t, r.restore(t.Context()), &found)
	assert.Equal(t, "what came of the restore", found.What)
}
