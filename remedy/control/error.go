package control

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/planeproof/planeproof/evidence"
)

// Kind is why a request did not succeed.
type Kind string

// The kinds of failure.
const (
	Unusable    Kind = "unusable"    // the request cannot be made: a bad URL or key
	Interrupted Kind = "interrupted" // the caller gave up
	Unreachable Kind = "unreachable" // no answer, or none in time
	Broken      Kind = "broken"      // the answer broke off, is too long, or is not what the API answers
	WrongKey    Kind = "wrong-key"   // 401
	Forbidden   Kind = "forbidden"   // 403
	NotFound    Kind = "not-found"   // 404
	Refused     Kind = "refused"     // another 4xx
	Busy        Kind = "busy"        // 429 or 5xx, after the retries
)

// Error is a request that did not succeed. Its text is one line and holds no secret that the client knows.
type Error struct {
	Method, Path string
	Kind         Kind
	// Status is the HTTP status, 0 without an answer.
	Status int
	// Reason says in words what is wrong; Said is the beginning of the server's own text, in one line.
	Reason, Said string
	// RequestIDs are as in Answer.
	RequestIDs map[string]string
	// Uncertain says of a write that it may have been applied all the same.
	Uncertain bool
	err       error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %s", e.Method, evidence.Printable(e.Path), e.Reason)
	if e.Said != "" {
		text += ": " + e.Said
	}
	if e.Uncertain {
		text += "; whether it was applied is not known: read it back"
	}
	return text
}

// Unwrap gives the context's error of an interrupted request.
func (e *Error) Unwrap() error { return e.err }

// KindOf is the kind of failure that an error of this package tells of, empty for others.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// noAnswer says why there is none.
func (c *Client) noAnswer(ctx context.Context, method, path string, err error) *Error {
	var unknown x509.UnknownAuthorityError
	var urlErr *url.Error
	// An error that is not net/http's came before the request was sent, or while waiting to send it again, which is done only where
	// nothing was applied.
	sent := errors.As(err, &urlErr)
	e := &Error{Method: method, Path: path, Kind: Unreachable, Uncertain: sent && method != http.MethodGet && !neverSent(err)}
	switch {
	case c.invalid == nil && ctx.Err() != nil:
		e.Kind, e.Reason, e.err = Interrupted, "interrupted", ctx.Err()
	case !sent:
		e.Kind, e.Reason = Unusable, "the request cannot be made: "+c.quote(err.Error())
	case errors.Is(err, errDeadline):
		e.Reason = c.host() + " is unreachable: no answer in time"
	case errors.Is(err, errBroken):
		e.Kind, e.Reason = Broken, "the answer broke off before its end"
	case errors.Is(err, errTooLong):
		e.Kind, e.Reason = Broken, fmt.Sprintf("the answer is longer than %d bytes", maxAnswer)
	case errors.As(err, &unknown):
		e.Reason = c.host() + " is unreachable: its TLS certificate is signed by an authority that is unknown here"
		e.Uncertain = false
	default:
		e.Reason = c.host() + " is unreachable: " + c.quote(urlErr.Err.Error())
	}
	return e
}

func (c *Client) host() string {
	u, err := url.Parse(c.base)
	if err != nil {
		return "the API"
	}
	return evidence.Printable(u.Host)
}

// judge turns an answer into what the caller gets: JSON of a 2xx, or the error that it is.
func (c *Client) judge(method, path string, resp *http.Response) (Answer, error) {
	body := new(bytes.Buffer)
	_, _ = body.ReadFrom(resp.Body) // it is in memory
	answer := Answer{Status: resp.StatusCode, Body: body.Bytes(), RequestIDs: requestIDs(resp.Header)}
	e := &Error{Method: method, Path: path, Status: answer.Status, RequestIDs: answer.RequestIDs, Kind: Broken}
	write := method != http.MethodGet
	switch status := answer.Status; {
	case status < 300:
		if e.Reason = notJSON(answer.Body); e.Reason == "" {
			return answer, nil
		}
		e.Uncertain = write
		return Answer{}, e
	case status < 400:
		e.Reason = fmt.Sprintf("answered %d, a redirect to %s, which was not followed: is this the API's own URL?", status, c.target(resp))
		return Answer{}, e
	case status == http.StatusUnauthorized:
		e.Kind, e.Reason = WrongKey, "the API does not know the key (401)"
	case status == http.StatusForbidden:
		e.Kind, e.Reason = Forbidden, "the key may not do this (403): it needs the role of an org admin"
	case status == http.StatusNotFound:
		e.Kind, e.Reason = NotFound, "not found (404): "+vanished(path)
	case status == http.StatusTooManyRequests, status >= 500:
		e.Kind, e.Reason, e.Uncertain = Busy, fmt.Sprintf("answered %d", status), write && status >= 500
		if after := resp.Header.Get("Retry-After"); after != "" {
			e.Reason += ", Retry-After " + c.quote(after)
		}
	default:
		e.Kind, e.Reason = Refused, fmt.Sprintf("refused (%d)", status)
	}
	e.Said = c.quote(Message(answer.Body))
	return Answer{}, e
}

// vanished explains a 404.
func vanished(path string) string {
	if strings.Count(strings.Trim(path, "/"), "/") > 1 {
		return "there is no object of this id any more, or it belongs to another org"
	}
	return "this is not a path of the API: is this the API's own URL?"
}

// notJSON says what is wrong with a body that should be JSON, empty for JSON.
func notJSON(body []byte) string {
	var syntax *json.SyntaxError
	err := json.Unmarshal(body, new(json.RawMessage))
	switch trimmed := bytes.TrimSpace(body); {
	case err == nil:
		return ""
	case len(trimmed) == 0:
		return "the answer is empty, where JSON is expected"
	case trimmed[0] == '<':
		return "the answer is HTML, not JSON: a login page, or not the API's own URL"
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(body)):
		return fmt.Sprintf("the answer is truncated: JSON that ends after %d bytes", len(body))
	default:
		return "the answer is not JSON"
	}
}

// target is where a redirect leads, by its host alone: the rest may be a secret.
func (c *Client) target(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return c.quote(location.Host)
}

// Message finds the server's own words in an error body, as it wrote them: they are foreign. A page has none.
func Message(body []byte) string {
	var doc map[string]json.RawMessage
	if json.Unmarshal(body, &doc) != nil {
		if text := strings.TrimSpace(string(body)); !strings.HasPrefix(text, "<") {
			return text
		}
		return ""
	}
	var nested struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(doc["error"], &nested) // a text, or absent
	return cmp.Or(nested.Message, text(doc["error"]), text(doc["message"]), text(doc["detail"]), text(doc["Message"]))
}

// text is a JSON string's value, empty for any other JSON.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// maxQuote is the longest quotation of a foreign text, in characters.
const maxQuote = 300

// quote returns a foreign text in one short line, without what the metadata listed so far may hold of credentials. The redactor is told of
// that only here, as it takes memory and most listings end without an error.
func (c *Client) quote(text string) string {
	c.mu.Lock()
	listed := c.listed
	c.listed = nil
	for _, metadata := range listed {
		c.HideMetadata(metadata)
	}
	c.mu.Unlock()
	return c.redactor.Foreign(text, maxQuote)
}
