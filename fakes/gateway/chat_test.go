package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/provider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusedChatBodies(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, tt := range []struct {
		name, body string
		status     int
		code       any
		says       string
	}{
		{"empty", ``, 400, nil, "could not parse"},
		{"not JSON", `hello`, 400, nil, "could not parse"},
		{"truncated", prompt[:len(prompt)-1], 400, nil, "could not parse"},
		{"two values", prompt + prompt, 400, nil, "could not parse"},
		{"null", `null`, 400, nil, "model"},
		{"array", `[]`, 400, "invalid_type", "array"},
		{"no model", `{"messages":[{"role":"user","content":"x"}]}`, 400, nil, "model"},
		{"empty model", `{"model":"","messages":[{"role":"user","content":"x"}]}`, 400, nil, "model"},
		{"no messages", `{"model":"acme-chat"}`, 400, nil, "'messages'"},
		{"empty messages", `{"model":"acme-chat","messages":[]}`, 400, nil, "'messages'"},
		{"message without role", `{"model":"acme-chat","messages":[{"content":"x"}]}`, 400, nil, "role"},
		{"message is null", `{"model":"acme-chat","messages":[null]}`, 400, nil, "role"},
		{"model is a number", `{"model":1,"messages":[]}`, 400, "invalid_type", "'model'"},
		{"messages is a string", `{"model":"acme-chat","messages":"x"}`, 400, "invalid_type", "'messages'"},
		{"message is a string", `{"model":"acme-chat","messages":["x"]}`, 400, "invalid_type", "'messages'"},
		{"content is a number", `{"model":"acme-chat","messages":[{"role":"user","content":1}]}`, 400, nil, "content"},
		{"content is an object", `{"model":"acme-chat","messages":[{"role":"user","content":{}}]}`, 400, nil, "content"},
		{"stream is a string", `{"model":"acme-chat","messages":[],"stream":"yes"}`, 400, "invalid_type", "'stream'"},
		{"stream_options is a list", `{"model":"acme-chat","messages":[],"stream_options":[]}`, 400, "invalid_type", "'stream_options'"},
		{"very deep", strings.Repeat("[", 100_000), 400, nil, ""},
		{"unknown model", `{"model":"other","messages":[{"role":"user","content":"x"}]}`, 404, "model_not_found", "`other`"},
		{"very long model", `{"model":"` + strings.Repeat("m", 4096) + `","messages":[{"role":"user"}]}`, 404, "model_not_found", "m…`"},
		{"just too large", strings.Repeat(" ", 8<<20+1), 413, nil, "8 MiB"},
		{"far too large", `{"model":"` + strings.Repeat("x", 10<<20) + `"}`, 413, nil, "8 MiB"},
	} {
		got := b.chat(tt.body)
		require.Equal(t, tt.status, got.StatusCode, tt.name)
		problem := got.problem(t)
		assert.Equal(t, tt.code, problem["code"], tt.name)
		assert.Contains(t, problem["message"], tt.says, tt.name)
	}
}

func TestLargestBodyIsAnswered(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	assert.Equal(t, http.StatusOK, b.chat(prompt+strings.Repeat(" ", 8<<20-len(prompt))).StatusCode)
}

func TestUnknownModel(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, path := range []string{"/models/other", "/v1/models/meta-llama", "/models/..", "/models/%00", "/models/a/b/c"} {
		got := b.ask("GET", path, "", "Authorization", "Bearer "+token)
		require.Equal(t, http.StatusNotFound, got.StatusCode, path)
		assert.Equal(t, "model_not_found", got.problem(t)["code"], path)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, prefix := range []string{"", "/v1"} {
		got := b.ask("GET", prefix+"/models", "", "Authorization", "Bearer "+token)
		assert.JSONEq(t, `{"object":"list","data":[
			{"id":"acme-chat","object":"model","created":1700000000,"owned_by":"planeproof"},
			{"id":"meta-llama/Llama-3","object":"model","created":1700000000,"owned_by":"planeproof"}]}`, got.body)
		for _, name := range []string{"meta-llama/Llama-3", "meta-llama%2FLlama-3", "meta%2dllama%2fLlama-3"} {
			got := b.ask("GET", prefix+"/models/"+name, "", "Authorization", "Bearer "+token)
			assert.JSONEq(t, `{"id":"meta-llama/Llama-3","object":"model","created":1700000000,"owned_by":"planeproof"}`, got.body, name)
		}
	}
}

// A client that reads `data` must find a list there, not null.
func TestNoModelsIsAnEmptyList(t *testing.T) {
	t.Parallel()
	b := start(t, gateway.Config{Auth: provider.ShapeNone})
	assert.JSONEq(t, `{"object":"list","data":[]}`, b.ask("GET", "/models", "").body)
}

func TestPlainAnswer(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	got := b.chat(prompt)
	require.Equal(t, http.StatusOK, got.StatusCode)
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &body))
	assert.Regexp(t, `^chatcmpl-[0-9a-f]{24}$`, body["id"])
	delete(body, "id")
	rest, err := json.Marshal(body)
	require.NoError(t, err)
	assert.JSONEq(t, `{"object":"chat.completion","created":1700000000,"model":"acme-chat",
		"choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],
		"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}`, string(rest))
	assert.Equal(t, got.body, b.chat(prompt).body, "the same body has the same answer")
	assert.NotEqual(t, got.body, b.chat(prompt+" ").body)
}

