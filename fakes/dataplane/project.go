package dataplane

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// project has the fields of the spec's Project; settings are not kept.
type project struct {
	ID          string     `json:"id"`
	OrgID       string     `json:"org_id"`
	Name        string     `json:"name"`
	Description *string    `json:"description"`
	Created     time.Time  `json:"created"`
	DeletedAt   *time.Time `json:"deleted_at"`
	UserID      *string    `json:"user_id"`
	Settings    *struct{}  `json:"settings"`
}

func (p project) ident() string { return p.ID }

func (s *store) projectNamed(name string) int {
	return slices.IndexFunc(s.projects, func(p project) bool { return p.Name == name })
}

func listProjects(c *call) (any, error) {
	q := readQuery(c.r)
	name, named := q.one("project_name")
	org, ofOrg := q.one("org_name")
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return list(c, &c.store.projects, q, true, func(p project) bool {
		return !c.config.Listing.HideProjects && (!named || p.Name == name) && (!ofOrg || org == c.config.Organization.Name)
	})
}

func getProject(c *call) (any, error) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return get(c.store.projects, c.id, "project")
}

// postProject answers an existing project of that name unmodified.
func postProject(c *call) (any, error) {
	f := c.fields()
	f.org(c.config.Organization)
	p := project{ID: uuid.NewString(), OrgID: c.config.Organization.ID, Name: f.need("name"), Description: f.text("description")}
	if p.Name == "" {
		f.refuse("name: empty")
	}
	if c.caller.UserID != "" {
		p.UserID = &c.caller.UserID
	}
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.projectNamed(p.Name); i >= 0 {
		return s.projects[i], nil
	}
	p.Created = s.now()
	s.projects = append(s.projects, p)
	return p, nil
}

func patchProject(c *call) (any, error) {
	f := c.fields()
	name, description := f.text("name"), f.text("description")
	if name != nil && *name == "" {
		f.refuse("name: empty")
	}
	if f.err != nil {
		return nil, f.err
	}
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.projects.index(c.id, "project")
	if err != nil {
		return nil, err
	}
	if name != nil {
		if other := s.projectNamed(*name); other >= 0 && other != i {
			return nil, refuse(http.StatusBadRequest, "name: another project has it")
		}
		s.projects[i].Name = *name
	}
	s.projects[i].Description = cmp.Or(description, s.projects[i].Description)
	return s.projects[i], nil
}

// deleteProject takes the project's env_vars with it.
func deleteProject(c *call) (any, error) {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.projects.index(c.id, "project")
	if err != nil {
		return nil, err
	}
	p := s.projects.remove(i)
	now := s.now()
	p.DeletedAt = &now
	s.envVars = slices.DeleteFunc(s.envVars, func(v envVar) bool { return v.ObjectID == p.ID })
	return p, nil
}
