package steps

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/provider"
)

func bindDataPlane(b Binder) {
	b.Given(`^a data plane on (v2 with Gateway|v2|v1 \([a-z0-9-]+\))$`, (*Steps).dataPlaneOn)
	b.Given(`^a data plane that sends api_key as "([^"]*)"$`, (*Steps).dataPlaneSends)
	b.Given(`^a data plane that answers an unknown project with (a refusal|the org's credential)$`, (*Steps).dataPlaneUnknownProject)
	b.Given(`^an API that (ignores metadata in PATCH|merges metadata in PATCH|wants a name in PATCH)$`, (*Steps).apiPatches)
	b.Given(`^projects (.+) made in this order$`, (*Steps).projectsMade)
	b.Given(`^a data plane of which one half is on v1 \(([a-z0-9-]+)\) and the other on v2$`, (*Steps).halfUpgraded)
	b.Given(`^a console that cannot reach the gateway$`, (*Steps).consoleCutOff)
	b.When(`^the data plane is upgraded to (v2 with Gateway|v2|v1 \([a-z0-9-]+\))$`, (*Steps).upgraded)
	b.When(`^Test key is pressed for `+ref+`$`, (*Steps).pressTestKey)
	b.Then(`^Test key shows (success|an error)$`, (*Steps).testKeyShows)
	b.Then(`^`+ref+` (works|does not work) end to end, whatever Test key shows$`, (*Steps).endToEnd)
	b.When(`^the Gateway is switched (on|off)$`, (*Steps).gatewaySwitched)
}

func (s *Steps) dataPlaneOn(_ context.Context, plane string) error {
	return s.World.Serve(plane)
}

func (s *Steps) dataPlaneSends(_ context.Context, words string) error {
	shape, err := provider.ParseShape(words)
	if err != nil {
		return err
	}
	s.World.SendAPIKeyAs(shape)
	return nil
}

func (s *Steps) dataPlaneUnknownProject(_ context.Context, answer string) error {
	s.World.AnswerUnknownProjects(answer == "a refusal")
	return nil
}

func (s *Steps) apiPatches(_ context.Context, how string) error { return s.World.Patches(how) }

func (s *Steps) projectsMade(ctx context.Context, list string) error {
	for _, name := range names(list) {
		if _, err := s.World.Project(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Steps) halfUpgraded(_ context.Context, generation string) error {
	return s.World.ServeHalf(generation)
}

func (s *Steps) consoleCutOff(context.Context) error {
	s.World.CutConsoleOff()
	return nil
}

func (s *Steps) pressTestKey(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	answer, err := s.World.API(ctx, s.World.AdminKey(), http.MethodPost, "/api/test-key", fmt.Appendf(nil, `{"id":%q}`, secret.ID))
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("press Test key: answered %d: %s", answer.Status, answer.Excerpt())
	}
	s.testKey = map[bool]string{true: "success", false: "an error"}[gjson.GetBytes(answer.Body, "ok").Bool()]
	return nil
}

func (s *Steps) testKeyShows(_ context.Context, what string) error {
	return equal("what Test key shows", what, s.testKey)
}

// endToEnd judges by the latest call alone: an answer of the model that was served with this secret's token. What Test key showed has
// to differ from it in these scenarios, or they would prove nothing about whose word counts.
func (s *Steps) endToEnd(ctx context.Context, ref, works string) error {
	p, err := s.World.Probe()
	if err != nil {
		return err
	}
	verdict := "does not work"
	if p.Succeeded() && s.sawRaw(ctx, ref) == nil {
		verdict = "works"
	}
	if (s.testKey == "success") == (verdict == "works") {
		return fmt.Errorf("judge %s: Test key and the call agree, so the scenario shows nothing", ref)
	}
	return equal("the end-to-end verdict on "+ref, works, verdict)
}

func (s *Steps) upgraded(ctx context.Context, to string) error {
	if err := s.World.Serve(to); err != nil {
		return fmt.Errorf("upgrade data plane: %w", err)
	}
	return s.changed(ctx)
}

func (s *Steps) gatewaySwitched(ctx context.Context, to string) error {
	plane := map[string]string{"on": "v2 with Gateway", "off": "v2"}[to]
	if err := s.World.Serve(plane); err != nil {
		return fmt.Errorf("switch Gateway %s: %w", to, err)
	}
	return s.changed(ctx)
}
