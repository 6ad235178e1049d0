package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

var (
	errBroken   = errors.New("the answer broke off")
	errTooLong  = errors.New("the answer is too long")
	errDeadline = errors.New("no answer in time")
)

// transport reads each answer to its end before it hands it on: so the bounds on time and on requests in flight cover the body,
// and an answer that breaks off can be asked for again. It hides the CloseIdleConnections of the transport behind it, which
// retryablehttp calls after a failure: on a transport that others use at the same time it can break their requests.
type transport struct {
	next    http.RoundTripper
	timeout time.Duration
	slots   chan struct{}
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), t.timeout, errDeadline)
	defer cancel()
	resp, err := t.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, cause(ctx, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return nil, cause(ctx, errBroken)
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// cause puts the end of our own time in the place of what it led to.
func cause(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errDeadline) {
		return errDeadline
	}
	return err
}

// again says whether a request is worth sending again, and cannot do harm by it.
func again(method string, resp *http.Response, err error) bool {
	read := method == http.MethodGet
	switch {
	case err == nil && resp.StatusCode == http.StatusTooManyRequests:
		return true
	case err == nil:
		return read && resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented
	case neverSent(err):
		return !isNotFound(err)
	default:
		return read && broken(err)
	}
}

// neverSent says that no connection came about, so that the server saw nothing.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isNotFound says that a name does not exist: asking again does not help.
func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// broken says that a connection was lost on the way; a TLS failure or a malformed answer comes again.
func broken(err error) bool {
	var op *net.OpError
	return errors.Is(err, errBroken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &op) && (op.Op == "read" || op.Op == "write")
}
