package dataplane

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
)

const (
	proxyTenant  = "t-proxy00000000000"
	proxyProject = "33333333-3333-4333-8333-333333333333"
	proxyPing    = `{"model":"acme-chat","messages":[{"role":"user","content":"n-0123456789abcdef"}]}`
)

// proxied is a data plane with one org secret `acme`, between the given legacy proxy and a gateway that echoes the credentials
// it saw and accepts Bearer only.
func proxied(t *testing.T, settings string, legacy http.HandlerFunc) *httptest.Server {
	t.Helper()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = fmt.Fprintf(w, "%s|%s|%s at %s", r.Header.Get("Authorization"), r.Header.Get("Api-Key"), r.Header.Get("X-Api-Key"), r.RequestURI)
	}))
	t.Cleanup(gateway.Close)
	routes := tenancy.Routes{"gateway:8080": gateway.Listener.Addr().String()}
	if legacy != nil {
		proxy := httptest.NewServer(legacy)
		t.Cleanup(proxy.Close)
		routes["legacy-proxy:8080"] = proxy.Listener.Addr().String()
	}
	d := NewTenants(routes, "http://legacy-proxy:8080/{tenant}/v1")
	require.NoError(t, d.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":{"organization":{"id":%q,"name":"acme"},
		"keys":[{"key":"bt-key-1","role":"admin"}],%s}}`, tenancy.Schema, proxyTenant, proxyProject, settings)))
	front := httptest.NewServer(d)
	t.Cleanup(front.Close)
	post(t, front, "/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk-acme-raw","metadata":{"api_base":"http://gateway:8080/v1",
		"auth_format":"api_key","customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}}}`)
	return front
}

type reply struct {
	status int
	header http.Header
	body   string
}

func post(t *testing.T, front *httptest.Server, path, body string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+"/"+proxyTenant+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer bt-key-1")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := front.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response.StatusCode, response.Header, string(text)}
}

func TestProxyRefusals(t *testing.T) {
	t.Parallel()
	for serving, noModel := range map[string]string{
		ServingV2: "TypeError: Cannot read properties of undefined (reading '1')", ServingV2Gateway: "No API keys found",
	} {
		front := proxied(t, `"serving":"`+serving+`"`, nil)
		for _, tc := range []struct {
			name, body string
			headers    []string
			status     int
			text       string
		}{
			{"wrong key", proxyPing, []string{"Authorization", "Bearer bt-nobody"}, 401, "the Braintrust API key was refused"},
			{"unknown project", proxyPing, []string{"x-bt-project-id", "nobody"}, 400, "no such project"},
			{"other org", proxyPing, []string{"x-bt-org-name", "other"}, 400, "no such organization"},
			{"bad JSON", `{`, nil, 400, noModel},
			{"10 MiB", strings.Repeat(" ", 10<<20), nil, 413, "larger than"},
		} {
			got := post(t, front, "/v1/proxy/chat/completions", tc.body, tc.headers...)
			assert.Equal(t, tc.status, got.status, "%s: %s", serving, tc.name)
			assert.Contains(t, got.body, tc.text, "%s: %s", serving, tc.name)
		}
	}
}

func TestLegacyProxyThatCannotBeReached(t *testing.T) {
	t.Parallel()
	front := proxied(t, `"serving":"v1"`, nil)
	got := post(t, front, "/v1/proxy/chat/completions", proxyPing)
	assert.Equal(t, 502, got.status)
	assert.True(t, strings.HasPrefix(got.header.Get("Content-Type"), "text/plain"))
	assert.Contains(t, got.body, "legacy proxy http://legacy-proxy:8080/"+proxyTenant+"/v1 cannot be reached: dial legacy-proxy:8080: not one of the addresses")
	assert.Equal(t, 413, post(t, front, "/v1/proxy/chat/completions", strings.Repeat(" ", 10<<20)).status)
}

func TestV1IsTheLegacyProxy(t *testing.T) {
	t.Parallel()
	front := proxied(t, `"serving":"v1"`, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("x-bt-used-endpoint", "acme")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("x-bt-project-id"), body)
	})
	got := post(t, front, "/v1/proxy//chat/%2Fcompletions?q=1", proxyPing, "x-bt-project-id", "p-1")
	assert.Equal(t, http.StatusTeapot, got.status)
	assert.Equal(t, "acme", got.header.Get("x-bt-used-endpoint"))
	assert.Equal(t, "POST /"+proxyTenant+"/v1//chat/%2Fcompletions?q=1 Bearer bt-key-1 p-1 "+proxyPing, got.body)
}

func TestV1StreamsPassAtOnce(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	front := proxied(t, `"serving":"v1"`, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "data: first\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(ended)
	})
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, front.URL+"/"+proxyTenant+"/v1/proxy/chat/completions", strings.NewReader(proxyPing))
	require.NoError(t, err)
	response, err := front.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "data: first\n", line)
	leave()
	<-ended
}

