package conformance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target/process"
)

// standIn is the least that a proxy in the middle must do: get the org's secrets with the caller's key, and pass the call on with
// the first one's credential, by auth_format.
type standIn struct {
	secrets string // URL of /api/secret
	calls   chan string
}

func (p standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var call struct {
		Model string `json:"model"`
	}
	_ = json.Unmarshal(body, &call)
	ask, _ := json.Marshal(map[string]string{"model": call.Model, "mode": "full"})
	q, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, p.secrets, bytes.NewReader(ask))
	q.Header.Set("Authorization", r.Header.Get("Authorization"))
	answer, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		http.Error(w, "no secrets", answer.StatusCode)
		return
	}
	var secrets []struct {
		Name     string
		Secret   *string
		Metadata struct {
			APIBase    string `json:"api_base"`
			AuthFormat string `json:"auth_format"`
		}
	}
	if json.NewDecoder(answer.Body).Decode(&secrets) != nil || len(secrets) == 0 {
		http.Error(w, "No API keys found (for "+call.Model+")", http.StatusBadRequest)
		return
	}
	scheme := "Bearer "
	if secrets[0].Metadata.AuthFormat == "api_key" {
		scheme = "Api-Key "
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	up, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, secrets[0].Metadata.APIBase+path, bytes.NewReader(body))
	if token := secrets[0].Secret; token != nil {
		up.Header.Set("Authorization", strings.TrimRight(scheme+*token, " \n"))
	}
	up.Header.Set("Content-Type", "application/json")
	given, err := http.DefaultTransport.RoundTrip(up)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = given.Body.Close() }()
	p.calls <- path
	w.Header().Set("Content-Type", given.Header.Get("Content-Type"))
	w.Header().Set("X-Bt-Used-Endpoint", secrets[0].Name)
	w.WriteHeader(given.StatusCode)
	_, _ = io.Copy(w, given.Body)
}

// freeAddress is a loopback address that was free a moment ago: a proxy must be told of it before anything listens there.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestProxyInTheMiddle(t *testing.T) {
	t.Parallel()
	dataPlane := freeAddress(t)
	calls := make(chan string, 4096)
	proxy := httptest.NewServer(standIn{"http://" + dataPlane + "/api/secret", calls})
	defer proxy.Close()
	run, err := conformance.Run(t.Context(), conformance.Options{
		Runtime: conformance.Auto, Concurrency: 4, Seed: 1, Redactor: &evidence.Redactor{},
		Proxy: &process.Proxy{URL: proxy.URL + "/v1", DataPlaneAddr: dataPlane},
	})
	require.NoError(t, err)
	assert.Empty(t, run.Infrastructure)
	assert.Equal(t, conformance.Process, run.Runtime)
	assert.False(t, run.Fakes)
	verdicts := map[string]report.Verdict{}
	for _, s := range run.Scenarios {
		verdicts[s.ID] = s.Verdict
		assert.Contains(t, []report.Verdict{report.Passed, report.NotSupported}, s.Verdict, "%s: %s %v", s.ID, s.Reason, s.Mismatches)
	}
	// What it carries runs through it; what it cannot do is said to be not supported.
	assert.Equal(t, report.Passed, verdicts["BEARER-6/bearer-format-repairs-an-org-provider-secret-and-changes-nothing-else[plane=v2]"])
	assert.NotEmpty(t, calls, "calls went through the proxy")
	for _, id := range []string{
		"BEARER-2/the-same-secret-works-on-v1-with-the-oldest-proxy",
		"BEARER-6/bearer-format-repairs-an-org-provider-secret-and-changes-nothing-else[plane=v2 with Gateway]",
		"OVERRIDE-1/the-oldest-proxy-drops-a-project-secret-with-auth_type-and-auth_format",
	} {
		assert.Equal(t, report.NotSupported, verdicts[id], id)
	}
}

// A proxy that ignores auth_format is caught: the suite judges the proxy, not the fakes.
func TestProxyInTheMiddleIsJudged(t *testing.T) {
	t.Parallel()
	dataPlane := freeAddress(t)
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"pong"}}]}`)
	}))
	defer wrong.Close()
	run, err := conformance.Run(t.Context(), conformance.Options{
		Concurrency: 4, Seed: 1, Redactor: &evidence.Redactor{}, Tags: "@BEARER-6",
		Proxy: &process.Proxy{URL: wrong.URL + "/v1", DataPlaneAddr: dataPlane},
	})
	require.NoError(t, err)
	assert.Equal(t, 1, run.ExitCode())
}

func TestProxyInTheMiddleRefusals(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	for name, proxy := range map[string]process.Proxy{
		"port in use": {URL: "http://" + taken.Addr().String() + "/v1", DataPlaneAddr: taken.Addr().String()},
		"no port":     {URL: "http://proxy.example/v1", DataPlaneAddr: "127.0.0.1:0"},
		"not there":   {URL: "http://127.0.0.1:1/v1", DataPlaneAddr: "127.0.0.1:0"},
	} {
		run, err := conformance.Run(t.Context(), conformance.Options{Concurrency: 1, Seed: 1, Redactor: &evidence.Redactor{}, Proxy: &proxy})
		require.NoError(t, err, name)
		assert.Equal(t, 3, run.ExitCode(), name)
		assert.NotEmpty(t, run.Infrastructure, name)
	}
}
