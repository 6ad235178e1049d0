package routing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
)

const base = gateway + "/base"

// each runs a test for every generation, with OpenAI's own address led to the gateway.
func each(t *testing.T, serve http.HandlerFunc, secrets Secrets, test func(*testing.T, *rig, provider.Generation)) {
	t.Helper()
	for _, g := range provider.Generations() {
		t.Run(string(g), func(t *testing.T) {
			t.Parallel()
			rig := newRig(t, serve, secrets)
			rig.call.Rules = Open(g, "")
			rig.call.Rules.DefaultBase = base
			test(t, rig, g)
		})
	}
}

// facts: no-model
func TestACallWithoutModel(t *testing.T) {
	t.Parallel()
	for body, sent := range map[string]any{"": nil, "{": nil, `{"a":1}`: map[string]any{"a": 1.0}} {
		each(t, nil, org(secret("acme", "sk-acme")), func(t *testing.T, g *rig, generation provider.Generation) {
			w := g.ask(t, body)
			if generation != provider.Legacy202602 {
				assert.Equal(t, 400, w.Code)
				assert.Equal(t, "TypeError: Cannot read properties of undefined (reading '1')", w.Body.String())
				assert.Empty(t, g.seen)
				return
			}
			assert.Equal(t, 200, w.Code)
			require.Len(t, g.seen, 1)
			assert.Equal(t, "Bearer sk-acme", g.seen[0].Get("Authorization"))
			if sent == nil {
				assert.Nil(t, g.bodies[0])
			} else {
				assert.Equal(t, sent, g.bodies[0])
			}
		})
	}
}

// facts: no-model
func TestModelListThroughTheProxy(t *testing.T) {
	t.Parallel()
	each(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Method) }, org(secret("acme", "sk-acme")),
		func(t *testing.T, g *rig, generation provider.Generation) {
			g.call.Path = "/models"
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			w := httptest.NewRecorder()
			g.proxy.Serve(w, r, g.call)
			assert.Equal(t, "Error: Missing Authentication header", w.Body.String())
			r.Header.Set("Authorization", "Bearer bt-key-1")
			w = httptest.NewRecorder()
			g.proxy.Serve(w, r, g.call)
			if generation != provider.Legacy202602 {
				assert.Equal(t, "TypeError: Cannot read properties of undefined (reading '1')", w.Body.String())
				return
			}
			assert.Equal(t, "GET", w.Body.String())
			assert.Equal(t, []string{"/v1/models"}, g.paths)
		})
}

// facts: responses-base; the call passes before supportsStreaming is looked at.
func TestResponsesLeaveForTheDefaultBase(t *testing.T) {
	t.Parallel()
	each(t, nil, org(secret("acme", "sk-acme", `"supportsStreaming":false`)), func(t *testing.T, g *rig, generation provider.Generation) {
		g.call.Path = "/responses"
		w := g.ask(t, `{"model":"acme-chat","input":"ping","stream":true}`)
		assert.Equal(t, 200, w.Code)
		assert.JSONEq(t, pong, w.Body.String(), "passed on as it is")
		assert.Equal(t, true, g.bodies[0]["stream"])
		assert.Equal(t, "Bearer sk-acme", g.seen[0].Get("Authorization"))
		if generation == provider.Current202608 {
			assert.Equal(t, []string{"/v1/responses"}, g.paths)
		} else {
			assert.Equal(t, []string{"/base/responses"}, g.paths)
		}
	})
}

const responded = `{"id":"resp_1","object":"response","created_at":1700000000,"model":"o1-pro","output":[
	{"id":"rs_1","type":"reasoning"},{"id":"msg_1","type":"message","content":[{"type":"output_text","text":"po"},{"type":"output_text","text":"ng"}]},
	{"id":"fc_1","type":"function_call","name":"look_up","arguments":"{}"}],"usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}`