func TestStream(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, tt := range []struct {
		options string
		chunks  int
	}{{``, 3}, {`,"stream_options":{"include_usage":false}`, 3}, {`,"stream_options":{"include_usage":true}`, 4}, {`,"stream_options":null`, 3}} {
		got := b.chat(strings.TrimSuffix(prompt, "}") + `,"stream":true` + tt.options + `}`)
		require.Equal(t, http.StatusOK, got.StatusCode)
		assert.Equal(t, "text/event-stream", got.Header.Get("Content-Type"))
		events := strings.Split(strings.TrimSuffix(got.body, "\n\n"), "\n\n")
		require.Len(t, events, tt.chunks+1)
		assert.Equal(t, "data: [DONE]", events[tt.chunks])
		assert.Contains(t, events[0], `"delta":{"role":"assistant","content":"po"}`)
		assert.Contains(t, events[2], `"delta":{},"finish_reason":"stop"`)
		if tt.chunks == 4 {
			assert.Contains(t, events[3], `"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}`)
		}
	}
}

func TestContentMayBePartsOrNothing(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, content := range []string{`"content":[{"type":"text","text":"x"}]`, `"content":null`, `"content": "x"`, `"tool_calls":[]`} {
		got := b.chat(`{"model":"acme-chat","messages":[{"role":"assistant",` + content + `}]}`)
		assert.Equal(t, http.StatusOK, got.StatusCode, content)
	}
}

func TestJournalSaysWhatCame(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	b.ask("POST", "/chat/completions?key=secret-in-query", strings.TrimSuffix(prompt, "}")+`,"stream":true}`,
		"Authorization", "Bearer Bearer "+token, "Content-Type", "application/json",
		"X-Bt-Project-Id", "p1", "X-Secret", "header-canary", "User-Agent", "probe/1")
	got := b.last()
	assert.Equal(t, "gateway", got.System)
	assert.Equal(t, 1, got.Seq)
	assert.Equal(t, "/chat/completions", got.Path)
	assert.Equal(t, "acme-chat", got.Model, "the body is read although the credential is refused")
	assert.Equal(t, nonce, got.Nonce)
	assert.Equal(t, new(true), got.Stream)
	assert.Equal(t, "scheme doubled", got.Note)
	require.Len(t, got.Credentials, 1)
	assert.True(t, got.Credentials[0].Doubled)
	assert.Equal(t, map[string]string{
		"content-type": "application/json", "x-bt-project-id": "p1", "user-agent": "probe/1", "x-secret": "",
		"accept-encoding": "", "content-length": "",
	}, got.Header)

	b.chat(`{"model":"` + strings.Repeat("m", 4096) + `"}`)
	assert.Less(t, len(b.last().Model), 300, "a caller cannot fill the journal")
	assert.Nil(t, b.last().Stream)
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	const each = 20
	var calls sync.WaitGroup
	for range each {
		calls.Go(func() { assert.Equal(t, http.StatusOK, b.chat(prompt).StatusCode) })
		calls.Go(func() { assert.Equal(t, http.StatusUnauthorized, b.ask("GET", "/models", "").StatusCode) })
		calls.Go(func() { assert.NoError(t, put(b.gateway, id, bearer())) })
	}
	calls.Wait()
	accepted, seqs := 0, map[int]bool{}
	for _, entry := range b.journal() {
		seqs[entry.Seq] = true
		if entry.Note == "accepted" {
			accepted++
		}
	}
	assert.Equal(t, each, accepted)
	assert.Len(t, seqs, 2*each)
}

// flushes counts how often what was written is sent on.
type flushes struct {
	*httptest.ResponseRecorder
	count int
}

func (f *flushes) Flush() { f.count++ }

func TestEachEventIsSentOnItsOwn(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	w := &flushes{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/"+id+"/chat/completions", strings.NewReader(strings.TrimSuffix(prompt, "}")+`,"stream":true}`))
	r.Header.Set("Authorization", "Bearer "+token)
	b.gateway.ServeHTTP(w, r)
	assert.Equal(t, 4, w.count, "three chunks and the end")
}

// A client that is still sending when the refusal comes would see a closed connection instead.
func TestTooLargeBodyIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	body := strings.NewReader(strings.Repeat(" ", 20<<20))
	w := httptest.NewRecorder()
	b.gateway.ServeHTTP(w, httptest.NewRequest("POST", "/"+id+"/chat/completions", body))
	assert.Equal(t, http.StatusUnauthorized, w.Code, "the credential is judged first")
	assert.Zero(t, body.Len())
}
