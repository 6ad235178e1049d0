package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/scenarios"
)

func bindGuide(b Binder) {
	b.When(`^the guide's command "([^"]*)" is run(?: for model "([^"]*)")?(?: for `+ref+`)?(?: with the token of `+ref+`)?$`, (*Steps).runGuide)
	b.Then(`^it shows exactly the secret `+ref+` with its id, name, type, preview and metadata$`, (*Steps).showsExactly)
	b.Then(`^it shows `+ref+`$`, (*Steps).shows)
	b.Then(`^it shows auth_format "([^"]*)"$`, (*Steps).showsAuthFormat)
	b.Then(`^it finds no secret for the model among (\d+)$`, (*Steps).findsNone)
	b.Then(`^its filter fails on customModels that is no object$`, (*Steps).filterFails)
	b.Then(`^it answers 200 with a model list that has "([^"]*)"$`, (*Steps).answersModels)
}

// runGuide runs a command of a guide as it is printed, filled with a model, with the id of a secret, or with a token.
func (s *Steps) runGuide(ctx context.Context, name, model, of, token string) error {
	fill := map[string]string{}
	if model != "" {
		fill["<model-name>"] = model
	}
	for _, one := range []struct {
		ref string
		use func(*scenarios.Secret)
	}{
		{of, func(secret *scenarios.Secret) { fill["<ENV_VAR_ID>"] = secret.ID }},
		{token, func(secret *scenarios.Secret) { token = secret.Token }},
	} {
		if one.ref == "" {
			continue
		}
		secret, err := s.secret(one.ref)
		if err != nil {
			return err
		}
		one.use(secret)
	}
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

// shows asks whether a secret is among those that the command printed.
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

// showsAuthFormat asks of every secret that the command printed.
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

// filterFails asks for the error of jq's `has`, which needs an object.
func (s *Steps) filterFails(context.Context) error {
	if s.guide.FilterErr == nil {
		return differs("the guide's filter", "an error", fmt.Sprintf("%d secrets shown", len(s.guide.Shown)))
	}
	if !strings.Contains(s.guide.FilterErr.Error(), "has(") {
		return differs("the error of the guide's filter", "one of has()", s.guide.FilterErr.Error())
	}
	return nil
}

// answersModels asks for a model list by the command's own answer.
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
