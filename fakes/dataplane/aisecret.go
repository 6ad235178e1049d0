package dataplane

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// aiSecret is an org provider secret, with the fields of the spec's AISecret.
type aiSecret struct {
	ID       string          `json:"id"`
	OrgID    string          `json:"org_id"`
	Name     string          `json:"name"`
	Type     *string         `json:"type"`
	Metadata json.RawMessage `json:"metadata"`
	Created  time.Time       `json:"created"`
	Updated  time.Time       `json:"updated_at"`
	sealed
}

func (a aiSecret) ident() string { return a.ID }

func (s *store) aiSecretNamed(name string) int {
	return slices.IndexFunc(s.aiSecrets, func(a aiSecret) bool { return a.Name == name })
}

func listAISecrets(c *call) (any, error) {
	q := readQuery(c.r)
	name, named := q.one("ai_secret_name")
	org, ofOrg := q.one("org_name")
	types := q.values["ai_secret_type"]
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return list(c, &c.store.aiSecrets, q, true, func(a aiSecret) bool {
		return (!named || a.Name == name) && (!ofOrg || org == c.config.Organization.Name) &&
			(len(types) == 0 || a.Type != nil && slices.Contains(types, *a.Type))
	})
}

func getAISecret(c *call) (any, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return read(c, c.store.aiSecrets, "ai_secret")
}

func postAISecret(c *call) (any, error) { return writeAISecret(c, false) }
func putAISecret(c *call) (any, error)  { return writeAISecret(c, true) }

// writeAISecret makes a secret. One of that name is answered as it is by POST, and replaced by PUT, which keeps a value that the
// body leaves out (facts: put-keeps).
func writeAISecret(c *call, replace bool) (any, error) {
	f := c.fields()
	f.org(c.config.Organization)
	name, typ, value, metadata := f.need("name"), f.text("type"), f.text("secret"), f.object("metadata")
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.aiSecretNamed(name)
	if i >= 0 && !replace {
		return s.aiSecrets[i], nil
	}
	now := s.now()
	if i < 0 {
		i = len(s.aiSecrets)
		s.aiSecrets = append(s.aiSecrets, aiSecret{ID: uuid.NewString(), OrgID: c.config.Organization.ID, Name: name, Created: now})
	} else {
		s.remember(s.aiSecrets[i].ID, s.aiSecrets[i])
	}
	a := &s.aiSecrets[i]
	a.Type, a.Metadata, a.Updated = typ, manners(c.config.Writes).stored(metadata), now
	if _, given := f.raw["secret"]; given || replace && c.config.Writes.PutLosesValue {
		a.set(value, c.caller, now)
	}
	return *a, nil
}

// patchAISecret changes the fields that are given. Null counts as not given (spec: PATCH cannot set to null).
func patchAISecret(c *call) (any, error) {
	f := c.fields()
	name, typ, value, metadata := f.text("name"), f.text("type"), f.text("secret"), f.object("metadata")
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.aiSecrets.index(c.id, "ai_secret")
	if err != nil {
		return nil, err
	}
	a := &s.aiSecrets[i]
	if err := manners(c.config.Writes).echo(f, a.value); err != nil {
		return nil, err
	}
	s.remember(a.ID, *a)
	if name != nil {
		if other := s.aiSecretNamed(*name); other >= 0 && other != i {
			return nil, refuse(http.StatusBadRequest, "name: another ai_secret has it")
		}
		a.Name = *name
	}
	a.Type = cmp.Or(typ, a.Type)
	a.Updated = s.now()
	a.Metadata = patched(c.config, a.Metadata, metadata)
	if value != nil {
		a.set(value, c.caller, a.Updated)
	} else if c.config.Writes.PatchMovesSecretUpdatedAt {
		moved := a.Updated
		a.UpdatedAt = &moved
	}
	return *a, nil
}

func deleteAISecret(c *call) (any, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	i, err := c.store.aiSecrets.index(c.id, "ai_secret")
	if err != nil {
		return nil, err
	}
	return c.store.aiSecrets.remove(i), nil
}

// deleteNamedAISecret deletes by the name in the body, as the spec has it on the collection.
func deleteNamedAISecret(c *call) (any, error) {
	f := c.fields()
	f.org(c.config.Organization)
	name := f.need("name")
	if f.err != nil {
		return nil, f.err
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	i := c.store.aiSecretNamed(name)
	if i < 0 {
		return nil, refuse(http.StatusNotFound, "no such ai_secret")
	}
	return c.store.aiSecrets.remove(i), nil
}
