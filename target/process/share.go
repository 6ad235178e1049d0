package process

import (
	"context"
	"fmt"
	"net/http"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// share is one tenant of the three hosts.
type share struct {
	target   *Target
	scenario target.Scenario
}

// Reach tells the addresses, which are those of containers.
func (s *share) Reach() target.Reach {
	return target.Reach{
		API:      tenancy.URL(string(target.DataPlane)) + "/" + s.scenario.ID,
		Upstream: s.target.upstream + "/" + s.scenario.ID,
		Closed:   tenancy.ClosedURL,
		Client:   s.target.client,
	}
}

// Apply makes the tenant or gives it new settings.
func (s *share) Apply(_ context.Context, to target.System, all settings.Settings) error {
	id, key := s.scenario.ID, s.scenario.Key
	switch to {
	case target.Gateway:
		return s.target.gateway.Set(id, key, all.Gateway, all.Faults)
	case target.DataPlane:
		plane := all.DataPlane
		if proxy := s.target.proxy; proxy != nil && !s.scenario.WithoutProxy {
			var err error
			if plane, err = proxy.serve(all); err != nil {
				return err
			}
		}
		return s.target.dataPlane.Set(id, key, plane, nil)
	case target.LegacyProxy:
		return s.target.legacyProxy.Set(id, key, all.LegacyProxy, nil)
	}
	return fmt.Errorf("apply settings: there is no system %q", to)
}

// Read copies what a system kept.
func (s *share) Read(_ context.Context, from target.System) (target.Kept, error) {
	switch id := s.scenario.ID; from {
	case target.Gateway:
		return kept(from, s.target.gateway.Tenant(id)), nil
	case target.DataPlane:
		return kept(from, s.target.dataPlane.Tenant(id)), nil
	case target.LegacyProxy:
		return kept(from, s.target.legacyProxy.Tenant(id)), nil
	}
	return target.Kept{}, fmt.Errorf("read evidence: there is no system %q", from)
}

// Printed is empty: the handlers print nothing.
func (s *share) Printed(context.Context, target.System) (string, error) { return "", nil }

// Close forgets the tenant.
func (s *share) Close(context.Context) ([]target.Kept, error) {
	id := s.scenario.ID
	return []target.Kept{
		kept(target.Gateway, s.target.gateway.Delete(id)),
		kept(target.DataPlane, s.target.dataPlane.Delete(id)),
		kept(target.LegacyProxy, s.target.legacyProxy.Delete(id)),
	}, nil
}

func kept[F http.Handler](of target.System, t *tenancy.Tenant[F]) target.Kept {
	if t == nil {
		return target.Kept{System: of}
	}
	all := t.Kept()
	return target.Kept{
		System: of, Exchanges: all.Journal.Entries, Dropped: all.Journal.Dropped, Logs: all.Log.Entries, DroppedLogs: all.Log.Dropped,
	}
}
