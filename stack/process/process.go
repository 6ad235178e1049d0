// Package process starts the systems as servers on loopback ports of this process: no engine, no image, the same addresses.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/stack"
)

// Start serves the three systems until Close. It needs six free loopback ports, which the kernel chooses.
func Start(ctx context.Context) (*stack.Stack, error) {
	listeners, routes, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	fakes := map[string]tenancy.Fake{
		"gateway":      gateway.New(),
		"data-plane":   dataplane.New(routes, stack.LegacyProxy().URL),
		"legacy-proxy": legacyproxy.New(routes, stack.DataPlane().URL),
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		ended error
	)
	for name, fake := range fakes {
		wg.Go(func() {
			// A lease would be kept by the same process that it watches.
			if err := tenancy.Run(ctx, fake, listeners[name+":8080"], listeners[name+":8081"], 0); err != nil {
				mu.Lock()
				defer mu.Unlock()
				ended = errors.Join(ended, fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	client := routes.Client()
	return &stack.Stack{
		Runtime: "process",
		Client:  client,
		Output:  func(context.Context, string) (string, error) { return "", nil }, // the handlers print nothing
		Close: func(context.Context) error {
			client.CloseIdleConnections()
			cancel()
			wg.Wait()
			return ended
		},
	}, nil
}

// listen opens a data port and a control listener for each system, and maps their addresses to them.
func listen(ctx context.Context) (map[string]net.Listener, tenancy.Routes, error) {
	listeners := map[string]net.Listener{}
	routes := stack.ClosedRoute()
	var config net.ListenConfig
	for _, address := range stack.Addresses() {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, nil, fmt.Errorf("listen for %s: %w", address, err)
		}
		listeners[address] = listener
		routes[address] = listener.Addr().String()
	}
	return listeners, routes, nil
}
