package dataplane_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const canary = "sk-canary-0123456789abcdefghijkl"

func TestRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	project := o.project("p")
	secret := o.admin("POST", "/v1/ai_secret", `{"name":"acme","secret":"`+canary+`"}`).get("id").String()
	o.admin("POST", "/v1/ai_secret", `{"name":"taken"}`)
	variable := o.admin("POST", "/v1/env_var", `{"object_type":"project","object_id":"`+project+`","name":"acme","value":"`+canary+`"}`).get("id").String()
	o.admin("POST", "/v1/env_var", `{"object_type":"project","object_id":"`+project+`","name":"taken"}`)
	before := o.everything()

	admin, member := "Bearer "+adminKey, "Bearer "+memberKey
	newVar := `{"object_type":"project","object_id":"` + project + `","name":"n"}`
	tests := []struct {
		name, method, path, key, body string
		status                        int
		says                          string
	}{
		{"no key", "GET", "/v1/ai_secret", "", "", 401, "API key"},
		{"wrong key", "GET", "/v1/ai_secret", "Bearer nobody", "", 401, "API key"},
		{"key of another scheme", "GET", "/v1/ai_secret", "Basic " + adminKey, "", 401, "API key"},
		{"key without a scheme", "GET", "/v1/ai_secret", adminKey, "", 401, "API key"},
		{"doubled scheme", "GET", "/v1/ai_secret", "Bearer " + admin, "", 401, "API key"},
		{"text after the key", "GET", "/v1/ai_secret", admin + " x", "", 401, "API key"},
		{"wrong key and wrong id", "PATCH", "/v1/ai_secret/x", "Bearer nobody", "{", 401, "API key"},

		{"member posts ai_secret", "POST", "/v1/ai_secret", member, `{"name":"n"}`, 403, "ai_secret"},
		{"member puts ai_secret", "PUT", "/v1/ai_secret", member, `{"name":"acme","secret":"x"}`, 403, "admin"},
		{"member patches ai_secret", "PATCH", "/v1/ai_secret/" + secret, member, `{"metadata":{}}`, 403, "admin"},
		{"member deletes ai_secret", "DELETE", "/v1/ai_secret/" + secret, member, "", 403, "admin"},
		{"member deletes ai_secret by name", "DELETE", "/v1/ai_secret", member, `{"name":"acme"}`, 403, "admin"},
		{"member posts env_var", "POST", "/v1/env_var", member, newVar, 403, "env_var"},
		{"member puts env_var", "PUT", "/v1/env_var", member, newVar, 403, "admin"},
		{"member patches env_var", "PATCH", "/v1/env_var/" + variable, member, `{"metadata":{}}`, 403, "admin"},
		{"member deletes env_var", "DELETE", "/v1/env_var/" + variable, member, "", 403, "admin"},

		{"tenant only", "GET", "", admin, "", 404, "path"},
		{"path unknown", "GET", "/v1/nothing", admin, "", 404, "path"},
		{"path below an item", "GET", "/v1/project/" + project + "/x", admin, "", 404, "path"},
		{"slash at the end", "GET", "/v1/project/", admin, "", 404, "path"},
		{"doubled slash", "GET", "/v1//project", admin, "", 404, "path"},
		{"dots", "GET", "/v1/x/../project", admin, "", 404, "path"},
		{"escaped letters", "GET", "/v1/%70roject", admin, "", 404, "path"},
		{"escaped slash", "GET", "/v1%2Fproject", admin, "", 404, "path"},
		{"escaped slash in an id", "GET", "/v1/project/..%2F..%2Fv1", admin, "", 400, "uuid"},
		{"nul in an id", "GET", "/v1/project/%00", admin, "", 400, "uuid"},
		{"below /version", "GET", "/version/x", admin, "", 404, "path"},
		{"capital letters", "GET", "/V1/project", admin, "", 404, "path"},

		{"project unknown", "GET", "/v1/project/" + unknownID, admin, "", 404, "project"},
		{"patch unknown project", "PATCH", "/v1/project/" + unknownID, admin, `{"name":"x"}`, 404, "project"},
		{"delete unknown project", "DELETE", "/v1/project/" + unknownID, admin, "", 404, "project"},
		{"ai_secret unknown", "GET", "/v1/ai_secret/" + unknownID, admin, "", 404, "ai_secret"},
		{"patch unknown ai_secret", "PATCH", "/v1/ai_secret/" + unknownID, admin, `{}`, 404, "ai_secret"},
		{"delete unknown ai_secret", "DELETE", "/v1/ai_secret/" + unknownID, admin, "", 404, "ai_secret"},
		{"delete ai_secret by unknown name", "DELETE", "/v1/ai_secret", admin, `{"name":"x"}`, 404, "ai_secret"},
		{"env_var unknown", "GET", "/v1/env_var/" + unknownID, admin, "", 404, "env_var"},
		{"patch unknown env_var", "PATCH", "/v1/env_var/" + unknownID, admin, `{}`, 404, "env_var"},
		{"delete unknown env_var", "DELETE", "/v1/env_var/" + unknownID, admin, "", 404, "env_var"},
		{"organization unknown", "GET", "/v1/organization/" + unknownID, admin, "", 404, "organization"},
		{"id malformed", "PATCH", "/v1/ai_secret/1", admin, `{}`, 400, "uuid"},
		{"id without dashes", "GET", "/v1/project/" + strings.ReplaceAll(project, "-", ""), admin, "", 400, "uuid"},

		{"body is no JSON", "POST", "/v1/ai_secret", admin, `{"name":`, 400, "byte 8"},
		{"body has an end", "POST", "/v1/ai_secret", admin, `{"name":"n"} x`, 400, "not JSON"},
		{"body is an array", "POST", "/v1/ai_secret", admin, `[]`, 400, "object"},
		{"body is null", "PATCH", "/v1/ai_secret/" + secret, admin, `null`, 400, "object"},
		{"body is too deep", "POST", "/v1/ai_secret", admin, strings.Repeat(`{"a":`, 20000), 400, "not JSON"},
		{"body is empty", "POST", "/v1/ai_secret", admin, ``, 400, "name: required"},
		{"name in another case", "POST", "/v1/ai_secret", admin, `{"Name":"n"}`, 400, "name: required"},
		{"name is null", "PUT", "/v1/ai_secret", admin, `{"name":null}`, 400, "name: required"},
		{"name is a number", "PUT", "/v1/ai_secret", admin, `{"name":1}`, 400, "name: not a string"},
		{"secret is a number", "PUT", "/v1/ai_secret", admin, `{"name":"acme","secret":420420}`, 400, "secret: not a string"},
		{"type is an object", "PATCH", "/v1/ai_secret/" + secret, admin, `{"type":{},"secret":"x"}`, 400, "type: not a string"},
		{"metadata is an array", "PATCH", "/v1/ai_secret/" + secret, admin, `{"secret":"x","metadata":[]}`, 400, "metadata: not an object"},
		{"metadata is a string", "PATCH", "/v1/env_var/" + variable, admin, `{"value":"x","metadata":"{}"}`, 400, "metadata: not an object"},
		{"value is an array", "PATCH", "/v1/env_var/" + variable, admin, `{"name":"n","value":[]}`, 400, "value: not a string"},
		{"org is another", "POST", "/v1/ai_secret", admin, `{"name":"n","org_name":"other"}`, 400, "org_name"},
		{"rename to a taken name", "PATCH", "/v1/ai_secret/" + secret, admin, `{"name":"taken","secret":"x"}`, 400, "name: another"},
		{"rename env_var to a taken name", "PATCH", "/v1/env_var/" + variable, admin, `{"name":"taken","value":"x"}`, 400, "name: another"},

		{"env_var without object", "POST", "/v1/env_var", admin, `{"name":"n"}`, 400, "object_type: required"},
		{"env_var without name", "PUT", "/v1/env_var", admin, `{"object_type":"project","object_id":"` + project + `"}`, 400, "name: required"},
		{"env_var of what", "POST", "/v1/env_var", admin, `{"object_type":"prompt","object_id":"` + project + `","name":"n"}`, 400, "object_type: want one of"},
		{"env_var of whom", "POST", "/v1/env_var", admin, `{"object_type":"project","object_id":"p","name":"n"}`, 400, "object_id: not a uuid"},
		{"env_var of nobody", "PUT", "/v1/env_var", admin, `{"object_type":"project","object_id":"` + unknownID + `","name":"n"}`, 400, "no such project"},
		{"env_var of another org", "PUT", "/v1/env_var", admin, `{"object_type":"organization","object_id":"` + unknownID + `","name":"n"}`, 400, "no such organization"},
		{"category unknown", "POST", "/v1/env_var", admin, `{"object_type":"project","object_id":"` + project + `","name":"n","secret_category":"x"}`, 400, "secret_category"},

		{"project without name", "POST", "/v1/project", admin, `{}`, 400, "name: required"},
		{"project with an empty name", "POST", "/v1/project", admin, `{"name":""}`, 400, "name: empty"},
		{"project renamed to nothing", "PATCH", "/v1/project/" + project, admin, `{"name":""}`, 400, "name: empty"},

		{"limit is a word", "GET", "/v1/project?limit=all", admin, "", 400, "limit"},
		{"limit is below 0", "GET", "/v1/env_var?limit=-1", admin, "", 400, "limit"},
		{"limit twice", "GET", "/v1/ai_secret?limit=1&limit=2", admin, "", 400, "limit: given more than once"},
		{"ids malformed", "GET", "/v1/ai_secret?ids=" + secret + "&ids=x", admin, "", 400, "ids"},
		{"cursor malformed", "GET", "/v1/project?starting_after=x", admin, "", 400, "starting_after"},
		{"cursor unknown", "GET", "/v1/project?ending_before=" + unknownID, admin, "", 400, "cursor"},
		{"both cursors", "GET", "/v1/project?starting_after=" + project + "&ending_before=" + project, admin, "", 400, "exclude"},
		{"object_type unknown", "GET", "/v1/env_var?object_type=prompt", admin, "", 400, "object_type"},
		{"object_id malformed", "GET", "/v1/env_var?object_id=p", admin, "", 400, "object_id"},
		{"query malformed", "GET", "/v1/env_var?object_id=%zz", admin, "", 400, "query"},

		{"credentials without a key", "POST", "/api/secret", "", `{"mode":"full"}`, 401, "API key"},
		{"credentials with a wrong key", "POST", "/api/secret", "Bearer nobody", `{"mode":"full"}`, 401, "API key"},
		{"credentials with an unknown field", "POST", "/api/secret", admin, `{"mode":"full","projectId":"x"}`, 400, `"projectId": unknown key`},
		{"credentials in no mode", "POST", "/api/secret", admin, `{}`, 400, "mode: required"},
		{"credentials in another mode", "POST", "/api/secret", admin, `{"mode":"names"}`, 400, "mode"},
		{"credentials of another org", "POST", "/api/secret", admin, `{"mode":"full","org_name":"other"}`, 400, "org_name"},
		{"credentials of an unknown project", "POST", "/api/secret", admin, `{"mode":"full","project_id":"` + unknownID + `"}`, 400, "project"},
		{"credentials of a malformed project", "POST", "/api/secret", admin, `{"mode":"full","project_id":"x"}`, 400, "project"},
		{"model is a number", "POST", "/api/secret", admin, `{"mode":"full","model":1}`, 400, "model"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := o.send(test.method, test.path, test.key, test.body)
			assert.Equal(t, test.status, got.status, got.body)
			assert.Contains(t, got.body, test.says)
			assert.Contains(t, got.header.Get("Content-Type"), "text/plain")
			assert.NotContains(t, got.body, canary)
			assert.NotContains(t, got.body, adminKey)
			assert.NotContains(t, got.body, "420420")
			assert.Equal(t, before, o.everything(), "something changed")
		})
	}
}

