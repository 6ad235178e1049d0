package fix

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
)

// step does one step, or only proves its call where it is done already.
func (a *applier) step(ctx context.Context, step Step, todo bool) error {
	if !todo {
		served, err := a.calls(ctx, step)
		if err == nil {
			a.Say("  " + label(step.Name, step.Level, step.Project) + ": is as planned already, not written" + served)
		}
		return err
	}
	worked := a.worksNow(ctx, step)
	before, err := look(ctx, a.client, step.Path) // again: since all were read, others may have been busy
	if err != nil {
		return err
	}
	if done, difference := a.compare(step, before); done || difference != "" {
		return fmt.Errorf("%w: it was changed by somebody else while the plan was applied; not written", ErrNotApplied)
	}
	after, err := a.write(ctx, step, before)
	if err != nil {
		return a.failed(step, err)
	}
	if err := a.prove(ctx, step, before, after); err != nil {
		return a.failed(step, err)
	}
	served, err := a.calls(ctx, step)
	if err != nil {
		return a.failed(step, a.callFailed(ctx, step, before, worked, err))
	}
	if err := a.journal.add(a.line(eventProven, step)); err != nil {
		return err
	}
	a.Say("  " + label(step.Name, step.Level, step.Project) + ": changed, read back and proven" + served)
	return nil
}

func (a *applier) line(event string, step Step) entry {
	return entry{Event: event, Action: string(step.Remedy), SecretID: step.SecretID, Name: step.Name}
}

// failed writes the reason into the journal.
func (a *applier) failed(step Step, reason error) error {
	line := a.line(eventFailed, step)
	line.Said = reason.Error()
	if err := a.journal.add(line); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	return reason
}

// write sends the change and reads it back. An answer that was lost is no failure if the change is there.
func (a *applier) write(ctx context.Context, step Step, before state) (after state, err error) {
	field := Entry{Key: "metadata"}
	if step.ReplaceValue {
		field = Entry{valueKey(step.Level), text(a.Token)}
	} else if field.Value, err = step.Edit.Apply(before.Metadata); err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrNotApplied, err)
	}
	begin := a.line(eventBegin, step)
	begin.Request, begin.Changes = http.MethodPatch+" "+step.Path, step.Diff
	if err := a.journal.add(begin); err != nil {
		return state{}, err
	}
	answer, err := patch(ctx, a.client, before, field)
	if err != nil && !uncertain(err) {
		return state{}, err
	}
	if err == nil {
		written := a.line(eventWritten, step)
		written.RequestIDs = answer.RequestIDs
		if err := a.journal.add(written); err != nil {
			return state{}, err
		}
	}
	after, readErr := look(ctx, a.client, step.Path)
	if readErr != nil {
		return state{}, fmt.Errorf("the change was sent, but cannot be read back: run apply again to finish: %w", readErr)
	}
	if err != nil && sameJSON(before.Metadata, after.Metadata) && before.SecretUpdatedAt == after.SecretUpdatedAt {
		return state{}, fmt.Errorf("%w: read back, and the secret is as it was: %w", ErrNotApplied, err)
	}
	return after, nil
}

// asksForName recognizes the refusal of a PATCH that lacks `name` (facts: the API, the spec requires it for env_var).
var asksForName = regexp.MustCompile(`\bname\b`)

// patch changes one field of a secret. The secret's own name is added only after a 400 that asks for it.
func patch(ctx context.Context, client *control.Client, present state, field Entry) (control.Answer, error) {
	path := "/v1/env_var/" + present.ID
	if present.ObjectType == "" {
		path = "/v1/ai_secret/" + present.ID
	}
	answer, err := client.Patch(ctx, path, fieldsBody(field))
	if status, said := refusal(err); status == http.StatusBadRequest && asksForName.MatchString(said) {
		answer, err = client.Patch(ctx, path, fieldsBody(Entry{"name", text(present.Name)}, field))
	}
	if err != nil {
		return answer, fmt.Errorf("change provider secret: %w", err)
	}
	return answer, nil
}

// prove compares what was read back with what was asked. Where that fails, it puts back what it can.
func (a *applier) prove(ctx context.Context, step Step, before, after state) error {
	others := otherChanges(before, after, step.ReplaceValue)
	want := before.keys()
	if !step.ReplaceValue {
		edited, err := step.Edit.Apply(before.Metadata)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotApplied, err)
		}
		if want, err = object(edited); err != nil {
			return fmt.Errorf("%w: %w", ErrNotApplied, err)
		}
	}
	var remains []string
	for _, key := range differing(want, after.keys()) {
		if !slices.Contains(step.Edit.keys(), key) {
			others = append(others, "metadata."+key)
			continue
		}
		remains = append(remains, fmt.Sprintf("%s is %s, not %s", evidence.Printable(key), shown(after.keys(), key), shown(want, key)))
	}
	switch {
	case len(others) > 0:
		return fmt.Errorf("%w: not only what was asked has changed: %s: somebody else was busy with it, or the API did that; it is left as it is",
			ErrNotApplied, strings.Join(printable(others), ", "))
	case len(remains) > 0:
		return a.notApplied(ctx, step, before, after, remains)
	case step.ReplaceValue && after.SecretUpdatedAt == before.SecretUpdatedAt:
		return fmt.Errorf("%w: secret_updated_at did not move: the API ignored the new value, or the stored one was this already", ErrNotApplied)
	case hash(after.Metadata) != step.After:
		return fmt.Errorf("%w: the metadata is not what the plan says", ErrNotApplied)
	}
	return nil
}

// notApplied says what remains of a change that the API accepted, and puts back what it made of it (behaviours: BEARER-18, OVERRIDE-18).
func (a *applier) notApplied(ctx context.Context, step Step, before, after state, remains []string) error {
	reason := fmt.Errorf("%w: the API accepted the change, but did not apply it (it ignores PATCH, or merges it): %s",
		ErrNotApplied, strings.Join(remains, "; "))
	if sameJSON(before.Metadata, after.Metadata) {
		return fmt.Errorf("%w; the secret is as it was", reason)
	}
	return a.putBack(ctx, step, before, reason)
}

// putBack writes the metadata from before, and adds to the reason what came of it.
func (a *applier) putBack(ctx context.Context, step Step, before state, reason error) error {
	left, err := revert(ctx, a.client, step.Path, before)
	switch {
	case err != nil:
		return fmt.Errorf("%w; it could not be put back: %w", reason, err)
	case len(left) > 0:
		return fmt.Errorf("%w; it could be put back only in part: %s", reason, strings.Join(left, "; "))
	}
	if err := a.journal.add(a.line(eventPutBack, step)); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	return fmt.Errorf("%w; it was put back, and is as it was", reason)
}
