package routing

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, body string
		headers            []string
		status             int
		text               string
	}{
		{"method", http.MethodPut, ping, nil, 405, "Method not allowed"},
		{"get", http.MethodGet, "", nil, 404, "no such path"},
		{"no key", http.MethodPost, ping, []string{"Authorization", ""}, 400, "Error: Missing Authentication header"},
		{"three words", http.MethodPost, ping, []string{"Authorization", "Bearer Bearer bt"}, 400, "Missing Authentication header"},
		{"bad scheme with x-api-key", http.MethodPost, ping, []string{"Authorization", "bt", "x-api-key", "bt"}, 400, "Missing Authentication"},
		{"no JSON", http.MethodPost, `{"model":`, nil, 400, "TypeError: Cannot read properties of undefined (reading '1')"},
		{"no body", http.MethodPost, ``, nil, 400, "TypeError: Cannot read properties of undefined (reading '1')"},
		{"array", http.MethodPost, `[1]`, nil, 400, "TypeError: Cannot read properties of undefined (reading '1')"},
		{"model is a number", http.MethodPost, `{"model":7}`, nil, 400, "TypeError: Cannot read properties of undefined (reading '1')"},
		{"unknown model", http.MethodPost, `{"model":"nobody"}`, nil, 400, "Error: No API keys found (for nobody)"},
		{"other endpoint name", http.MethodPost, ping, []string{"x-bt-endpoint-name", "x"}, 400, "No API keys found (for acme-chat)"},
		{"credential cache mode", http.MethodPost, ping, []string{"x-bt-use-creds-cache", "maybe"}, 400, "Error: Invalid x-bt-use-cache header 'maybe'"},
		{"cache mode", http.MethodPost, ping, []string{"x-bt-use-cache", "maybe"}, 400, "Invalid x-bt-use-cache header 'maybe'"},
		{"10 MiB", http.MethodPost, strings.Repeat(" ", 10<<20), nil, 413, "larger than 8388608 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil, org(secret("acme", "sk-acme-raw")))
			r := httptest.NewRequestWithContext(t.Context(), tc.method, "/", strings.NewReader(tc.body))
			r.Header.Set("Authorization", "Bearer bt-key-1")
			for i := 0; i < len(tc.headers); i += 2 {
				r.Header.Set(tc.headers[i], tc.headers[i+1])
			}
			w := httptest.NewRecorder()
			g.proxy.Serve(w, r, g.call)
			assert.Equal(t, tc.status, w.Code)
			assert.Equal(t, "text/plain", w.Header().Get("Content-Type"))
			assert.Contains(t, w.Body.String(), tc.text)
			assert.Empty(t, g.seen, "nothing may reach the upstream")
		})
	}
}

func TestSourceFailures(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, Secrets{})
	g.call.Source = func(context.Context, Query) (Secrets, error) {
		return Secrets{}, &Refusal{Status: 401, Text: "not yours"}
	}
	assert.Equal(t, 401, g.ask(t, ping).Code)
	g.call.Source = func(context.Context, Query) (Secrets, error) { return Secrets{}, errors.New("out of order") }
	w := g.ask(t, ping)
	assert.Equal(t, 502, w.Code)
	assert.Contains(t, w.Body.String(), "out of order")
}

func TestCallerThatLeftIsNotAnswered(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk")))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(ping))
	r.Header.Set("Authorization", "Bearer bt-key-1")
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { g.proxy.Serve(httptest.NewRecorder(), r, g.call) })
}

