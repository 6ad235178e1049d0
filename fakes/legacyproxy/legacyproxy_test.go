package legacyproxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/tenancy"
)

const (
	tenantID = "t-0123456789abcdef"
	ping     = `{"model":"acme-chat","messages":[{"role":"user","content":"n-0123456789abcdef"}]}`
	project  = "11111111-1111-4111-8111-111111111111"
)

// world is a proxy between a data plane that answers as told and a gateway that echoes the credential it saw.
type world struct {
	proxy *Tenants

	mu     sync.Mutex
	asked  []string // bodies of /api/secret, with the caller's Authorization
	answer http.HandlerFunc
}

func newWorld(t *testing.T, settings string) *world {
	t.Helper()
	w := &world{}
	dataPlane := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body))
		w.answer(rw, r)
	}))
	gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, r.Header.Get("Authorization")+" at "+r.RequestURI)
	}))
	t.Cleanup(dataPlane.Close)
	t.Cleanup(gateway.Close)
	w.proxy = NewTenants(tenancy.Routes{
		"data-plane:8000": dataPlane.Listener.Addr().String(), "gateway:8080": gateway.Listener.Addr().String(),
	}, "http://data-plane:8000/")
	w.put(t, settings)
	return w
}

func (w *world) put(t *testing.T, settings string) {
	t.Helper()
	require.NoError(t, w.proxy.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":%s}`, tenancy.Schema, tenantID, settings)))
}

func says(status int, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

func (w *world) ask(t *testing.T, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.URL.Path = path
	r.Header.Set("Authorization", "Bearer bt-key-1")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rw := httptest.NewRecorder()
	w.proxy.ServeHTTP(rw, r)
	return rw
}

func secret(name, token, more string) string {
	return `{"id":"22222222-2222-4222-8222-222222222222","org_name":"acme","name":"` + name + `","type":"openai","secret":"` + token +
		`","metadata":{"api_base":"http://gateway:8080/v1","customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}` + more + `}}`
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	p := NewTenants(nil, "http://data-plane:8000")
	for _, settings := range []string{`{}`, `{"generation":"v1"}`, `{"generation":"legacy-2026-02","unknown":1}`, `{"generation":"legacy-2026-02","seed":"x"}`,
		`{"generation":"legacy-2026-02","variant":"hosted"}`, `{"generation":"legacy-2026-02","default_base":"gateway"}`} {
		require.Error(t, p.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":%s}`, tenancy.Schema, tenantID, settings)), settings)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	chat := "/" + tenantID + "/v1/chat/completions"
	for _, tc := range []struct {
		name, path, body string
		answer           http.HandlerFunc
		headers          []string
		status           int
		text             string
	}{
		{"unknown tenant", "/t-aaaaaaaaaaaaaaaa/v1/chat/completions", ping, nil, nil, 404, "no such tenant"},
		{"no tenant", "/", ping, nil, nil, 404, "no such tenant"},
		{"climbing path", "/" + tenantID + "/../" + tenantID + "/v1/chat/completions", ping, nil, nil, 404, "no such path"},
		{"beside v1", "/" + tenantID + "/v1x/chat/completions", ping, nil, nil, 404, "no such path"},
		{"v1 alone", "/" + tenantID + "/v1", ping, nil, nil, 404, "no such path"},
		{"10 MiB", chat, strings.Repeat("x", 10<<20), nil, nil, 413, "larger than"},
		{"wrong key", chat, ping, says(401, "unknown API key\n"), nil, 401, "the Braintrust API key was refused by the data plane: unknown API key"},
		{"unknown project", chat, ping, says(400, "no such project"), []string{"x-bt-project-id", "nobody"}, 400,
			"the data plane refused to hand out provider secrets: no such project"},
		{"data plane out of order", chat, ping, says(503, "sk-canary"), nil, 502, "the data plane answered 503"},
		{"no array", chat, ping, says(200, `{"sk-canary":1}`), nil, 502, "no array of secrets"},
		{"no levels", chat, ping, says(200, `["sk-canary"]`), []string{"x-bt-project-id", project}, 502, "has not the two levels"},
		{"no secrets", chat, ping, says(200, `[]`), nil, 400, "No API keys found (for acme-chat)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, `{"generation":"legacy-2026-02"}`)
			w.answer = tc.answer
			got := w.ask(t, tc.path, tc.body, tc.headers...)
			assert.Equal(t, tc.status, got.Code)
			assert.Equal(t, "text/plain", got.Header().Get("Content-Type"))
			assert.Contains(t, got.Body.String(), tc.text)
			assert.NotContains(t, got.Body.String(), "canary")
		})
	}
}

func TestDataPlaneUnreachable(t *testing.T) {
	t.Parallel()
	p := NewTenants(tenancy.Routes{}, "http://data-plane:8000")
	w := &world{proxy: p}
	w.put(t, `{"generation":"legacy-2026-02"}`)
	got := w.ask(t, "/"+tenantID+"/v1/chat/completions", ping)
	assert.Equal(t, 502, got.Code)
	assert.Contains(t, got.Body.String(), "reach data plane: dial data-plane:8000: not one of the addresses given at start")
}

func TestSecretsAreAskedForWithTheCallersKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"generation":"legacy-2026-02"}`)
	w.answer = says(200, `[`+secret("acme", "sk-acme-raw", "")+`]`)
	got := w.ask(t, "/"+tenantID+"/v1//chat/completions", ping, "x-bt-org-name", "acme")
	assert.Equal(t, 200, got.Code)
	assert.Equal(t, "Bearer sk-acme-raw at /v1//chat/completions", got.Body.String(), "no path is cleaned")
	assert.Equal(t, []string{"POST /" + tenantID + `/api/secret Bearer bt-key-1 {"model":"acme-chat","org_name":"acme","mode":"full"}`}, w.asked)
	w.ask(t, "/"+tenantID+"/v1/chat/completions", ping, "x-bt-org-name", "acme")
	assert.Len(t, w.asked, 1, "credentials are kept for 60 s unless the settings say otherwise")
	w.put(t, `{"generation":"legacy-2026-02","credential_cache_seconds":-1}`)
	w.ask(t, "/"+tenantID+"/v1/chat/completions", ping)
	w.ask(t, "/"+tenantID+"/v1/chat/completions", ping)
	assert.Len(t, w.asked, 3)
	assert.Contains(t, w.asked[2], `{"model":"acme-chat","mode":"full"}`, "unknown and empty keys might be refused")
}

func TestFallbackIsLoggedAndJournalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"generation":"legacy-2026-02"}`)
	w.answer = says(200, `{"org":[`+secret("acme", "sk-org-raw", "")+`],"project":[`+secret("acme", "sk-project-raw", `,"auth_type":"api_key","auth_format":"bearer"`)+`]}`)
	got := w.ask(t, "/"+tenantID+"/v1/chat/completions", ping, "x-bt-project-id", project)
	assert.Equal(t, "Bearer sk-org-raw at /v1/chat/completions", got.Body.String())
	assert.Contains(t, w.asked[0], `"project_id":"`+project+`"`)

	log := read[tenancy.Log](t, w, "log")
	require.Len(t, log.Entries, 1)
	line := log.Entries[0]
	assert.Equal(t, "warn", line.Level)
	assert.Equal(t, project, line.Project)
	assert.Equal(t, 1, line.Request)
	assert.Equal(t, `Failed to load project secrets, continuing with org secrets only ZodError: [
  {
    "code": "unrecognized_keys",
    "keys": [
      "auth_type",
      "auth_format"
    ],
    "path": [
      "metadata"
    ],
    "message": "Unrecognized key(s) in object: 'auth_type', 'auth_format'"
  }
]`, line.Text)

	journal := read[tenancy.Journal](t, w, "journal")
	require.Len(t, journal.Entries, 1)
	entry := journal.Entries[0]
	assert.Equal(t, "legacy-proxy: POST /v1/chat/completions  [Authorization: Bearer ‹"+entry.Credentials[0].Fingerprint+
		"›]  model acme-chat → 200  project secrets unreadable, fell back to org secrets", entry.String())
	assert.Equal(t, "n-0123456789abcdef", entry.Nonce)
	assert.Equal(t, map[string]string{"x-bt-project-id": project}, entry.Header)

	w.put(t, `{"generation":"current-2026-08","credential_cache_seconds":-1}`)
	got = w.ask(t, "/"+tenantID+"/v1/chat/completions", ping, "x-bt-project-id", project)
	assert.Equal(t, "Bearer sk-project-raw at /v1/chat/completions", got.Body.String())
}

