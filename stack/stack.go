// Package stack says where the systems under test come from and how a scenario reaches them: their addresses, the tenants on
// them, and what they kept as evidence. Its subpackages start them in one process or in containers.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

// LeaseTime is how long a fake lives without a renewal of its lease.
const LeaseTime = 60 * time.Second

// System is one of the systems under test, by the addresses it has inside the network.
type System struct {
	Name    string
	URL     string // base of the data port
	Control string // base of the control listener
}

// Systems lists the three in the order in which requests travel backwards: gateway, data plane, legacy proxy.
func Systems() []System {
	return []System{Gateway(), DataPlane(), LegacyProxy()}
}

// Gateway is the OpenAI-compatible upstream.
func Gateway() System { return system("gateway") }

// DataPlane serves the control API, /api/secret and /v1/proxy.
func DataPlane() System { return system("data-plane") }

// LegacyProxy is the AI proxy that a data plane on v1 uses.
func LegacyProxy() System { return system("legacy-proxy") }

// LegacyProxyBase is where a data plane on v1 passes calls on to.
const LegacyProxyBase = "http://legacy-proxy:8080/{tenant}/v1"

func system(name string) System {
	return System{Name: name, URL: "http://" + name + ":8080", Control: "http://" + name + ":8081"}
}

// ClosedURL is a base URL that every stack maps to a port where nothing listens.
const ClosedURL = "http://closed:8080"

// Addresses are the host:port pairs of all systems, data ports and control listeners.
func Addresses() []string {
	var all []string
	for _, s := range Systems() {
		all = append(all, s.Name+":8080", s.Name+":8081")
	}
	return all
}

// Capability is something a scenario may need and a stack may lack.
type Capability string

// The capabilities; a scenario asks for one by the tag `@needs-` and its name.
const (
	Journal          Capability = "journal"           // what each system received can be read
	Logs             Capability = "logs"              // the systems' log entries can be read
	ChooseGeneration Capability = "choose-generation" // the harness decides v1 or v2, and the proxy's generation
	Upgrade          Capability = "upgrade"           // a data plane can be upgraded while its secrets stay
	OrgWrites        Capability = "org-writes"        // org provider secrets can be made and changed
	ProjectWrites    Capability = "project-writes"    // project provider secrets can be made and changed
	TestKey          Capability = "test-key"          // the console's Test key can be pressed
)

// Capabilities lists all of them.
func Capabilities() []Capability {
	return []Capability{Journal, Logs, ChooseGeneration, Upgrade, OrgWrites, ProjectWrites, TestKey}
}

// Stack is the systems under test, started.
type Stack struct {
	// Runtime is `process` or `docker`.
	Runtime string
	// Client reaches the systems by the addresses they have inside their network, and nothing else.
	Client *http.Client
	// GatewayURL is the gateway's base URL as the systems under test can reach it, which goes into every api_base.
	GatewayURL string
	// ProxyURL is the base URL of a proxy of somebody else's in the middle, instead of the fake legacy proxy; empty for none.
	ProxyURL string
	// Lacks says for each capability that is missing why it is.
	Lacks map[Capability]string
	// Output returns all that one system printed.
	Output func(ctx context.Context, name string) (string, error)
	// Close ends the systems and removes what was created; its error names what is left.
	Close func(ctx context.Context) error
}

// Tenant is a scenario's share of the three systems.
type Tenant struct {
	ID          string
	Key         evidence.Key
	Gateway     gateway.Config
	DataPlane   dataplane.Config
	LegacyProxy legacyproxy.Config
}

// Put makes the tenant on all systems, or gives it new settings where it exists; what they store stays.
func (s *Stack) Put(ctx context.Context, t Tenant) error {
	group, ctx := errgroup.WithContext(ctx)
	for sys, settings := range map[System]any{Gateway(): t.Gateway, DataPlane(): t.DataPlane, LegacyProxy(): t.LegacyProxy} {
		group.Go(func() error {
			raw, err := json.Marshal(settings)
			if err != nil {
				return fmt.Errorf("encode settings of %s: %w", sys.Name, err)
			}
			doc := tenancy.Document{Schema: tenancy.Schema, ID: t.ID, FingerprintKey: t.Key, Settings: raw}
			return s.control(ctx, sys, http.MethodPut, "/tenants/"+t.ID, doc, nil)
		})
	}
	return group.Wait()
}

// Delete forgets the tenant on all systems.
func (s *Stack) Delete(ctx context.Context, id string) error {
	return s.each(ctx, func(ctx context.Context, sys System) error {
		return s.control(ctx, sys, http.MethodDelete, "/tenants/"+id, nil, nil)
	})
}

// Renew renews the lease of every system; an error says which gave no answer.
func (s *Stack) Renew(ctx context.Context) error {
	return s.each(ctx, func(ctx context.Context, sys System) error {
		return s.control(ctx, sys, http.MethodPost, "/lease", nil, nil)
	})
}

func (s *Stack) each(ctx context.Context, do func(context.Context, System) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, sys := range Systems() {
		group.Go(func() error { return do(ctx, sys) })
	}
	return group.Wait()
}

// ErrIncomplete is the error of a journal or a log that found no room for everything: what it holds proves nothing.
var ErrIncomplete = errors.New("not all was kept")

// Journal reads what a system received from one tenant, in order of arrival.
func (s *Stack) Journal(ctx context.Context, sys System, id string) ([]evidence.Exchange, error) {
	var journal tenancy.Journal
	if err := s.control(ctx, sys, http.MethodGet, "/tenants/"+id+"/journal", nil, &journal); err != nil {
		return nil, err
	}
	if journal.Dropped > 0 {
		return nil, fmt.Errorf("read journal of %s: %w: %d exchanges dropped", sys.Name, ErrIncomplete, journal.Dropped)
	}
	return journal.Entries, nil
}

// Log reads the log entries a system wrote for one tenant.
func (s *Stack) Log(ctx context.Context, sys System, id string) ([]evidence.LogLine, error) {
	var log tenancy.Log
	if err := s.control(ctx, sys, http.MethodGet, "/tenants/"+id+"/log", nil, &log); err != nil {
		return nil, err
	}
	if log.Dropped > 0 {
		return nil, fmt.Errorf("read log of %s: %w: %d lines dropped", sys.Name, ErrIncomplete, log.Dropped)
	}
	return log.Entries, nil
}

// SetFaults replaces the faults of one tenant on a system.
func (s *Stack) SetFaults(ctx context.Context, sys System, id string, faults ...tenancy.Fault) error {
	return s.control(ctx, sys, http.MethodPut, "/tenants/"+id+"/faults", faults, nil)
}

// control sends one request to a system's control listener.
func (s *Stack) control(ctx context.Context, sys System, method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request for %s: %w", sys.Name, err)
		}
		payload = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, sys.Control+path, payload)
	if err != nil {
		return fmt.Errorf("control %s: %w", sys.Name, err)
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		return fmt.Errorf("control %s: %w", sys.Name, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("control %s: %w", sys.Name, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("control %s: %s %s answered %d: %s", sys.Name, method, path, answer.StatusCode, bytes.TrimSpace(text))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("control %s: read %s: %w", sys.Name, path, err)
	}
	return nil
}

// ClosedRoute begins the routes of a stack with the address behind ClosedURL: port 1 of loopback, which no service has used since
// TCPMUX (RFC 1078) went out of use.
func ClosedRoute() tenancy.Routes {
	return tenancy.Routes{"closed:8080": "127.0.0.1:1"}
}
