package dataplane

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// What an env_var may belong to, and what it may be (spec: EnvVar).
const (
	ofOrganization = "organization"
	ofProject      = "project"
	ofFunction     = "function"

	categoryEnvVar     = "env_var"
	categoryAIProvider = "ai_provider"
	categorySandbox    = "sandbox_provider"
)

// scope is the object that an env_var belongs to; names are unique within it.
type scope struct {
	ObjectType string `json:"object_type"`
	ObjectID   string `json:"object_id"`
}

// envVar has the fields of the spec's EnvVar. One of category ai_provider is a provider secret of its project or org.
type envVar struct {
	ID string `json:"id"`
	scope
	Name     string          `json:"name"`
	Created  time.Time       `json:"created"`
	Used     *time.Time      `json:"used"`
	Category string          `json:"secret_category"`
	Type     *string         `json:"secret_type"`
	Metadata json.RawMessage `json:"metadata"`
	sealed
}

func (v envVar) ident() string { return v.ID }

func (s *store) envVarNamed(in scope, name string) int {
	return slices.IndexFunc(s.envVars, func(v envVar) bool { return v.scope == in && v.Name == name })
}

// listEnvVars has a limit and no cursors, and the guides' filter by secret_category, which the spec lacks (facts: listings, secret-category).
func listEnvVars(c *call) (any, error) {
	q := readQuery(c.r)
	name, named := q.one("env_var_name")
	objectType, typed := q.one("object_type")
	objectID, owned := q.id("object_id")
	category, sorted := q.one("secret_category")
	if typed && !slices.Contains([]string{ofOrganization, ofProject, ofFunction}, objectType) {
		q.refuse("object_type: want one of %s, %s, %s", ofOrganization, ofProject, ofFunction)
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return list(c, &c.store.envVars, q, false, func(v envVar) bool {
		return (!named || v.Name == name) && (!typed || v.ObjectType == objectType) &&
			(!owned || v.ObjectID == objectID) && (!sorted || v.Category == category)
	})
}

func getEnvVar(c *call) (any, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return read(c, c.store.envVars, "env_var")
}

func postEnvVar(c *call) (any, error) { return writeEnvVar(c, false) }
func putEnvVar(c *call) (any, error)  { return writeEnvVar(c, true) }

// writeEnvVar makes an env_var. One of that name on the same object is answered as it is by POST, and replaced as a whole by PUT:
// a value that the body leaves out is then null, and a category env_var (facts: put-keeps, secret-category).
func writeEnvVar(c *call, replace bool) (any, error) {
	f := c.fields()
	in := scope{f.need("object_type"), strings.ToLower(f.need("object_id"))}
	name, value := f.need("name"), f.text("value")
	v := envVar{scope: in, Category: categoryEnvVar, Type: f.text("secret_type"), Metadata: f.object("metadata")}
	if category := f.text("secret_category"); category != nil {
		v.Category = *category
	}
	f.oneOf("object_type", in.ObjectType, ofOrganization, ofProject, ofFunction)
	f.oneOf("secret_category", v.Category, categoryEnvVar, categoryAIProvider, categorySandbox)
	if !isUUID(in.ObjectID) {
		f.refuse("object_id: not a uuid")
	}
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.exists(in, c.config.Organization) {
		return nil, refuse(http.StatusBadRequest, "object_id: no such %s", in.ObjectType)
	}
	i := s.envVarNamed(in, name)
	if i >= 0 && !replace {
		return s.envVars[i], nil
	}
	now := s.now()
	v.ID, v.Name, v.Created = uuid.NewString(), name, now
	if i < 0 {
		i = len(s.envVars)
		s.envVars = append(s.envVars, v)
	} else {
		old := s.envVars[i]
		s.remember(old.ID, old)
		v.ID, v.Created, v.sealed = old.ID, old.Created, old.sealed
	}
	v.set(value, c.caller, now)
	s.envVars[i] = v
	return v, nil
}

// exists says whether there is something for an env_var to belong to; functions are not kept, so any may be meant.
func (s *store) exists(in scope, org Organization) bool {
	switch in.ObjectType {
	case ofOrganization:
		return strings.EqualFold(in.ObjectID, org.ID)
	case ofProject:
		_, err := s.projects.index(in.ObjectID, "project")
		return err == nil
	default:
		return true
	}
}

// patchEnvVar changes the fields that are given. Null counts as not given (spec: PATCH cannot set to null).
func patchEnvVar(c *call) (any, error) {
	f := c.fields()
	if c.config.PatchNeedsName {
		f.need("name")
	}
	name, typ, value, metadata := f.text("name"), f.text("secret_type"), f.text("value"), f.object("metadata")
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.envVars.index(c.id, "env_var")
	if err != nil {
		return nil, err
	}
	v := &s.envVars[i]
	if err := manners(c.config.Writes).echo(f, v.value); err != nil {
		return nil, err
	}
	s.remember(v.ID, *v)
	if name != nil {
		if other := s.envVarNamed(v.scope, *name); other >= 0 && other != i {
			return nil, refuse(http.StatusBadRequest, "name: another env_var of this %s has it", v.ObjectType)
		}
		v.Name = *name
	}
	v.Type = cmp.Or(typ, v.Type)
	v.Metadata = patched(c.config, v.Metadata, metadata)
	if now := s.now(); value != nil {
		v.set(value, c.caller, now)
	} else if c.config.Writes.PatchMovesSecretUpdatedAt {
		v.UpdatedAt = &now
	}
	return *v, nil
}

func deleteEnvVar(c *call) (any, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	i, err := c.store.envVars.index(c.id, "env_var")
	if err != nil {
		return nil, err
	}
	return c.store.envVars.remove(i), nil
}
