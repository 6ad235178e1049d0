package routing

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/internal/vectors"
	"github.com/planeproof/planeproof/provider"
)

// gateway stands for {{gw}}.
const gateway = "http://gateway:8080"

type vector struct {
	ID       string                                 `json:"id"`
	Org      []json.RawMessage                      `json:"org"`
	Project  []json.RawMessage                      `json:"project"`
	Upstream json.RawMessage                        `json:"upstream"`
	Requests []vectorRequest                        `json:"requests"`
	Expect   map[provider.Generation][]vectorAnswer `json:"expect"`
}

type vectorRequest struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

type vectorAnswer struct {
	Upstream []map[string]any  `json:"upstream"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Logs     []string          `json:"logs"`
	Error    string            `json:"error"`
}

// stubAnswer is what the stub upstream says to one call.
type stubAnswer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// TestVectorsProxyRouting holds every recorded row against the real handler.
func TestVectorsProxyRouting(t *testing.T) {
	rows := vectors.Rows[vector](t, "proxy-routing.jsonl")
	for _, g := range provider.Generations() {
		agree, total := 0, 0
		for _, row := range rows {
			expect, recorded := row.Expect[g]
			if !recorded {
				continue
			}
			total++
			got := replay(t, g, row, expect)
			if !assert.Equal(t, normalized(expect), normalized(got), "%s: %s", g, row.ID) {
				t.FailNow()
			}
			agree++
		}
		fmt.Printf("proxy-routing %s: %d/%d agree\n", g, agree, total)
	}
}

// replay sends a row's requests and describes what came of each in the row's own terms.
func replay(t *testing.T, g provider.Generation, row vector, expect []vectorAnswer) []vectorAnswer {
	t.Helper()
	stub := &stub{script: row.Upstream}
	upstream := httptest.NewServer(stub)
	defer upstream.Close()
	proxy := New(tenancy.Routes{"gateway:8080": upstream.Listener.Addr().String()}.Client())
	state := &State{}
	secrets := Secrets{Org: placed(row.Org), Project: placed(row.Project)}
	var got []vectorAnswer
	for i, in := range row.Requests {
		stub.restart(expect[i], in)
		r := httptest.NewRequestWithContext(t.Context(), in.Method, "/", bytes.NewReader(bodyOf(in.Body)))
		for name, value := range in.Headers {
			r.Header.Set(name, value)
		}
		var logs []string
		w := httptest.NewRecorder()
		proxy.Serve(w, r, Call{
			Rules: Open(g, ""), State: state, Path: in.Path, Entry: &evidence.Exchange{},
			Source: func(_ context.Context, q Query) (Secrets, error) {
				if q.Project == "" {
					return Secrets{Org: secrets.Org}, nil
				}
				return secrets, nil
			},
			Start: func(int) int { return 0 },
			Log:   func(level, _, text string) { logs = append(logs, level+": "+text) },
		})
		got = append(got, described(w, stub.calls(), logs, expect[i]))
	}
	return got
}

// described turns an answer into a row's terms: the recorded selection of headers, and a thrown error where a 400 of plain text
// stands for it.
func described(w *httptest.ResponseRecorder, calls []map[string]any, logs []string, expect vectorAnswer) vectorAnswer {
	got := vectorAnswer{Upstream: calls, Logs: logs}
	if expect.Error != "" && w.Code == http.StatusBadRequest && w.Header().Get("Content-Type") == "text/plain" {
		got.Error = strings.TrimPrefix(w.Body.String(), "Error: ") // recorded where it was thrown (facts: thrown-errors)
		return got
	}
	got.Status, got.Body, got.Headers = w.Code, w.Body.String(), map[string]string{}
	selection := slices.Collect(maps.Keys(expect.Headers))
	for _, name := range append(selection, "x-bt-used-endpoint", "x-bt-cached", "content-type", "cache-control", "x-upstream") {
		if value := w.Header().Get(name); value != "" {
			got.Headers[name] = value
		}
	}
	return got
}

// normalized takes out what the recording left out: white space and length of logs, an undefined code, headers that change.
func normalized(answers []vectorAnswer) []vectorAnswer {
	out := slices.Clone(answers)
	for i := range out {
		logs := make([]string, 0, len(out[i].Logs))
		for _, line := range out[i].Logs {
			line = strings.TrimSuffix(strings.Join(strings.Fields(line), " "), " undefined")
			logs = append(logs, line[:min(len(line), 300)])
		}
		out[i].Logs = logs
		out[i].Body = changing.ReplaceAllString(out[i].Body, "")
		if len(out[i].Upstream) == 0 {
			out[i].Upstream = nil
		}
		if len(out[i].Headers) == 0 {
			out[i].Headers = nil
		}
	}
	return out
}

var changing = regexp.MustCompile(`\n(connection|date|keep-alive|transfer-encoding|content-length): [^\n]*`)

// placed puts the stub's base URL into the secrets.
func placed(raws []json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	for _, raw := range raws {
		out = append(out, bytes.ReplaceAll(raw, []byte("{{gw}}"), []byte(gateway)))
	}
	return out
}

// bodyOf gives a request's body, which is JSON, or, where the row has a string, that text.
func bodyOf(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}

// stub is the upstream of the recording.
type stub struct {
	script json.RawMessage

	mu   sync.Mutex
	want vectorAnswer
	in   vectorRequest
	seen []map[string]any
}

// restart begins a request: a list of answers starts over (recorded: proxy-routing cache-error-not-cached).
func (s *stub) restart(want vectorAnswer, in vectorRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want, s.in, s.seen = want, in, nil
}

func (s *stub) calls() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var asked map[string]any
	_ = json.Unmarshal(body, &asked)
	call := map[string]any{"method": r.Method, "path": r.RequestURI, "model": asked["model"], "stream": asked["stream"]}
	for _, name := range s.selection() {
		if value := r.Header.Get(name); value != "" {
			call[name] = value
		}
	}
	s.seen = append(s.seen, call)
	s.answer(w, s.next(r.Header.Get("Authorization")), asked["stream"] == true)
}

// selection lists the headers to compare: those that any recorded call has, and what this caller sent.
func (s *stub) selection() []string {
	names := []string{"authorization", "content-type", "openai-organization", "x-team", "x-api-key"}
	for name := range s.in.Headers {
		names = append(names, strings.ToLower(name))
	}
	for _, call := range s.want.Upstream {
		for name := range call {
			if name != "method" && name != "path" && name != "model" && name != "stream" {
				names = append(names, name)
			}
		}
	}
	return names
}

// next finds the answer to a call: one for all, the next of a list, or by the credential.
func (s *stub) next(authorization string) stubAnswer {
	var one stubAnswer
	var list []stubAnswer
	var keyed struct {
		ByAuth  map[string]stubAnswer `json:"byAuth"`
		Default stubAnswer            `json:"default"`
	}
	if json.Unmarshal(s.script, &list) == nil && len(list) > 0 {
		return list[min(len(s.seen), len(list))-1]
	}
	if json.Unmarshal(s.script, &keyed) == nil && keyed.ByAuth != nil {
		if a, ok := keyed.ByAuth[authorization]; ok {
			return a
		}
		return keyed.Default
	}
	_ = json.Unmarshal(s.script, &one)
	return one
}

func (s *stub) answer(w http.ResponseWriter, a stubAnswer, stream bool) {
	body := string(a.Body)
	w.Header().Set("Content-Type", "application/json")
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	switch {
	case body != "":
		body = string(bodyOf(a.Body))
	case a.Status == http.StatusOK && stream:
		w.Header().Set("Content-Type", "text/event-stream")
		body = pongStream
	case a.Status == http.StatusOK:
		w.Header().Set("X-Upstream", "acme")
		body = pong
	default:
		body = `{"error":{"message":"denied","type":"invalid_request_error","param":null,"code":null}}`
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, body)
}

const (
	pong = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"acme-chat","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`
	chunk      = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"acme-chat","choices":[{"index":0,`
	pongStream = chunk + `"delta":{"role":"assistant","content":"po"},"finish_reason":null}]}` + "\n\n" +
		chunk + `"delta":{"role":"assistant","content":"ng"},"finish_reason":null}]}` + "\n\n" +
		chunk + `"delta":{},"finish_reason":"stop"}]}` + "\n\n" + "data: [DONE]\n\n"
)
