package conformance

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
)

// deafShare takes every request and answers none.
type deafShare struct {
	target.Share
	endless bool // an answer begins, and does not end
}

func (s deafShare) Reach() target.Reach {
	reach := s.Share.Reach()
	client := *reach.Client
	next := client.Transport
	client.Timeout = 50 * time.Millisecond
	if s.endless {
		client.Timeout = 3 * time.Second // in which an answer begins
	}
	client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if !s.endless {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		answer, err := next.RoundTrip(r)
		if err == nil {
			answer.Body = endless{r.Context()}
		}
		return answer, err
	})
	reach.Client = &client
	return reach
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

type endless struct{ ctx context.Context }

func (e endless) Read([]byte) (int, error) { <-e.ctx.Done(); return 0, e.ctx.Err() }
func (e endless) Close() error             { return nil }

// A system that accepts and never answers must not hold up a run, and says nothing of itself.
func TestSystemThatNeverAnswers(t *testing.T) {
	t.Parallel()
	for what, endless := range map[string]bool{"no answer from data-plane:8080": false, "no end of the answer from data-plane:8080": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := &targets{shape: func(d *doctoredTarget) { d.share = func(s target.Share) target.Share { return deafShare{s, endless} } }}
			result := run(t.Context(), t, Options{start: c.start, Features: doctored(`
  @BEARER-1
  Scenario: asks what never answers
    Given all is well
    When the scorer is run
    Then the scorer succeeds
`)})
			require.Len(t, result.Scenarios, 1)
			assert.Equal(t, report.Broken, result.Scenarios[0].Verdict, "%v", result.Scenarios[0].Mismatches)
			assert.Contains(t, result.Scenarios[0].Reason, what)
			assert.Equal(t, 3, result.ExitCode())
		})
	}
}

// Where a system is lost, the scenarios that are left would each wait for it.
func TestRunStopsWhereASystemIsLost(t *testing.T) {
	t.Parallel()
	c := &targets{shape: func(d *doctoredTarget) { d.renew = func(context.Context) error { return errNoLuck } }}
	result := run(t.Context(), t, Options{start: c.start, renewEvery: time.Millisecond,
		phrases: phrases(func(b steps.Binder) {
			b.When(`^it waits for the end of the run$`, func(_ *steps.Steps, ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}),
		Features: doctored(`
  @BEARER-1
  Scenario Outline: is begun or not
    When it waits for the end of the run
    Then <outcome>
    Examples:
      | outcome          |
      | it does not hold |
      | it holds         |
`)})
	assert.Equal(t, 3, result.ExitCode())
	assert.False(t, result.Interrupted)
	assert.Equal(t, []string{"renew lease: no such luck"}, result.Infrastructure)
	require.Len(t, result.Scenarios, 2)
	for _, s := range result.Scenarios {
		assert.Equal(t, report.NotRun, s.Verdict)
		assert.Equal(t, "renew lease: no such luck", s.Reason)
	}
	assert.EqualValues(t, 1, c.closed.Load())
}