// TestFailures holds what becomes of each status where there is another secret, and where there is none (facts: order).
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status         int
		calls          int
		wrapped        bool
		logged, alsoOn string // with two secrets; with one
	}{
		{400, 1, false, "", ""},
		{302, 2, false, "302", "undefined"},
		{401, 2, true, "401", ""},
		{403, 2, true, "403", ""},
		{404, 2, false, "404", "undefined"},
		{429, 2, false, "429", "undefined"},
		{500, 2, false, "500", "undefined"},
		{503, 2, false, "503", "undefined"},
	} {
		var want string
		for _, code := range []string{tc.logged, tc.alsoOn} {
			if code != "" {
				want += "warn [] Received retryable error. Will try the next endpoint " + code + "\n"
			}
		}
		g := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, "no")
		}, org(secret("a", "sk-a"), secret("b", "sk-b")))
		w := g.ask(t, ping)
		assert.Equal(t, tc.status, w.Code)
		assert.Len(t, g.seen, tc.calls, "%d", tc.status)
		assert.Equal(t, tc.wrapped, strings.HasPrefix(w.Body.String(), "AI provider returned "), "%d", tc.status)
		assert.Equal(t, want, g.logs.String(), "%d", tc.status)
	}
}

func TestUnknownAddressNamesTheRule(t *testing.T) {
	t.Parallel()
	bad := raw("bad", "sk-bad-raw", `"api_base":"http://elsewhere:1/v1?token=canary"`, `"customModels":{"acme-chat":{}}`)
	g := newRig(t, denied("sk-acme-raw"), org(bad))
	w := g.ask(t, ping)
	assert.Equal(t, 400, w.Code)
	assert.Equal(t, "TypeError: fetch failed: dial elsewhere:1: not one of the addresses given at start", w.Body.String())
	assert.Contains(t, g.logs.String(), "not one of the addresses given at start")
	assert.NotContains(t, g.logs.String(), "canary")
	g.call.Rules = Gateway("")
	assert.Equal(t, 502, g.ask(t, ping).Code)

	g = newRig(t, denied("sk-acme-raw"), org(bad, secret("good", "sk-acme-raw")))
	assert.Equal(t, 200, g.ask(t, ping).Code, "the next secret serves")

	g = newRig(t, denied("sk-acme-raw"), org(secret("wrong", "sk-wrong"), bad))
	w = g.ask(t, ping)
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "no", w.Body.String(), "the last failure is no answer that could be wrapped")
}

func TestHostileSecrets(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct{ base, token, more, echo string }{
		"user and password": {"http://u:canary@gateway:8080", "sk", `"x":1`,
			"Request cannot be constructed from a URL that includes credentials: http://u:canary@gateway:8080/chat/completions"},
		"no scheme":         {"gateway:8080/canary", "sk", `"x":1`, ""},
		"empty":             {"http://", "sk", `"x":1`, ""},
		"newline in token":  {gateway, "a\ncanary", `"x":1`, "Headers.append: \"Bearer a\ncanary\" is an invalid header value."},
		"newline in header": {gateway, "sk", `"additionalHeaders":{"x-a":"a\ncanary"}`, "Headers.append: \"a\ncanary\" is an invalid header value."},
		"bad header name":   {gateway, "sk", `"additionalHeaders":{"x a":"canary"}`, ""},
		"not Latin-1": {gateway, "canary€", `"x":1`,
			"Cannot convert argument to a ByteString because the character at index 13 has a value of 8364 which is greater than 255."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil, org(raw("acme", s.token, `"api_base":"`+s.base+`"`, `"customModels":{"acme-chat":{}}`, s.more)))
			w := g.ask(t, ping)
			assert.Equal(t, 400, w.Code)
			if s.echo != "" {
				assert.Equal(t, "TypeError: "+s.echo, w.Body.String(), "the caller is told the secret (facts: echoed-secrets)")
			} else {
				assert.Contains(t, w.Body.String(), "TypeError: fetch failed: ")
				assert.NotContains(t, w.Body.String(), "canary")
			}
			assert.NotContains(t, g.logs.String()+g.entry.Note, "canary")
			g.call.Rules = Gateway("")
			assert.NotContains(t, g.ask(t, ping).Body.String(), "canary", "nothing of the kind is known of the Gateway")
			assert.Empty(t, g.seen)
		})
	}
}