// facts: responses-models, responses-translated
func TestChatThatLeavesForResponses(t *testing.T) {
	t.Parallel()
	pro := raw("acme", "sk-acme", `"api_base":"`+gateway+`/v1"`, `"customModels":{"o1-pro":{"format":"openai","flavor":"chat"}}`)
	serve := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/chat/completions") {
			http.Error(w, "this model is not for chat", http.StatusTeapot)
			return
		}
		_, _ = io.WriteString(w, responded)
	}
	const ask = `{"model":"o1-pro","max_tokens":9,"messages":[{"role":"user","content":"ping"}],"tools":[{"type":"function","function":{"name":"look_up"}}],` +
		`"tool_choice":{"type":"function","function":{"name":"look_up"}}`
	each(t, serve, org(pro), func(t *testing.T, g *rig, generation provider.Generation) {
		w := g.ask(t, ask+"}")
		assert.JSONEq(t, `{"id":"resp_1","object":"chat.completion","created":1700000000,"model":"o1-pro","choices":[{"index":0,"finish_reason":"tool_calls",
			"message":{"role":"assistant","content":"pong","tool_calls":[{"id":"fc_1","type":"function","function":{"name":"look_up","arguments":"{}"}}]}}],
			"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`, w.Body.String())
		assert.Equal(t, map[string]any{
			"model": "o1-pro", "max_output_tokens": 9.0, "input": []any{map[string]any{"type": "message", "role": "user", "content": "ping"}},
			"tools": []any{map[string]any{"type": "function", "name": "look_up"}}, "tool_choice": map[string]any{"type": "function", "name": "look_up"},
		}, g.bodies[0])
		want := "/base/responses"
		if generation == provider.Current202608 {
			want = "/v1/responses"
		}
		w = g.ask(t, ask+`,"stream":true}`)
		assert.Equal(t, []string{want, want}, g.paths)
		assert.True(t, strings.HasPrefix(w.Body.String(), `data: {"id":"resp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"pong","tool_calls":[`), w.Body.String())
	})
	g := newRig(t, serve, org(secret("acme", "sk-acme", `"overrideModel":"o1-pro"`)))
	assert.Equal(t, 200, g.ask(t, ping).Code, "the model that is sent decides")
	g = newRig(t, serve, org(pro))
	g.call.Rules = Gateway("")
	assert.Equal(t, 418, g.ask(t, ask+"}").Code, "nothing of the kind is known of the Gateway")
	g = newRig(t, nil, org(pro))
	assert.Equal(t, "TypeError: fetch failed: the provider's answer is no response", g.ask(t, ask+"}").Body.String())
}

// facts: additional-headers
func TestAdditionalHeadersAreJoined(t *testing.T) {
	t.Parallel()
	extra := `"additionalHeaders":{"Authorization":"Basic extra","X-Custom":"two","x-other":"own","Content-Type":"text/x"}`
	each(t, nil, org(secret("acme", "sk-acme", extra)), func(t *testing.T, g *rig, generation provider.Generation) {
		require.Equal(t, 200, g.ask(t, ping, "x-custom", "one", "x-other", "the caller's", "Content-Type", "application/json", "x-latin", "caf\xe9").Code)
		want := "Bearer sk-acme, Basic extra"
		if generation == provider.Current202608 {
			want = "Basic extra, Bearer sk-acme"
		}
		assert.Equal(t, []string{want}, g.seen[0].Values("Authorization"))
		assert.Equal(t, []string{"one, two"}, g.seen[0].Values("X-Custom"))
		assert.Equal(t, []string{"own"}, g.seen[0].Values("X-Other"), "written the same, it is replaced")
		assert.Equal(t, []string{"application/json, text/x"}, g.seen[0].Values("Content-Type"))
		assert.Equal(t, []string{"caf\xe9"}, g.seen[0].Values("X-Latin"))
	})
}

func TestATokenInLatin1IsSentInLatin1(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("outside", "sk-€"), secret("acme", "sk-é")))
	require.Equal(t, 200, g.ask(t, ping).Code, "a token outside Latin-1 moves on to the next secret")
	assert.Equal(t, "Bearer sk-\xe9", g.seen[0].Get("Authorization"))
}

// facts: redirects
func TestRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		method string
	}{{301, "GET"}, {302, "GET"}, {303, "GET"}, {307, "POST"}, {308, "POST"}} {
		var other *httptest.Server
		seen := make(chan *http.Request, 3)
		serve := func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v1/chat/completions":
				http.Redirect(w, r, "/here", tc.status)
			case "/back":
				seen <- r
				_, _ = io.WriteString(w, "<html>")
			case "/here":
				seen <- r
				http.Redirect(w, r, "http://other:80/there", tc.status)
			}
		}
		other = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen <- r
			http.Redirect(w, r, "http://gateway:8080/back", tc.status)
		}))
		t.Cleanup(other.Close)
		g := newRig(t, serve, org(secret("acme", "sk-acme", `"additionalHeaders":{"api-key":"sk-extra","x-team":"evals"}`)))
		routes := tenancy.Routes{"other:80": other.Listener.Addr().String(), "gateway:8080": g.address}
		g.proxy = New(routes.Client())
		w := g.ask(t, ping, "Content-Type", "application/json", "Cookie", "a=b")
		assert.Equal(t, 200, w.Code, "%d", tc.status)
		assert.Equal(t, "<html>", w.Body.String())
		assert.Equal(t, "acme", w.Header().Get("x-bt-used-endpoint"))
		here, there, back := <-seen, <-seen, <-seen
		assert.Empty(t, back.Header.Values("Authorization"), "what was dropped stays dropped")
		assert.Equal(t, tc.method, here.Method, "%d", tc.status)
		assert.Equal(t, tc.method, there.Method, "%d", tc.status)
		assert.Equal(t, "Bearer sk-acme", here.Header.Get("Authorization"))
		assert.Equal(t, "a=b", here.Header.Get("Cookie"))
		assert.Empty(t, there.Header.Values("Authorization"))
		assert.Empty(t, there.Header.Values("Cookie"))
		assert.Equal(t, "sk-extra", there.Header.Get("api-key"), "which goes along to another origin")
		assert.Empty(t, there.Header.Values("Referer"))
		assert.Equal(t, tc.method == "POST", there.Header.Get("Content-Type") != "")
	}
}

