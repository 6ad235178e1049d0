package conformance

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
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
		phrases: phrases(func(_ *steps.Steps, b steps.Binder) {
			b.When(`^number (\d+) is run$`, func(n int) { order = append(order, n) })
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
	enter := func(int) error {
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
		phrases: phrases(func(_ *steps.Steps, b steps.Binder) { b.When(`^number (\d+) is run$`, enter) })})
	assert.Equal(t, 0, result.ExitCode(), result.Headline())
	assert.Equal(t, wanted, most)
	assert.False(t, slices.ContainsFunc(result.Scenarios, func(s report.Scenario) bool { return s.Duration <= 0 || s.Duration > time.Hour }))
}
