package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/gateway"
)

// Keys are matched exactly: a client that writes Model has not said model.
func TestKeysInAnotherCaseAreOthers(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for path, bodies := range map[string][]string{
		"/v1/chat/completions": {`{"Model":"acme-chat","messages":[{"role":"user"}]}`, `{"model":"acme-chat","MESSAGES":[{"role":"user"}]}`,
			`{"model":"acme-chat","messages":[{"Role":"user"}]}`},
		"/v1/responses":  {`{"MODEL":"acme-chat","input":"x"}`, `{"model":"acme-chat","Input":"x"}`},
		"/v1/embeddings": {`{"modeL":"acme-chat","input":"x"}`, `{"model":"acme-chat","INPUT":"x"}`},
	} {
		for _, body := range bodies {
			assert.Equal(t, http.StatusBadRequest, b.ask("POST", path, body, "Authorization", "Bearer "+token).StatusCode, body)
		}
	}
	got := b.chat(`{"model":"acme-chat","Stream":true,"messages":[{"role":"user"}]}`)
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Nil(t, b.last().Stream)
}

func TestWhatNoGatewayTakes(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	auth := []string{"Authorization", "Bearer " + token}
	assert.Equal(t, http.StatusUnsupportedMediaType, b.ask("POST", "/v1/chat/completions", prompt, append(auth, "Content-Encoding", "gzip")...).StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", "/v1/chat/completions", prompt, "Content-Encoding", "gzip").StatusCode)
	assert.Equal(t, http.StatusOK, b.ask("POST", "/v1/chat/completions", prompt, append(auth, "Content-Encoding", "identity")...).StatusCode)
	for _, path := range []string{"/v1/models", "/v1/models/acme-chat", "/v1/chat/completions"} {
		assert.Equal(t, http.StatusMethodNotAllowed, b.ask("HEAD", path, "", auth...).StatusCode, path)
	}
	got := b.ask("GET", "/v1/models", "", append(auth, auth...)...)
	assert.Equal(t, http.StatusBadRequest, got.StatusCode)
	assert.Equal(t, "invalid_request", got.problem(t)["code"])
	assert.Equal(t, "malformed: authorization and authorization", b.last().Note)
}

// facts: vllm
func TestVLLMLooksAtAuthorizationAlone(t *testing.T) {
	t.Parallel()
	config := bearer()
	config.Personality = gateway.PersonalityVLLM
	b := start(t, config)
	assert.Equal(t, http.StatusOK, b.ask("GET", "/v1/models", "", "Authorization", "Bearer "+token, "X-Api-Key", "nope").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("GET", "/v1/models", "", "X-Api-Key", token).StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("GET", "/v1/models", "", "Authorization", "Bearer  "+token).StatusCode)
	for _, path := range []string{"/v1/models", "/v1/chat/completions"} {
		assert.Equal(t, http.StatusMethodNotAllowed, b.ask("OPTIONS", path, "").StatusCode, path)
	}
	assert.Equal(t, http.StatusNotFound, b.ask("OPTIONS", "/v1/nothing", "").StatusCode)
}

// facts: azure-path
func TestAzureServesDeployments(t *testing.T) {
	t.Parallel()
	config := bearer()
	config.Personality, config.Models = gateway.PersonalityAzure, append(config.Models, "acme embed")
	b := start(t, config)
	const chat, version = "/openai/deployments/acme-chat/chat/completions", "?api-version=2024-10-21"
	const body = `{"messages":[{"role":"user","content":"ping"}]}`
	key := []string{"Api-Key", token}
	assert.Equal(t, http.StatusNotFound, b.ask("POST", chat, body, key...).StatusCode, "no api-version")
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", chat+version, body, "Api-Key", "nope").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", chat+version, body, "Authorization", "Bearer "+token).StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed, b.ask("GET", chat+version, "", key...).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.ask("POST", "/openai/deployments/acme-chat/x"+version, body, key...).StatusCode)
	got := b.ask("POST", "/openai/deployments/other/chat/completions"+version, body, key...)
	assert.Equal(t, http.StatusNotFound, got.StatusCode)
	assert.Equal(t, "DeploymentNotFound", gjson.Get(got.body, "error.code").String())
	got = b.ask("POST", chat+version, `{"model":"another","messages":[{"role":"user","content":"ping"}]}`, append(key, "Authorization", "Bearer "+token)...)
	assert.Equal(t, http.StatusOK, got.StatusCode)
	assert.Equal(t, "acme-chat", gjson.Get(got.body, "model").String(), "the path decides")
	assert.Equal(t, "acme-chat", b.last().Model)
	assert.Equal(t, http.StatusOK, b.ask("POST", "/openai/deployments/acme%20embed/embeddings"+version, `{"input":"x"}`, key...).StatusCode)
	plain := start(t, bearer())
	assert.Equal(t, http.StatusNotFound, plain.ask("POST", chat+version, body, "Authorization", "Bearer "+token).StatusCode)
}

func TestRefusedChoicesAndFormats(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, more := range []string{
		`"n":0`, `"n":129`, `"n":1.5`, `"n":"2"`, `"logprobs":1`, `"response_format":"json_object"`, `"response_format":{"type":"xml"}`,
		`"response_format":{"type":"json_object"}`, `"response_format":{"type":"json_schema"}`, `"response_format":{"type":"json_schema","json_schema":{"schema":{}}}`,
	} {
		got := b.chat(`{"model":"acme-chat","messages":[{"role":"user","content":"ping"}],` + more + `}`)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode, more)
		assert.Contains(t, got.problem(t)["message"], more[1:strings.Index(more, `":`)], more)
	}
}

