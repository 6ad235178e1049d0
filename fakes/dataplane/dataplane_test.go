package dataplane_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

const (
	tenantID  = "t-0123456789abcdef"
	orgID     = "6d1c1a3e-0c1b-4f0e-9a57-000000000001"
	adminID   = "6d1c1a3e-0c1b-4f0e-9a57-000000000002"
	unknownID = "6d1c1a3e-0c1b-4f0e-9a57-0000000000ff"
	adminKey  = "bt-admin-key"
	memberKey = "bt-member-key"
)

func settings() dataplane.Config {
	return dataplane.Config{
		Organization: dataplane.Organization{ID: orgID, Name: "acme"},
		Keys: []dataplane.Key{
			{Key: adminKey, Role: dataplane.RoleAdmin, UserID: adminID},
			{Key: memberKey, Role: dataplane.RoleMember},
		},
		Serving: dataplane.ServingV1,
	}
}

// org is one tenant and how to talk to it.
type org struct {
	t    testing.TB
	fake *dataplane.Tenants
	id   string
}

func newOrg(t testing.TB, config dataplane.Config) org {
	t.Helper()
	o := org{t, dataplane.NewTenants(tenancy.Routes{}, "http://legacy-proxy:8080/{tenant}/v1"), tenantID}
	o.configure(config)
	return o
}

// configure gives the tenant settings and keeps what it has stored.
func (o org) configure(config dataplane.Config) {
	o.t.Helper()
	raw, err := json.Marshal(config)
	require.NoError(o.t, err)
	require.NoError(o.t, o.put(o.id, raw))
}

func (o org) put(id string, settings json.RawMessage) error {
	doc, err := json.Marshal(tenancy.Document{Schema: tenancy.Schema, ID: id, FingerprintKey: []byte("run"), Settings: settings})
	require.NoError(o.t, err)
	return o.fake.Put(doc)
}

// neighbour is another tenant on the same fake, with one admin key.
func (o org) neighbour(key string) org {
	o.t.Helper()
	other := org{o.t, o.fake, "t-fedcba9876543210"}
	config := settings()
	config.Keys = []dataplane.Key{{Key: key, Role: dataplane.RoleAdmin}}
	other.configure(config)
	return other
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) get(path string) gjson.Result { return gjson.Get(r.body, path) }

// send serves one request with an Authorization value.
func (o org) send(method, path, authorization, body string) reply {
	o.t.Helper()
	r := httptest.NewRequest(method, "/"+o.id+path, strings.NewReader(body))
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return serve(o.fake, r)
}

func serve(handler http.Handler, r *http.Request) reply {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// admin sends a request of an org admin that must be answered with 200.
func (o org) admin(method, path, body string) reply {
	o.t.Helper()
	got := o.send(method, path, "Bearer "+adminKey, body)
	require.Equal(o.t, http.StatusOK, got.status, "%s %s: %s", method, path, got.body)
	return got
}

// project makes a project and returns its id.
func (o org) project(name string) string {
	o.t.Helper()
	return o.admin("POST", "/v1/project", `{"name":"`+name+`"}`).get("id").String()
}

// names are those of a listing.
func (o org) names(path string) []string {
	o.t.Helper()
	names := []string{}
	for _, name := range o.admin("GET", path, "").get("objects.#.name").Array() {
		names = append(names, name.String())
	}
	return names
}

// everything is all that a caller can read, values included.
func (o org) everything() string {
	o.t.Helper()
	var all strings.Builder
	for _, path := range []string{"/v1/organization", "/v1/project", "/v1/ai_secret", "/v1/env_var"} {
		all.WriteString(o.admin("GET", path, "").body)
	}
	all.WriteString(o.admin("POST", "/api/secret", `{"mode":"full"}`).body)
	return all.String()
}

// faults sets the tenant's faults as the harness does.
func (o org) faults(body string) {
	o.t.Helper()
	got := serve(o.fake.Control(), httptest.NewRequest("PUT", "/tenants/"+o.id+"/faults", strings.NewReader(body)))
	require.Equal(o.t, http.StatusOK, got.status, got.body)
}

func (o org) journal() tenancy.Journal {
	o.t.Helper()
	got := serve(o.fake.Control(), httptest.NewRequest("GET", "/tenants/"+o.id+"/journal", nil))
	var j tenancy.Journal
	require.NoError(o.t, json.Unmarshal([]byte(got.body), &j))
	return j
}

func TestSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*dataplane.Config)
		says   string
	}{
		"organization without id":   {func(c *dataplane.Config) { c.Organization.ID = "" }, "organization id"},
		"organization id malformed": {func(c *dataplane.Config) { c.Organization.ID = strings.ReplaceAll(orgID, "-", "") }, "not a uuid"},
		"organization without name": {func(c *dataplane.Config) { c.Organization.Name = "" }, "no name"},
		"no serving":                {func(c *dataplane.Config) { c.Serving = "" }, "serving"},
		"unknown serving":           {func(c *dataplane.Config) { c.Serving = "v3" }, "v2-gateway"},
		"unknown shape":             {func(c *dataplane.Config) { c.APIKeyShape = "cookie" }, "api_key_shape"},
		"unknown patch":             {func(c *dataplane.Config) { c.Patch = "drop" }, "patch"},
		"unknown project setting":   {func(c *dataplane.Config) { c.UnknownProject = "guess" }, "unknown_project"},
		"empty key":                 {func(c *dataplane.Config) { c.Keys[0].Key = "" }, "key 0 is empty"},
		"key twice":                 {func(c *dataplane.Config) { c.Keys[1].Key = adminKey }, "key 1 stands twice"},
		"unknown role":              {func(c *dataplane.Config) { c.Keys[1].Role = "owner" }, "role of key 1"},
		"negative cap":              {func(c *dataplane.Config) { c.Listing.Cap = -1 }, "listing.cap"},
		"unknown way to vanish":     {func(c *dataplane.Config) { c.Listing.Vanish = "slowly" }, "listing.vanish"},
		"field that is not omitted": {func(c *dataplane.Config) { c.Listing.OmitFields = []string{"id"} }, "listing.omit_fields"},
		"user id malformed":         {func(c *dataplane.Config) { c.Keys[0].UserID = "me" }, "user_id of key 0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := settings()
			test.change(&config)
			raw, err := json.Marshal(config)
			require.NoError(t, err)
			o := newOrg(t, settings())
			err = o.put("t-fedcba9876543210", raw)
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), adminKey)
		})
	}
}

