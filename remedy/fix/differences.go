package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/remedy/control"
)

// differences says how a secret differs from what it was and the metadata that it should have now: in the keys that the step was to change,
// in words, and in others that should be as they were. Without a step all keys were to change.
func differences(was, now state, metadata []byte, step *Step) (remains, others []string) {
	others = otherChanges(was, now, step != nil && step.ReplaceValue)
	want := state{Object: control.Object{Metadata: metadata}}
	differing := want.keys().Differing(now.keys())
	for _, key := range differing {
		if step != nil && !slices.Contains(step.Edit.keys(), key) {
			others = append(others, "metadata."+key)
			continue
		}
		remains = append(remains, fmt.Sprintf("%s is %s, not %s", evidence.Printable(key), shown(now.keys(), key), shown(want.keys(), key)))
	}
	switch {
	case len(differing) > 0 || now.sameMetadata(want):
	case step != nil && step.ReplaceValue:
		others = append(others, "metadata")
	default: // one of the two is no object, or has a key twice
		remains = append(remains, "the metadata is "+jsonvalue.Kind(now.Metadata)+", not "+jsonvalue.Kind(metadata))
	}
	return remains, others
}

// lastReading reads all that was written once more, not before Wait has passed since the last write: what an API accepts can be reverted,
// or have been seen in one place only.
func (s *session) lastReading(ctx context.Context) error {
	if len(s.written) == 0 || ctx.Err() != nil {
		return nil
	}
	if left := s.lastWrite.Add(s.Wait).Sub(s.Now()); left > 0 {
		if err := s.Sleep(ctx, left); err != nil {
			return err
		}
	}
	paths := make([]string, len(s.written))
	for i, w := range s.written {
		paths[i] = w.Path
	}
	all, err := s.readAll(ctx, s.client, paths, once)
	if err != nil {
		return fmt.Errorf("all changes were written, but the last reading of them failed: %w", err)
	}
	var reverted []string
	for i, w := range s.written {
		what := " was changed by somebody else"
		remains, others := differences(w.after, all[i].state, w.after.Metadata, nil)
		switch {
		case all[i].gone:
			what = " does not exist any more"
		case len(remains)+len(others) == 0:
			continue
		case all[i].sameMetadata(w.before):
			what = " is as it was before"
		}
		reverted = append(reverted, label(w.Name, w.Level, w.Project)+what)
		_ = s.failed(w.Step, errors.New("reverted")) // it is told below
	}
	if len(reverted) > 0 {
		return fmt.Errorf("%w: it was written and read back, but was reverted since: %s", ErrNotApplied, strings.Join(reverted, "; "))
	}
	return nil
}
