package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target"
)

// Level is where a provider secret belongs.
type Level string

// The levels. An environment variable is a secret of a project that is no AI provider.
const (
	Org         Level = "org"
	Project     Level = "project"
	Environment Level = "environment"
)

// Secret is a provider secret of the scenario, as it was made.
type Secret struct {
	Name    string
	Level   Level
	Project string // the project's name, empty at org level
	Type    string
	// Token is the raw token; Stored is what the data plane was given, which may be something else.
	Token, Stored string
	ID            string
	// held are the values that were stored before Stored.
	held []string
	// Before is the API's object after it was made; Edits are the metadata keys that the scenario changed on purpose.
	Before json.RawMessage
	Edits  Metadata
}

// Path is the secret's own path in the control API.
func (s *Secret) Path() string { return s.collection() + "/" + s.ID }

func (s *Secret) collection() string {
	if s.Level == Org {
		return "/v1/ai_secret"
	}
	return "/v1/env_var"
}

// valueKey is the name of the stored value in requests (facts: value-key).
func (s *Secret) valueKey() string {
	if s.Level == Org {
		return "secret"
	}
	return "value"
}

// CustomModel is the entry of customModels that makes a secret serve a model.
func CustomModel(model string) map[string]any {
	return map[string]any{model: map[string]any{"format": "openai", "flavor": "chat"}}
}

// AddSecret mints a token, lets the gateway accept it, and stores it. metadata is added to api_base and additionalHeaders, which
// every secret of a scenario has: the first so that it is called, the second so that a value leaks where values leak.
func (w *World) AddSecret(ctx context.Context, s *Secret, metadata Metadata) error {
	s.Token = w.Mint("token of "+s.Name, "sk-")
	s.Stored = s.Token
	if s.Type == "" {
		s.Type = "openai"
	}
	w.chosen(target.Gateway).Gateway.Tokens = append(w.settings.Gateway.Tokens, s.Token)
	full, err := append(Metadata{
		{"api_base", w.GatewayURL() + "/v1"},
		{"additionalHeaders", map[string]any{"x-acme-route": w.Mint("additional header of "+s.Name, "route-")}},
	}, metadata...).set([]byte("{}"))
	if err != nil {
		return fmt.Errorf("store provider secret %s: %w", s.Name, err)
	}
	object := map[string]any{"name": s.Name, s.valueKey(): s.Stored, "metadata": json.RawMessage(full)}
	if s.Level == Org {
		object["type"] = s.Type
	} else {
		project, err := w.Project(ctx, s.Project)
		if err != nil {
			return err
		}
		maps.Copy(object, map[string]any{"object_type": "project", "object_id": project, "secret_type": s.Type})
		if s.Level == Project {
			object["secret_category"] = "ai_provider"
		}
	}
	return w.store(ctx, s, object)
}

// store posts the object and makes sure that what came back is it, and not someone else's of that name (facts: post-existing).
func (w *World) store(ctx context.Context, s *Secret, object map[string]any) error {
	var made json.RawMessage
	if err := w.create(ctx, s.collection(), object, &made); err != nil {
		return fmt.Errorf("store provider secret %s: %w", s.Name, err)
	}
	var got struct {
		ID       string         `json:"id"`
		Metadata map[string]any `json:"metadata"`
	}
	if err := json.Unmarshal(made, &got); err != nil {
		return fmt.Errorf("store provider secret %s: read answer: %w", s.Name, err)
	}
	if !sameJSON(got.Metadata, object["metadata"]) {
		return fmt.Errorf("store provider secret %s: the API handed back other metadata than it was sent", s.Name)
	}
	s.ID, s.Before, s.Edits = got.ID, made, nil
	w.secrets = append(w.secrets, s)
	return nil
}

// Secret finds the one secret of a name, of the given level or of any. Where there are several it is an error: none of them is meant more
// than another.
func (w *World) Secret(name string, level Level) (*Secret, error) {
	found := slices.DeleteFunc(slices.Clone(w.secrets), func(s *Secret) bool {
		return s.Name != name || level != "" && s.Level != level
	})
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("find secret %q: the scenario has made none of that name", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("find secret %q: the scenario has made %d of that name: say whose is meant, the org's or the project's", name, len(found))
}

// Secrets are all the scenario made, in order.
func (w *World) Secrets() []*Secret { return w.secrets }

// Read gets the secret's present object from the API.
func (w *World) Read(ctx context.Context, s *Secret) (json.RawMessage, error) {
	answer, err := w.API(ctx, w.adminKey, http.MethodGet, s.Path(), nil)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("read provider secret %s: answered %d: %s", s.Name, answer.Status, answer.Excerpt())
	}
	return answer.Body, nil
}

