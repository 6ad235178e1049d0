package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
)

func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var c targets
	result := run(ctx, t, Options{start: c.start,
		phrases: phrases(func(b steps.Binder) {
			b.When(`^someone interrupts$`, func(*steps.Steps, context.Context) error { cancel(); return nil })
		}),
		Features: doctored(`
  @BEARER-1
  Scenario Outline: is interrupted or never begun
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When someone interrupts
    And the scorer is run
    Then <outcome>
    Examples:
      | outcome             |
      | it does not hold    |
      | it cannot be seen   |
      | it holds            |
`)})
	assert.True(t, result.Interrupted)
	assert.Equal(t, 130, result.ExitCode())
	assert.Empty(t, result.Infrastructure)
	assert.EqualValues(t, 1, c.closed.Load())
	require.Len(t, result.Scenarios, 3)
	for _, s := range result.Scenarios {
		assert.Equal(t, report.NotRun.String(), s.Verdict.String(), "an interrupt proves nothing: %v", s.Mismatches)
		assert.Equal(t, "interrupted", s.Reason)
		assert.Empty(t, s.Mismatches)
		assert.Less(t, s.Duration, time.Hour, "a scenario that never began has no beginning to count from")
	}
}

// A backup holds metadata, which may hold credentials: it must not outlive an interrupt.
func TestInterruptedScenarioLeavesNoFiles(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var dir string
	run(ctx, t, Options{
		phrases: phrases(func(b steps.Binder) {
			b.When(`^someone interrupts while a backup is there$`, func(s *steps.Steps, _ context.Context) error {
				var err error
				dir, err = s.World.Dir()
				cancel()
				return err
			})
		}),
		Features: doctored(`
  @BEARER-1
  Scenario: is interrupted with a file
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When someone interrupts while a backup is there
    And the scorer is run
    Then it holds
`)})
	require.NotEmpty(t, dir)
	assert.NoDirExists(t, dir)
}

func TestVerdictOfACompleteScenarioOutlivesAnInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := run(ctx, t, Options{
		phrases: phrases(func(b steps.Binder) {
			b.Then(`^it holds for long$`, func(*steps.Steps, context.Context) error { cancel(); return nil })
		}),
		Features: doctored(`
  @BEARER-1
  Scenario: ends in an interrupt
    Then it holds for long
`)})
	assert.Equal(t, report.Passed, result.Scenarios[0].Verdict, "all it asked for held")
	assert.Equal(t, 130, result.ExitCode())
}

func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	result := run(ctx, t, Options{Features: doctored("@BEARER-1\nScenario: one\nThen it holds"),
		start: func(ctx context.Context) (target.Target, error) { cancel(); return nil, ctx.Err() }})
	assert.Equal(t, 130, result.ExitCode())
	assert.Empty(t, result.Infrastructure, "whoever interrupts need not be told that it did not start")
	assert.Equal(t, report.NotRun, result.Scenarios[0].Verdict)
}

func TestWhatAnInterruptLeavesIsNamed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &targets{shape: func(d *doctoredTarget) {
		end := d.end
		d.end = func(ctx context.Context) error {
			assert.NoError(t, ctx.Err(), "what was started is removed after an interrupt too")
			_ = end(ctx)
			return errNoLuck
		}
	}}
	result := run(ctx, t, Options{start: c.start,
		phrases: phrases(func(b steps.Binder) {
			b.When(`^someone interrupts$`, func(*steps.Steps, context.Context) error { cancel(); return nil })
		}),
		Features: doctored("@BEARER-1\nScenario: one\nWhen someone interrupts\nThen it holds")})
	assert.Equal(t, []string{"no such luck"}, result.Infrastructure)
	assert.Equal(t, 130, result.ExitCode())
}