func TestSecretThatIsNoneServesNothing(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, Secrets{Org: org([]byte(`7`), secret("acme", "sk-org")).Org, Project: org([]byte(`{"name":7}`)).Org})
	g.call.Rules = Gateway("")
	assert.Equal(t, 200, g.ask(t, ping, "x-bt-project-id", "p-1").Code)
	assert.Equal(t, "Bearer sk-org", g.seen[0].Get("Authorization"))
	assert.Contains(t, g.logs.String(), "warn [p-1] Failed to load project secrets")
}

func TestPaddedTokenIsTrimmedAtTheEnd(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", " sk-acme-raw \r\n")))
	require.Equal(t, 200, g.ask(t, ping).Code)
	assert.Equal(t, "Bearer  sk-acme-raw", g.seen[0].Get("Authorization"))
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk-acme-raw", `"additionalHeaders":{"x-team":"evals","authorization":"Basic x"}`, `"organization_id":"org-9"`)))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?q=1", strings.NewReader(ping))
	for _, name := range []string{"x-bt-project-id", "x-bt-use-cache", "x-amzn-trace-id", "sec-fetch-mode", "origin", "referer", "priority", "user-agent"} {
		r.Header.Set(name, "never")
	}
	r.Header.Set("Cache-Control", "no-cache")
	r.Header.Set("x-api-key", "bt-key-1")
	r.Header.Set("x-custom", "kept")
	g.proxy.Serve(httptest.NewRecorder(), r, g.call)
	require.Len(t, g.seen, 1)
	assert.Equal(t, "/v1/chat/completions?q=1", g.paths[0])
	assert.Equal(t, http.Header{
		"Authorization": {"Bearer sk-acme-raw"}, "X-Api-Key": {"bt-key-1"}, "X-Custom": {"kept"}, "X-Team": {"evals"},
		"Openai-Organization": {"org-9"}, "Content-Type": {"text/plain;charset=UTF-8"}, "Content-Length": {"67"},
	}, g.seen[0], "x-api-key leaks the Braintrust key, as it does in the field")
}

func TestAPIKeyShapes(t *testing.T) {
	t.Parallel()
	for shape, want := range map[provider.Shape][2]string{
		"":                         {"Authorization", "Api-Key sk-acme-raw"},
		provider.ShapeAPIKeyScheme: {"Authorization", "Api-Key sk-acme-raw"},
		provider.ShapeBare:         {"Authorization", "sk-acme-raw"},
		provider.ShapeAPIKey:       {"Api-Key", "sk-acme-raw"},
		provider.ShapeXAPIKey:      {"X-Api-Key", "sk-acme-raw"},
	} {
		for _, rules := range []Rules{Gateway(shape), Open(provider.Current202608, shape)} {
			g := newRig(t, nil, org(secret("acme", "sk-acme-raw", `"auth_format":"api_key"`)))
			g.call.Rules = rules
			require.Equal(t, 200, g.ask(t, ping).Code)
			assert.Equal(t, want[1], g.seen[0].Get(want[0]), "%s", shape)
			if want[0] != "Authorization" {
				assert.Empty(t, g.seen[0].Values("Authorization"), "the Braintrust key must not go upstream")
			}
		}
	}
}

func TestNullTokenSendsNothingOnCurrent(t *testing.T) {
	t.Parallel()
	s := strings.Replace(string(secret("acme", "X")), `"X"`, "null", 1)
	g := newRig(t, nil, org([]byte(s)))
	require.Equal(t, 200, g.ask(t, ping).Code)
	assert.Empty(t, g.seen[0].Values("Authorization"))
}

func TestGatewayPassesErrorsRawAndReadsAnyProjectSecret(t *testing.T) {
	t.Parallel()
	g := newRig(t, denied("sk-nobody"), Secrets{Project: org(secret("acme", "sk-p", `"auth_type":7,"unheard_of":true`)).Org})
	g.call.Rules = Gateway("")
	w := g.ask(t, ping, "x-bt-project-id", "p-1")
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "no", w.Body.String())
	assert.NotContains(t, g.logs.String(), "ZodError")
}

