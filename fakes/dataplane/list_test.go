package dataplane_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/fakes/dataplane"
)

func TestListings(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	ids := map[string]string{} // by collection and name
	for i, name := range []string{"a", "b", "c", "d"} {
		ids["project "+name] = o.project(name)
		typ := []string{"openai", "azure"}[i%2]
		ids["secret "+name] = o.admin("POST", "/v1/ai_secret", `{"name":"`+name+`","type":"`+typ+`"}`).get("id").String()
	}
	project := ids["project a"]
	for _, v := range []struct{ name, objectType, objectID, category string }{
		{"e", "project", project, "ai_provider"},
		{"f", "project", project, "env_var"},
		{"g", "project", ids["project b"], "ai_provider"},
		{"h", "organization", orgID, "ai_provider"},
		{"i", "function", project, "sandbox_provider"},
	} {
		body := fmt.Sprintf(`{"name":%q,"object_type":%q,"object_id":%q,"secret_category":%q}`, v.name, v.objectType, v.objectID, v.category)
		ids["var "+v.name] = o.admin("POST", "/v1/env_var", body).get("id").String()
	}
	tests := []struct{ path, want string }{
		{"/v1/project", "d c b a"},
		{"/v1/project?limit=2", "d c"},
		{"/v1/project?limit=0", ""},
		{"/v1/project?limit=9", "d c b a"},
		{"/v1/project?starting_after=" + ids["project c"], "b a"},
		{"/v1/project?limit=1&starting_after=" + ids["project c"], "b"},
		{"/v1/project?starting_after=" + ids["project a"], ""},
		{"/v1/project?ending_before=" + ids["project b"], "d c"},
		{"/v1/project?limit=1&ending_before=" + ids["project b"], "c"},
		{"/v1/project?project_name=b", "b"},
		{"/v1/project?project_name=B", ""},
		{"/v1/project?org_name=acme&limit=1", "d"},
		{"/v1/project?org_name=other", ""},
		{"/v1/project?ids=" + ids["project a"] + "&ids=" + strings.ToUpper(ids["project d"]) + "&ids=" + unknownID, "d a"},
		{"/v1/project?nobody=asks&secret_category=x", "d c b a"},

		{"/v1/ai_secret", "d c b a"},
		{"/v1/ai_secret?ai_secret_type=openai", "c a"},
		{"/v1/ai_secret?ai_secret_type=openai&ai_secret_type=azure", "d c b a"},
		{"/v1/ai_secret?ai_secret_name=b", "b"},
		{"/v1/ai_secret?ai_secret_name=b&ai_secret_type=openai", ""},
		{"/v1/ai_secret?limit=1&ai_secret_type=openai&starting_after=" + ids["secret d"], "c"},
		{"/v1/ai_secret?limit=1&ending_before=" + ids["secret a"], "b"},
		{"/v1/ai_secret?ids=" + ids["secret b"], "b"},
		{"/v1/ai_secret?org_name=other", ""},

		{"/v1/env_var", "i h g f e"},
		{"/v1/env_var?limit=2", "i h"},
		{"/v1/env_var?limit=2&starting_after=x", "i h"}, // no cursors here, so an unknown parameter
		{"/v1/env_var?env_var_name=g", "g"},
		{"/v1/env_var?object_type=project", "g f e"},
		{"/v1/env_var?object_id=" + strings.ToUpper(project), "i f e"},
		{"/v1/env_var?object_type=project&object_id=" + project + "&secret_category=ai_provider", "e"},
		{"/v1/env_var?secret_category=ai_provider", "h g e"},
		{"/v1/env_var?secret_category=unheard-of", ""},
		{"/v1/env_var?ids=" + ids["var e"] + "&ids=" + ids["var h"], "h e"},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			assert.Equal(t, test.want, strings.Join(o.names(test.path), " "))
		})
	}
	assert.Equal(t, "[]", o.admin("GET", "/v1/project?limit=0", "").get("objects").Raw, "never null")
}

