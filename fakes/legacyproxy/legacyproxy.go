// Package legacyproxy fakes the self-hosted AI proxy of a v1 data plane, in three generations: project override, fallback to org
// secrets, routing and caches are those of package routing.
package legacyproxy

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
)

// edgeCredentialCache is how long credentials are kept where the settings do not say, in seconds (facts: credentials are cached too).
const edgeCredentialCache = 60

// Config is the settings of one tenant.
type Config struct {
	// Generation decides which secrets can be read and what is made of them.
	Generation provider.Generation `json:"generation"`
	// CredentialCacheSeconds is how long fetched secrets are kept; 0 means 60, and below 0 nothing is kept.
	CredentialCacheSeconds int `json:"credential_cache_seconds,omitempty"`
	// Seed makes the choice among several secrets repeatable; without it the choice is random.
	Seed *int64 `json:"seed,omitempty"`
}

func check(c Config) error {
	if _, err := provider.ParseGeneration(string(c.Generation)); err != nil {
		return fmt.Errorf("generation: %w", err)
	}
	return nil
}

func (c Config) credentialTTL() time.Duration {
	switch {
	case c.CredentialCacheSeconds == 0:
		return edgeCredentialCache * time.Second
	case c.CredentialCacheSeconds < 0:
		return 0
	}
	return time.Duration(c.CredentialCacheSeconds) * time.Second
}

// state is what a tenant's proxy remembers.
type state struct {
	caches routing.State

	mu    sync.Mutex
	seed  int64
	drawn *rand.Rand // nil until a seed was used
}

// start draws from a sequence that begins anew with another seed.
func (s *state) start(seed int64, n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == nil || s.seed != seed {
		s.seed, s.drawn = seed, rand.New(rand.NewPCG(uint64(seed), 0))
	}
	return s.drawn.IntN(n)
}

type tenant = tenancy.Tenant[Config, *state]

// LegacyProxy is the fake. Its data port serves /v1/* below a tenant's id.
type LegacyProxy struct {
	*tenancy.Host[Config, *state]
	client       *http.Client
	proxy        *routing.Proxy
	dataPlaneURL string
	handler      http.Handler
}

// New makes a proxy without tenants. routes are the addresses that it may dial, its upstreams and the data plane; dataPlaneURL is the
// data plane's base URL, below which tenants lie.
func New(routes tenancy.Routes, dataPlaneURL string) *LegacyProxy {
	client := routes.Client()
	p := &LegacyProxy{
		Host:         tenancy.NewHost("legacy-proxy", func() *state { return &state{} }, check),
		client:       client,
		proxy:        routing.New(client),
		dataPlaneURL: strings.TrimSuffix(dataPlaneURL, "/"),
	}
	p.handler = p.Handler(p.serve, func(w http.ResponseWriter, _ *http.Request) { notFound(w, "no such tenant") })
	return p
}

// ServeHTTP serves the data port.
func (p *LegacyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *LegacyProxy) serve(w http.ResponseWriter, r *http.Request, t *tenant, entry *evidence.Exchange) {
	path, ours := strings.CutPrefix(r.URL.EscapedPath(), "/v1/")
	if !ours {
		notFound(w, "no such path: requests go below /v1/")
		return
	}
	config := t.Config()
	call := routing.Call{
		Rules:         routing.Open(config.Generation, ""),
		State:         &t.State.caches,
		Source:        p.source(t.ID),
		Path:          "/" + path,
		CredentialTTL: config.credentialTTL(),
		Log:           func(level, project, text string) { t.Log(level, project, entry.Seq, text) },
		Entry:         entry,
	}
	if config.Seed != nil {
		call.Start = func(n int) int { return t.State.start(*config.Seed, n) }
	}
	p.proxy.Serve(w, r, call)
}

func notFound(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, text)
}
