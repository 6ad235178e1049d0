package fix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// state is a secret as the API showed it at one time.
type state struct {
	control.Object
	raw json.RawMessage
}

// look reads a secret from its own path.
func look(ctx context.Context, client *control.Client, path string) (state, error) {
	answer, err := client.Get(ctx, path)
	if err != nil {
		return state{}, fmt.Errorf("read provider secret: %w", err)
	}
	o, err := answer.Object()
	if err != nil {
		return state{}, fmt.Errorf("read provider secret %s: %w", path, err)
	}
	client.HideMetadata(o.Metadata)
	return state{o, answer.Body}, nil
}

// fields is the whole object but metadata, which is compared apart from it, and may be what nothing else could be compared beside.
func (s state) fields() map[string]any {
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(s.raw, &raw) // it was read as an object already
	delete(raw, "metadata")
	fields := map[string]any{}
	for name, value := range raw {
		decoded, err := decode(value)
		if err != nil {
			decoded = string(value)
		}
		fields[name] = decoded
	}
	return fields
}

// keys is the metadata as an object, empty where it is none.
func (s state) keys() map[string]any {
	keys, err := object(s.Metadata)
	if err != nil {
		return map[string]any{}
	}
	return keys
}

// otherChanges are the fields beside metadata that differ and should not: dates of use and change move by themselves, and what tells of
// the stored value moves when it is replaced.
func otherChanges(before, after state, valueReplaced bool) []string {
	expected := []string{"updated_at", "used"}
	if valueReplaced {
		expected = append(expected, "preview_secret", "secret_updated_at", "secret_updated_by_user_id")
	}
	return slices.DeleteFunc(differing(before.fields(), after.fields()), func(field string) bool {
		return slices.Contains(expected, field)
	})
}

// Find reads one provider secret by its id, whichever level it belongs to. It sends GET alone. What is no provider secret is refused.
func Find(ctx context.Context, client *control.Client, id string) (inventory.Secret, error) {
	path := url.PathEscape(id)
	found, err := look(ctx, client, "/v1/ai_secret/"+path)
	if control.KindOf(err) == control.NotFound {
		found, err = look(ctx, client, "/v1/env_var/"+path)
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
	if secret.Metadata == nil {
		secret.Metadata = json.RawMessage("null")
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

// sameOrg refuses a key of another organization than the one that a file of ours is about; name is what the caller says it is.
func sameOrg(ctx context.Context, client *control.Client, want inventory.Organization, name string) error {
	if name != want.Name {
		return fmt.Errorf("%w: this is about the organization %q, not %q", ErrNotApplied, want.Name, evidence.Printable(name))
	}
	all, err := client.Organizations(ctx)
	if err != nil {
		return fmt.Errorf("read organization: %w", err)
	}
	if !slices.ContainsFunc(all, func(o control.Organization) bool { return o.ID == want.ID && o.Name == want.Name }) {
		return fmt.Errorf("%w: the key is of another organization than %q (%s)", ErrNotApplied, want.Name, want.ID)
	}
	return nil
}

// uncertain says of a failed write that it may have been applied all the same.
func uncertain(err error) bool {
	var e *control.Error
	return errors.As(err, &e) && e.Uncertain
}
