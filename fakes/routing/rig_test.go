package routing

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
)

// rig is a proxy with one upstream and one tenant's state.
type rig struct {
	proxy   *Proxy
	call    Call
	entry   *evidence.Exchange
	logs    *bytes.Buffer
	fetches atomic.Int32
	mu      sync.Mutex
	time    time.Time
	seen    []http.Header
	paths   []string
	bodies  []map[string]any
	address string // of the upstream
}

// newRig answers every upstream call by serve, which sees what was kept of the calls before; nil answers pong.
func newRig(t *testing.T, serve http.HandlerFunc, secrets Secrets) *rig {
	t.Helper()
	g := &rig{time: time.Unix(1_700_000_000, 0), logs: &bytes.Buffer{}, entry: &evidence.Exchange{}}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		g.mu.Lock()
		g.seen, g.paths, g.bodies = append(g.seen, r.Header), append(g.paths, r.RequestURI), append(g.bodies, body)
		g.mu.Unlock()
		if serve == nil {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(pong))
			return
		}
		serve(w, r)
	}))
	t.Cleanup(upstream.Close)
	g.address = upstream.Listener.Addr().String()
	g.proxy = New(tenancy.Routes{"gateway:8080": upstream.Listener.Addr().String()}.Client())
	g.proxy.now = func() time.Time {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.time
	}
	g.call = Call{
		Rules: Open(provider.Current202608, ""), State: &State{}, Path: "/chat/completions", Entry: g.entry,
		Source: func(context.Context, Query) (Secrets, error) {
			g.fetches.Add(1)
			return secrets, nil
		},
		Start: func(int) int { return 0 },
		Log: func(level, project, text string) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.logs.WriteString(level + " [" + project + "] " + text + "\n")
		},
	}
	return g
}

func (g *rig) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.time = g.time.Add(d)
}

// ask posts a body with the Braintrust key bt-key-1 and further headers, in pairs.
func (g *rig) ask(t *testing.T, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer bt-key-1")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.proxy.Serve(w, r, g.call)
	return w
}

const (
	ping     = `{"model":"acme-chat","messages":[{"role":"user","content":"ping"}]}`
	pingTemp = `{"model":"acme-chat","temperature":0}`
)

// secret is an openai secret for acme-chat; more is further metadata, as JSON members.
func secret(name, token string, more ...string) json.RawMessage {
	metadata := append([]string{`"api_base":"` + gateway + `/v1"`, `"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}`}, more...)
	return raw(name, token, metadata...)
}

func raw(name, token string, metadata ...string) json.RawMessage {
	quoted, _ := json.Marshal(token)
	return json.RawMessage(`{"name":"` + name + `","type":"openai","secret":` + string(quoted) + `,"metadata":{` + strings.Join(metadata, ",") + `}}`)
}

func org(secrets ...json.RawMessage) Secrets { return Secrets{Org: secrets} }

// denied refuses every token but the given one.
func denied(good string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("no"))
			return
		}
		_, _ = w.Write([]byte(pong))
	}
}