func TestTwoKeysAreNoKey(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	r := httptest.NewRequest("GET", "/"+tenantID+"/v1/project", nil)
	r.Header["Authorization"] = []string{"Bearer " + adminKey, "Bearer " + memberKey}
	assert.Equal(t, 401, serve(o.fake, r).status)
}

func TestWrongMethodsSayWhichAreAllowed(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	for path, allow := range map[string]string{
		"/v1":                        "GET",
		"/version":                   "GET",
		"/api/secret":                "POST",
		"/v1/organization":           "GET",
		"/v1/organization/" + orgID:  "GET, PATCH",
		"/v1/project":                "GET, POST",
		"/v1/project/" + unknownID:   "DELETE, GET, PATCH",
		"/v1/ai_secret":              "DELETE, GET, POST, PUT",
		"/v1/ai_secret/" + unknownID: "DELETE, GET, PATCH",
		"/v1/env_var":                "GET, POST, PUT",
		"/v1/env_var/" + unknownID:   "DELETE, GET, PATCH",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"} {
			if strings.Contains(" "+allow+",", " "+method+",") {
				continue
			}
			got := o.send(method, path, "Bearer "+adminKey, "{}")
			assert.Equal(t, 405, got.status, "%s %s", method, path)
			assert.Equal(t, allow, got.header.Get("Allow"), "%s %s", method, path)
		}
	}
}