// read gets one of the control listener's answers.
func read[T any](t *testing.T, w *world, what string) (out T) {
	t.Helper()
	rw := httptest.NewRecorder()
	w.proxy.Control().ServeHTTP(rw, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/tenants/"+tenantID+"/"+what, nil))
	require.NoError(t, json.Unmarshal(rw.Body.Bytes(), &out))
	return out
}

func TestSeedMakesTheStartRepeatable(t *testing.T) {
	t.Parallel()
	draw := func(settings string) string {
		w := newWorld(t, settings)
		w.answer = says(200, `[`+secret("a", "sk-a", "")+`,`+secret("b", "sk-b", "")+`]`)
		var drawn strings.Builder
		for range 64 {
			drawn.WriteString(w.ask(t, "/"+tenantID+"/v1/chat/completions", ping).Header().Get("x-bt-used-endpoint"))
		}
		return drawn.String()
	}
	seven := draw(`{"generation":"current-2026-08","seed":7}`)
	assert.Contains(t, seven, "a")
	assert.Contains(t, seven, "b")
	assert.Equal(t, seven, draw(`{"generation":"current-2026-08","seed":7}`))
	assert.NotEqual(t, seven, draw(`{"generation":"current-2026-08","seed":8}`))
	assert.NotEqual(t, seven, draw(`{"generation":"current-2026-08"}`), "equal by chance once in 2^64 runs")
}

// TestIsAFake holds the fake against what can be served.
func TestIsAFake(t *testing.T) {
	t.Parallel()
	var fake tenancy.Fake = NewTenants(nil, "http://data-plane:8000")
	rw := httptest.NewRecorder()
	fake.Control().ServeHTTP(rw, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil))
	assert.Equal(t, "legacy-proxy\n", rw.Body.String())
}
