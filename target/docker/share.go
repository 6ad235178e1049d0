package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// share is one tenant of the three systems. Each method but Reach and Printed costs one control request per system.
type share struct {
	target   *Target
	scenario target.Scenario

	mu      sync.Mutex
	applied map[target.System]bool // systems that have the tenant
}

// Reach tells the addresses inside the network, which the client maps to published ports.
func (s *share) Reach() target.Reach {
	return target.Reach{
		API:      tenancy.URL(string(target.DataPlane)) + "/" + s.scenario.ID,
		Upstream: tenancy.URL(string(target.Gateway)) + "/" + s.scenario.ID,
		Closed:   tenancy.ClosedURL,
		Client:   s.target.client,
	}
}

// path is the tenant's on the control listeners.
func (s *share) path() string { return "/tenants/" + s.scenario.ID }

// Apply makes the tenant or gives it new settings.
func (s *share) Apply(ctx context.Context, to target.System, all settings.Settings) error {
	doc := tenancy.Document{Schema: tenancy.Schema, ID: s.scenario.ID, FingerprintKey: s.scenario.Key}
	var part any
	switch to {
	case target.Gateway:
		part, doc.Faults = all.Gateway, all.Faults
	case target.DataPlane:
		part = all.DataPlane
	case target.LegacyProxy:
		part = all.LegacyProxy
	}
	var err error
	if doc.Settings, err = json.Marshal(part); err != nil {
		return fmt.Errorf("encode settings of %s: %w", to, err)
	}
	s.mu.Lock()
	s.applied[to] = true // whatever the answer: the tenant may be there
	s.mu.Unlock()
	return s.target.control(ctx, to, http.MethodPut, s.path(), doc, nil)
}

// Read asks for journal and log.
func (s *share) Read(ctx context.Context, from target.System) (target.Kept, error) {
	return s.kept(ctx, from, http.MethodGet, s.path()+"/evidence")
}

func (s *share) kept(ctx context.Context, from target.System, method, path string) (target.Kept, error) {
	s.mu.Lock()
	applied := s.applied[from]
	s.mu.Unlock()
	if !applied {
		return target.Kept{System: from}, nil
	}
	var all tenancy.Evidence
	err := s.target.control(ctx, from, method, path, nil, &all)
	return target.Kept{
		System: from, Exchanges: all.Journal.Entries, Dropped: all.Journal.Dropped, Logs: all.Log.Entries, DroppedLogs: all.Log.Dropped,
	}, err
}

// Printed is what the system's container has printed.
func (s *share) Printed(ctx context.Context, of target.System) (string, error) {
	return s.target.cluster.Output(ctx, string(of))
}

// Close forgets the tenant on all systems, which tell for the last time what they kept.
func (s *share) Close(ctx context.Context) ([]target.Kept, error) {
	systems := target.Systems()
	all, failed := make([]target.Kept, len(systems)), make([]error, len(systems))
	var done sync.WaitGroup
	for i, system := range systems {
		done.Go(func() { all[i], failed[i] = s.kept(ctx, system, http.MethodDelete, s.path()) })
	}
	done.Wait()
	return all, errors.Join(failed...)
}
