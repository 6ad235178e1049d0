package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	id    = "t-0123456789abcdef"
	token = "tok-canary-4711"
	nonce = "n-0123456789abcdef"
)

// The fake can be served like the others.
var _ tenancy.Fake = (*gateway.Tenants)(nil)

// bed is a gateway with one tenant, served on loopback.
type bed struct {
	t       *testing.T
	gateway *gateway.Tenants
	data    *httptest.Server
}

func start(t *testing.T, config gateway.Config) bed {
	t.Helper()
	g := gateway.NewTenants()
	require.NoError(t, put(g, id, config))
	data := httptest.NewServer(g)
	t.Cleanup(data.Close)
	return bed{t: t, gateway: g, data: data}
}

// bearer is the usual settings.
func bearer() gateway.Config {
	return gateway.Config{Tokens: []string{token}, Models: []string{"acme-chat", "meta-llama/Llama-3"}}
}

func put(g *gateway.Tenants, tenant string, config gateway.Config) error {
	settings, err := json.Marshal(config)
	if err != nil {
		return err
	}
	document, err := json.Marshal(tenancy.Document{
		Schema: tenancy.Schema, ID: tenant, FingerprintKey: evidence.Key("test"), Settings: settings,
	})
	if err != nil {
		return err
	}
	return g.Put(document)
}

// answer is one answer of the gateway, read to its end.
type answer struct {
	*http.Response
	body string
}

// ask sends a request to a path of the tenant; header is a list of names and values.
func (b bed) ask(method, path, body string, header ...string) answer {
	b.t.Helper()
	r, err := http.NewRequest(method, b.data.URL+"/"+id+path, strings.NewReader(body))
	require.NoError(b.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := b.data.Client().Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response, string(text)}
}

func (b bed) chat(body string) answer {
	return b.ask("POST", "/v1/chat/completions", body, "Authorization", "Bearer "+token)
}

// journal reads the tenant's journal as the harness does.
func (b bed) journal() []evidence.Exchange {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.gateway.Control().ServeHTTP(w, httptest.NewRequest("GET", "/tenants/"+id+"/journal", nil))
	require.Equal(b.t, http.StatusOK, w.Code)
	var journal tenancy.Journal
	require.NoError(b.t, json.Unmarshal(w.Body.Bytes(), &journal))
	return journal.Entries
}

func (b bed) last() evidence.Exchange {
	b.t.Helper()
	entries := b.journal()
	require.NotEmpty(b.t, entries)
	return entries[len(entries)-1]
}

// problem reads OpenAI's error object and insists on its four keys.
func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	var body map[string]map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &body), a.body)
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
	for _, key := range []string{"message", "type", "param", "code"} {
		require.Contains(t, body["error"], key)
	}
	require.Len(t, body["error"], 4)
	assert.Equal(t, "invalid_request_error", body["error"]["type"])
	assert.NotEmpty(t, body["error"]["message"])
	return body["error"]
}

const prompt = `{"model":"acme-chat","messages":[{"role":"user","content":"ping n-0123456789abcdef"}]}`

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config gateway.Config
		want   string
	}{
		"unknown auth":         {gateway.Config{Auth: "basic"}, `auth "basic" is unknown`},
		"empty token":          {gateway.Config{Tokens: []string{""}}, "white space"},
		"token with blank":     {gateway.Config{Forbidden: []string{"a b"}}, "white space"},
		"token with newline":   {gateway.Config{Tokens: []string{"a\n"}}, "white space"},
		"token is a scheme":    {gateway.Config{Tokens: []string{"bearer"}}, "name of a scheme"},
		"both":                 {gateway.Config{Tokens: []string{"a"}, Forbidden: []string{"a"}}, "both accepted and forbidden"},
		"nameless model":       {gateway.Config{Models: []string{""}}, "no id"},
		"prefix without slash": {gateway.Config{Serve: []string{"v1"}}, `prefix "v1"`},
		"prefix ends in slash": {gateway.Config{Serve: []string{"/v1/"}}, `prefix "/v1/"`},
		"unserved is 200":      {gateway.Config{UnservedStatus: 200}, "not a 4xx"},
		"unserved is 500":      {gateway.Config{UnservedStatus: 500}, "not a 4xx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.ErrorContains(t, put(gateway.NewTenants(), id, tt.config), tt.want)
		})
	}
}

func TestPathsThatAreNotServed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config gateway.Config
		path   string
		status int
	}{
		"root":               {path: "/", status: 404},
		"unknown":            {path: "/v1/nothing", status: 404},
		"doubled slash":      {path: "//chat/completions", status: 404},
		"dots":               {path: "/../..", status: 404},
		"escaped dots":       {path: "/%2e%2e/models", status: 404},
		"escaped slash":      {path: "/v1%2fmodels", status: 404},
		"null byte":          {path: "/%00", status: 404},
		"very long":          {path: "/" + strings.Repeat("x", 100_000), status: 404},
		"model without id":   {path: "/models/", status: 404},
		"v1 twice":           {path: "/v1/v1/models", status: 404},
		"only v1 is served":  {config: gateway.Config{Serve: []string{"/v1"}}, path: "/models", status: 404},
		"only root":          {config: gateway.Config{Serve: []string{""}}, path: "/v1/models", status: 404},
		"401 where unserved": {config: gateway.Config{Serve: []string{"/v1"}, UnservedStatus: 401}, path: "/models", status: 401},
		"403 where unserved": {config: gateway.Config{Serve: []string{"/v1"}, UnservedStatus: 403}, path: "/models", status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.config.Tokens = []string{token}
			b := start(t, tt.config)
			got := b.ask("GET", tt.path, "", "Authorization", "Bearer "+token)
			assert.Equal(t, tt.status, got.StatusCode)
			got.problem(t)
			assert.Equal(t, tt.status == 401, got.Header.Get("Www-Authenticate") != "", "a challenge goes with a 401 only")
			assert.Equal(t, "path not served", b.last().Note)
		})
	}
}

func TestWhatBelongsToNoTenant(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, path := range []string{
		"", "/", "//", "/models", "/t-unknownunknown00/v1/models", "/T-0123456789ABCDEF/models", "/%2e%2e/" + id + "/models",
		"//" + id + "/models", "/x/../" + id + "/models", "/%00", "/" + strings.Repeat("y", 100_000),
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		b.gateway.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		answer{w.Result(), w.Body.String()}.problem(t)
	}
	assert.Empty(t, b.journal())
}

// A server refuses such a path before any handler sees it; the handler must not fall over it either.
func TestInvalidEscapes(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, path := range []string{"/%", "/models/%zz", "/v1/%f"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.URL.RawPath = "/"+id+path, "/"+id+path
		r.Header.Set("Authorization", "Bearer "+token)
		b.gateway.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		answer{w.Result(), w.Body.String()}.problem(t)
	}
}

func TestWrongMethod(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, tt := range []struct{ method, path, allow string }{
		{"POST", "/models", "GET"},
		{"DELETE", "/v1/models/acme-chat", "GET"},
		{"GET", "/chat/completions", "POST"},
		{"PUT", "/v1/chat/completions", "POST"},
		{"OPTIONS", "/v1/chat/completions", "POST"},
	} {
		got := b.ask(tt.method, tt.path, "")
		require.Equal(t, http.StatusMethodNotAllowed, got.StatusCode, tt)
		assert.Equal(t, tt.allow, got.Header.Get("Allow"))
		assert.Equal(t, "method_not_supported", got.problem(t)["code"])
	}
}
