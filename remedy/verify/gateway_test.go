package verify_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/planeproof/planeproof/remedy/verify"
)

const (
	token = "sk-canary-7f3a91c2"
	list  = `{"object":"list","data":[{"id":"acme-chat","object":"model"},{"id":"acme-embed"}]}`
)

// reply is a gateway's fixed answer.
type reply struct {
	status int
	body   string
	header map[string]string
}

func (p reply) write(w http.ResponseWriter) {
	for name, value := range p.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body)
}

func refusal() reply {
	return reply{status: 401, body: `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error"}}`}
}

// gateway answers each path to its good token, and refuses every other one; it keeps what it saw.
type gateway struct {
	paths map[string]reply
	open  map[string]bool // paths that check no token
	wrong map[string]reply

	mu   sync.Mutex
	seen []*http.Request
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen = append(g.seen, r.Clone(context.Background()))
	g.mu.Unlock()
	path := r.URL.EscapedPath()
	served, known := g.paths[path]
	authorized := r.Header.Get("Authorization") == "Bearer "+token
	special, isSpecial := g.wrong[path]
	switch {
	case !known:
		reply{status: 404, body: `{"error":{"message":"no such path"}}`}.write(w)
	case authorized || g.open[path]:
		served.write(w)
	case isSpecial:
		special.write(w)
	default:
		refusal().write(w)
	}
}

func (g *gateway) requests() []*http.Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// ownClient shares no connections: closing an httptest server disturbs those that use Go's default transport, and waits
// seconds for a connection that was dialled and never used.
func ownClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// both serves one answer on both paths.
func both(r reply) map[string]reply { return map[string]reply{"/models": r, "/v1/models": r} }

func verdicts(v verify.Result) []verify.Verdict {
	var all []verify.Verdict
	for _, p := range v.Paths {
		all = append(all, p.Verdict)
	}
	return all
}

// roundTrip is a transport without a network, so that a test's clock may stand still.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerWith(r reply) *http.Response {
	recorder := httptest.NewRecorder()
	r.write(recorder)
	return recorder.Result()
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func clientOf(f roundTrip) *http.Client { return &http.Client{Transport: f, Timeout: time.Nanosecond} }
