package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target/process"
)

// openProxy is the open-source proxy of one generation, as our fakes route, run by somebody else: it knows no tenants and gets the org's
// secrets at the root of the data plane.
type openProxy struct {
	generation provider.Generation
	secrets    string // URL of /api/secret

	mu     sync.Mutex
	states map[string]*routing.State // by caller
}

func newOpenProxy(generation provider.Generation, dataPlane string) *openProxy {
	return &openProxy{generation: generation, secrets: "http://" + dataPlane + "/api/secret", states: map[string]*routing.State{}}
}

func (p *openProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, below := strings.CutPrefix(r.URL.EscapedPath(), "/v1/")
	if !below {
		http.NotFound(w, r)
		return
	}
	direct := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	routing.New(direct).Serve(w, r, routing.Call{
		Rules: routing.Open(p.generation, ""), State: p.state(r.Header.Get("Authorization")), Source: p.source, Path: "/" + path,
		CredentialTTL: time.Minute, Log: func(string, string, string) {}, Entry: &evidence.Exchange{},
	})
}

func (p *openProxy) state(caller string) *routing.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.states[caller] == nil {
		p.states[caller] = &routing.State{}
	}
	return p.states[caller]
}

// source asks as the real proxy does: without a project.
func (p *openProxy) source(ctx context.Context, q routing.Query) (secrets routing.Secrets, err error) {
	body, _ := json.Marshal(map[string]string{"model": q.Model, "mode": "full"})
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.secrets, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+q.Key)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return secrets, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return secrets, &routing.Refusal{Status: answer.StatusCode, Text: "no secrets"}
	}
	return secrets, json.NewDecoder(answer.Body).Decode(&secrets.Org)
}

// freeAddress is a loopback address that was free a moment ago: a proxy must be told of it before anything listens there.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// middle runs with a proxy in the middle; handler makes it, told where the data plane will listen.
func middle(t *testing.T, tags string, generation provider.Generation, handler func(dataPlane string) http.Handler) *report.Run {
	t.Helper()
	dataPlane := freeAddress(t)
	proxy := httptest.NewServer(handler(dataPlane))
	defer proxy.Close()
	run, err := conformance.Run(t.Context(), conformance.Options{
		Concurrency: 4, Seed: 1, Redactor: &evidence.Redactor{}, Tags: tags,
		Proxy: &process.Proxy{URL: proxy.URL + "/v1", DataPlaneAddr: dataPlane, Generation: generation},
	})
	require.NoError(t, err)
	return run
}

// byExcuse lists the scenarios of each verdict under why they have no part in the whole, empty for those that have.
func byExcuse(run *report.Run) map[string]map[report.Verdict][]string {
	all := map[string]map[report.Verdict][]string{}
	for _, s := range run.Scenarios {
		if all[s.Excused] == nil {
			all[s.Excused] = map[report.Verdict][]string{}
		}
		all[s.Excused][s.Verdict] = append(all[s.Excused][s.Verdict], s.ID)
	}
	return all
}

// TestProxyInTheMiddle has the proxy of each generation: what it does as that generation does passes or is known to fail, and no scenario
// that never went through it counts.
func TestProxyInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, generation := range provider.Generations() {
		t.Run(string(generation), func(t *testing.T) {
			t.Parallel()
			run := middle(t, "", generation, func(dataPlane string) http.Handler { return newOpenProxy(generation, dataPlane) })
			assert.Empty(t, run.Infrastructure)
			assert.Equal(t, conformance.Process, run.Runtime)
			assert.False(t, run.Fakes)
			assert.Equal(t, 0, run.ExitCode(), run.Headline())
			excuses := byExcuse(run)
			known := "known to fail on " + string(generation)
			for excuse, verdicts := range excuses {
				assert.True(t, excuse == known || len(verdicts[report.Failed]) == 0, "%s: failed %v", excuse, verdicts[report.Failed])
				assert.Empty(t, verdicts[report.Broken])
			}
			assert.Empty(t, excuses[known+", and yet it passed: is the proxy of that generation?"])
			assert.Len(t, excuses[known][report.Failed], map[provider.Generation]int{provider.Legacy202602: 11, provider.Legacy202603: 1}[generation])
			assert.Len(t, excuses["judges something else than the proxy"], 1, "they all passed")
			assert.Len(t, excuses["judges something else than the proxy"][report.Passed], 117)
			own := excuses[""][report.Passed]
			assert.Contains(t, own, "BEARER-6/bearer-format-repairs-an-org-provider-secret-and-changes-nothing-else[plane=v2]")
			assert.Equal(t, generation == provider.Legacy202602, slices.Contains(own, "BEARER-2/the-same-secret-works-on-v1-with-the-oldest-proxy"))
		})
	}
}

