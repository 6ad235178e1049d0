package steps

import (
	"context"
	"fmt"

	"github.com/planeproof/planeproof/scenarios"
)

func (s *Steps) bindDataPlane(b Binder) {
	b.Given(`^a data plane on (v2 with Gateway|v2|v1 \([a-z0-9-]+\))$`, s.dataPlaneOn)
	b.Given(`^a data plane that sends api_key as "([^"]*)"$`, s.dataPlaneSends)
	b.Given(`^a data plane that answers an unknown project with (a refusal|the org's credential)$`, s.dataPlaneUnknownProject)
	b.Given(`^projects (.+) made in this order$`, s.projectsMade)
	b.When(`^the data plane is upgraded to v2$`, s.upgraded)
	b.When(`^the Gateway is switched (on|off)$`, s.gatewaySwitched)
}

func (s *Steps) dataPlaneOn(ctx context.Context, plane string) error {
	return s.World.Serve(ctx, plane)
}

func (s *Steps) dataPlaneSends(ctx context.Context, shape string) error {
	return s.World.SendAPIKeyAs(ctx, scenarios.Shape(shape))
}

func (s *Steps) dataPlaneUnknownProject(ctx context.Context, answer string) error {
	return s.World.AnswerUnknownProjects(ctx, answer == "a refusal")
}

func (s *Steps) projectsMade(ctx context.Context, list string) error {
	for _, name := range names(list) {
		if _, err := s.World.Project(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Steps) upgraded(ctx context.Context) error {
	if err := s.World.Serve(ctx, "v2"); err != nil {
		return fmt.Errorf("upgrade data plane: %w", err)
	}
	return s.changed(ctx)
}

func (s *Steps) gatewaySwitched(ctx context.Context, to string) error {
	plane := map[string]string{"on": "v2 with Gateway", "off": "v2"}[to]
	if err := s.World.Serve(ctx, plane); err != nil {
		return fmt.Errorf("switch Gateway %s: %w", to, err)
	}
	return s.changed(ctx)
}