func TestSeveralChoicesWithLogprobs(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	const ask = `{"model":"acme-chat","messages":[{"role":"user","content":"ping"}],"n":3,"logprobs":true`
	got := gjson.Parse(b.chat(ask + "}").body)
	assert.Equal(t, "[0,1,2]", got.Get("choices.#.index").Raw)
	assert.Equal(t, `{"token":"pong","logprob":0,"bytes":[112,111,110,103],"top_logprobs":[]}`, got.Get("choices.2.logprobs.content.0").Raw)
	assert.EqualValues(t, 3, got.Get("usage.completion_tokens").Int())
	text := map[int64]string{}
	for line := range strings.Lines(b.chat(ask + `,"stream":true}`).body) {
		choice := gjson.Get(strings.TrimPrefix(line, "data: "), "choices.0")
		text[choice.Get("index").Int()] += choice.Get("delta.content").String()
	}
	assert.Equal(t, map[int64]string{0: "pong", 1: "pong", 2: "pong"}, text)
}

func TestAnswersInTheFormThatIsAskedFor(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	const schema = `{"type":"object","properties":{"grade":{"enum":["é"]},"score":{"type":"number"}}}`
	for format, want := range map[string]string{
		`{"type":"text"}`:        `pong`,
		`{"type":"json_object"}`: `{"answer":"pong"}`,
		`{"type":"json_schema","name":"a","json_schema":{"name":"a","schema":` + schema + `},"schema":` + schema + `}`: `{"grade":"é","score":0}`,
	} {
		chat := `{"model":"acme-chat","messages":[{"role":"user","content":"ping, as JSON"}],"response_format":` + format
		assert.Equal(t, want, gjson.Get(b.chat(chat+"}").body, "choices.0.message.content").String())
		response := `{"model":"acme-chat","input":"ping, as JSON","text":{"format":` + format + `}`
		assert.Equal(t, want, gjson.Get(b.respond(response+"}").body, "output.0.content.0.text").String())
		for _, streamed := range []string{b.chat(chat + `,"stream":true}`).body, b.respond(response + `,"stream":true}`).body} {
			assert.True(t, utf8.ValidString(streamed))
			assert.NotContains(t, streamed, "\ufffd", "no character is cut in two")
			assert.NotContains(t, streamed, "\\ufffd")
		}
	}
}

// facts: response-events. The snapshot that the official Python and Node libraries keep of a stream.
func TestResponseEventsBuildASnapshot(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	var begun bool
	items, parts, arguments := 0, map[int64]string{}, ""
	for _, body := range []string{
		`{"model":"acme-chat","input":"ping","stream":true}`,
		`{"model":"acme-chat","input":"ping","stream":true,"tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":"required"}`,
	} {
		begun, items = false, 0
		clear(parts)
		for line := range strings.Lines(b.respond(body).body) {
			data, isData := strings.CutPrefix(line, "data: ")
			if !isData {
				continue
			}
			event := gjson.Parse(data)
			part := event.Get("content_index").Int()
			switch typ := event.Get("type").String(); typ {
			case "response.created":
				begun = true
			case "response.in_progress":
				assert.Equal(t, "in_progress", event.Get("response.status").String())
			case "response.output_item.added":
				require.EqualValues(t, items, event.Get("output_index").Int())
				items++
			case "response.content_part.added":
				require.EqualValues(t, items-1, event.Get("output_index").Int())
				require.EqualValues(t, len(parts), part)
				parts[part] = event.Get("part.text").String()
			case "response.output_text.delta":
				require.Contains(t, parts, part, "a delta belongs to a part that was added")
				parts[part] += event.Get("delta").String()
			case "response.content_part.done":
				assert.Equal(t, parts[part], event.Get("part.text").String())
			case "response.function_call_arguments.delta":
				arguments += event.Get("delta").String()
			case "response.function_call_arguments.done":
				assert.Equal(t, arguments, event.Get("arguments").String())
			}
			require.True(t, begun, "response.created is first")
		}
		assert.Equal(t, 1, items)
	}
	assert.Equal(t, "{}", arguments)
}

// TestMemoryUnderHostileBodies is not parallel, as it measures the heap. The values of each body would take many times its bytes, which 16
// requests may have there at the same time, twice.
func TestMemoryUnderHostileBodies(t *testing.T) {
	const requests, size, ceiling = 16, 2 << 20, 256 << 20
	g := gateway.NewTenants()
	require.NoError(t, put(g, id, bearer()))
	for _, hostile := range [][4]string{
		{"/chat/completions", `{"model":"acme-chat","messages":[`, `{},`, `{}]}`},
		{"/responses", `{"model":"acme-chat","input":"x",`, `"a":0,`, `"a":0}`},
		{"/embeddings", `{"model":"acme-chat","input":[`, `[1],`, `[1]]}`},
	} {
		path, begin, piece, end := hostile[0], hostile[1], hostile[2], hostile[3]
		body := begin + strings.Repeat(piece, (size-len(begin)-len(end))/len(piece)) + end
		peak := peakWhile(func() {
			var all sync.WaitGroup
			for range requests {
				all.Go(func() {
					r := httptest.NewRequest("POST", "/"+id+"/v1"+path, strings.NewReader(body))
					r.Header.Set("Authorization", "Bearer "+token)
					g.ServeHTTP(httptest.NewRecorder(), r)
				})
			}
			all.Wait()
		})
		assert.Less(t, peak, uint64(ceiling), "%s with %s", path, piece)
	}
	runtime.KeepAlive(g)
	assert.Less(t, heap(), uint64(64<<20), "no body is kept")
}

// peakWhile watches the heap.
func peakWhile(do func()) (peak uint64) {
	runtime.GC()
	done := make(chan struct{})
	go func() { do(); close(done) }()
	for {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapAlloc)
		select {
		case <-done:
			return peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}
