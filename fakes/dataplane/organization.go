package dataplane

import (
	"encoding/json"
	"strings"
)

// patchedOrg is what a PATCH said of the organization; the name is empty where it gave none.
type patchedOrg struct {
	name   string
	fields map[string]json.RawMessage
}

// organization is the org as a row of a listing, with what a PATCH said of it.
type organization struct {
	Organization
	patched map[string]json.RawMessage
}

func (o organization) ident() string { return strings.ToLower(o.ID) }

// MarshalJSON writes the fields that a PATCH gave beside id and name.
func (o organization) MarshalJSON() ([]byte, error) {
	all := map[string]any{"id": o.ID, "name": o.Name}
	for key, value := range o.patched {
		all[key] = value
	}
	return encode(all), nil
}

func (c *call) organizations() table[organization] {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return table[organization]{{c.config.Organization, c.store.org.fields}}
}

func listOrganizations(c *call) (any, error) {
	q := readQuery(c.r)
	name, named := q.one("org_name")
	c.config.Listing.Vanish = "" // the organization stays
	all := c.organizations()
	return list(c, &all, q, true, func(o organization) bool { return !named || o.Name == name })
}

func getOrganization(c *call) (any, error) { return get(c.organizations(), c.id, "organization") }

// patchOrganization changes the fields that are given; null counts as not given, as in every PATCH.
func patchOrganization(c *call) (any, error) {
	if _, err := getOrganization(c); err != nil {
		return nil, err
	}
	f := c.fields()
	name := f.text("name")
	if name != nil && *name == "" {
		f.refuse("name: empty")
	}
	given := map[string]json.RawMessage{}
	for _, key := range []string{"api_url", "proxy_url", "realtime_url", "image_rendering_mode"} {
		if text := f.text(key); text != nil {
			given[key] = encode(*text)
		}
	}
	for _, key := range []string{"is_universal_api", "is_dataplane_private"} {
		var set *bool
		if raw, there := f.raw[key]; there && json.Unmarshal(raw, &set) != nil {
			f.refuse("%s: not a boolean", key)
		} else if set != nil {
			given[key] = encode(*set)
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	c.store.patchOrg(name, given)
	if name != nil {
		c.config.Organization.Name = *name
	}
	return getOrganization(c)
}

func (s *store) patchOrg(name *string, given map[string]json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != nil {
		s.org.name = *name
	}
	fields := map[string]json.RawMessage{} // a copy: others may be reading
	for _, all := range []map[string]json.RawMessage{s.org.fields, given} {
		for key, value := range all {
			fields[key] = value
		}
	}
	s.org.fields = fields
}