// A generation that was not told right is noticed: what is known to fail on it passes.
func TestProxyOfAnotherGenerationThanToldIsNoticed(t *testing.T) {
	t.Parallel()
	run := middle(t, "@BEARER-20 and @judges-plane", provider.Legacy202602,
		func(dataPlane string) http.Handler { return newOpenProxy(provider.Current202608, dataPlane) })
	yet := byExcuse(run)["known to fail on legacy-2026-02, and yet it passed: is the proxy of that generation?"]
	assert.Len(t, yet[report.Passed], 2)
}

// ownKey is what a proxy does whose lookup of credentials fails: it calls the provider with the caller's own Braintrust key, and hands its
// refusal on as such a proxy words it (facts: lookup-failure).
type ownKey struct{ *openProxy }

func (p ownKey) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var call struct{ Model string }
	_ = json.Unmarshal(body, &call)
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	secrets, _ := p.source(r.Context(), routing.Query{Key: key, Model: call.Model})
	said := "no gateway was found to ask" // where the key is wrong: a real one asks the provider's default base, which is not ours
	if len(secrets.Org) > 0 {
		var secret struct {
			Metadata struct {
				Base string `json:"api_base"`
			}
		}
		_ = json.Unmarshal(secrets.Org[0], &secret)
		up, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, secret.Metadata.Base+"/chat/completions", bytes.NewReader(body))
		up.Header.Set("Authorization", "Bearer "+key)
		if answer, err := http.DefaultTransport.RoundTrip(up); err == nil {
			raw, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			said = string(raw)
		}
	}
	http.Error(w, "AI provider returned 401 error:\n\n"+said, http.StatusUnauthorized)
}

// afterProof is a proxy that does as it should for one call.
type afterProof struct {
	first, then http.Handler
	calls       atomic.Int32
}

func (p *afterProof) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.calls.Add(1) == 1 {
		p.first.ServeHTTP(w, r)
		return
	}
	p.then.ServeHTTP(w, r)
}

// says answers every request alike.
func says(status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestNothingPassesOnAUselessProxy(t *testing.T) {
	t.Parallel()
	for name, useless := range map[string]func(dataPlane string) http.Handler{
		"599":     func(string) http.Handler { return says(599, "text/plain", "") },
		"{}":      func(string) http.Handler { return says(200, "application/json", "{}") },
		"HTML":    func(string) http.Handler { return says(200, "text/html", "<title>Welcome</title>") },
		"own key": func(dataPlane string) http.Handler { return ownKey{newOpenProxy(provider.Current202608, dataPlane)} },
		"closes": func(string) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := middle(t, "@judges-plane", provider.Legacy202603, func(dataPlane string) http.Handler {
				return &afterProof{first: newOpenProxy(provider.Legacy202603, dataPlane), then: useless(dataPlane)}
			})
			assert.Empty(t, run.Infrastructure)
			assert.Equal(t, 1, run.ExitCode(), run.Headline())
			assert.Empty(t, byExcuse(run)[""][report.Passed])
			assert.GreaterOrEqual(t, len(byExcuse(run)[""][report.Failed]), 20)
		})
	}
}

