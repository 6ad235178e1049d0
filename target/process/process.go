// Package process starts the systems as servers on loopback ports of this process: no engine, no image, the same addresses as in
// containers. What a scenario sets and reads goes to the fakes directly, by no control listener.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target"
)

// Target is the three fakes, served until Close.
type Target struct {
	description target.Description
	upstream    string // base URL of the gateway, below which tenants lie
	client      *http.Client
	proxy       *Proxy // of somebody else's, in the middle; nil for none

	gateway     *gateway.Tenants
	dataPlane   *dataplane.Tenants
	legacyProxy *legacyproxy.Tenants

	stop  context.CancelFunc
	done  sync.WaitGroup
	mu    sync.Mutex
	ended error // why systems ended before Close
}

// Start serves the systems until Close, on loopback ports that the kernel chooses. With a proxy in the middle the data plane listens
// where the proxy looks for it, and passes calls on to it; a port in use is an error.
func Start(ctx context.Context, proxy *Proxy) (*Target, error) {
	return StartSabotaged(ctx, proxy, sabotage.Sabotage{})
}

// StartSabotaged serves systems that are broken on purpose; the zero Sabotage breaks nothing.
func StartSabotaged(ctx context.Context, proxy *Proxy, broken sabotage.Sabotage) (*Target, error) {
	t := &Target{
		description: target.Description{Runtime: "process", Fakes: proxy == nil},
		upstream:    tenancy.URL(string(target.Gateway)),
	}
	routes, fixed, legacyProxy := tenancy.ClosedRoute(), "", tenancy.LegacyProxyBase
	if proxy != nil {
		address, err := proxy.reach(ctx)
		if err != nil {
			return nil, err
		}
		routes[address] = address
		fixed, legacyProxy = proxy.DataPlaneAddr, proxy.URL
		t.description.Lacks, t.proxy = proxy.lacks(), proxy
	}
	listeners, err := listen(ctx, fixed, routes)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		// The names inside the network mean nothing to a proxy outside it.
		address := routes[tenancy.Address(string(target.Gateway))]
		routes[address] = address
		t.upstream = "http://" + address
	}
	broken.Network(routes)
	t.client = routes.Client()
	t.client.Timeout = target.AnswerTime
	t.gateway = gateway.NewTenants()
	t.dataPlane = dataplane.NewTenants(routes, legacyProxy)
	t.legacyProxy = legacyproxy.NewTenants(routes, tenancy.URL(string(target.DataPlane)))
	t.gateway.Tamper(broken.Gateway)
	t.dataPlane.Tamper(broken.DataPlane)
	t.legacyProxy.Tamper(broken.LegacyProxy)
	t.serve(ctx, listeners)
	return t, nil
}

// serve runs the fakes until Close.
func (t *Target) serve(ctx context.Context, listeners map[target.System]net.Listener) {
	ctx, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	for system, handler := range map[target.System]http.Handler{
		target.Gateway: t.gateway, target.DataPlane: t.dataPlane, target.LegacyProxy: t.legacyProxy,
	} {
		t.done.Go(func() {
			if err := tenancy.Serve(ctx, handler, listeners[system]); err != nil {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.ended = errors.Join(t.ended, fmt.Errorf("%s: %w", system, err))
			}
		})
	}
}

// Describe tells what the target is.
func (t *Target) Describe() target.Description { return t.description }

// Renew has nothing to keep alive: the systems end with this process. It tells whether one has ended before.
func (t *Target) Renew(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// Close ends the systems; its error says which had ended before.
func (t *Target) Close(ctx context.Context) error {
	t.client.CloseIdleConnections()
	t.stop()
	t.done.Wait()
	return t.Renew(ctx)
}

// Open makes a share of the systems.
func (t *Target) Open(_ context.Context, s target.Scenario) (target.Share, error) {
	return &share{target: t, scenario: s}, nil
}

// listen opens a data port for each system, the data plane's at its fixed address where there is one, and adds their routes.
func listen(ctx context.Context, fixed string, routes tenancy.Routes) (map[target.System]net.Listener, error) {
	listeners := map[target.System]net.Listener{}
	var config net.ListenConfig
	for _, system := range target.Systems() {
		at := "127.0.0.1:0"
		if system == target.DataPlane && fixed != "" {
			at = fixed
		}
		listener, err := config.Listen(ctx, "tcp", at)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("listen for %s: %w", system, err)
		}
		listeners[system] = listener
		routes[tenancy.Address(string(system))] = listener.Addr().String()
	}
	return listeners, nil
}
