package fix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// ApplyRequests are all kinds of request that applying a plan may send. Help, docs and what is printed before the first write say them.
func ApplyRequests() []string {
	return []string{
		"GET: the organization, the secrets of the plan and those of the same name, and with --model all that could answer a call",
		"POST /v1/proxy/chat/completions: only with --model; short calls of it, or of a model that only the changed secret serves, before and after a change",
		"PATCH: a secret's own path with its whole metadata, or with the token of --token-file alone",
		withName,
		"PATCH: the metadata as it was before, only where a change was applied in part, or broke a call that worked",
		wholePut,
	}
}

// RestoreRequests are all kinds of request that restoring a backup may send.
func RestoreRequests() []string {
	return []string{
		"GET: the organization and the secrets of the backup", "PATCH: a secret's own path with its whole metadata, as in the backup", withName, wholePut,
	}
}

const (
	withName = "PATCH: the same with the secret's own name, only after a 400 that asks for a name"
	wholePut = "PUT /v1/ai_secret: only with --allow-put; where PATCH leaves keys behind, an ai_secret is replaced without its stored value, which " +
		"keeps it; never an env_var"
)

// session is what applying and restoring have in common.
type session struct {
	Options
	client    *control.Client
	journal   *journal
	action    string // what the journal calls it, empty for the step's remedy
	written   []written
	lastWrite time.Time
}

// written is a secret before a change and as it was read back after it.
type written struct {
	Step
	before, after state
}

func (s *session) wrote(step Step, before, after state) {
	s.written = append(s.written, written{step, before, after})
}

// begin opens the journal and says what may be sent.
func (s *session) begin(org inventory.Organization, plan string, kinds []string) (err error) {
	head := entry{Tool: s.Tool, Who: s.Who, Organization: org, Plan: plan}
	if s.journal, err = openJournal(JournalPath(s.Backup), head, s.Now); err != nil {
		return err
	}
	s.Say("what may be sent:")
	for _, kind := range kinds {
		s.Say("  " + kind)
	}
	return nil
}

func (s *session) line(event string, step Step) entry {
	action := string(step.Remedy)
	if s.action != "" {
		action = s.action
	}
	return entry{Event: event, Action: action, SecretID: step.SecretID, Name: step.Name}
}

// failed writes the reason into the journal.
func (s *session) failed(step Step, reason error) error {
	line := s.line(eventFailed, step)
	line.Said = reason.Error()
	if err := s.journal.add(line); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	return reason
}

// send sends a write after the journal tells of it: nothing is sent where that cannot be written.
func (s *session) send(ctx context.Context, step Step, method, path string, changes []Change, fields ...Entry) (control.Answer, error) {
	var names []string
	for _, f := range fields {
		names = append(names, f.Key)
	}
	begin := s.line(eventBegin, step)
	begin.Request, begin.Changes = fmt.Sprintf("%s %s {%s}", method, path, strings.Join(names, ", ")), changes
	if err := s.journal.add(begin); err != nil {
		return control.Answer{}, err
	}
	defer func() { s.lastWrite = s.Now() }()
	if method == http.MethodPut {
		return s.client.Put(ctx, path, fieldsBody(fields...))
	}
	return s.client.Patch(ctx, path, fieldsBody(fields...))
}

// asksForName recognizes the refusal of a PATCH that lacks `name` (facts: the API, the spec requires it for env_var).
var asksForName = regexp.MustCompile(`\bname\b`)

// patch changes one field of a secret. The secret's own name is added only after a 400 that asks for it.
func (s *session) patch(ctx context.Context, step Step, present state, changes []Change, field Entry) (control.Answer, error) {
	answer, err := s.send(ctx, step, http.MethodPatch, step.Path, changes, field)
	var refused *control.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && asksForName.MatchString(refused.Said) {
		answer, err = s.send(ctx, step, http.MethodPatch, step.Path, changes, Entry{"name", text(present.Name)}, field)
	}
	if err != nil {
		return answer, fmt.Errorf("change provider secret: %w", err)
	}
	return answer, nil
}

// errInPart is metadata that could not be written back whole.
var errInPart = errors.New("only in part")

// putBack writes metadata back, reads it back and tells the journal. Where PATCH merges, keys that were added stay; then an ai_secret may
// be put as a whole. Errors are errInPart, errJournal where it is back, ErrValueLost and those of the client.
func (s *session) putBack(ctx context.Context, step Step, present state, metadata []byte) (after state, err error) {
	want := state{Object: control.Object{Metadata: metadata}}
	_, err = s.patch(ctx, step, present, changes(present.keys(), want.keys()), Entry{"metadata", metadata})
	if err != nil && !uncertain(err) {
		return state{}, err
	}
	after, err = s.readUntil(ctx, s.client, step.Path, func(now state) bool { return !now.sameMetadata(present) || now.sameMetadata(want) })
	if err != nil {
		return state{}, err
	}
	replaceable := present.ObjectType == ""
	if !after.sameMetadata(want) && replaceable && s.AllowPut {
		if after, err = s.put(ctx, step, after, metadata); err != nil {
			return state{}, err
		}
	}
	left, others := differences(present, after, metadata, nil)
	if len(left) > 0 && replaceable && !s.AllowPut {
		left = append(left, "PATCH does not remove it; --allow-put would replace the secret without its stored value")
	}
	for _, field := range others {
		left = append(left, evidence.Printable(field)+" has changed on the way")
	}
	if len(left) > 0 {
		return after, fmt.Errorf("%w: %s", errInPart, strings.Join(left, "; "))
	}
	return after, s.journal.add(s.line(eventPutBack, step))
}

// put replaces an ai_secret, found by its name, and leaves out its value so that the API keeps it (facts: the API). Without a preview
// nobody would see that it was lost: then it is not sent.
func (s *session) put(ctx context.Context, step Step, present state, metadata []byte) (after state, err error) {
	if present.Preview == "" {
		return present, nil
	}
	fields := []Entry{{"name", text(present.Name)}}
	if present.Type != "" {
		fields = append(fields, Entry{"type", text(present.Type)})
	}
	answer, err := s.send(ctx, step, http.MethodPut, "/v1/ai_secret", nil, append(fields, Entry{"metadata", metadata})...)
	if err != nil && !uncertain(err) {
		return state{}, fmt.Errorf("replace provider secret: %w", err)
	}
	if err == nil {
		if o, err := answer.Object(); err != nil || o.ID != present.ID {
			return state{}, fmt.Errorf("%w: the API replaced another object than the one meant", ErrInPlace)
		}
	}
	after, err = s.readUntil(ctx, s.client, step.Path, func(now state) bool { return !now.sameMetadata(present) })
	if err == nil && after.Preview != present.Preview {
		return state{}, fmt.Errorf("%w: the API did not keep it over a PUT that left it out: store the token again (fix plan --secret %s --token-file FILE)",
			ErrValueLost, step.SecretID)
	}
	return after, err
}

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

// uncertain says of a failed write that it may have been applied all the same.
func uncertain(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Uncertain
}