// TestProxyMustBeProvenOurs has proxies that are not: nothing is judged on them, and the reason says what to do.
func TestProxyMustBeProvenOurs(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(says(200, "application/json", "[]"))
	t.Cleanup(elsewhere.Close) // after the subtests
	for name, c := range map[string]struct {
		handler func(dataPlane string) http.Handler
		says    []string
	}{
		"answers by itself": {
			func(string) http.Handler { return says(599, "text/plain", "go away") },
			[]string{"did not ask our data plane", "answered status 599: go away", "BRAINTRUST_APP_URL=http://127.0.0.1:"},
		},
		"asks elsewhere": {
			func(string) http.Handler {
				return newOpenProxy(provider.Current202608, strings.TrimPrefix(elsewhere.URL, "http://"))
			},
			[]string{"did not ask our data plane", "No API keys found"},
		},
		"another base path": {
			func(dataPlane string) http.Handler {
				return http.StripPrefix("/v1", newOpenProxy(provider.Current202608, dataPlane))
			},
			[]string{"did not ask our data plane", "status 404", "base path"},
		},
		"cannot dial": {
			func(dataPlane string) http.Handler {
				p := newOpenProxy(provider.Current202608, dataPlane)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = p.source(r.Context(), routing.Query{Key: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), Model: "x"})
					http.Error(w, "fetch failed", http.StatusBadGateway)
				})
			},
			[]string{"did not reach our gateway", "status 502: fetch failed", "api_base"},
		},
		"own key": {
			func(dataPlane string) http.Handler { return ownKey{newOpenProxy(provider.Current202608, dataPlane)} },
			[]string{"another credential than that of the provider secret"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := middle(t, "@BEARER-6", "", c.handler)
			assert.Equal(t, 3, run.ExitCode(), run.Headline())
			require.Len(t, run.Infrastructure, 1)
			for _, words := range c.says {
				assert.Contains(t, run.Infrastructure[0], words)
			}
			for _, s := range run.Scenarios {
				assert.Equal(t, report.NotRun, s.Verdict, s.ID)
			}
		})
	}
}

func TestProxyThatIsNotThere(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	for name, proxy := range map[string]process.Proxy{
		"port in use": {URL: "http://" + taken.Addr().String() + "/v1", DataPlaneAddr: taken.Addr().String()},
		"not there":   {URL: "http://127.0.0.1:1/v1", DataPlaneAddr: "127.0.0.1:0"},
	} {
		run, err := conformance.Run(t.Context(), conformance.Options{Concurrency: 1, Seed: 1, Redactor: &evidence.Redactor{}, Proxy: &proxy})
		require.NoError(t, err, name)
		assert.Equal(t, 3, run.ExitCode(), name)
		assert.NotEmpty(t, run.Infrastructure, name)
	}
}

func TestProxyThatCannotBeOne(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"http://proxy.example/v1":                 "not http://HOST:PORT/",
		"https://127.0.0.1:8787/v1":               "not http://HOST:PORT/",
		"http://:8787/v1":                         "not http://HOST:PORT/",
		"http://svc:hunter2hunter2@127.0.0.1:%zz": "not http://HOST:PORT/",
		"http://svc:hunter2hunter2@127.0.0.1:1/":  "has a user",
		"http://127.0.0.1:1/v1?key=hunter2":       "has a user, a query",
	} {
		_, err := conformance.Run(t.Context(), conformance.Options{Redactor: &evidence.Redactor{}, Proxy: &process.Proxy{URL: url, DataPlaneAddr: "127.0.0.1:1"}})
		require.ErrorIs(t, err, conformance.ErrUsage, url)
		require.ErrorContains(t, err, says, url)
		assert.NotContains(t, err.Error(), "hunter2", url)
	}
	for says, proxy := range map[string]process.Proxy{
		`"8083" is not HOST:PORT`: {DataPlaneAddr: "8083"},
		"current-2026-08":         {DataPlaneAddr: "127.0.0.1:1", Generation: "legacy-2026-01"},
	} {
		proxy.URL = "http://127.0.0.1:1/v1"
		_, err := conformance.Run(t.Context(), conformance.Options{Redactor: &evidence.Redactor{}, Proxy: &proxy})
		require.ErrorIs(t, err, conformance.ErrUsage, says)
		require.ErrorContains(t, err, says)
	}
}