func TestUnreadableProjectSecretDropsAll(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, Secrets{
		Org:     org(secret("acme", "sk-org")).Org,
		Project: org(secret("readable", "sk-readable"), secret("acme", "sk-p", `"auth_type":"api_key"`)).Org,
	})
	g.call.Rules = Open(provider.Legacy202603, "")
	w := g.ask(t, ping, "x-bt-project-id", "p-1")
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "Bearer sk-org", g.seen[0].Get("Authorization"))
	assert.Equal(t, "project secrets unreadable, fell back to org secrets", g.entry.Note)
	assert.Contains(t, g.logs.String(), "continuing with org secrets only ZodError: [\n  {\n    \"code\": \"unrecognized_keys\",")
	assert.NotContains(t, g.logs.String(), "sk-p")
}

func TestOverrideModelOfTheFirstSecretOnly(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("a", "sk-a", `"overrideModel":"real-name"`), secret("b", "sk-b")))
	g.call.Start = func(int) int { return 1 }
	require.Equal(t, 200, g.ask(t, ping).Code)
	assert.Equal(t, "real-name", g.bodies[0]["model"])
	assert.Equal(t, "Bearer sk-b", g.seen[0].Get("Authorization"))
}

func TestStartIsRandomUnlessChosen(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("a", "sk-a"), secret("b", "sk-b")))
	g.call.Start = nil
	used := map[string]bool{}
	for range 100 { // both in 100 draws but once in 2^99 runs
		used[g.ask(t, ping).Header().Get("x-bt-used-endpoint")] = true
	}
	assert.Len(t, used, 2)
}

func TestJournalEntry(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk")))
	g.ask(t, `{"model":"acme-chat","stream":false,"messages":[{"content":"n-0123456789abcdef"}]}`, "x-bt-project-id", "p-1")
	stream := false
	assert.Equal(t, evidence.Exchange{
		Model: "acme-chat", Stream: &stream, Nonce: "n-0123456789abcdef", Header: map[string]string{"x-bt-project-id": "p-1"},
	}, *g.entry)
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("a", "sk-a"), secret("b", "sk-b")))
	g.call.Start = nil
	g.call.CredentialTTL = 1
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			call := g.call
			call.Entry = &evidence.Exchange{}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(pingTemp))
			r.Header.Set("Authorization", "Bearer bt-key-1")
			w := httptest.NewRecorder()
			g.proxy.Serve(w, r, call)
			assert.Equal(t, 200, w.Code)
		})
	}
	wg.Wait()
}

// TestStreamPassesAtOnce would hang if the first chunk waited for the second, and if a caller that leaves did not end the call upstream.
func TestStreamPassesAtOnce(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	g := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(ended)
	}, org(secret("acme", "sk")))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.proxy.Serve(w, r, g.call) }))
	t.Cleanup(front.Close)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, front.URL, strings.NewReader(`{"model":"acme-chat","stream":true}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer bt-key-1")
	response, err := front.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	first := make([]byte, len("data: first\n\n"))
	_, err = io.ReadFull(response.Body, first)
	require.NoError(t, err)
	assert.Equal(t, "data: first\n\n", string(first))
	leave()
	<-ended
}

func TestTruncatedUpstreamCutsTheAnswer(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, org(secret("acme", "sk")))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.proxy.Serve(w, r, g.call) }))
	t.Cleanup(front.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL, strings.NewReader(pingTemp))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer bt-key-1")
	response, err := front.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	require.Error(t, err)
	assert.Empty(t, g.call.State.answers, "half an answer is not kept")
}

func TestFakedStreamNeedsACompletion(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{}", `{"choices":[{"index":0}]}`} {
		g := newRig(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) },
			org(secret("acme", "sk", `"supportsStreaming":false`)))
		w := g.ask(t, `{"model":"acme-chat","stream":true,"stream_options":{}}`)
		assert.Equal(t, 400, w.Code)
		assert.Contains(t, w.Body.String(), "fetch failed: the provider's answer")
		assert.NotContains(t, g.bodies[0], "stream_options")
	}
}