func TestListingManners(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		listing    dataplane.Listing
		path, want string // of projects a to d; {c} in the path is the id of c
	}{
		"cap without a limit":     {dataplane.Listing{Cap: 2}, "/v1/project", "d c"},
		"cap below the limit":     {dataplane.Listing{Cap: 2}, "/v1/project?limit=3", "d c"},
		"cap above the limit":     {dataplane.Listing{Cap: 2}, "/v1/project?limit=1", "d"},
		"cap and cursor":          {dataplane.Listing{Cap: 1}, "/v1/project?starting_after={c}", "b"},
		"cap of variables":        {dataplane.Listing{Cap: 1}, "/v1/env_var?limit=1000", "y"},
		"limit ignored":           {dataplane.Listing{IgnoreLimit: true}, "/v1/project?limit=1", "d c b a"},
		"limit ignored and a cap": {dataplane.Listing{IgnoreLimit: true, Cap: 2}, "/v1/project?limit=1", "d c"},
		"cursor ignored":          {dataplane.Listing{IgnoreCursor: true}, "/v1/project?starting_after={c}&limit=2", "d c"},
		"cursor back ignored":     {dataplane.Listing{IgnoreCursor: true}, "/v1/project?ending_before={c}", "d c b a"},
		"cursor gone, no page":    {dataplane.Listing{Vanish: dataplane.VanishEmpty}, "/v1/project?starting_after={c}", ""},
		"cursor gone, first page": {dataplane.Listing{Vanish: dataplane.VanishFirst}, "/v1/project?starting_after={c}", "d b a"},
		"no cursor, nothing gone": {dataplane.Listing{Vanish: dataplane.VanishFirst}, "/v1/project", "d c b a"},
		"projects hidden":         {dataplane.Listing{HideProjects: true}, "/v1/project", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t, settings())
			ids := map[string]string{}
			for _, name := range []string{"a", "b", "c", "d"} {
				ids[name] = o.project(name)
			}
			for _, name := range []string{"x", "y"} {
				o.admin("POST", "/v1/env_var", fmt.Sprintf(`{"name":%q,"object_type":"project","object_id":%q}`, name, ids["a"]))
			}
			config := settings()
			config.Listing = test.listing
			o.configure(config)
			assert.Equal(t, test.want, strings.Join(o.names(strings.ReplaceAll(test.path, "{c}", ids["c"])), " "))
		})
	}
}

func TestACursorThatVanishedIsRefused(t *testing.T) {
	t.Parallel()
	config := settings()
	config.Listing.Vanish = dataplane.VanishRefuse
	o := newOrg(t, config)
	id := o.admin("POST", "/v1/ai_secret", `{"name":"acme"}`).get("id").String()
	got := o.send("GET", "/v1/ai_secret?starting_after="+id, "Bearer "+adminKey, "")
	assert.Equal(t, 400, got.status)
	assert.Contains(t, got.body, "cursor")
	assert.Equal(t, 404, o.send("GET", "/v1/ai_secret/"+id, "Bearer "+adminKey, "").status, "it is gone")
}

func TestOmittedFieldsAreLeftOutOfListingsAlone(t *testing.T) {
	t.Parallel()
	config := settings()
	config.Listing.OmitFields = []string{"metadata", "object_id", "object_type"}
	o := newOrg(t, config)
	for _, path := range []string{"/v1/ai_secret", "/v1/env_var"} {
		id := o.admin("POST", path, `{"name":"acme","object_type":"organization","object_id":"`+orgID+`","metadata":{"a":1}}`).get("id").String()
		listed, read := o.admin("GET", path, ""), o.admin("GET", path+"/"+id, "")
		assert.Equal(t, id, listed.get("objects.0.id").String())
		for _, field := range config.Listing.OmitFields {
			assert.False(t, listed.get("objects.0."+field).Exists(), "%s of %s", field, path)
		}
		assert.True(t, read.get("metadata").Exists(), path)
	}
}
