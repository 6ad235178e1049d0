package fix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// state is a secret as the API showed it at one time.
type state struct {
	control.Object
	raw json.RawMessage
}

// get reads a secret from its own path.
func get(ctx context.Context, client *control.Client, path string) (state, error) {
	answer, err := client.Get(ctx, path)
	if err != nil {
		return state{}, fmt.Errorf("read provider secret: %w", err)
	}
	s, err := newState(answer.Body)
	if err != nil {
		return state{}, fmt.Errorf("read provider secret %s: %w", path, err)
	}
	client.HideMetadata(s.Metadata)
	return s, nil
}

func newState(raw json.RawMessage) (state, error) {
	o, err := control.Answer{Body: raw}.Object()
	if o.Metadata == nil {
		o.Metadata = json.RawMessage("null")
	}
	return state{o, raw}, err
}

// fields is the whole object but metadata, which is compared apart from it, and may be what nothing else could be compared beside.
func (s state) fields() jsonvalue.Object {
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(s.raw, &raw) // it was read as an object already
	delete(raw, "metadata")
	fields := jsonvalue.Object{}
	for name, value := range raw {
		canonical, err := jsonvalue.Canonical(value)
		if err != nil {
			canonical = value
		}
		fields[name] = canonical
	}
	return fields
}

// keys is the metadata as an object, empty where it is none.
func (s state) keys() jsonvalue.Object {
	keys, err := object(s.Metadata)
	if err != nil {
		return jsonvalue.Object{}
	}
	return keys
}

// sameMetadata compares by JSON value.
func (s state) sameMetadata(other state) bool { return jsonvalue.Equal(s.Metadata, other.Metadata) }

// valueMoved says that what the API tells of the stored value has changed; known is false where it tells nothing.
func (s state) valueMoved(before state) (moved, known bool) {
	told := s.SecretUpdatedAt != "" && before.SecretUpdatedAt != "" || s.Preview != "" && before.Preview != ""
	return s.SecretUpdatedAt != before.SecretUpdatedAt || s.Preview != before.Preview, told
}

// otherChanges are the fields beside metadata that differ and should not: dates of use and change move by themselves, what tells of the
// stored value moves when it is replaced, and its date also on an API that moves it with every change; then the preview is as it was.
func otherChanges(before, after state, valueReplaced bool) []string {
	expected := []string{"updated_at", "used"}
	if valueReplaced || before.Preview != "" && before.Preview == after.Preview {
		expected = append(expected, "secret_updated_at", "secret_updated_by_user_id")
	}
	if valueReplaced {
		expected = append(expected, "preview_secret")
	}
	return slices.DeleteFunc(before.fields().Differing(after.fields()), func(field string) bool {
		return slices.Contains(expected, field)
	})
}

// Find reads one provider secret by its id, whichever level it belongs to. It sends GET alone. What is no provider secret is refused.
func Find(ctx context.Context, client *control.Client, id string) (inventory.Secret, error) {
	path := url.PathEscape(id)
	found, err := get(ctx, client, "/v1/ai_secret/"+path)
	if control.KindOf(err) == control.NotFound {
		found, err = get(ctx, client, "/v1/env_var/"+path)
		if control.KindOf(err) == control.NotFound {
			return inventory.Secret{}, fmt.Errorf("%w: find provider secret %s: neither ai_secret nor env_var has this id (404)",
				ErrNotApplied, evidence.Printable(id))
		}
	}
	if err != nil {
		return inventory.Secret{}, err
	}
	secret, err := found.secret()
	if err == nil && secret.Project != nil {
		secret.Project.Name, err = projectName(ctx, client, secret.Project.ID)
	}
	return secret, err
}

