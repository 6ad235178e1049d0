package tenancy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Fake is a system that can be served: its data port is the handler itself.
type Fake interface {
	http.Handler
	Control() http.Handler
	Lease(ctx context.Context, ttl time.Duration) bool
}

// ErrLease is what Run returns when the lease was not renewed in time.
var ErrLease = errors.New("the control lease was not renewed")

// shutdownTime bounds how long requests under way may go on after the end of a fake. net/http counts a connection that was dialled
// and never used as one of them, and clients leave such connections behind.
const shutdownTime = 200 * time.Millisecond

// Run serves a fake on two listeners until ctx ends, a listener fails, or the lease runs out; a lease of 0 never does.
func Run(ctx context.Context, fake Fake, data, control net.Listener, lease time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	servers := []*http.Server{newServer(fake), newServer(fake.Control())}
	for i, listener := range []net.Listener{data, control} {
		go func() {
			if err := servers[i].Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("serve %s: %w", listener.Addr(), err))
			}
		}()
	}
	if lease > 0 {
		go func() {
			if fake.Lease(ctx, lease) {
				cancel(ErrLease)
			}
		}()
	}
	<-ctx.Done()
	shutdown(servers)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// shutdown ends the servers on a fresh context, as the one that ended cannot wait for anything.
func shutdown(servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// net/http's own complaints are about clients that leave; what matters is in the journal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}
