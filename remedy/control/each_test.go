package control_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
)

func TestEachIsBoundedAndTellsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var inFlight atomic.Int32
		var seen [20]atomic.Int32
		var progress []int
		go func() {
			synctest.Wait()
			assert.EqualValues(t, 8, inFlight.Load(), "all that may begin began")
			close(release)
		}()
		err := control.Each(t.Context(), len(seen), func(_ context.Context, i int) error {
			inFlight.Add(1)
			<-release
			inFlight.Add(-1)
			seen[i].Add(1)
			return nil
		}, func(done, total int) {
			assert.Equal(t, len(seen), total)
			progress = append(progress, done)
		})
		require.NoError(t, err)
		for i := range seen {
			assert.EqualValues(t, 1, seen[i].Load(), i)
			assert.Equal(t, i+1, progress[i])
		}
	})
}

func TestEachEndsAtTheFirstError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := errors.New("first")
		var begun atomic.Int32
		err := control.Each(t.Context(), 1000, func(ctx context.Context, i int) error {
			begun.Add(1)
			if i == 3 {
				return first
			}
			<-ctx.Done()
			return ctx.Err()
		}, nil)
		require.ErrorIs(t, err, first)
		assert.LessOrEqual(t, begun.Load(), int32(8))
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := control.Each(ctx, 1, func(context.Context, int) error { return nil }, nil)
	assert.ErrorIs(t, err, context.Canceled, "what was not begun is no success")
	assert.NoError(t, control.Each(t.Context(), 0, nil, nil))
}