// SetMetadata does what the guide's fix does: reads the secret, sets the keys in its metadata, and sends the whole metadata back by
// PATCH. The answer, a refusal included, is kept as the World's.
func (w *World) SetMetadata(ctx context.Context, role string, s *Secret, keys Metadata) error {
	object, err := w.Read(ctx, s)
	if err != nil {
		return err
	}
	metadata, err := keys.set([]byte(gjson.GetBytes(object, "metadata").Raw))
	if err != nil {
		return fmt.Errorf("edit metadata of %s: %w", s.Name, err)
	}
	s.Edits = append(s.Edits, keys...)
	// The published description requires `name` in PATCH env_var; the guides send none, so neither does this.
	return w.Change(ctx, role, http.MethodPatch, s.Path(), wrap("metadata", metadata))
}

// StoreValue replaces the stored value as org admin.
func (w *World) StoreValue(ctx context.Context, s *Secret, value string) error {
	body, err := json.Marshal(map[string]string{s.valueKey(): value})
	if err != nil {
		return err
	}
	s.held, s.Stored = append(s.held, s.Stored), value
	return w.Change(ctx, "an org admin", http.MethodPatch, s.Path(), body)
}

// StoreNull replaces an org secret by one of the same name without a value: PATCH leaves out what is null, PUT does not
// (published API description: PATCH ai_secret).
func (w *World) StoreNull(ctx context.Context, s *Secret) error {
	body, err := json.Marshal(map[string]any{
		"name": s.Name, "type": s.Type, s.valueKey(): nil, "metadata": json.RawMessage(gjson.GetBytes(s.Before, "metadata").Raw),
	})
	if err != nil {
		return err
	}
	return w.Change(ctx, "an org admin", http.MethodPut, s.collection(), body)
}

// SendAgain sends an org secret of the same name once more, by POST or PUT, with other metadata and without its value.
func (w *World) SendAgain(ctx context.Context, s *Secret, method string, keys Metadata) error {
	metadata, err := keys.set([]byte(gjson.GetBytes(s.Before, "metadata").Raw))
	if err != nil {
		return fmt.Errorf("edit metadata of %s: %w", s.Name, err)
	}
	body, err := json.Marshal(map[string]any{"name": s.Name, "type": s.Type, "metadata": json.RawMessage(metadata)})
	if err != nil {
		return err
	}
	if method == http.MethodPut {
		s.Edits = append(s.Edits, keys...)
	}
	return w.Change(ctx, "an org admin", method, s.collection(), body)
}

// Change sends a changing request as "an org admin" or "a member" and keeps the answer; log lines count from here.
func (w *World) Change(ctx context.Context, role, method, path string, body []byte) error {
	key := w.memberKey
	if role == "an org admin" {
		key = w.adminKey
	}
	answer, err := w.API(ctx, key, method, path, body)
	if err != nil {
		return err
	}
	w.Answer = answer
	return w.MarkLogs(ctx)
}

// AdminKey is the org admin's Braintrust API key.
func (w *World) AdminKey() string { return w.adminKey }

// ProjectIDs are the projects the scenario made, by name.
func (w *World) ProjectIDs() map[string]string { return w.projects }

// Refresh takes the secret's present object as what later comparisons start from.
func (w *World) Refresh(ctx context.Context, s *Secret) error {
	object, err := w.Read(ctx, s)
	if err != nil {
		return err
	}
	s.Before, s.Edits = object, nil
	return nil
}

// Revoke makes the gateway forget a token.
func (w *World) Revoke(s *Secret) {
	gateway := &w.chosen(target.Gateway).Gateway
	gateway.Tokens = slices.DeleteFunc(slices.Clone(gateway.Tokens), func(token string) bool { return token == s.Token })
}

// Credentials are the fingerprints of the raw tokens of all secrets, by secret name and level, for messages.
func (w *World) Credentials() map[string]string {
	names := map[string]string{
		w.Fingerprint(w.adminKey):  "the org admin's Braintrust key",
		w.Fingerprint(w.memberKey): "the scorer's Braintrust key",
	}
	for _, s := range w.secrets {
		names[w.Fingerprint(s.Token)] = fmt.Sprintf("the token of the %s secret %q", s.Level, s.Name)
	}
	return names
}

// OfSecret says whether a credential is what a provider secret of the scenario holds or held.
func (w *World) OfSecret(c evidence.Credential) bool {
	return slices.ContainsFunc(w.secrets, func(s *Secret) bool {
		return slices.ContainsFunc(append([]string{s.Token, s.Stored}, s.held...), func(value string) bool {
			fingerprint := w.Fingerprint(value)
			return value != "" && (c.Fingerprint == fingerprint || c.LastWord == fingerprint)
		})
	})
}

// UserinfoBase is an api_base with a user and a minted password in it.
func (w *World) UserinfoBase() string {
	return strings.Replace(w.GatewayURL(), "://", "://svc:"+w.Mint("password in api_base", "pw-")+"@", 1) + "/v1"
}
