// Package process starts the systems as servers on loopback ports of this process: no engine, no image, the same addresses.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/stack"
)

// Proxy is a running AI proxy of somebody else's that takes the place of the fake legacy proxy. It gets its credentials from our
// data plane's /api/secret, and must have been told to before.
type Proxy struct {
	// URL is the base to which request paths such as /chat/completions are added.
	URL string
	// DataPlaneAddr is the HOST:PORT on which our data plane listens for it.
	DataPlaneAddr string
}

// address is the host:port of the proxy's URL.
func (p Proxy) address() (string, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", errors.New("the proxy's URL is not http://HOST:PORT/…")
	}
	return u.Host, nil
}

// reach returns the proxy's address after connecting to it once: of a proxy that is not there nothing can be judged.
func (p Proxy) reach(ctx context.Context) (string, error) {
	address, err := p.address()
	if err != nil {
		return "", err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("reach the proxy in the middle: %w", err)
	}
	_ = conn.Close() // nothing was sent
	return address, nil
}

// lacks are the capabilities that a proxy of somebody else's takes away.
func (p Proxy) lacks() map[stack.Capability]string {
	const reason = "the proxy in the middle is not ours: "
	return map[stack.Capability]string{
		stack.Logs:             reason + "its log cannot be read",
		stack.ChooseGeneration: reason + "its generation cannot be chosen",
		stack.Upgrade:          reason + "it cannot be upgraded",
		stack.ProjectWrites:    reason + "/api/secret hands it no project's secrets",
	}
}

// Start serves the systems until Close, on loopback ports that the kernel chooses. With a proxy in the middle the data plane listens
// where the proxy looks for it, and passes calls on to it; a port in use is an error.
func Start(ctx context.Context, proxy *Proxy) (*stack.Stack, error) {
	fixed := map[string]string{}
	legacyProxy := stack.LegacyProxyBase
	s := &stack.Stack{Runtime: "process", GatewayURL: stack.Gateway().URL}
	routes := stack.ClosedRoute()
	if proxy != nil {
		address, err := proxy.reach(ctx)
		if err != nil {
			return nil, err
		}
		fixed["data-plane:8080"] = proxy.DataPlaneAddr
		routes[address] = address
		legacyProxy, s.ProxyURL, s.Lacks = proxy.URL, proxy.URL, proxy.lacks()
	}
	listeners, err := listen(ctx, fixed, routes)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		// The names inside the network mean nothing to a proxy outside it.
		gateway := routes["gateway:8080"]
		routes[gateway] = gateway
		s.GatewayURL = "http://" + gateway
	}
	s.Client = routes.Client()
	s.Output = func(context.Context, string) (string, error) { return "", nil } // the handlers print nothing
	closed := serve(ctx, listeners, map[string]tenancy.Fake{
		"gateway":      gateway.New(),
		"data-plane":   dataplane.New(routes, legacyProxy),
		"legacy-proxy": legacyproxy.New(routes, stack.DataPlane().URL),
	})
	s.Close = func(context.Context) error {
		s.Client.CloseIdleConnections()
		return closed()
	}
	return s, nil
}

// serve runs the fakes until the returned function is called; its error says which ended before.
func serve(ctx context.Context, listeners map[string]net.Listener, fakes map[string]tenancy.Fake) func() error {
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
	return func() error {
		cancel()
		wg.Wait()
		return ended
	}
}

// listen opens a data port and a control listener for each system, at its fixed address or any on loopback, and adds their routes.
func listen(ctx context.Context, fixed map[string]string, routes tenancy.Routes) (map[string]net.Listener, error) {
	listeners := map[string]net.Listener{}
	var config net.ListenConfig
	for _, address := range stack.Addresses() {
		at := fixed[address]
		if at == "" {
			at = "127.0.0.1:0"
		}
		listener, err := config.Listen(ctx, "tcp", at)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("listen for %s: %w", address, err)
		}
		listeners[address] = listener
		routes[address] = listener.Addr().String()
	}
	return listeners, nil
}
