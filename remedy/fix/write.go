package fix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
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

// asksForName recognizes the refusal of a PATCH that lacks `name` (facts: patch-name).
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

// put replaces an ai_secret, found by its name, and leaves out its value so that the API keeps it (facts: put-keeps). Without a preview
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

// uncertain says of a failed write that it may have been applied all the same.
func uncertain(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Uncertain
}
