package routing

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCredentialCache(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk")))
	g.call.CredentialTTL = time.Minute
	fetched := func(want int, headers ...string) {
		t.Helper()
		assert.Equal(t, 200, g.ask(t, ping, headers...).Code)
		assert.EqualValues(t, want, g.fetches.Load())
	}
	fetched(1)
	fetched(1)
	fetched(2, "x-bt-project-id", "p-1")
	fetched(3, "Authorization", "Bearer bt-key-2")
	fetched(4, "x-bt-use-creds-cache", "never")
	g.pass(59 * time.Second)
	fetched(4)
	g.pass(time.Second)
	fetched(5)
	g.call.CredentialTTL = 0
	g.pass(time.Hour)
	fetched(6)
	fetched(7)
}

func TestAnswerCache(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		hit              bool
	}{
		{"temperature 0", "", pingTemp, nil, true},
		{"no temperature", "", ping, nil, false},
		{"temperature null", "", `{"model":"acme-chat","temperature":null}`, nil, false},
		{"temperature 0.5", "", `{"model":"acme-chat","temperature":0.5}`, nil, false},
		{"seed", "", `{"model":"acme-chat","seed":7}`, nil, true},
		{"seed null", "", `{"model":"acme-chat","seed":null}`, nil, false},
		{"always", "", ping, []string{"x-bt-use-cache", "always"}, true},
		{"never", "", pingTemp, []string{"x-bt-use-cache", "NEVER"}, false},
		{"no-store", "", pingTemp, []string{"cache-control", "no-store"}, false},
		{"no-cache", "", pingTemp, []string{"cache-control", "no-cache"}, false},
		{"max-age 0", "", pingTemp, []string{"cache-control", "max-age=0"}, false},
		{"max-age 5", "", pingTemp, []string{"cache-control", "max-age=5"}, false},
		{"max-age 10", "", pingTemp, []string{"cache-control", "private, max-age=10"}, true},
		{"ttl 10", "", pingTemp, []string{"x-bt-cache-ttl", "10"}, false},
		{"ttl 11", "", pingTemp, []string{"x-bt-cache-ttl", "11"}, true},
		{"embeddings", "/embeddings", ping, nil, true},
		{"embeddings never", "/embeddings", ping, []string{"x-bt-use-cache", "never"}, false},
		{"other path", "/rerank", pingTemp, []string{"x-bt-use-cache", "always"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil, org(secret("acme", "sk")))
			if tc.path != "" {
				g.call.Path = tc.path
			}
			first := g.ask(t, tc.body, tc.headers...)
			assert.Equal(t, "MISS", first.Header().Get("x-bt-cached"))
			g.pass(10 * time.Second)
			second := g.ask(t, tc.body, tc.headers...)
			assert.Equal(t, first.Body.String(), second.Body.String())
			if tc.hit {
				assert.Equal(t, "HIT", second.Header().Get("x-bt-cached"))
				assert.Equal(t, "10", second.Header().Get("Age"))
				assert.Len(t, g.seen, 1)
			} else {
				assert.Equal(t, "MISS", second.Header().Get("x-bt-cached"))
				assert.Len(t, g.seen, 2)
			}
		})
	}
}

// TestAnswerCacheOmitsTheProject shows how a repeated answer hides whose credential a project uses (facts: answer-cache).
func TestAnswerCacheOmitsTheProject(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk")))
	g.ask(t, pingTemp)
	w := g.ask(t, pingTemp, "x-bt-project-id", "p-1")
	assert.Equal(t, "HIT", w.Header().Get("x-bt-cached"))
	assert.Equal(t, "acme", w.Header().Get("x-bt-used-endpoint"))
	assert.Equal(t, "answered from the answer cache", g.entry.Note)
	w = g.ask(t, pingTemp, "Authorization", "Bearer bt-key-2")
	assert.Equal(t, "MISS", w.Header().Get("x-bt-cached"))
}

func TestFullCachesForget(t *testing.T) {
	t.Parallel()
	var s State
	for i := range 3 * maxCached {
		s.keepAnswer([32]byte{byte(i), byte(i >> 8)}, cachedAnswer{})
		s.keepCredentials(Query{Model: strings.Repeat("x", i)}, Secrets{}, time.Time{})
		assert.LessOrEqual(t, len(s.answers), maxCached)
		assert.LessOrEqual(t, len(s.secrets), maxCached)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 404, 500} {
		g := newRig(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, org(secret("acme", "sk")))
		assert.Equal(t, status, g.ask(t, pingTemp).Code)
		assert.Equal(t, status, g.ask(t, pingTemp).Code)
		assert.Len(t, g.seen, 2)
	}
}

func TestRepeatedFakeStreamHasNoContentType(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, org(secret("acme", "sk", `"supportsStreaming":false`)))
	stream := `{"model":"acme-chat","temperature":0,"stream":true}`
	assert.Equal(t, "text/event-stream; charset=utf-8", g.ask(t, stream).Header().Get("Content-Type"))
	w := g.ask(t, stream)
	assert.Equal(t, "HIT", w.Header().Get("x-bt-cached"))
	assert.Empty(t, w.Header().Get("Content-Type"), "the replaced header is not kept with the answer")
}
