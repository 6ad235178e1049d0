package legacyproxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
)

const chat = "/" + tenantID + "/v1/chat/completions"

func variant(g provider.Generation, name string) string {
	return fmt.Sprintf(`{"generation":%q,"variant":%q,"default_base":"http://gateway:8080/openai"}`, g, name)
}

// facts: lookup-failure
func TestTheEdgeSendsTheCallersKeyOn(t *testing.T) {
	t.Parallel()
	const callers = "Bearer bt-key-1 at /openai/chat/completions"
	good := secret("acme", "sk-acme-raw", "")
	for name, c := range map[string]struct {
		status           int
		body             string
		old, mid, latest string // what the gateway saw
		reason           string // where nothing went out
	}{
		"good":                     {200, "[" + good + "]", "", "", "", ""},
		"401":                      {401, "no", callers, callers, callers, ""},
		"403":                      {403, "no", callers, callers, callers, ""},
		"503":                      {503, "no", callers, callers, callers, ""},
		"no array":                 {200, "{}", callers, callers, callers, ""},
		"400":                      {400, "no such org", callers, "-", "-", "no such org"},
		"an unknown key":           {200, "[" + secret("acme", "sk-acme-raw", `,"unheard_of":1`) + "]", "", callers, "", ""},
		"auth_format in capitals":  {200, "[" + secret("acme", "sk-acme-raw", `,"auth_format":"API_KEY"`) + "]", "", callers, callers, ""},
		"auth_type basic":          {200, "[" + secret("acme", "sk-acme-raw", `,"auth_type":"basic"`) + "]", "", callers, callers, ""},
		"supportsStreaming null":   {200, "[" + secret("acme", "sk-acme-raw", `,"supportsStreaming":null`) + "]", "", callers, callers, ""},
		"supportsStreaming a text": {200, "[" + secret("acme", "sk-acme-raw", `,"supportsStreaming":"false"`) + "]", "", callers, callers, ""},
		"unknown type":             {200, "[" + strings.Replace(good, `"openai","secret"`, `"acme","secret"`, 1) + "]", "", callers, callers, ""},
		"a header that is none":    {200, "[" + secret("acme", "sk-acme-raw", `,"additionalHeaders":{"x-a":1}`) + "]", "", callers, callers, ""},
		"numeric endpoint_path":    {200, "[" + secret("acme", "sk-acme-raw", `,"endpoint_path":1`) + "]", "", callers, callers, ""},
		"no flavor":                {200, "[" + strings.Replace(good, `,"flavor":"chat"`, "", 1) + "]", "", callers, callers, ""},
		"one bad among two":        {200, "[" + good + "," + secret("other", "sk-acme-raw", `,"auth_format":"basic"`) + "]", "", callers, callers, ""},
	} {
		for i, want := range []string{c.old, c.mid, c.latest} {
			generation := provider.Generations()[i]
			t.Run(name+", "+string(generation), func(t *testing.T) {
				t.Parallel()
				if want == "" {
					want = "Bearer sk-acme-raw at /v1/chat/completions"
				}
				w := newWorld(t, variant(generation, "edge"))
				w.answer = says(c.status, c.body)
				got := w.ask(t, chat, ping)
				if want == "-" {
					assert.Equal(t, 400, got.Code)
					assert.Contains(t, got.Body.String(), c.reason)
					return
				}
				assert.Equal(t, want, got.Body.String())
				assert.Equal(t, want == callers, got.Header().Get("x-bt-used-endpoint") == "")
			})
		}
	}
}

// The oldest edge caches even that.
func TestAFailedLookupIsCachedByTheOldestAlone(t *testing.T) {
	t.Parallel()
	for i, g := range provider.Generations() {
		w := newWorld(t, variant(g, "edge"))
		w.answer = says(503, "")
		w.ask(t, chat, ping)
		w.answer = says(200, "["+secret("acme", "sk-acme-raw", "")+"]")
		assert.Equal(t, i == 0, strings.Contains(w.ask(t, chat, ping).Body.String(), "bt-key-1"), "%s", g)
	}
}

// facts: org-unchecked
func TestWhoKnowsProjects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		text   string
	}{"edge": {400, "Error: x-bt-project-id is not supported"}, "node": {200, "Bearer sk-org at /v1/chat/completions"}} {
		w := newWorld(t, variant(provider.Current202608, name))
		w.answer = says(200, "["+secret("acme", "sk-org", "")+"]")
		got := w.ask(t, chat, ping, "x-bt-project-id", project)
		assert.Equal(t, c.status, got.Code)
		assert.Equal(t, c.text, got.Body.String())
		assert.NotContains(t, strings.Join(w.asked, "\n"), "project_id")
	}
}

// facts: thrown-errors
func TestThrownErrorsByVariant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		prefix string
	}{"": {400, ""}, "edge": {400, ""}, "node": {200, "!"}} {
		w := newWorld(t, variant(provider.Current202608, name))
		w.answer = says(200, "[]")
		for body, text := range map[string]string{
			ping: "Error: No API keys found (for acme-chat).", "{": "TypeError: Cannot read properties of undefined (reading '1')",
		} {
			got := w.ask(t, chat, body)
			assert.Equal(t, c.status, got.Code)
			assert.True(t, strings.HasPrefix(got.Body.String(), c.prefix+text), got.Body.String())
		}
		w.answer = says(401, "who?")
		if got := w.ask(t, chat, ping, "x-bt-use-creds-cache", "never"); name != "edge" {
			assert.Equal(t, 401, got.Code, "what the data plane refused was not thrown")
		}
	}
}

// facts: fake-stream; whole only where the server that serves it cuts nothing, as in the recorded rows.
func TestAFakedStreamIsCutAtTheUpstreamsLength(t *testing.T) {
	t.Parallel()
	for _, g := range provider.Generations() {
		w := newWorld(t, `{"generation":"`+string(g)+`"}`)
		w.answer = says(200, "["+secret("acme", "sk-acme-raw", `,"supportsStreaming":false`)+"]")
		front := httptest.NewServer(w.proxy)
		t.Cleanup(front.Close)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+chat, strings.NewReader(`{"model":"acme-chat","stream":true}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer bt-key-1")
		got, err := front.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		upstreams := "Bearer sk-acme-raw at /v1/chat/completions"
		assert.Equal(t, g == provider.Current202608, strings.HasSuffix(string(body), "data: [DONE]\n\n"), "%s: %s", g, body)
		if g != provider.Current202608 {
			assert.Len(t, body, len(upstreams))
		}
	}
}
