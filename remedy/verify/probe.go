package verify

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/planeproof/planeproof/internal/retry"
	"github.com/planeproof/planeproof/remedy/control"
)

const (
	// maxList is the longest answer that is read, in bytes.
	maxList = 1 << 20
	// maxWait is the longest wait before a retry.
	maxWait = 30 * time.Second
)

// A prober sends the requests of one verification.
type prober struct {
	quoter
	client  *http.Client
	retries int
	header  func(credential string) http.Header
}

// answer is one answer, judged.
type answer struct {
	status  int
	verdict Verdict
	detail  string
	advice  string // empty for the verdict's own
	models  int
}

// get sends one request, again on 429 and 503, and judges the last answer.
func (p prober) get(ctx context.Context, list, credential string) answer {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, list, nil)
	if err != nil {
		return answer{verdict: Unreachable, detail: "no request can be made: " + p.quote(reason(err).Error())}
	}
	req.Header = p.header(credential)
	resp, sent, err := retry.Policy{Retries: p.retries, MaxWait: maxWait, Again: busy}.Do(p.client, req)
	if err != nil {
		return p.noAnswer(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxList+1))
	got := p.judge(resp, body, err)
	got.status = resp.StatusCode
	if sent > 1 {
		got.detail += fmt.Sprintf(", asked %d times", sent)
	}
	return got
}

// busy says that an answer may change if the request is sent again.
func busy(resp *http.Response, err error) bool {
	return err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable)
}

// noAnswer judges a request that got no answer: never a word about the token.
func (p prober) noAnswer(ctx context.Context, err error) answer {
	var unknown x509.UnknownAuthorityError
	var netErr net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return answer{verdict: Inconclusive, detail: "the check was interrupted"}
	case errors.As(err, &unknown):
		return answer{
			verdict: Unreachable,
			detail:  "the TLS certificate is signed by an authority that is unknown here; the token was not sent",
			advice:  "give the certificate of the gateway's authority (--ca-file)",
		}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return answer{verdict: Unreachable, detail: fmt.Sprintf("no answer in time (at most %s)", p.client.Timeout)}
	default:
		return answer{verdict: Unreachable, detail: join("no answer", p.quote(reason(err).Error()))}
	}
}

// reason is the error without the URL that net/http puts in front of it.
func reason(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}

// judge reads the verdict from an answer; readErr is what ended the reading of its body early.
func (p prober) judge(resp *http.Response, body []byte, readErr error) answer {
	status := resp.StatusCode
	says := func(v Verdict) answer {
		return answer{verdict: v, detail: join(fmt.Sprintf("answered %d", status), p.quote(control.Message(body)))}
	}
	switch {
	case status == http.StatusOK && readErr != nil:
		return answer{verdict: Inconclusive, detail: "answered 200, but the answer broke off"}
	case status == http.StatusOK:
		return judgeList(body)
	case status < 300:
		return says(NotModelList)
	case status < 400:
		return answer{verdict: NotModelList, detail: fmt.Sprintf("answered %d: %s", status, p.target(resp))}
	case status == http.StatusUnauthorized:
		return says(Refused)
	case status == http.StatusForbidden:
		said := p.quote(control.Message(body))
		return answer{verdict: NotAuthorized, detail: join("answered 403, authenticated but not authorized", said)}
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone,
		status == http.StatusNotImplemented:
		return says(NotServed)
	default:
		got := says(Inconclusive)
		if after := resp.Header.Get("Retry-After"); after != "" {
			got.detail += join(", Retry-After", p.quote(after))
		}
		return got
	}
}

// target says where a redirect leads, by its host alone: the rest may be a secret.
func (p prober) target(resp *http.Response) string {
	location, err := resp.Location()
	if err != nil {
		return "a redirect without a target"
	}
	return fmt.Sprintf("a redirect to %s, which was not followed", p.line(location.Host))
}

// judgeList judges the body of a 200. A model list is an object with an array `data` of objects that have an `id`; `object` is
// "list", and only a list with models may leave it out. A bare array is none: OpenAI's clients cannot read it either.
func judgeList(body []byte) answer {
	var list struct {
		Object *string `json:"object"`
		Data   *[]struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	switch {
	case len(body) > maxList:
		return answer{verdict: Inconclusive, detail: fmt.Sprintf("answered 200 with more than %d bytes", maxList)}
	case !json.Valid(body):
		return answer{verdict: NotModelList, detail: "answered 200, but not with JSON: perhaps a login page"}
	case json.Unmarshal(body, &list) != nil || list.Data == nil,
		list.Object == nil && len(*list.Data) == 0,
		list.Object != nil && *list.Object != "list":
		return answer{verdict: NotModelList, detail: "answered 200 with JSON that is not a model list"}
	}
	for _, model := range *list.Data {
		if model.ID == "" {
			return answer{verdict: NotModelList, detail: "answered 200 with a list of something without ids"}
		}
	}
	n := len(*list.Data)
	return answer{verdict: Verified, models: n, detail: fmt.Sprintf("answered 200 with a model list of %d", n)}
}

// checkOpen sends a deliberately wrong token, once, and takes the verdict back where it is not refused: a 200 proves a token only
// if a wrong one is refused on the same path (facts: models-paths, api-key-products). It returns what came of it.
func (p prober) checkOpen(ctx context.Context, list string, got *answer) string {
	p.retries = 0
	wrong := p.get(ctx, list, "Bearer planeproof-deliberately-wrong-"+rand.Text())
	switch wrong.verdict {
	case Verified:
		got.verdict = OpenEndpoint
		return "a deliberately wrong token was sent too, and was answered with a model list"
	case Inconclusive, Unreachable:
		got.verdict = Inconclusive
		return "a deliberately wrong token was sent too, without a verdict: " + wrong.detail
	default:
		return fmt.Sprintf("a deliberately wrong token was sent too, and was not accepted (%d)", wrong.status)
	}
}

// join puts a quotation behind what introduces it, if there is one.
func join(intro, quotation string) string {
	if quotation == "" {
		return intro
	}
	return intro + ": " + quotation
}
