// Package sabotage is a catalogue of systems that are broken on purpose, one fault each: what the suite must not call good.
package sabotage

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target/settings"
)

// What one tenant's system can have done to it.
type (
	onGateway     = tenancy.Tampering[settings.Gateway]
	onDataPlane   = tenancy.Tampering[settings.DataPlane]
	onLegacyProxy = tenancy.Tampering[settings.LegacyProxy]
)

// Sabotage is one way in which systems are broken on purpose. A field that is nil breaks nothing; each function is called once for each
// tenant, so that what it remembers is that tenant's.
type Sabotage struct {
	// Name is in kebab-case, Says is what is broken, a sentence without a full stop.
	Name, Says string

	gateway     func() onGateway
	dataPlane   func() onDataPlane
	legacyProxy func() onLegacyProxy
	// proxy changes each call that an AI proxy serves: the legacy proxy's on v1, the data plane's own on v2 and with Gateway.
	proxy func() func(*routing.Call)
	// network changes where addresses lead.
	network func(tenancy.Routes)
}

// Catalogue is all of them, by system.
func Catalogue() []Sabotage {
	return slices.Concat(gateways(), faults(), wires(), journals(), sends(), choices(), caches(), answers(), logs(), planes(), keys(), listings(), objects(), writes())
}

// Find returns the sabotage of that name.
func Find(name string) (Sabotage, error) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(s Sabotage) bool { return s.Name == name })
	if i < 0 {
		return Sabotage{}, fmt.Errorf("no sabotage is called %q", name)
	}
	return all[i], nil
}

// Where names what is broken.
func (s Sabotage) Where() string {
	var all []string
	for _, part := range []struct {
		name   string
		broken bool
	}{
		{"gateway", s.gateway != nil}, {"AI proxy", s.proxy != nil}, {"data plane", s.dataPlane != nil}, {"legacy proxy", s.legacyProxy != nil},
		{"network", s.network != nil},
	} {
		if part.broken {
			all = append(all, part.name)
		}
	}
	return strings.Join(all, ", ")
}

// Gateway is what is done to each tenant's gateway.
func (s Sabotage) Gateway() onGateway { return made(s.gateway) }

// DataPlane is what is done to each tenant's data plane.
func (s Sabotage) DataPlane() onDataPlane {
	with := made(s.dataPlane)
	with.Serve = both(with.Serve, s.calls())
	return with
}

// LegacyProxy is what is done to each tenant's legacy proxy.
func (s Sabotage) LegacyProxy() onLegacyProxy {
	with := made(s.legacyProxy)
	with.Serve = both(with.Serve, s.calls())
	return with
}

// Network changes where addresses lead.
func (s Sabotage) Network(routes tenancy.Routes) {
	if s.network != nil {
		s.network(routes)
	}
}

func made[T any](make func() T) (made T) {
	if make != nil {
		made = make()
	}
	return made
}

// calls is nothing where nothing is broken. It changes the calls of one tenant's AI proxy. It begins at each candidate in turn, whatever is broken: what fails by chance could
// not be compared.
func (s Sabotage) calls() func(http.Handler) http.Handler {
	if s.Name == "" {
		return nil
	}
	var turn atomic.Int64
	change := made(s.proxy)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, routing.With(r, func(c *routing.Call) {
				if c.Start == nil {
					c.Start = func(n int) int { return int(turn.Add(1)-1) % n }
				}
				if change != nil {
					change(c)
				}
			}))
		})
	}
}

// both puts one handler before another.
func both(first, second func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(next http.Handler) http.Handler { return first(second(next)) }
}
