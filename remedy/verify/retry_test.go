package verify_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/verify"
)

// The tests of this file run on synctest's clock: waits cost nothing and are exact.

func TestNoAnswerInTimeIsUnreachable(t *testing.T) { // TOKEN-5
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got := verify.Token(t.Context(), verify.Options{Client: clientOf(hang), Timeout: 3 * time.Second, Retries: 2},
			"http://gateway:8080", token)
		unreachable(t, got, "no answer in time (at most 3s)")
		assert.Equal(t, 6*time.Second, time.Since(start), "each path once")
	})
}

func TestDefaultTimeout(t *testing.T) { // TOKEN-5
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := verify.Token(t.Context(), verify.Options{Client: clientOf(hang)}, "http://gateway:8080", token)
		unreachable(t, got, "no answer in time (at most 10s)")
	})
}

// busy answers each path with the replies in turn, the last one from then on, and keeps when it was asked.
type busy struct {
	replies []reply
	asked   map[string][]time.Time
	closed  bool
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Path
	n := len(b.asked[path])
	b.asked[path] = append(b.asked[path], time.Now())
	return answerWith(b.replies[min(n, len(b.replies)-1)]), nil
}

func retryAfter(status int, seconds string) reply {
	return reply{status: status, header: map[string]string{"Retry-After": seconds}}
}

func TestBusyIsInconclusiveAfterRetries(t *testing.T) { // TOKEN-10
	t.Parallel()
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			b := &busy{replies: []reply{retryAfter(status, "7")}, asked: map[string][]time.Time{}}
			got := verify.Token(t.Context(), verify.Options{Client: clientOf(b.RoundTrip), Retries: 2}, "http://gateway", token)
			assert.Equal(t, verify.Inconclusive, got.Verdict)
			assert.Equal(t, status, got.Paths[0].Status)
			assert.Contains(t, got.Paths[0].Detail, "asked 3 times")
			assert.Equal(t, 3, got.Verdict.ExitCode())
			asked := b.asked["/models"]
			require.Len(t, asked, 3)
			assert.Equal(t, 14*time.Second, asked[2].Sub(asked[0]), "Retry-After is kept")
		})
	}
}

// CloseIdleConnections would break the requests of others that share the transport.
func (b *busy) CloseIdleConnections() { b.closed = true }

func TestSharedTransportIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := &busy{replies: []reply{{status: 503}}, asked: map[string][]time.Time{}}
	got := verify.Token(t.Context(), verify.Options{Client: &http.Client{Transport: b}}, "http://gateway", token)
	assert.Equal(t, verify.Inconclusive, got.Verdict)
	assert.False(t, b.closed)
}

func TestBusyThenVerified(t *testing.T) { // TOKEN-10
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := reply{status: 200, body: list}
		b := &busy{replies: []reply{retryAfter(429, "1"), {status: 503}, good, refusal()}, asked: map[string][]time.Time{}}
		got := verify.Token(t.Context(), verify.Options{Client: clientOf(b.RoundTrip), Retries: 2}, "http://gateway", token)
		assert.Equal(t, verify.Verified, got.Verdict)
		assert.Len(t, b.asked["/v1/models"], 4, "three with the token, one with the wrong one")
	})
}

func TestWaitsThatAreNotWaited(t *testing.T) { // TOKEN-10
	t.Parallel()
	for name, c := range map[string]struct {
		answer  reply
		retries int
		bound   time.Duration
	}{
		"no retries asked for":      {retryAfter(429, "1"), 0, time.Hour},
		"an hour":                   {retryAfter(429, "3600"), 2, 2 * time.Hour},
		"overflow":                  {retryAfter(503, "9223372037"), 2, time.Hour},
		"beyond the caller's bound": {retryAfter(429, "20"), 2, 10 * time.Second},
		"other failures":            {reply{status: 502}, 2, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.bound)
				defer cancel()
				b := &busy{replies: []reply{c.answer}, asked: map[string][]time.Time{}}
				got := verify.Token(ctx, verify.Options{Client: clientOf(b.RoundTrip), Retries: c.retries}, "http://gateway", token)
				assert.Equal(t, verify.Inconclusive, got.Verdict)
				assert.Len(t, b.asked["/models"], 1)
				assert.Contains(t, got.Paths[0].Detail, c.answer.header["Retry-After"])
			})
		})
	}
}
