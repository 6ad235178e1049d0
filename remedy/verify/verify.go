// Package verify tries a provider token against its gateway, outside Braintrust, and says what came of it.
package verify

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/provider"
)

// Options asks a gateway whether a token is good, as step 3 of the guide does with curl.
type Options struct {
	// Client carries the requests, nil for one with Go's default transport. Its redirect policy, cookies and timeout are not
	// used; an unknown certificate authority is made known in its transport.
	Client *http.Client
	// Timeout bounds each request with its answer; 0 means 10 seconds.
	Timeout time.Duration
	// Retries is how often a request answered with 429 or 503 is sent again, no sooner than Retry-After says; where that is more
	// than 30 seconds, it is not.
	Retries int
	// SkipOpenCheck leaves out the request with a deliberately wrong token, which is else sent once per path that answers with a
	// model list.
	SkipOpenCheck bool
	// SendAnyway sends a token that Problems finds fault with, to see what the gateway says.
	SendAnyway bool
	// Secret is the provider secret that the token is for, nil where only a base is given. Its additionalHeaders are sent as the proxy
	// sends them, and a token is verified only if it works where the proxy calls. Preview is the API's of the stored value.
	Secret  *provider.Secret
	Preview string
	// Generation is the proxy's, empty for the current one, whose calls are those of data plane v2.
	Generation provider.Generation
	// From says in words where the requests come from; it is only repeated in the result.
	From string
}

// Result is what came of verifying one token. It never contains the token, nor texts that may.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// Detail says in one line what led to the verdict.
	Detail string `json:"detail"`
	// Advice says in one line what to do.
	Advice string `json:"advice"`
	// Base is the base as ParseBase returns it, empty where it was refused.
	Base string `json:"base,omitempty"`
	// From is where the requests came from.
	From string `json:"from,omitempty"`
	// TokenProblems are those of the token, named whether or not it was sent.
	TokenProblems []string `json:"token_problems,omitempty"`
	// Call is what the proxy calls with the secret, nil without one; Stored says what is wrong with it as it is stored.
	Call   *Call    `json:"call,omitempty"`
	Stored []string `json:"stored,omitempty"`
	// Paths are the paths asked, in order; none where the token was not sent.
	Paths []PathVerdict `json:"paths,omitempty"`
}

// PathVerdict is what one path of the gateway said.
type PathVerdict struct {
	// Path is `/models` or `/v1/models`, or that of the model list beside the proxy's own call; URL is the address asked.
	Path      string `json:"path"`
	URL       string `json:"url"`
	requested string // URL before the token was taken out of it
	// Status is the HTTP status of the last answer, 0 where there was none.
	Status  int     `json:"status,omitempty"`
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	Advice  string  `json:"advice"`
	// Models is how many models the list has.
	Models int `json:"models,omitempty"`
	// OpenCheck says that a deliberately wrong token was sent too and what came of it, or that it was not; empty where the path
	// did not answer with a model list.
	OpenCheck string `json:"open_check,omitempty"`
}

// Token asks `/models` and `/v1/models` below base with the token as Bearer and judges the answers (guide:
// bearer-after-v2-migration, step 3); with a secret also the model list beside the proxy's own call, where that is a third one. Only GET
// is sent, and only to base's own host. Every failure is a verdict; ParseBase says which bases are refused.
func Token(ctx context.Context, v Options, base, token string) Result {
	q := v.quoter(token)
	result := Result{From: q.line(v.From), TokenProblems: Problems(token), Stored: v.stored()}
	base, err := ParseBase(base)
	if err != nil {
		result.Verdict, result.Detail, result.Advice = NotBase, err.Error(), NotBase.advice()
		return result
	}
	result.Base = q.line(base)
	header, sendable := authorization(token)
	if !sendable || len(result.TokenProblems) > 0 && !v.SendAnyway {
		result.Verdict, result.Advice = NotRaw, NotRaw.advice()
		result.Detail = "the token was not sent"
		if !sendable {
			result.Detail = "the token was not sent: no HTTP header can hold it"
		}
		return result
	}
	result.Call = v.call(base)
	p := prober{client: v.client(), retries: v.Retries, header: v.header, quoter: q}
	for _, list := range result.Call.lists(base) {
		result.Paths = append(result.Paths, v.verifyPath(ctx, p, strings.TrimPrefix(list, base), list, header))
	}
	if result.Call != nil {
		result.Call.URL = q.line(result.Call.URL)
	}
	result.conclude()
	return result
}

// defaultTimeout bounds a request where the caller sets no bound.
const defaultTimeout = 10 * time.Second

// client is the caller's, without what could carry the credential to another host or let a cookie stand in for it.
func (v Options) client() *http.Client {
	shared := http.DefaultTransport
	if v.Client != nil && v.Client.Transport != nil {
		shared = v.Client.Transport
	}
	client := &http.Client{Transport: borrowed{shared}, Timeout: defaultTimeout}
	if v.Timeout > 0 {
		client.Timeout = v.Timeout
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// borrowed hides a transport's CloseIdleConnections, which retryablehttp calls after a failure: on a transport that others use
// at the same time it can break their requests ("http: CloseIdleConnections called").
type borrowed struct{ http.RoundTripper }

func (v Options) verifyPath(ctx context.Context, p prober, path, list, credential string) PathVerdict {
	got := p.get(ctx, list, credential)
	result := PathVerdict{Path: p.line(path), URL: p.line(list), requested: list, Models: got.models}
	switch {
	case got.verdict != Verified:
	case v.SkipOpenCheck:
		result.OpenCheck = "no deliberately wrong token was sent: if the list is open to anyone, the 200 proves nothing"
	default:
		result.OpenCheck = p.checkOpen(ctx, list, &got)
	}
	result.Status, result.Verdict, result.Detail, result.Advice = got.status, got.verdict, got.detail, got.advice
	if result.Advice == "" {
		result.Advice = got.verdict.advice()
	}
	return result
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
