package inventory_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

const (
	tenant   = "t-0123456789abcdef"
	orgID    = "6d1c1a3e-0c1b-4f0e-9a57-000000000001"
	adminKey = "bt-canary-admin"
)

// plane is a fake data plane behind a server that counts.
type plane struct {
	t      testing.TB
	fake   *dataplane.Tenants
	url    string
	client *control.Client

	requests, inFlight, most atomic.Int32
	// instead answers a request in the fake's place where it returns true.
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func newPlane(t testing.TB) *plane {
	t.Helper()
	p := &plane{t: t, fake: dataplane.NewTenants(tenancy.Routes{}, "http://legacy-proxy:8080")}
	p.configure(p.config())
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.url = server.URL + "/" + tenant
	p.client = p.withKey(adminKey)
	return p
}

func (p *plane) config() dataplane.Config {
	return dataplane.Config{
		Organization: dataplane.Organization{ID: orgID, Name: "acme"},
		Keys:         []dataplane.Key{{Key: adminKey, Role: dataplane.RoleAdmin}}, Serving: dataplane.ServingV1,
	}
}

// configure gives the plane settings and keeps what it has stored.
func (p *plane) configure(config dataplane.Config) {
	p.t.Helper()
	settings, err := json.Marshal(config)
	require.NoError(p.t, err)
	document, err := json.Marshal(tenancy.Document{Schema: tenancy.Schema, ID: tenant, FingerprintKey: []byte("run"), Settings: settings})
	require.NoError(p.t, err)
	require.NoError(p.t, p.fake.Put(document))
}

func (p *plane) withKey(key string) *control.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	p.t.Cleanup(transport.CloseIdleConnections)
	return control.New(p.url, key, &http.Client{Transport: transport})
}

// serve counts, and lets nothing but GET through.
func (p *plane) serve(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	n := p.inFlight.Add(1)
	defer p.inFlight.Add(-1)
	for most := p.most.Load(); n > most && !p.most.CompareAndSwap(most, n); most = p.most.Load() {
	}
	assert.Equal(p.t, http.MethodGet, r.Method, "an inventory only reads")
	if p.instead == nil || !p.instead(w, r) {
		p.fake.ServeHTTP(w, r)
	}
}

// post makes an object without going through the counting server.
func (p *plane) post(path, body string) string {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/"+tenant+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	w := httptest.NewRecorder()
	p.fake.ServeHTTP(w, r)
	require.Equal(p.t, http.StatusOK, w.Code, w.Body.String())
	return gjson.Get(w.Body.String(), "id").String()
}

func (p *plane) project(name string) string {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"name": name})
	require.NoError(p.t, err)
	return p.post("/v1/project", string(body))
}

func (p *plane) envVar(objectType, objectID, category, name, metadata string) string {
	p.t.Helper()
	return p.post("/v1/env_var", fmt.Sprintf(`{"object_type":%q,"object_id":%q,"secret_category":%q,"name":%q,"secret_type":"openai",
		"value":"sk-canary-value-1","metadata":%s}`, objectType, objectID, category, name, metadata))
}

func (p *plane) read(o inventory.Options) inventory.Inventory {
	p.t.Helper()
	found, err := inventory.Read(p.t.Context(), p.client, o)
	require.NoError(p.t, err)
	return found
}

// onPath answers requests whose path has the suffix, or whose query has it, with a status and a body.
func onPath(part string, status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.RequestURI(), part) {
			return false
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}
