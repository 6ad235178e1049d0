// Package gateway is a fake OpenAI-compatible upstream: the system whose provider token a data plane sends.
package gateway

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

// Gateway is one upstream: an http.Handler that answers by its settings.
type Gateway struct{ config atomic.Pointer[config] }

// New makes a gateway; an error says which setting makes no sense.
func New(c Config) (*Gateway, error) {
	g := &Gateway{}
	return g, g.Configure(c)
}

// Configure gives the gateway other settings.
func (g *Gateway) Configure(c Config) error {
	own := config(c)
	if err := own.check(); err != nil {
		return err
	}
	g.config.Store(&own)
	return nil
}

// Tenants are any number of gateways, each under its tenant's id as the first path segment.
type Tenants = tenancy.Host[Config, *Gateway]

// NewTenants makes a host without tenants; tenants are made through its control listener or Put.
func NewTenants() *Tenants {
	host := tenancy.NewHost("gateway", func(_ string, c Config) (*Gateway, error) { return New(c) })
	host.Stray = func(w http.ResponseWriter, r *http.Request) {
		unserved(http.StatusNotFound, r.Method, r.URL.EscapedPath()).write(w)
	}
	return host
}

// call is one request with what it is answered from and where it is noted.
type call struct {
	*http.Request
	config      config
	personality *personality // nil for none
	entry       *evidence.Exchange
	deployment  string // from the path, where azure's has one
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := journal.Of(r).Entry
	entry.Header = harmless(r.Header)
	config, personality := g.config.Load().resolved()
	answer := call{Request: r, config: config, personality: personality, entry: entry}.route()
	entry.Note = answer.note
	answer.write(w)
}

// route answers the call. A path or method that is not served is refused before the credential is looked at, but where the
// personality guards it.
func (c call) route() reply {
	if p := c.personality; p != nil && p.page != nil {
		return p.page.reply().noting("login page")
	}
	path := c.entry.Path
	if c.personality.guarded(c.Method, path) && !c.config.OpenModels {
		if refusal, refused := c.refused(); refused {
			return refusal
		}
	}
	method, endpoint := c.config.find(path)
	if rest, below := strings.CutPrefix(path, "/openai/deployments/"); below && endpoint == nil && c.deploys() {
		escaped, operation, _ := strings.Cut(rest, "/")
		if c.deployment, _ = url.PathUnescape(escaped); c.deployment != "" {
			method, endpoint = config{Serve: []string{""}}.find("/" + operation)
		}
	}
	switch {
	case endpoint == nil:
		return c.notServed(path)
	case c.Method != method:
		return refuse(http.StatusMethodNotAllowed, "method_not_supported",
			"Not allowed to "+c.Method+" on "+path+". (HINT: Perhaps you meant to use a different HTTP method?)").
			noting("method not served").with("Allow", method)
	}
	return endpoint(c)
}

// notServed answers a path that is not served, as the settings say, or the personality, or OpenAI.
func (c call) notServed(path string) reply {
	status := c.config.UnservedStatus
	if own, has := c.personality.answer(notServed); has && status == 0 {
		return own.noting("path not served")
	}
	answer := unserved(cmp.Or(status, http.StatusNotFound), c.Method, path)
	if status == http.StatusUnauthorized {
		return answer.with("Www-Authenticate", c.config.challenge())
	}
	return answer
}

func unserved(status int, method, path string) reply {
	return refuse(status, "", "Invalid URL ("+method+" "+path+")").noting("path not served")
}

// find returns the endpoint behind an escaped path and its method, nil where none is served.
func (c config) find(path string) (method string, endpoint func(call) reply) {
	prefixes := c.Serve
	if prefixes == nil {
		prefixes = []string{"", "/v1"}
	}
	for _, prefix := range prefixes {
		rest, served := strings.CutPrefix(path, prefix)
		id, one := strings.CutPrefix(rest, "/models/")
		switch {
		case !served:
		case rest == "/chat/completions":
			return http.MethodPost, call.chat
		case rest == "/embeddings":
			return http.MethodPost, call.embed
		case rest == "/responses":
			return http.MethodPost, call.respond
		case rest == "/models":
			return http.MethodGet, call.listModels
		case one && id != "":
			return http.MethodGet, func(c call) reply { return c.getModel(id) }
		}
	}
	return "", nil
}

func (c call) listModels() reply {
	if refusal, refused := c.refusedListing(); refused {
		return refusal
	}
	models := make([]model, 0, len(c.config.Models))
	for _, id := range c.config.Models {
		models = append(models, newModel(id))
	}
	return accept(listing{Object: "list", Data: models})
}

// getModel answers for one model; its id may hold slashes, escaped or not.
func (c call) getModel(escaped string) reply {
	if refusal, refused := c.refusedListing(); refused {
		return refusal
	}
	id, err := url.PathUnescape(escaped)
	if err != nil || !c.config.knows(id) {
		return unknownModel(id)
	}
	return accept(newModel(id))
}

func (c call) refusedListing() (reply, bool) {
	if c.config.OpenModels {
		return reply{}, false
	}
	return c.refused()
}

func unknownModel(id string) reply {
	return refuse(http.StatusNotFound, "model_not_found",
		"The model `"+clip(id)+"` does not exist or you do not have access to it.").noting("unknown model")
}

// harmless selects the headers that may be kept: a few with their values, the rest by name only, as their values may be secrets.
// Credentials are left out, they are kept as fingerprints.
func harmless(header http.Header) map[string]string {
	kept := make(map[string]string, len(header))
	for name, values := range header {
		switch lower := strings.ToLower(name); lower {
		case "content-type", "user-agent", "x-bt-project-id":
			kept[lower] = clip(strings.Join(values, ", "))
		default:
			if !slices.Contains(evidence.CredentialHeaders(), lower) {
				kept[lower] = ""
			}
		}
	}
	return kept
}

// maxKept bounds in bytes what is kept or repeated of a text that a caller chose.
const maxKept = 256

// clip copies, as a text may be part of a body, which would be kept with it.
func clip(text string) string {
	if len(text) > maxKept {
		return strings.ToValidUTF8(text[:maxKept], "") + "…"
	}
	return strings.Clone(text)
}
