// Package legacyproxy fakes the self-hosted AI proxy of a v1 data plane, in three generations: project override, fallback to org
// secrets, routing and caches are those of package routing.
package legacyproxy

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// edgeCredentialCache is how long credentials are kept where the settings do not say, in seconds (facts: credential-cache).
const edgeCredentialCache = 60

// Config is what a legacy proxy is made from.
type Config = settings.LegacyProxy

func check(c Config) error {
	if _, err := provider.ParseGeneration(string(c.Generation)); err != nil {
		return fmt.Errorf("generation: %w", err)
	}
	if known := []string{settings.VariantSelfHosted, settings.VariantEdge, settings.VariantNode}; !slices.Contains(known, c.Variant) {
		return fmt.Errorf("variant is %q, want one of %q", c.Variant, known)
	}
	if u, err := url.Parse(c.DefaultBase); c.DefaultBase != "" && (err != nil || u.Host == "") {
		return errors.New("default_base is no URL")
	}
	return nil
}

func credentialTTL(c Config) time.Duration {
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

// LegacyProxy is one proxy: an http.Handler that serves /v1/*.
type LegacyProxy struct {
	config       atomic.Pointer[Config]
	state        state
	proxy        *routing.Proxy
	client       *http.Client
	dataPlaneURL string
}

// New makes a proxy. client is what it calls its upstreams and the data plane with; dataPlaneURL is the base below which the data plane
// has /api/secret.
func New(c Config, client *http.Client, dataPlaneURL string) (*LegacyProxy, error) {
	p := &LegacyProxy{proxy: routing.New(client), client: client, dataPlaneURL: strings.TrimSuffix(dataPlaneURL, "/")}
	return p, p.Configure(c)
}

// Configure gives the proxy other settings; what it has cached stays.
func (p *LegacyProxy) Configure(c Config) error {
	if err := check(c); err != nil {
		return err
	}
	p.config.Store(&c)
	return nil
}

// Tenants are any number of proxies, each under its tenant's id as the first path segment.
type Tenants = tenancy.Host[Config, *LegacyProxy]

// NewTenants makes a host without tenants. routes are the addresses that may be dialled, upstreams and the data plane; dataPlaneURL is
// the data plane's base URL, below which tenants lie.
func NewTenants(routes tenancy.Routes, dataPlaneURL string) *Tenants {
	client := routes.Client()
	base := strings.TrimSuffix(dataPlaneURL, "/")
	host := tenancy.NewHost("legacy-proxy", func(id string, c Config) (*LegacyProxy, error) { return New(c, client, base+"/"+id) })
	host.Stray = func(w http.ResponseWriter, _ *http.Request) { notFound(w, "no such tenant") }
	return host
}

// ServeHTTP answers one request.
func (p *LegacyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.EscapedPath(), "/v1/")
	if !ours {
		notFound(w, "no such path: requests go below /v1/")
		return
	}
	config, page := *p.config.Load(), journal.Of(r)
	rules := routing.Open(config.Generation, "")
	rules.Variant, rules.DefaultBase = config.Variant, config.DefaultBase
	call := routing.Call{
		Rules:         rules,
		State:         &p.state.caches,
		Source:        p.source,
		Path:          "/" + path,
		CredentialTTL: credentialTTL(config),
		Log:           page.Log,
		Entry:         page.Entry,
	}
	if config.Seed != nil {
		call.Start = func(n int) int { return p.state.start(*config.Seed, n) }
	}
	p.proxy.Serve(&promised{ResponseWriter: w}, r, call)
}

// promised holds an answer to the length that its header promises, as servers do: what is longer is thrown away.
type promised struct {
	http.ResponseWriter
	sent int
}

// Unwrap lets http.ResponseController reach the connection behind.
func (p *promised) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *promised) Write(body []byte) (int, error) {
	send := body
	if length, err := strconv.Atoi(p.Header().Get("Content-Length")); err == nil {
		send = body[:min(len(body), max(0, length-p.sent))]
	}
	n, err := p.ResponseWriter.Write(send)
	p.sent += n
	return n + len(body) - len(send), err
}

func notFound(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, text)
}
