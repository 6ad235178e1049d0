package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// chosen returns the settings of one system to be changed. They are in force from the next request that meets the system.
func (w *World) chosen(of target.System) *settings.Settings {
	w.settingsMu.Lock()
	defer w.settingsMu.Unlock()
	w.unsettled[of] = true
	return &w.settings
}

// Settle gives systems the settings that were chosen for them since the last time; without systems, all. What is not used is not told:
// a data plane on v2 has no legacy proxy.
func (w *World) Settle(ctx context.Context, systems ...target.System) error {
	w.settingsMu.Lock()
	defer w.settingsMu.Unlock()
	if len(systems) == 0 {
		systems = target.Systems()
	}
	for _, system := range systems {
		serving := w.settings.DataPlane.Serving
		unused := system == target.LegacyProxy && serving != settings.ServingV1 && serving != settings.ServingMixed
		if !w.unsettled[system] || unused {
			continue
		}
		if err := w.share.Apply(ctx, system, w.settings); err != nil {
			return fmt.Errorf("apply settings: %w", err)
		}
		delete(w.unsettled, system)
		if system == target.Gateway {
			w.settings.Faults = nil // those that are set stay, and are not armed again
		}
	}
	return nil
}

// needs are the systems that a request can meet.
func (w *World) needs(u *url.URL) []target.System {
	switch to := u.String(); {
	case strings.HasPrefix(to, w.reach.Upstream+"/"):
		return []target.System{target.Gateway}
	case strings.HasPrefix(to, w.reach.API+"/v1/") && !strings.HasPrefix(to, w.reach.API+"/v1/proxy/"):
		return []target.System{target.DataPlane}
	default:
		return target.Systems()
	}
}

// settling settles before each request, for clients that keep no record.
type settling struct {
	world *World
	need  []target.System
	next  http.RoundTripper
}

func (s *settling) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := s.world.Settle(r.Context(), s.need...); err != nil {
		return nil, err
	}
	s.world.mu.Lock()
	s.world.sent++
	s.world.mu.Unlock()
	return s.next.RoundTrip(r)
}

// Supports is a *target.NotSupported where the target lacks what is needed, nil otherwise.
func (w *World) Supports(need target.Capability) error {
	if reason, lacking := w.lacks[need]; lacking {
		return &target.NotSupported{Reason: fmt.Sprintf("needs %s: %s", need, reason)}
	}
	return nil
}

// inTurn is how a half-upgraded fleet is named: its instances answer in turn.
const inTurn = " and v2 in turn"

// Serve puts the data plane on `v2`, `v2 with Gateway`, `v1 (<generation of the legacy proxy>)`, or one half of it on such a v1 and the
// other on v2; what it stores stays.
func (w *World) Serve(plane string) error {
	config := &w.chosen(target.DataPlane).DataPlane
	switch plane {
	case "v2":
		config.Serving = settings.ServingV2
	case "v2 with Gateway":
		config.Serving = settings.ServingV2Gateway
	default:
		v1, mixed := strings.CutSuffix(plane, inTurn)
		generation, err := provider.ParseGeneration(strings.TrimSuffix(strings.TrimPrefix(v1, "v1 ("), ")"))
		if err != nil {
			return fmt.Errorf("serve data plane: %w", err)
		}
		config.Serving = settings.ServingV1
		if mixed {
			config.Serving = settings.ServingMixed
		}
		w.chosen(target.LegacyProxy).LegacyProxy.Generation = generation
	}
	return nil
}

// ServeOnly makes the gateway serve one of the paths /models and /v1/models and answer status on the other.
func (w *World) ServeOnly(path string, status int) {
	gateway := &w.chosen(target.Gateway).Gateway
	gateway.Serve, gateway.UnservedStatus = []string{strings.TrimSuffix(path, "/models")}, status
}

// ServeModel lets the gateway know a model.
func (w *World) ServeModel(model string) {
	if gateway := &w.chosen(target.Gateway).Gateway; !slices.Contains(gateway.Models, model) {
		gateway.Models = append(gateway.Models, model)
	}
}

// Misbehave gives the gateway faults, in place of those it has.
func (w *World) Misbehave(faults ...settings.Fault) {
	w.chosen(target.Gateway).Faults = faults
}

// AnswerWith makes the gateway give one answer to the next requests, in place of its own; times 0 is all of them.
func (w *World) AnswerWith(times, status int, header map[string]string, body string) {
	w.Misbehave(settings.Fault{Times: times, Status: status, Header: header, Body: body})
}

// Silence makes the gateway take requests and never answer.
func (w *World) Silence() { w.Misbehave(settings.Fault{Hang: true}) }

// Forbid makes the gateway know a token and allow it nothing.
func (w *World) Forbid(s *Secret) {
	w.Revoke(s)
	gateway := &w.chosen(target.Gateway).Gateway
	gateway.Forbidden = append(gateway.Forbidden, s.Token)
}
