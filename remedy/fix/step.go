package fix

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/planeproof/planeproof/internal/jsonvalue"
)

// do does one task, or only proves its calls where it is done already, and returns what to say of it.
func (a *applier) do(ctx context.Context, t *task) (said string, err error) {
	if t.done {
		t.after = t.before
		if before, kept := a.backup.before(t.SecretID); kept {
			t.before = before
		}
		called, err := a.proveByCalls(ctx, t, call{})
		return "is as planned already, not written" + called, err
	}
	earlier, err := a.callBefore(ctx, t)
	if err != nil {
		return "", err
	}
	if t.before, err = get(ctx, a.client, t.Path); err != nil { // again: since all were read, others may have been busy
		return "", err
	}
	if done, difference, err := a.compare(t.Step, t.before); done || difference != "" || err != nil {
		return "", fmt.Errorf("%w: it was changed by somebody else while the plan was applied; not written", ErrNotApplied)
	}
	called, err := a.change(ctx, t, earlier)
	if err != nil {
		return "", a.failed(t.Step, err)
	}
	if err := a.tell(t.Step, entry{Event: eventProven}); err != nil {
		return "", fmt.Errorf("the change is in place and proven, but %w", err)
	}
	return "changed, read back and proven" + called, nil
}

// change writes, reads back and calls.
func (a *applier) change(ctx context.Context, t *task, earlier call) (called string, err error) {
	field := Entry{"metadata", t.before.Metadata}
	if t.ReplaceValue {
		field = Entry{valueKey(t.Level), jsonvalue.Text(a.Token)}
	} else if field.Value, err = t.Edit.Apply(t.before.Metadata); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotApplied, err)
	}
	if err := a.write(ctx, t, field); err != nil {
		return "", err
	}
	want := t.before.Metadata
	if !t.ReplaceValue {
		want = field.Value
	}
	if err := a.prove(ctx, t, want); err != nil {
		return "", err
	}
	called, err = a.proveByCalls(ctx, t, earlier)
	if err == nil || errors.Is(err, ErrCannotTell) {
		a.written = append(a.written, t)
	}
	return called, err
}

// write sends the change and reads it back until it is seen. An answer that was lost is no failure if the change is there.
func (a *applier) write(ctx context.Context, t *task, field Entry) error {
	answer, err := a.patch(ctx, t.Step, t.before, t.Diff, field)
	if err != nil && !uncertain(err) {
		return err
	}
	if err == nil {
		if err := a.tell(t.Step, entry{Event: eventWritten, RequestIDs: answer.RequestIDs}); err != nil {
			return fmt.Errorf("the change is in, as the API accepted it, but %w", err)
		}
	}
	changed := func(now state) bool {
		moved, known := now.valueMoved(t.before)
		return !now.has(t.before.Metadata) || t.ReplaceValue && (moved || !known)
	}
	var readErr error
	if t.after, readErr = a.readUntil(ctx, t.Path, changed); readErr != nil {
		return fmt.Errorf("the change was sent, but cannot be read back: run apply again to finish: %w", readErr)
	}
	if err != nil && !changed(t.after) {
		return fmt.Errorf("read back, and the secret is as it was: %w", err)
	}
	return nil
}

// prove compares what was read back with what was asked. Where that fails, it puts back what it can (behaviours: BEARER-18, OVERRIDE-18).
func (a *applier) prove(ctx context.Context, t *task, want []byte) error {
	remains, others := differences(t.before, t.after, want, &t.Step)
	moved, known := t.after.valueMoved(t.before)
	switch {
	case len(others) > 0:
		return fmt.Errorf("%w: not only what was asked has changed: %s: somebody else was busy with it, or the API did that; it is left as it is",
			ErrInPlace, list(others))
	case t.ReplaceValue && known && !moved:
		return fmt.Errorf("%w: secret_updated_at did not move: the API ignored the new value, or the stored one was this already", ErrNotApplied)
	case len(remains) == 0:
		return nil
	}
	reason := "the API accepted the change, but did not apply it (it ignores PATCH, or merges it): " + strings.Join(remains, "; ")
	if t.after.has(t.before.Metadata) {
		return fmt.Errorf("%w: %s; the secret is as it was", ErrNotApplied, reason)
	}
	return a.undo(ctx, t, reason)
}

// undo writes the metadata from before, and says what came of it.
func (a *applier) undo(ctx context.Context, t *task, reason string) error {
	_, err := a.putBack(ctx, t.Step, t.after, t.before.Metadata)
	switch {
	case errors.Is(err, ErrValueLost):
		return fmt.Errorf("%w; this was tried because %s", err, reason)
	case errors.Is(err, errInPart):
		return fmt.Errorf("%w: %s; it could be put back %w", ErrInPlace, reason, err)
	case errors.Is(err, errJournal):
		return fmt.Errorf("%w: %s; it was put back, but %w", ErrNotApplied, reason, err)
	case err != nil:
		return fmt.Errorf("%w: %s; it could not be put back: %w", ErrInPlace, reason, err)
	}
	return fmt.Errorf("%w: %s; it was put back, and is as it was", ErrNotApplied, reason)
}