// TestCallerThatLeft would be journalled as answered if the proxy wrote something all the same.
func TestCallerThatLeft(t *testing.T) {
	t.Parallel()
	front := proxied(t, `"serving":"v1"`, func(http.ResponseWriter, *http.Request) {})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/"+proxyTenant+"/v1/proxy/chat/completions", strings.NewReader(proxyPing))
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { front.Config.Handler.ServeHTTP(httptest.NewRecorder(), r) })
}

// TestV2SendsAPIKeyInEachShape covers behaviour BEARER 1 on the wire.
func TestV2SendsAPIKeyInEachShape(t *testing.T) {
	t.Parallel()
	for shape, want := range map[provider.Shape]string{
		"":                         "Api-Key sk-acme-raw||",
		provider.ShapeAPIKeyScheme: "Api-Key sk-acme-raw||",
		provider.ShapeBare:         "sk-acme-raw||",
		provider.ShapeAPIKey:       "|sk-acme-raw|",
		provider.ShapeXAPIKey:      "||sk-acme-raw",
	} {
		for serving, body := range map[string]string{
			ServingV2:        "AI provider returned 401 error:\n\n" + want + " at /v1/chat/completions\n\nHeaders:\n",
			ServingV2Gateway: want + " at /v1/chat/completions",
		} {
			front := proxied(t, fmt.Sprintf(`"serving":%q,"api_key_shape":%q`, serving, shape), nil)
			got := post(t, front, "/v1/proxy/chat/completions", proxyPing)
			assert.Equal(t, 401, got.status)
			assert.True(t, strings.HasPrefix(got.body, body), "%s %s: %s", serving, shape, got.body)
		}
	}
}

func TestProxyIsJournalled(t *testing.T) {
	t.Parallel()
	for _, serving := range []string{ServingV1, ServingV2, ServingV2Gateway} {
		front := proxied(t, `"serving":"`+serving+`"`, func(http.ResponseWriter, *http.Request) {})
		post(t, front, "/v1/proxy/chat/completions", proxyPing, "x-bt-project-id", proxyProject)
		journal := proxyJournal(t, front)
		entry := journal[len(journal)-1]
		assert.Equal(t, "/v1/proxy/chat/completions", entry.Path)
		assert.Equal(t, "acme-chat", entry.Model)
		assert.Equal(t, "n-0123456789abcdef", entry.Nonce)
		assert.Equal(t, map[string]string{"x-bt-project-id": proxyProject}, entry.Header)
	}
}

// TestHalfUpgradedFleetAnswersInTurn covers behaviour MIGRATION 5 on the wire.
func TestHalfUpgradedFleetAnswersInTurn(t *testing.T) {
	t.Parallel()
	front := proxied(t, `"serving":"mixed"`, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "legacy") })
	var statuses []int
	for range 5 {
		statuses = append(statuses, post(t, front, "/v1/proxy/chat/completions", proxyPing).status)
		post(t, front, "/v1/ai_secret", `{"name":"acme"}`) // takes no turn
	}
	assert.Equal(t, []int{200, 401, 200, 401, 200}, statuses)
	var notes []string
	for _, entry := range proxyJournal(t, front) {
		if strings.HasPrefix(entry.Path, "/v1/proxy/") {
			notes = append(notes, entry.Note)
		}
	}
	assert.Equal(t, "answered by the v1 half", notes[0])
	assert.True(t, strings.HasPrefix(notes[1], "answered by the v2 half"), notes[1])
	assert.Len(t, notes, 5)
}

// TestFaultIsSaidBesideWhatTheProxySays: neither note takes the other's place.
func TestFaultIsSaidBesideWhatTheProxySays(t *testing.T) {
	t.Parallel()
	front := proxied(t, `"serving":"mixed"`, func(http.ResponseWriter, *http.Request) {})
	d, ok := front.Config.Handler.(*Tenants)
	require.True(t, ok)
	w := httptest.NewRecorder()
	d.Control().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/tenants/"+proxyTenant+"/faults", strings.NewReader(`[{"delay_ms":1}]`)))
	require.Equal(t, http.StatusOK, w.Code)
	post(t, front, "/v1/proxy/chat/completions", proxyPing)
	journal := proxyJournal(t, front)
	assert.Equal(t, "fault: delayed by 1 ms; answered by the v1 half", journal[len(journal)-1].Note)
}

func proxyJournal(t *testing.T, front *httptest.Server) []evidence.Exchange {
	t.Helper()
	d, ok := front.Config.Handler.(*Tenants)
	require.True(t, ok)
	w := httptest.NewRecorder()
	d.Control().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/tenants/"+proxyTenant+"/journal", nil))
	var journal tenancy.Journal
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &journal))
	return journal.Entries
}
