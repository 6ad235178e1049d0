// Package routing is how an AI proxy turns one request and the provider secrets it may use into upstream calls and one answer:
// the open-source proxy of three generations, and the Gateway where it is assumed to differ.
//
// Requests are sent in OpenAI's format whatever the secret's type, and to the path they came for: model names that leave the
// chat path (`o1-pro`, `gpt-5*-codex`, …) are not translated to `/responses` (facts: responses-models).
package routing

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// Proxy sends requests upstream. It may be used from several goroutines.
type Proxy struct {
	client *http.Client
	now    func() time.Time // for the caches
}

// New makes a proxy that calls upstreams with the client, which must be one of tenancy.Routes.
func New(client *http.Client) *Proxy {
	return &Proxy{client: client, now: time.Now}
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
	req, err := readRequest(r, call.Path)
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
	refuse(w, refusal)
}

func (p *Proxy) route(w http.ResponseWriter, r *http.Request, call Call, req *request) error {
	if req.model == "" {
		return noKeys("")
	}
	secrets, err := p.fetch(r.Context(), call, req)
	if err != nil {
		return err
	}
	candidates := call.candidates(secrets, req)
	if len(candidates) == 0 {
		return noKeys(req.model)
	}
	round := &round{proxy: p, call: call, req: req, body: req.body}
	got, err := round.run(r.Context(), candidates)
	if err != nil {
		return err
	}
	defer got.body.Close()
	round.write(w, got)
	return nil
}

func refuse(w http.ResponseWriter, refusal *Refusal) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(refusal.Status)
	_, _ = io.WriteString(w, refusal.Text)
}

// passed keeps the upstream's response headers that reach the caller. Its Content-Length stays behind: faked streams have another.
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