func TestRateLimitIsAFault(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	o.faults(`[{"path":"/v1/project","times":2,"status":429,"header":{"Content-Type":"text/plain; charset=utf-8","Retry-After":"1"},"body":"slow down"}]`)
	for range 2 {
		got := o.send("POST", "/v1/project", "Bearer "+adminKey, `{"name":"p"}`)
		assert.Equal(t, 429, got.status)
		assert.Equal(t, "1", got.header.Get("Retry-After"))
		assert.Equal(t, "slow down", got.body)
	}
	assert.Empty(t, o.names("/v1/project"), "a request that was put off changed nothing")
	assert.Equal(t, "fault: status 429", o.journal().Entries[0].Note)
}

// TestPreflight: a browser asks without a key, and nothing comes of it.
func TestPreflight(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	for path, methods := range map[string]string{
		"/v1":                        "GET",
		"/v1/organization":           "GET",
		"/v1/project":                "GET, POST",
		"/v1/project/" + unknownID:   "DELETE, GET, PATCH",
		"/v1/ai_secret":              "DELETE, GET, POST, PUT",
		"/v1/env_var/x":              "DELETE, GET, PATCH",
		"/v1/proxy/chat/completions": "POST",
	} {
		r := httptest.NewRequest("OPTIONS", "/"+tenantID+path, nil)
		r.Header.Set("Origin", "https://www.braintrust.dev")
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		got := serve(o.fake, r)
		require.Equal(t, 200, got.status, path)
		assert.Empty(t, got.body)
		assert.Equal(t, methods, got.header.Get("Access-Control-Allow-Methods"), path)
		assert.Equal(t, "https://www.braintrust.dev", got.header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "authorization", got.header.Get("Access-Control-Allow-Headers"))
		assert.Equal(t, "true", got.header.Get("Access-Control-Allow-Credentials"))
		assert.Equal(t, "86400", got.header.Get("Access-Control-Max-Age"))
	}
	assert.Equal(t, "*", o.send("OPTIONS", "/v1/project", "", "").header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, 404, o.send("OPTIONS", "/v1/nothing", "", "").status)
	assert.Equal(t, 405, o.send("OPTIONS", "/api/secret", "Bearer "+adminKey, "").status, "a proxy is no browser")
}

func TestWhatHasNoTenantIsRefused(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	for path, status := range map[string]int{
		"/":                             404,
		"/v1/project":                   404,
		"/t-fedcba9876543210/v1":        404,
		"//" + tenantID + "/v1/project": 404,
		"/" + tenantID + "%2Fv1":        404,
		"/../" + tenantID + "/v1":       404,
		"/api/secret/":                  404,
		"/api/secret":                   405, // a known key, the wrong method
	} {
		r := httptest.NewRequest("GET", "http://data-plane:8080"+path, nil)
		r.Header.Set("Authorization", "Bearer "+adminKey)
		got := serve(o.fake, r)
		assert.Equal(t, status, got.status, path)
		assert.Contains(t, got.header.Get("Content-Type"), "text/plain", path)
	}
	require.Len(t, o.journal().Entries, 1, "only the request whose key has a tenant is that tenant's")
}
