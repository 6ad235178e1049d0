// Package retry sends an HTTP request again where that may help.
package retry

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// The waits before a request is sent again, where the server names none: they double from the first to the last.
const (
	firstWait = time.Second / 4
	lastWait  = 4 * time.Second
)

// Policy says when a request is sent again.
type Policy struct {
	// Retries is how often it is at most.
	Retries int
	// MaxWait is the longest wait that a server may ask for with Retry-After; where it asks for more, its answer is final.
	MaxWait time.Duration
	// Again says whether it may help and cannot do harm, after an answer or an error.
	Again func(resp *http.Response, err error) bool
}

// Do sends a request through client, and again under the policy while the context's deadline leaves time for the wait. It returns the
// last answer or error, and how often the request was sent.
func (p Policy) Do(client *http.Client, r *retryablehttp.Request) (resp *http.Response, sent int, err error) {
	sender := retryablehttp.Client{
		HTTPClient: client, RetryMax: p.Retries, RetryWaitMin: firstWait, RetryWaitMax: lastWait,
		Backoff: retryablehttp.DefaultBackoff, ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	sender.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		sent++
		wait := sender.Backoff(firstWait, lastWait, sent-1, resp)
		deadline, bounded := ctx.Deadline()
		// A Retry-After of many digits overflows and is negative.
		inTime := ctx.Err() == nil && wait >= 0 && wait <= p.MaxWait && (!bounded || time.Until(deadline) > wait)
		return inTime && p.Again(resp, err), nil
	}
	resp, err = sender.Do(r)
	return resp, sent, err
}
