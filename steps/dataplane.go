package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/scenarios"
)

// plane is what serves model calls in a sentence.
const plane = `(v2 with Gateway|v2|v1 \([a-z0-9-]+\)|v1 \([a-z0-9-]+\) and v2 in turn)`

func bindDataPlane(b Binder) {
	b.Given(`^a data plane on `+plane+`$`, (*Steps).dataPlaneOn)
	b.Given(`^a data plane that (`+strings.Join(scenarios.PlaneManners(), "|")+`)$`, (*Steps).dataPlaneThat)
	b.Given(`^projects (.+)$`, (*Steps).projects)
	b.When(`^the data plane is moved to `+plane+`$`, (*Steps).moved)
	b.When(`^Test key is pressed for `+ref+`$`, (*Steps).pressTestKey)
	b.Then(`^Test key shows (success|an error)$`, (*Steps).testKeyShows)
}

// dataPlaneOn says what serves the model calls: the legacy proxy of a generation, v2, the Gateway, or instances of v1 and of v2 in turn.
func (s *Steps) dataPlaneOn(_ context.Context, plane string) error {
	return s.World.Serve(plane)
}

// dataPlaneThat gives the data plane a manner of which nobody knows whether a real one has it.
func (s *Steps) dataPlaneThat(_ context.Context, manner string) error {
	return s.World.PlaneThat(manner)
}

// projects makes projects in the order of the sentence.
func (s *Steps) projects(ctx context.Context, list string) error {
	for _, name := range names(list) {
		if _, err := s.World.Project(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// pressTestKey presses the console's Test key of a secret, as org admin.
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

// testKeyShows asks what Test key showed the last time that it was pressed.
func (s *Steps) testKeyShows(_ context.Context, what string) error {
	return equal("what Test key shows", what, s.testKey)
}

// moved upgrades the data plane, takes it a step back, or switches the Gateway on or off; what it stores stays.
func (s *Steps) moved(ctx context.Context, plane string) error {
	if err := s.World.Serve(plane); err != nil {
		return err
	}
	return s.changed(ctx)
}
