// Package control is a client of the control API: it sends what the remedies need, and says in one line why it got no answer.
package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/retry"
)

const (
	// maxInFlight is how many requests of one client are on the wire at the same time.
	maxInFlight = 8
	// maxAnswer is the longest answer that is read, in bytes.
	maxAnswer = 32 << 20
	// maxRetries is how often a request is sent again; maxWait is the longest wait before that.
	maxRetries = 4
	maxWait    = 60 * time.Second
	// defaultTimeout bounds one request with its answer where the caller's client sets no bound.
	defaultTimeout = 60 * time.Second
)

// Client talks to the control API of one data plane with one Braintrust API key. It may be used from several goroutines: the bound
// of eight requests in flight is shared by all of them.
type Client struct {
	base, key string
	invalid   error // why base cannot be used
	redactor  evidence.Redactor
	sender    *http.Client

	mu     sync.Mutex
	listed []json.RawMessage // metadata of objects that were listed, of which the redactor is told before it is needed
}

// New makes a client of the API at baseURL, below which paths such as `/v1/organization` lie. Of client, its transport and timeout are
// used, nil means Go's default transport and 60 seconds; its redirect policy and cookies are not: nothing but the API's own
// host gets the key. A base URL that cannot be used is an error of every request.
func New(baseURL, key string, client *http.Client) *Client {
	c := &Client{base: strings.TrimRight(baseURL, "/"), key: key}
	c.invalid = checkBase(c.base)
	c.Hide("Braintrust API key", key)
	t := transport{next: http.DefaultTransport, timeout: defaultTimeout, slots: make(chan struct{}, maxInFlight)}
	if client != nil && client.Transport != nil {
		t.next = client.Transport
	}
	if client != nil && client.Timeout > 0 {
		t.timeout = client.Timeout
	}
	c.sender = &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// checkBase refuses what is no base URL; it quotes nothing, as what it was given may hold a password.
func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errors.New("the API's URL is not http:// or https:// with a host")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#"):
		return errors.New("the API's URL holds user information, a query or a fragment: give it without")
	}
	return nil
}

// BaseURL is the API's URL without a trailing slash, empty where New was given none that can be used.
func (c *Client) BaseURL() string {
	if c.invalid != nil {
		return ""
	}
	return c.base
}

// Hide keeps another secret out of every error and excerpt; shown stands in its place.
func (c *Client) Hide(shown, secret string) { c.redactor.Add(shown, secret) }

// HideMetadata does so with what may be a credential in a provider secret's metadata, as servers quote what they refuse.
func (c *Client) HideMetadata(metadata []byte) { c.redactor.AddMetadata(metadata) }

// Answer is a successful answer.
type Answer struct {
	Status int
	Body   []byte
	// RequestIDs are the values of the headers by which the server names the request, by header name in lower case.
	RequestIDs map[string]string
}

// Get reads a path such as `/v1/ai_secret/<id>`. It is sent again on 429, on 5xx and where the connection broke. Every error is
// an *Error.
func (c *Client) Get(ctx context.Context, path string) (Answer, error) {
	return c.send(ctx, http.MethodGet, path, nil)
}

// Patch sends a body as it is. It is sent again only where it cannot have been applied: after a 429, or where no connection came
// about. Every error is an *Error; its Uncertain says whether the change may have been made all the same.
func (c *Client) Patch(ctx context.Context, path string, body []byte) (Answer, error) {
	return c.send(ctx, http.MethodPatch, path, body)
}

// Put sends a body as it is, under the rules of Patch.
func (c *Client) Put(ctx context.Context, path string, body []byte) (Answer, error) {
	return c.send(ctx, http.MethodPut, path, body)
}

func (c *Client) send(ctx context.Context, method, path string, body []byte) (Answer, error) {
	resp, err := c.do(ctx, method, path, body, nil)
	if err != nil {
		return Answer{}, c.noAnswer(ctx, method, path, err)
	}
	defer func() { _ = resp.Body.Close() }() // in memory already
	return c.judge(method, path, resp)
}

// do sends one request, and again where that may help and cannot do harm; the answer's body is in memory.
func (c *Client) do(ctx context.Context, method, path string, body []byte, header map[string]string) (*http.Response, error) {
	if c.invalid != nil {
		return nil, c.invalid
	}
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the path does not begin with a slash")
	}
	var payload any // an untyped nil sends no body
	if body != nil {
		payload = body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	policy := retry.Policy{Retries: maxRetries, MaxWait: maxWait, Again: func(resp *http.Response, err error) bool {
		return again(method, resp, err)
	}}
	resp, _, err := policy.Do(c.sender, req)
	return resp, err
}

// requestIDs are the headers by which a server names a request.
func requestIDs(header http.Header) map[string]string {
	var ids map[string]string
	for name, values := range header {
		name = strings.ToLower(name)
		if !strings.HasSuffix(name, "request-id") && !strings.HasSuffix(name, "requestid") && name != "x-amz-cf-id" {
			continue
		}
		if value := cmp.Or(values...); value != "" {
			if ids == nil {
				ids = map[string]string{}
			}
			ids[name] = evidence.Printable(value)
		}
	}
	return ids
}
