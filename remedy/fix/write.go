package fix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
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
	journal   *os.File
	head      head
	action    string // what the journal calls it, empty for the step's remedy
	written   []*task
	lastWrite time.Time
}

// task is a step to be done, with its secret before and after.
type task struct {
	Step
	before, after state
	done          bool // it is as planned already
}

// newSession fills in the options that were left out.
func newSession(client *control.Client, o Options) session {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = func(ctx context.Context, d time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		}
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	return session{Options: o, client: client}
}

// findOrg finds the organization of a file of ours among those of the key, by its id, as it may have been renamed since.
func (s *session) findOrg(ctx context.Context, want inventory.Organization) (found inventory.Organization, err error) {
	all, err := s.client.Organizations(ctx)
	if err != nil {
		return found, fmt.Errorf("read organization: %w", err)
	}
	i := slices.IndexFunc(all, func(o control.Organization) bool { return o.ID == want.ID })
	if i < 0 {
		var names []string
		for _, o := range all {
			names = append(names, o.Name)
		}
		return found, fmt.Errorf("%w: this is about %q (%s), and the key sees %q", ErrOrganization, evidence.Printable(want.Name),
			evidence.Printable(want.ID), printable(names))
	}
	if all[i].Name != want.Name {
		s.Say(evidence.Printable(fmt.Sprintf("note: the organization %s is called %s now", want.Name, all[i].Name)))
	}
	return inventory.Organization(all[i]), nil
}

// begin opens the journal and says what may be sent.
func (s *session) begin(org inventory.Organization, plan string, kinds []string) (err error) {
	s.head = head{Schema: JournalSchema, Tool: s.Tool, Who: s.Who, Organization: org, Plan: plan}
	if s.journal, err = openJournal(JournalPath(s.Backup)); err != nil {
		return err
	}
	s.Say("what may be sent:")
	for _, kind := range kinds {
		s.Say("  " + kind)
	}
	return nil
}

// send sends a write after the journal tells of it: nothing is sent where that cannot be written.
func (s *session) send(ctx context.Context, step Step, method, path string, changes []Change, fields ...Entry) (answer control.Answer, err error) {
	body := Edit{Set: fields}
	raw, err := body.Apply([]byte("{}"))
	if err != nil {
		return answer, err
	}
	begin := entry{Event: eventBegin, Request: fmt.Sprintf("%s %s {%s}", method, path, strings.Join(body.keys(), ", ")), Changes: changes}
	if err := s.tell(step, begin); err != nil {
		return answer, err
	}
	defer func() { s.lastWrite = s.Now() }()
	if method == http.MethodPut {
		return s.client.Put(ctx, path, raw)
	}
	return s.client.Patch(ctx, path, raw)
}

// asksForName recognizes the refusal of a PATCH that lacks `name` (facts: patch-name).
var asksForName = regexp.MustCompile(`\bname\b`)

// patch changes one field of a secret. The secret's own name is added only after a 400 that asks for it.
func (s *session) patch(ctx context.Context, step Step, present state, changes []Change, field Entry) (control.Answer, error) {
	answer, err := s.send(ctx, step, http.MethodPatch, step.Path, changes, field)
	var refused *control.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && asksForName.MatchString(refused.Said) {
		answer, err = s.send(ctx, step, http.MethodPatch, step.Path, changes, Entry{"name", jsonvalue.Text(present.Name)}, field)
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
	_, err = s.patch(ctx, step, present, changes(present.Metadata, metadata), Entry{"metadata", metadata})
	if err != nil && !uncertain(err) {
		return state{}, err
	}
	after, err = s.readUntil(ctx, step.Path, func(now state) bool { return !now.has(present.Metadata) || now.has(metadata) })
	replaceable := present.Level == inventory.Org
	if err == nil && !after.has(metadata) && replaceable && s.AllowPut {
		after, err = s.put(ctx, step, after, metadata)
	}
	if err != nil {
		return state{}, err
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
	return after, s.tell(step, entry{Event: eventPutBack})
}

// put replaces an ai_secret, found by its name, and leaves out its value so that the API keeps it (facts: put-keeps). Without a preview
// nobody would see that it was lost: then it is not sent.
func (s *session) put(ctx context.Context, step Step, present state, metadata []byte) (after state, err error) {
	if present.Preview == "" {
		return present, nil
	}
	fields := []Entry{{"name", jsonvalue.Text(present.Name)}, {"type", jsonvalue.Text(present.Type)}, {"metadata", metadata}}
	if present.Type == "" {
		fields = slices.Delete(fields, 1, 2)
	}
	answer, err := s.send(ctx, step, http.MethodPut, "/v1/ai_secret", nil, fields...)
	if err != nil && !uncertain(err) {
		return state{}, fmt.Errorf("replace provider secret: %w", err)
	}
	if err == nil {
		if o, err := answer.Object(); err != nil || o.ID != present.ID {
			return state{}, fmt.Errorf("%w: the API replaced another object than the one meant", ErrInPlace)
		}
	}
	after, err = s.readUntil(ctx, step.Path, func(now state) bool { return !now.has(present.Metadata) })
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
	all, err := s.readAll(ctx, len(s.written), func(i int) string { return s.written[i].Path }, once)
	if err != nil {
		return fmt.Errorf("all changes were written, but the last reading of them failed: %w", err)
	}
	var reverted []string
	for i, t := range s.written {
		remains, others := differences(t.after, all[i], t.after.Metadata, nil)
		what := ""
		switch {
		case all[i].gone:
			what = "does not exist any more"
		case len(remains)+len(others) == 0:
			continue
		case all[i].has(t.before.Metadata):
			what = "is as it was before"
		}
		reverted = append(reverted, t.label()+" "+cmp.Or(what, "was changed by somebody else"))
		_ = s.failed(t.Step, errors.New("reverted")) // it is told below
	}
	if len(reverted) > 0 {
		return fmt.Errorf("%w: it was written and read back, but was reverted since: %s", ErrNotApplied, strings.Join(reverted, "; "))
	}
	return nil
}