// secret is the state as an inventory has it, with the project's id alone.
func (s state) secret() (inventory.Secret, error) {
	secret := inventory.Secret{
		ID: s.ID, Name: s.Name, Type: s.Type, Preview: s.Preview, Metadata: s.Metadata, SecretUpdatedAt: s.SecretUpdatedAt,
	}
	switch {
	case s.ObjectType == "":
		secret.Level = inventory.Org
	case s.Category != "ai_provider" && (s.Category != "" || s.Type == ""):
		return secret, fmt.Errorf("%w: %s is an environment variable and no AI provider", ErrNotApplied, evidence.Printable(s.Name))
	case s.ObjectType == "organization":
		secret.Level = inventory.OrgEnv
	case s.ObjectType == "project":
		secret.Level, secret.Project = inventory.Project, &inventory.ProjectRef{ID: s.ObjectID}
	default:
		return secret, fmt.Errorf("%w: %s belongs to a %s, which no remedy knows", ErrNotApplied, evidence.Printable(s.Name),
			evidence.Printable(s.ObjectType))
	}
	return secret, nil
}

func projectName(ctx context.Context, client *control.Client, id string) (string, error) {
	answer, err := client.Get(ctx, "/v1/project/"+url.PathEscape(id))
	if control.KindOf(err) == control.Forbidden || control.KindOf(err) == control.NotFound {
		return "", nil // the name is only shown
	}
	if err != nil {
		return "", fmt.Errorf("read project: %w", err)
	}
	o, err := answer.Object()
	return o.Name, err
}

// The pauses between two readings of what looks unchanged grow from the first to the longest.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 4 * time.Second
)

// reading is what reading a secret gave; gone is a 404.
type reading struct {
	state
	gone bool
}

// readAll reads secrets, several at once, and those that are not settled again with growing pauses, for at most Wait for all together:
// what an API shows after a write can be old. settled is told how often the secret was read, this time included.
func (o Options) readAll(ctx context.Context, client *control.Client, paths []string,
	settled func(i int, now state, times int) bool,
) ([]reading, error) {
	all := make([]reading, len(paths))
	open := make([]int, len(paths)) // places in all
	for i := range open {
		open[i] = i
	}
	end, pause := o.Now().Add(o.Wait), firstPause
	for times := 1; ; times++ {
		err := control.Each(ctx, len(open), func(ctx context.Context, n int) (err error) {
			r := &all[open[n]]
			r.state, err = get(ctx, client, paths[open[n]])
			if r.gone = control.KindOf(err) == control.NotFound; r.gone {
				return nil
			}
			return err
		}, o.Progress)
		if err != nil {
			return nil, err
		}
		open = slices.DeleteFunc(open, func(i int) bool { return all[i].gone || settled(i, all[i].state, times) })
		left := end.Sub(o.Now())
		if len(open) == 0 || left <= 0 {
			return all, nil
		}
		if err := o.Sleep(ctx, min(pause, left)); err != nil {
			return nil, err
		}
		pause = min(2*pause, longestPause)
	}
}

// once is content with one reading.
func once(int, state, int) bool { return true }

// readUntil reads one secret until it is settled, for at most Wait.
func (o Options) readUntil(ctx context.Context, client *control.Client, path string, settled func(state) bool) (state, error) {
	o.Progress = nil
	all, err := o.readAll(ctx, client, []string{path}, func(_ int, now state, _ int) bool { return settled(now) })
	switch {
	case err != nil:
		return state{}, err
	case all[0].gone:
		return state{}, fmt.Errorf("%w: it does not exist any more", ErrNotApplied)
	}
	return all[0].state, nil
}

// fieldsBody is a JSON object of these fields, every byte of their values as given.
func fieldsBody(fields ...Entry) []byte {
	var b bytes.Buffer
	for i, f := range fields {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(text(f.Key))
		b.WriteByte(':')
		b.Write(f.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// text is a JSON string.
func text(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return raw
}

// findOrg finds the organization of a file of ours among those of the key, by its id, as it may have been renamed since.
func findOrg(ctx context.Context, client *control.Client, want inventory.Organization) (inventory.Organization, error) {
	all, err := client.Organizations(ctx)
	if err != nil {
		return inventory.Organization{}, fmt.Errorf("read organization: %w", err)
	}
	var names []string
	for _, o := range all {
		if o.ID == want.ID {
			return inventory.Organization(o), nil
		}
		names = append(names, o.Name)
	}
	return inventory.Organization{}, fmt.Errorf("%w: this is about %q (%s), and the key sees %q", ErrOrganization, evidence.Printable(want.Name),
		evidence.Printable(want.ID), printable(names))
}
