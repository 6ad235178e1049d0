// Package routing is how an AI proxy turns one request and the provider secrets it may use into upstream calls and one answer:
// the open-source proxy of three generations, and the Gateway where it is assumed to differ.
//
// Requests are sent in OpenAI's format whatever the secret's type and the model's format.
package routing

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// Proxy sends requests upstream. It may be used from several goroutines.
type Proxy struct {
	client *http.Client
	now    func() time.Time // for the caches
}

// New makes a proxy that calls upstreams with the client, which must be one of tenancy.Routes.
func New(client *http.Client) *Proxy {
	follows := *client
	follows.CheckRedirect = redirect
	return &Proxy{client: &follows, now: time.Now}
}

// maxRedirects is how many redirects fetch follows.
const maxRedirects = 20

// redirect follows as fetch does: to another origin Authorization and cookies stay behind, and every other header goes along
// (facts: redirects). net/http has made a GET of what is no 307 or 308.
func redirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("redirect count exceeded")
	}
	last := via[len(via)-1]
	next.Header = maps.Clone(last.Header)
	if next.Method != last.Method {
		next.Header.Del("Content-Type")
	}
	if next.URL.Scheme != last.URL.Scheme || next.URL.Host != last.URL.Host {
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
			next.Header.Del(name)
		}
	}
	return nil
}

// Call is what one request is served with.
type Call struct {
	Rules Rules
	// State is the tenant's.
	State  *State
	Source Source
	// Path is the request's path below the proxy's base, escaped, with its leading slash.
	Path string
	// CredentialTTL is how long fetched secrets are kept; 0 keeps none.
	CredentialTTL time.Duration
	// Start chooses the candidate of n to begin with, in [0, n); nil chooses at random.
	Start func(n int) int
	// Log takes a line of the proxy's log; project is empty without project context.
	Log func(level, project, text string)
	// Send sends a request upstream; nil sends it with the proxy's client.
	Send func(*http.Request) (*http.Response, error)
	// Entry is the exchange as it will be journalled.
	Entry *evidence.Exchange
}

func (c Call) start(n int) int {
	if c.Start != nil {
		return c.Start(n)
	}
	return rand.IntN(n)
}

// note adds to what the journal says about the exchange.
func (c Call) note(text string) {
	if c.Entry.Note != "" {
		text = c.Entry.Note + "; " + text
	}
	c.Entry.Note = text
}

// Serve answers one request. A caller that leaves ends the upstream's call too.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, call Call) {
	if call.Send == nil {
		call.Send = p.client.Do
	}
	tamper(r, &call)
	req, err := readRequest(r, call)
	if err == nil {
		Describe(call.Entry, r.Header, req.body)
		if call.State.repeat(w, req, call, p.now()) {
			return
		}
		err = p.route(w, r, call, req)
	}
	if err == nil {
		return
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the caller left: there is nobody to answer
	}
	refusal := &Refusal{}
	if !errors.As(err, &refusal) {
		refusal = sourceFailure(err)
	}
	call.Rules.refuse(w, refusal)
}

func (p *Proxy) route(w http.ResponseWriter, r *http.Request, call Call, req *request) error {
	switch {
	case req.model != "":
	case call.Rules.Closed:
		return noKeys("null")
	case call.Rules.Sends != provider.Legacy202602: // facts: no-model
		return thrownType("Cannot read properties of undefined (reading '1')")
	}
	secrets, err := p.fetch(r.Context(), call, req)
	if err != nil {
		return err
	}
	candidates := call.candidates(secrets, req)
	if len(candidates) == 0 {
		return noKeys(cmp.Or(req.model, "null"))
	}
	round := &round{proxy: p, call: call, req: req, body: req.body, model: req.model}
	got, err := round.run(r.Context(), candidates)
	if err != nil {
		return err
	}
	defer got.body.Close()
	round.write(w, got)
	return nil
}

// refuse answers an error; the Node server answers what was thrown with 200 (facts: thrown-errors).
func (r Rules) refuse(w http.ResponseWriter, refusal *Refusal) {
	status, text := refusal.Status, refusal.Text
	if refusal.thrown && r.Variant == settings.VariantNode {
		status, text = http.StatusOK, "!"+text
	}
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// passed keeps the upstream's response headers that reach the caller.
func passed(from http.Header) http.Header {
	out := http.Header{}
	for name, values := range from {
		lower := strings.ToLower(name)
		switch lower {
		case "transfer-encoding", "connection", "keep-alive", "date", "server", "vary", "cache-control", "pragma", "expires", "content-length":
			continue
		}
		if !strings.HasPrefix(lower, "access-control-") {
			out[name] = values
		}
	}
	return out
}
