package tenancy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
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

// Serve serves a handler on a listener until ctx ends or the listener fails. When it returns, nothing of it runs any more.
func Serve(ctx context.Context, handler http.Handler, listener net.Listener) error {
	server := newServer(handler)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	shutdown(server)
	<-failed
	return nil
}

// Run serves a fake on two listeners until ctx ends, a listener fails, or the lease runs out; a lease of 0 never does. The control
// listener is guarded.
func Run(ctx context.Context, fake Fake, data, control net.Listener, lease time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	serve := func(handler http.Handler, listener net.Listener) {
		if err := Serve(ctx, handler, listener); err != nil {
			cancel(err)
		}
	}
	all.Go(func() { serve(fake, data) })
	all.Go(func() { serve(&guard{next: fake.Control()}, control) })
	if lease > 0 {
		all.Go(func() {
			if fake.Lease(ctx, lease) {
				cancel(ErrLease)
			}
		})
	}
	all.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// shutdown ends a server on a fresh context, as the one that ended cannot wait for anything.
func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// Of the whole request; net/http ends one that is still unanswered then too, such as one that a fault holds back.
		ReadTimeout: 2 * time.Minute,
		IdleTimeout: time.Minute,
		// net/http's own complaints are about clients that leave; what matters is in the journal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
}