func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	},
		org(secret("acme", "sk-acme")))
	assert.Equal(t, "TypeError: fetch failed: redirect count exceeded", g.ask(t, ping).Body.String())
	assert.Len(t, g.seen, 21)
}

// facts: fake-stream
func TestFakedStreamsKeepToolCalls(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",`+
			`"function":{"name":"look_up","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`)
	}, org(secret("acme", "sk", `"supportsStreaming":false`)))
	w := g.ask(t, `{"model":"acme-chat","stream":true}`)
	data, _, _ := strings.Cut(strings.TrimPrefix(w.Body.String(), "data: "), "\n\n")
	assert.JSONEq(t, `{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"call_1","type":"function",
		"function":{"name":"look_up","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"object":"chat.completion.chunk"}`, data)
}

func TestAnAnswerThatIsNoJSONIsAnInvalidChunk(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		org(secret("acme", "sk", `"supportsStreaming":false`)))
	w := g.ask(t, `{"model":"acme-chat","stream":true}`)
	assert.Equal(t, 200, w.Code)
	assert.True(t, strings.HasPrefix(w.Body.String(), `data: {"id":"invalid","choices":[],`), w.Body.String())
	assert.NotContains(t, w.Body.String(), "html")
}

// facts: first-secret-only, override-system-prompt
func TestOverridesByGeneration(t *testing.T) {
	t.Parallel()
	secrets := org(secret("a", "sk-a", `"overrideModel":"real-name"`, `"overrideSystemPrompt":"Be <kind>."`), secret("b", "sk-b"))
	each(t, nil, secrets, func(t *testing.T, g *rig, generation provider.Generation) {
		require.Equal(t, 200, g.ask(t, ping).Code)
		said := []any{map[string]any{"role": "user", "content": "ping"}}
		if generation == provider.Legacy202602 {
			assert.Equal(t, "acme-chat", g.bodies[0]["model"])
		} else {
			assert.Equal(t, "real-name", g.bodies[0]["model"])
			said = append([]any{map[string]any{"role": "system", "content": "Be <kind>."}}, said...)
		}
		assert.Equal(t, said, g.bodies[0]["messages"])
	})
}

// facts: azure-path
func TestAzure(t *testing.T) {
	t.Parallel()
	azure := strings.Replace(string(secret("acme", "sk-acme", `"api_version":"2023-07-01-preview"`)), `"openai"`, `"azure"`, 1)
	each(t, nil, org([]byte(azure)), func(t *testing.T, g *rig, _ provider.Generation) {
		require.Equal(t, 200, g.ask(t, ping).Code)
		assert.Equal(t, []string{"/v1/openai/deployments/acme-chat/chat/completions?api-version=2023-07-01-preview"}, g.paths)
		assert.Equal(t, "Bearer sk-acme", g.seen[0].Get("Authorization"))
		assert.Equal(t, "sk-acme", g.seen[0].Get("api-key"))
	})
}

// facts: no-transform
func TestCachedStreams(t *testing.T) {
	t.Parallel()
	each(t, nil, org(secret("acme", "sk-acme")), func(t *testing.T, g *rig, generation provider.Generation) {
		for _, cached := range []string{"MISS", "HIT"} {
			w := g.ask(t, `{"model":"acme-chat","temperature":0,"stream":true}`)
			assert.Equal(t, cached, w.Header().Get("x-bt-cached"))
			want := "max-age=604800"
			if generation == provider.Current202608 {
				want += ", no-transform"
			}
			assert.Equal(t, want, w.Header().Get("Cache-Control"))
		}
	})
}
