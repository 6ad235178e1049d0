package dataplane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/provider"
)

// serveProxy answers /v1/proxy/*: through the legacy proxy on v1, by itself on v2 (facts: v2-and-gateway).
func (d *DataPlane) serveProxy(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v1/proxy")
	entry, config := journal.Of(r).Entry, d.config.Load()
	serving := config.Serving
	if serving == ServingMixed {
		serving = d.store.inTurn()
		entry.Note = "answered by the " + serving + " half"
	}
	switch serving {
	case ServingV1:
		d.passOn(w, r, d.legacyProxyURL+path, entry)
	case ServingV2:
		d.route(w, r, path, routing.Open(provider.Current202608, config.APIKeyShape))
	case ServingV2Gateway:
		d.route(w, r, path, routing.Gateway(config.APIKeyShape))
	}
}

// inTurn says which half of a half-upgraded fleet answers: strictly in turn, as behind a round-robin balancer.
func (s *store) inTurn() string {
	if s.turns.Add(1)%2 == 1 {
		return ServingV1
	}
	return ServingV2
}

// credentialTTL is how long v2 keeps what it read of a caller's secrets: that of the edge (facts: credential-cache).
const credentialTTL = 60 * time.Second

// route calls the provider from the data plane itself.
func (d *DataPlane) route(w http.ResponseWriter, r *http.Request, path string, rules routing.Rules) {
	page := journal.Of(r)
	routing.New(d.client).Serve(w, r, routing.Call{
		Rules:         rules,
		State:         &d.store.caches,
		CredentialTTL: credentialTTL,
		Source:        d.source,
		Path:          path,
		Log:           page.Log,
		Entry:         page.Entry,
	})
}

// source hands out secrets as /api/secret does, to a caller that the org knows.
func (d *DataPlane) source(_ context.Context, q routing.Query) (routing.Secrets, error) {
	config := d.settings()
	if _, known := find(config, q.Key); !known {
		return routing.Secrets{}, &routing.Refusal{Status: http.StatusUnauthorized, Text: "the Braintrust API key was refused: unknown API key"}
	}
	if q.Org != "" && q.Org != config.Organization.Name {
		return routing.Secrets{}, &routing.Refusal{Status: http.StatusBadRequest, Text: "x-bt-org-name: no such organization"}
	}
	org, project, err := d.store.secrets(config, q.Project)
	if err != nil {
		refused := asRefusal(err)
		return routing.Secrets{}, &routing.Refusal{Status: refused.status, Text: refused.text}
	}
	return routing.Secrets{Org: org, Project: project}, nil
}

// passOn hands a request to the legacy proxy as it came, and its answer back as it comes. The body is read for the journal.
func (d *DataPlane) passOn(w http.ResponseWriter, r *http.Request, target string, entry *evidence.Exchange) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, drained)
		err = refuse(http.StatusRequestEntityTooLarge, "body is over %d bytes", maxBody)
	}
	to, malformed := url.Parse(target)
	if err = errors.Join(err, malformed); err != nil {
		answer(w, nil, err)
		return
	}
	routing.Describe(entry, r.Header, body)
	to.RawQuery = r.URL.RawQuery
	out := r.WithContext(r.Context())
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	proxy := httputil.ReverseProxy{
		Transport:    d.client.Transport,
		Rewrite:      func(p *httputil.ProxyRequest) { p.Out.URL, p.Out.Host = to, to.Host },
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: d.legacyProxyFailed,
	}
	proxy.ServeHTTP(w, out)
}

func (d *DataPlane) legacyProxyFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the caller left: there is nobody to answer
	}
	answer(w, nil, refuse(http.StatusBadGateway, "legacy proxy %s cannot be reached: %v", d.legacyProxyURL, err))
}
