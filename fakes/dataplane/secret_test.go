package dataplane_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/fakes/dataplane"
)

// withSecrets is an org with provider secrets at both levels; it returns the project's id.
func withSecrets(t *testing.T, config dataplane.Config) (org, string) {
	t.Helper()
	o := newOrg(t, config)
	project, other := o.project("p"), o.project("q")
	variable := func(name, objectType, objectID, category string) {
		o.admin("POST", "/v1/env_var", `{"name":"`+name+`","object_type":"`+objectType+`","object_id":"`+objectID+
			`","secret_category":"`+category+`","secret_type":"openai","value":"v-`+name+`","metadata":{"z":"<","a":1}}`)
	}
	o.admin("POST", "/v1/ai_secret", `{"name":"org-1","type":"openai","secret":"s-1","metadata":{"futureKnob":true}}`)
	variable("org-2", "organization", orgID, "ai_provider")
	variable("plain", "organization", orgID, "env_var")
	variable("own-1", "project", project, "ai_provider")
	variable("plain", "project", project, "env_var")
	variable("foreign", "project", other, "ai_provider")
	variable("function", "function", project, "ai_provider")
	o.admin("POST", "/v1/ai_secret", `{"name":"org-3"}`)
	variable("own-2", "project", project, "ai_provider")
	return o, project
}

func TestCredentialsAreHandedOutAsStored(t *testing.T) {
	t.Parallel()
	o, project := withSecrets(t, settings())
	org := o.admin("POST", "/api/secret", `{"model":null,"org_name":"acme","mode":"full"}`)
	assert.Equal(t, `["org-1","org-2","org-3"]`, org.get("#.name").Raw, "in the order of their creation")
	id := o.admin("GET", "/v1/ai_secret?ai_secret_name=org-1", "").get("objects.0.id").String()
	assert.Equal(t, `{"id":"`+id+`","org_name":"acme","name":"org-1","type":"openai","secret":"s-1","metadata":{"futureKnob":true}}`,
		org.get("0").Raw)
	assert.Equal(t, "null", org.get("2.secret").Raw)
	assert.Equal(t, "null", org.get("2.metadata").Raw)

	both := o.admin("POST", "/api/secret", `{"model":null,"mode":"full","project_id":"`+strings.ToUpper(project)+`"}`)
	assert.Equal(t, org.body, both.get("org").Raw)
	assert.Equal(t, `["own-1","own-2"]`, both.get("project.#.name").Raw)
	assert.Equal(t, `{"z":"<","a":1}`, both.get("project.0.metadata").Raw)
	assert.Equal(t, "v-own-1", both.get("project.0.secret").String())

	assert.Equal(t, "[]", newOrg(t, settings()).admin("POST", "/api/secret", `{"mode":"full"}`).body, "never null")
}

func TestWithoutProjectOnlyEligibleSecretsAreHandedOut(t *testing.T) {
	t.Parallel()
	o, project := withSecrets(t, settings())
	o.admin("POST", "/v1/ai_secret", `{"name":"custom","type":"openai","metadata":{"customModels":{"acme-chat":{}}}}`)
	o.admin("POST", "/v1/ai_secret", `{"name":"excluded","type":"openai","metadata":{"excludeDefaultModels":true}}`)
	names := func(model, more string) string {
		return o.admin("POST", "/api/secret", `{"model":"`+model+`","mode":"full"`+more+`}`).get("#.name").Raw
	}
	assert.Equal(t, `["custom"]`, names("acme-chat", ""))
	assert.Equal(t, `["org-1","org-2","custom"]`, names("gpt-4o-mini", ""))
	assert.Empty(t, names("acme-chat", `,"project_id":"`+project+`"`), "both lists, for a proxy that filters by itself")
}

func TestUnknownProjectMayCountAsNone(t *testing.T) {
	t.Parallel()
	config := settings()
	config.UnknownProject = dataplane.UnknownProjectOrganization
	o, _ := withSecrets(t, config)
	for _, project := range []string{unknownID, "no-uuid", ""} {
		got := o.admin("POST", "/api/secret", `{"mode":"full","project_id":"`+project+`"}`)
		assert.Equal(t, `["org-1","org-2","org-3"]`, got.get("org.#.name").Raw, project)
		assert.Equal(t, `[]`, got.get("project").Raw, project)
	}
}

func TestCredentialsAtTheRootBelongToTheKeysTenant(t *testing.T) {
	t.Parallel()
	o, _ := withSecrets(t, settings())
	other := o.neighbour("bt-other-key")
	other.send("PUT", "/v1/ai_secret", "Bearer bt-other-key", `{"name":"others"}`)
	for key, want := range map[string]string{adminKey: `["org-1","org-2","org-3"]`, memberKey: `["org-1","org-2","org-3"]`, "bt-other-key": `["others"]`} {
		r := httptest.NewRequest("POST", "/api/secret", strings.NewReader(`{"mode":"full"}`))
		r.Header.Set("Authorization", "Bearer "+key)
		assert.Equal(t, want, serve(o.fake, r).get("#.name").Raw)
	}
	for _, authorization := range []string{"", "Bearer nobody", "Basic " + adminKey} {
		r := httptest.NewRequest("POST", "/api/secret", strings.NewReader(`{"mode":"full"}`))
		r.Header.Set("Authorization", authorization)
		assert.Equal(t, 401, serve(o.fake, r).status, authorization)
	}
	entries := other.journal().Entries
	assert.Equal(t, "/api/secret", entries[len(entries)-1].Path, "journalled by the tenant")
}
