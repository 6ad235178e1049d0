package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

func bindGuide(b Binder) {
	b.When(`^the guide's command "([^"]*)" is run$`, (*Steps).runGuide)
	b.When(`^the guide's command "([^"]*)" is run for model "([^"]*)"$`, (*Steps).runGuideForModel)
	b.When(`^the guide's command "([^"]*)" is run for `+ref+`$`, (*Steps).runGuideForSecret)
	b.When(`^the guide's command "([^"]*)" is run with the token of `+ref+`$`, (*Steps).runGuideWithToken)
	b.Then(`^it shows exactly the secret `+ref+` with its id, name, type, preview and metadata$`, (*Steps).showsExactly)
	b.Then(`^it shows `+ref+`$`, (*Steps).shows)
	b.Then(`^it shows auth_format "([^"]*)"$`, (*Steps).showsAuthFormat)
	b.Then(`^it finds no secret for the model among (\d+)$`, (*Steps).findsNone)
	b.Then(`^its filter fails on customModels that is no object$`, (*Steps).filterFails)
	b.Then(`^it answers 200 with a model list that has "([^"]*)"$`, (*Steps).answersModels)
}

func (s *Steps) runGuide(ctx context.Context, name string) error {
	return s.guideCommand(ctx, name, nil, "")
}

func (s *Steps) runGuideForModel(ctx context.Context, name, model string) error {
	return s.guideCommand(ctx, name, map[string]string{"<model-name>": model}, "")
}

func (s *Steps) runGuideForSecret(ctx context.Context, name, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	return s.guideCommand(ctx, name, map[string]string{"<ENV_VAR_ID>": secret.ID}, "")
}

func (s *Steps) runGuideWithToken(ctx context.Context, name, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	return s.guideCommand(ctx, name, nil, secret.Token)
}

func (s *Steps) guideCommand(ctx context.Context, name string, fill map[string]string, token string) error {
	run, err := s.World.RunGuide(ctx, name, s.World.GuideFill(fill), s.World.GuideEnv(token))
	if err != nil {
		return err
	}
	s.guide, s.World.Answer = run, run.Answer
	return s.changed(ctx)
}

// showsExactly compares the one value shown with the API's object of the secret, under the names that the guide gives its fields.
func (s *Steps) showsExactly(ctx context.Context, ref string) error {
	secret, now, err := s.read(ctx, ref)
	if err != nil {
		return err
	}
	if err := s.showsWithoutError(1); err != nil {
		return err
	}
	object := decoded(now)
	kind := object["secret_type"]
	if secret.Level == "org" {
		kind = object["type"]
	}
	want := map[string]any{
		"id": object["id"], "name": object["name"], "provider_type": kind,
		"preview_secret": object["preview_secret"], "metadata": object["metadata"],
	}
	for field, value := range want {
		if value == nil {
			return differs(field+" of "+ref+" in the API's answer", "a value", "none")
		}
	}
	shown, _ := s.guide.Shown[0].(map[string]any)
	return s.sameFields("the secret shown", want, shown)
}

func (s *Steps) showsWithoutError(count int) error {
	if s.guide.FilterErr != nil {
		return differs("the guide's filter", "an answer", s.guide.FilterErr.Error())
	}
	return equal("how many secrets the guide's command shows", count, len(s.guide.Shown))
}

func (s *Steps) shows(_ context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	var ids []string
	for _, shown := range s.guide.Shown {
		object, _ := shown.(map[string]any)
		if object["id"] == secret.ID {
			return nil
		}
		ids = append(ids, fmt.Sprint(object["name"]))
	}
	return differs("the secrets that the guide's command shows", ref, show(ids))
}

func (s *Steps) showsAuthFormat(_ context.Context, format string) error {
	if len(s.guide.Shown) == 0 {
		return differs("metadata.auth_format shown", format, "no secret is shown")
	}
	for _, shown := range s.guide.Shown {
		raw, err := json.Marshal(shown)
		if err != nil {
			return err
		}
		if err := equal("metadata.auth_format shown", format, gjson.GetBytes(raw, "metadata.auth_format").String()); err != nil {
			return err
		}
	}
	return nil
}

// findsNone also looks at what was searched: an empty listing would show nothing either.
func (s *Steps) findsNone(_ context.Context, among int) error {
	if err := equal("the status of the listing", http.StatusOK, s.guide.Answer.Status); err != nil {
		return err
	}
	if err := equal("how many secrets were searched", among, len(gjson.GetBytes(s.guide.Answer.Body, "objects").Array())); err != nil {
		return err
	}
	return s.showsWithoutError(0)
}

func (s *Steps) filterFails(context.Context) error {
	if s.guide.FilterErr == nil {
		return differs("the guide's filter", "an error", fmt.Sprintf("%d secrets shown", len(s.guide.Shown)))
	}
	if !strings.Contains(s.guide.FilterErr.Error(), "has(") {
		return differs("the error of the guide's filter", "one of has()", s.guide.FilterErr.Error())
	}
	return nil
}

func (s *Steps) answersModels(_ context.Context, model string) error {
	if err := equal("the status of the answer", http.StatusOK, s.guide.Answer.Status); err != nil {
		return err
	}
	var ids []string
	for _, id := range gjson.GetBytes(s.guide.Answer.Body, "data.#.id").Array() {
		if id.String() == model {
			return nil
		}
		ids = append(ids, id.String())
	}
	return differs("the models listed", model, show(ids))
}
