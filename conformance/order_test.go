package conformance

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
)

const eight = `
  @BEARER-1
  Scenario Outline: numbered
    When number <n> is run
    Examples:
      | n |
      | 1 |
      | 2 |
      | 3 |
      | 4 |
      | 5 |
      | 6 |
      | 7 |
      | 8 |
`

// orderOf is the order in which a seed runs eight scenarios.
func orderOf(t *testing.T, seed int64) []int {
	t.Helper()
	var order []int
	result := run(t.Context(), t, Options{Seed: seed, Features: doctored(eight),
		phrases: phrases(func(b steps.Binder) {
			b.When(`^number (\d+) is run$`, func(_ *steps.Steps, _ context.Context, n int) error { order = append(order, n); return nil })
		})})
	require.Equal(t, 0, result.ExitCode())
	for i, s := range result.Scenarios {
		require.Contains(t, s.ID, "[n="+strconv.Itoa(i+1)+"]", "the report keeps the order of the files")
	}
	return order
}

func TestSeedRepeatsTheOrder(t *testing.T) {
	t.Parallel()
	first := orderOf(t, 1)
	assert.Equal(t, first, orderOf(t, 1))
	assert.NotEqual(t, first, orderOf(t, 2))
	slices.Sort(first)
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8}, first)
}

// TestConcurrencyIsHonoured lets nobody go on before three run at once, and counts whether there are ever more.
func TestConcurrencyIsHonoured(t *testing.T) {
	t.Parallel()
	const wanted = 3
	var (
		mu            sync.Mutex
		running, most int
	)
	three := make(chan struct{})
	limit, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	enter := func(*steps.Steps, context.Context, int) error {
		mu.Lock()
		running++
		most = max(most, running)
		if running == wanted {
			select {
			case <-three:
			default:
				close(three)
			}
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			running--
		}()
		select {
		case <-three:
			return nil
		case <-limit.Done():
			return errors.New("three never ran at once")
		}
	}
	result := run(t.Context(), t, Options{Concurrency: wanted, Features: doctored(eight),
		phrases: phrases(func(b steps.Binder) { b.When(`^number (\d+) is run$`, enter) })})
	assert.Equal(t, 0, result.ExitCode(), result.Headline())
	assert.Equal(t, wanted, most)
	assert.False(t, slices.ContainsFunc(result.Scenarios, func(s report.Scenario) bool { return s.Duration <= 0 || s.Duration > time.Hour }))
}

// TestPhrasesAreBoundOnce has a file of two behaviours: what was not chosen is not begun, and nothing is compiled twice.
func TestPhrasesAreBoundOnce(t *testing.T) {
	t.Parallel()
	var bound atomic.Int32
	worlds := map[*steps.Steps]bool{}
	result := run(t.Context(), t, Options{Tags: "@BEARER-1", Features: doctored(eight + `
  @BEARER-2
  Scenario: of another behaviour
    When number 9 is run
`),
		phrases: func(b steps.Binder) {
			bound.Add(1)
			b.When(`^number (\d+) is run$`, func(s *steps.Steps, _ context.Context, n int) error {
				assert.NotEqual(t, 9, n, "not chosen")
				worlds[s] = true
				return nil
			})
		}})
	assert.Equal(t, 0, result.ExitCode(), result.Headline())
	assert.EqualValues(t, 1, bound.Load())
	assert.Len(t, worlds, 8, "each scenario has Steps of its own")
}