func TestOpenPathsAskForNoKey(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	got := o.send("GET", "/v1", "", "")
	assert.Equal(t, "Hello, World!", got.body)
	assert.Contains(t, got.header.Get("Content-Type"), "text/plain")

	got = o.send("GET", "/version", "", "")
	assert.Equal(t, "1.1.32", got.get("version").String())
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	config := settings()
	config.Serving = dataplane.ServingV2
	o.configure(config)
	assert.Equal(t, "2.0.0", o.send("GET", "/version", "", "").get("version").String())
}

func TestOrganizationTellsItsName(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	assert.Equal(t, []string{"acme"}, o.names("/v1/organization"))
	assert.Equal(t, []string{"acme"}, o.names("/v1/organization?org_name=acme"))
	assert.Empty(t, o.names("/v1/organization?org_name=other"))
	assert.Equal(t, "acme", o.admin("GET", "/v1/organization/"+orgID, "").get("name").String())
}

func TestJournalHasTheQueryOfListingsAndTheReasonOfRefusals(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	o.admin("GET", "/v1/env_var?object_type=project&secret_category=ai_provider", "")
	o.send("POST", "/v1/ai_secret", "Bearer "+memberKey, `{"name":"x"}`)
	o.send("POST", "/api/secret?canary=1", "Bearer "+adminKey, `{"mode":"full","model":"acme-chat"}`)

	entries := o.journal().Entries
	require.Len(t, entries, 3)
	assert.Equal(t, "/v1/env_var?object_type=project&secret_category=ai_provider", entries[0].Path)
	assert.Equal(t, 403, entries[1].Status)
	assert.Equal(t, "403: member may not change ai_secret, only an organization admin may", entries[1].Note)
	assert.Equal(t, "/api/secret", entries[2].Path)
	assert.Equal(t, "acme-chat", entries[2].Model)
	assert.Equal(t, "data-plane", entries[2].System)
}

func TestNewSettingsKeepWhatIsStored(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	o.project("p")
	o.admin("POST", "/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk-1"}`)
	before := o.everything()
	config := settings()
	config.Serving = dataplane.ServingV2Gateway
	o.configure(config)
	assert.Equal(t, before, o.everything())
}

func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	other := o.neighbour("bt-other")
	id := o.project("p")

	assert.Equal(t, 401, other.send("GET", "/v1/project", "Bearer "+adminKey, "").status)
	assert.Equal(t, 404, other.send("GET", "/v1/project/"+id, "Bearer bt-other", "").status)
	assert.Equal(t, `[]`, other.send("GET", "/v1/project", "Bearer bt-other", "").get("objects").Raw)
}

func TestOversizedBodyIsReadToItsEndAndRefused(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	server := httptest.NewServer(o.fake)
	defer server.Close()
	body := `{"name":"big","secret":"` + strings.Repeat("x", 10<<20) + `"}`
	r, err := http.NewRequest("POST", server.URL+"/"+tenantID+"/v1/ai_secret", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+adminKey)
	answer, err := server.Client().Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	assert.Equal(t, "body is over 8388608 bytes\n", string(text))
	assert.Empty(t, o.names("/v1/ai_secret"))
}
