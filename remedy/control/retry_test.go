package control_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
)

// The tests of this file run on synctest's clock: waits cost nothing and are exact.

// step is what one request meets: an error, or an answer.
type step struct {
	err    error
	status int
	after  string
	body   io.Reader
}

// script is a transport that plays its steps, the last one again and again.
type script struct {
	steps []step
	asked []time.Time
}

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	n := min(len(s.asked), len(s.steps)-1)
	s.asked = append(s.asked, time.Now())
	at := s.steps[n]
	if at.err != nil {
		return nil, at.err
	}
	header := http.Header{}
	if at.after != "" {
		header.Set("Retry-After", at.after)
	}
	body := at.body
	if body == nil {
		body = strings.NewReader(`{"id":"x"}`)
	}
	return &http.Response{StatusCode: at.status, Header: header, Body: io.NopCloser(body)}, nil
}

func (s *script) client() *control.Client {
	return control.New("http://api.example", key, &http.Client{Transport: s})
}

func dialError() error { return &net.OpError{Op: "dial", Err: errors.New("connection refused")} }
func lost() error      { return &net.OpError{Op: "read", Err: errors.New("connection reset")} }

// brokenBody ends early.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{{status: status, after: "7"}, {status: 200}}}
			_, err := s.client().Get(t.Context(), "/v1/ai_secret/x")
			require.NoError(t, err)
			require.Len(t, s.asked, 2)
			assert.Equal(t, 7*time.Second, s.asked[1].Sub(s.asked[0]))
		})
	}
}

func TestReadsAreSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first step
		asked int
		kind  control.Kind
	}{
		"429":              {step{status: 429}, 5, control.Busy},
		"500":              {step{status: 500}, 5, control.Busy},
		"502":              {step{status: 502}, 5, control.Busy},
		"refused":          {step{err: dialError()}, 5, control.Unreachable},
		"lost":             {step{err: lost()}, 5, control.Unreachable},
		"broken":           {step{status: 200, body: brokenBody{}}, 5, control.Broken},
		"no such name":     {step{err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}}, 1, control.Unreachable},
		"far too long":     {step{status: 429, after: "3600"}, 1, control.Busy},
		"overflowing wait": {step{status: 429, after: "9223372036854775807"}, 1, control.Busy},
		"400":              {step{status: 400}, 1, control.Refused},
		"401":              {step{status: 401}, 1, control.WrongKey},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{c.first}}
			_, err := s.client().Get(t.Context(), "/v1/ai_secret/x")
			assert.Equal(t, c.kind, control.KindOf(err), name)
			assert.Len(t, s.asked, c.asked, name)
		})
	}
}

func TestWritesAreSentAgainOnlyWhereNothingWasApplied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first     step
		asked     int
		uncertain bool
	}{
		"429":     {step{status: 429}, 5, false},
		"refused": {step{err: dialError()}, 5, false},
		"500":     {step{status: 500}, 1, true},
		"503":     {step{status: 503, after: "1"}, 1, true},
		"lost":    {step{err: lost()}, 1, true},
		"broken":  {step{status: 200, body: brokenBody{}}, 1, true},
		"no JSON": {step{status: 200, body: strings.NewReader("<html>")}, 1, true},
		"400":     {step{status: 400}, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: []step{c.first}}
			_, err := s.client().Patch(t.Context(), "/v1/ai_secret/x", []byte(`{}`))
			var e *control.Error
			require.ErrorAs(t, err, &e, name)
			assert.Len(t, s.asked, c.asked, name)
			assert.Equal(t, c.uncertain, e.Uncertain, name)
			assert.Equal(t, c.uncertain, strings.Contains(err.Error(), "read it back"), name)
		})
	}
}

func TestACallIsSentAgainOnlyWhereNoModelAnswered(t *testing.T) {
	t.Parallel()
	completed := func() step { return step{status: 200, body: strings.NewReader(completion)} }
	for name, c := range map[string]struct {
		steps  []step
		asked  int
		waited time.Duration
		status int
	}{
		"429 once":         {[]step{{status: 429, after: "7"}, completed()}, 2, 7 * time.Second, 200},
		"429 for good":     {[]step{{status: 429, after: "60"}}, 5, 4 * time.Minute, 429},
		"429 for an hour":  {[]step{{status: 429, after: "3600"}, completed()}, 1, 0, 429},
		"no connection":    {[]step{{err: dialError()}, completed()}, 2, time.Second / 4, 200},
		"the upstream 401": {[]step{{status: 401}, completed()}, 1, 0, 401},
		"503":              {[]step{{status: 503, after: "1"}, completed()}, 1, 0, 503},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{steps: c.steps}
			got, err := s.client().Proxy(t.Context(), control.Call{Model: "acme-chat"})
			require.NoError(t, err, name)
			assert.Equal(t, c.status, got.Status, name)
			assert.Equal(t, c.status == 200, got.OK, name)
			require.Len(t, s.asked, c.asked, name)
			assert.Equal(t, c.waited, s.asked[c.asked-1].Sub(s.asked[0]), name)
		})
	}
}

func TestInterruptedWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		s := &script{steps: []step{{status: 429, after: "7"}}}
		_, err := s.client().Patch(ctx, "/v1/ai_secret/x", []byte(`{}`))
		var e *control.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, control.Interrupted, e.Kind)
		assert.False(t, e.Uncertain, "a 429 was not applied")
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// never is an answer that does not come.
type never struct{}

func (never) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNoMoreThanEightInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var inFlight, answered atomic.Int32
		release := make(chan struct{})
		client := control.New("http://api.example", key, &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			inFlight.Add(1)
			<-release
			inFlight.Add(-1)
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		})})
		for range 20 {
			go func() {
				_, err := client.Get(t.Context(), "/v1")
				assert.NoError(t, err)
				answered.Add(1)
			}()
		}
		synctest.Wait()
		assert.EqualValues(t, 8, inFlight.Load(), "all that may be sent was sent")
		close(release)
		synctest.Wait()
		assert.EqualValues(t, 20, answered.Load())
	})
}

// roundTrip is a transport without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNoAnswerInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := control.New("http://api.example", key, &http.Client{Transport: never{}, Timeout: 3 * time.Second})
		_, err := client.Get(t.Context(), "/v1")
		assert.Equal(t, control.Unreachable, control.KindOf(err))
		assert.ErrorContains(t, err, "api.example is unreachable: no answer in time")
		assert.Equal(t, 3*time.Second, time.Since(start), "a server that hangs is not asked again")
	})
}
