package control

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Each calls do for 0 to n-1, so many at a time as a client has requests in flight, and tells progress, where it is not nil, how many
// succeeded, from one goroutine at a time. The first error is returned: it ends the context of the calls that are under way, and no
// other begins.
func Each(ctx context.Context, n int, do func(ctx context.Context, i int) error, progress func(done, total int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxInFlight)
	var mu sync.Mutex // guards done, and the caller's progress
	done := 0
	for i := range n {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := do(ctx, i); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if progress != nil {
				progress(done, n)
			}
			return nil
		})
	}
	return group.Wait()
}
