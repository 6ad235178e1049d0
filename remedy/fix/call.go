package fix

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// attempts is how often a call is made until the proxy names the secret meant: several may be candidates, and it takes them in turn
// (facts: routing, order).
const attempts = 5

// calls proves the step by real calls, first past the caches and then through them. It returns what to add to the line of a success.
func (a *applier) calls(ctx context.Context, step Step) (served string, err error) {
	if a.Model == "" {
		return "", nil
	}
	now, err := look(ctx, a.client, step.Path)
	if err != nil {
		return "", err
	}
	if !(provider.Secret{Name: now.Name, Type: now.Type, Metadata: now.Metadata}).Eligible(a.Model) {
		return "; no call was made, as it does not serve " + evidence.Printable(a.Model), nil
	}
	if why, err := a.call(ctx, step, false); err != nil || why != "" {
		return "", orElse(err, fmt.Errorf("%w: a call of %s past the caches fails: %s", ErrNotApplied, evidence.Printable(a.Model), why))
	}
	if why, err := a.call(ctx, step, true); err != nil || why != "" {
		return "", orElse(err, fmt.Errorf("%w: a call of %s works past the caches and fails through them (credentials are kept for up to an "+
			"hour): %s", errCached, evidence.Printable(a.Model), why))
	}
	return "; a call of " + evidence.Printable(a.Model) + " works with and without the caches", nil
}

// errCached is a failure that only the caches cause: the change itself is right.
var errCached = fmt.Errorf("%w yet", ErrNotApplied)

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// worksNow says whether a call works before the change, so that a change that breaks it can be told from one that does not help.
func (a *applier) worksNow(ctx context.Context, step Step) bool {
	if a.Model == "" {
		return false
	}
	why, err := a.call(ctx, step, false)
	return err == nil && why == ""
}

// call makes one call in the step's project and says why it is no proof, empty where it is one.
func (a *applier) call(ctx context.Context, step Step, caches bool) (why string, err error) {
	call := control.Call{Model: a.Model, Caches: caches}
	if step.Level == inventory.Project {
		call.ProjectID = step.Project.ID
	}
	for range attempts {
		got, err := a.client.Proxy(ctx, call)
		if err != nil {
			return "", fmt.Errorf("call model: %w", err)
		}
		switch {
		case !got.OK:
			return fmt.Sprintf("status %d: %s", got.Status, got.Said), nil
		case servedBy(got.UsedEndpoint, step.Name):
			return "", nil
		}
		why = fmt.Sprintf("it was served by %q, another secret", got.UsedEndpoint)
	}
	return why, nil
}

// servedBy compares the name that the proxy tells with a secret's. Where it tells none, or one that was hidden on the way, nothing can
// be compared.
func servedBy(told, name string) bool {
	return told == "" || strings.ContainsAny(told, "‹…") || told == evidence.Printable(strings.Join(strings.Fields(name), " "))
}

// callFailed decides what becomes of a change whose call fails: one that broke a working call is put back.
func (a *applier) callFailed(ctx context.Context, step Step, before state, worked bool, reason error) error {
	switch {
	case step.ReplaceValue:
		return fmt.Errorf("%w; the stored value was replaced, which cannot be undone", reason)
	case worked && !errors.Is(reason, errCached):
		return a.putBack(ctx, step, before, fmt.Errorf("%w; it worked before the change", reason))
	}
	return fmt.Errorf("%w; the change is in place", reason)
}
