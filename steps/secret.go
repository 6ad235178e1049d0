package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/scenarios"
)

func bindSecret(b Binder) {
	b.Given(`^(an org|a project) provider secret "([^"]*)"(?: of type "([^"]*)")?(?: in project "([^"]*)")?(?: for model "([^"]*)")?(?: with (.+))?$`, (*Steps).secretExists)
	b.Given(`^an org provider secret "([^"]*)" whose api_base carries a password$`, (*Steps).secretWithUserinfo)
	b.Given(`^org provider secrets (.+) made in this order$`, (*Steps).secretsMade)
	b.Given(`^an environment variable "([^"]*)" for model "([^"]*)" that is no AI provider$`, (*Steps).environmentVariable)
	b.Given(`^the token of `+ref+` is stored (with a Bearer prefix|with a blank before it|with a newline after it|as an empty value|as null)$`, (*Steps).storedAs)
	b.When(`^(an org admin|a member) sets (.+) on `+ref+`$`, (*Steps).setMetadata)
	b.When(`^an org admin deletes `+ref+`$`, (*Steps).deleteSecret)
	b.When(`^an org admin stores the raw token of `+ref+`$`, (*Steps).storeRaw)
	b.When(`^an org admin stores another token in `+ref+`$`, (*Steps).storeAnother)
	b.When(`^an org admin sends `+ref+` again by (POST|PUT) with (.+)$`, (*Steps).sendAgain)
	b.Then(`^the API answers 200 with the `+ref+` that was there, auth_format "([^"]*)"$`, (*Steps).answersExisting)
	b.Given(`^(\d+) org provider secrets of which (.+) have auth_format "([^"]*)"$`, (*Steps).manySecrets)
}

func (s *Steps) secretExists(ctx context.Context, level, name, kind, project, model, with string) error {
	metadata, err := metadataWords(with)
	if err != nil {
		return err
	}
	if model != "" {
		metadata = append(metadata, scenarios.Entry{Key: "customModels", Value: scenarios.CustomModel(model)})
	}
	for _, served := range []string{model, "gpt-4o-mini"} {
		if served != "" {
			s.World.ServeModel(served)
		}
	}
	secret := &scenarios.Secret{Name: name, Level: scenarios.Org, Type: kind}
	if level == "a project" {
		secret.Level, secret.Project = scenarios.Project, scenarios.DefaultProject
	}
	if project != "" {
		secret.Project = project
	}
	return s.World.AddSecret(ctx, secret, metadata)
}

func (s *Steps) secretWithUserinfo(ctx context.Context, name string) error {
	return s.World.AddSecret(ctx, &scenarios.Secret{Name: name, Level: scenarios.Org},
		scenarios.Metadata{{Key: "api_base", Value: s.World.UserinfoBase()}})
}

func (s *Steps) secretsMade(ctx context.Context, list string) error {
	for _, name := range names(list) {
		if err := s.World.AddSecret(ctx, &scenarios.Secret{Name: name, Level: scenarios.Org}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *Steps) environmentVariable(ctx context.Context, name, model string) error {
	return s.World.AddSecret(ctx, &scenarios.Secret{Name: name, Level: scenarios.Environment, Project: scenarios.DefaultProject},
		scenarios.Metadata{{Key: "customModels", Value: scenarios.CustomModel(model)}})
}

func (s *Steps) storedAs(ctx context.Context, ref, how string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	value := map[string]string{
		"with a Bearer prefix": "Bearer " + secret.Token, "with a blank before it": " " + secret.Token,
		"with a newline after it": secret.Token + "\n", "as an empty value": "",
	}[how]
	if how == "as null" {
		err = s.World.StoreNull(ctx, secret)
	} else {
		err = s.World.StoreValue(ctx, secret, value)
	}
	if err != nil {
		return err
	}
	if s.World.Answer.Status != http.StatusOK {
		return fmt.Errorf("store value of %s: answered %d: %s", ref, s.World.Answer.Status, s.World.Answer.Excerpt())
	}
	return s.World.Refresh(ctx, secret)
}

// metadataWord is one key of metadata in a sentence, with a JSON value.
var metadataWord = regexp.MustCompile(`(\w+) ("[^"]*"|true|false|null|\d+|\[[^\]]*\])(?:, | and |$)`)

// metadataWords reads `auth_format "bearer" and auth_type "api_key"`.
func metadataWords(text string) (scenarios.Metadata, error) {
	var metadata scenarios.Metadata
	read := 0
	for _, m := range metadataWord.FindAllStringSubmatch(text, -1) {
		var value any
		if err := json.Unmarshal([]byte(m[2]), &value); err != nil {
			return nil, fmt.Errorf("read metadata %s: %w", m[0], err)
		}
		metadata = append(metadata, scenarios.Entry{Key: m[1], Value: value})
		read += len(m[0])
	}
	if read != len(text) {
		return nil, fmt.Errorf("read metadata: %q is not a list of keys and JSON values", text)
	}
	return metadata, nil
}

func (s *Steps) setMetadata(ctx context.Context, role, words, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	keys, err := metadataWords(words)
	if err != nil {
		return err
	}
	if err := s.World.SetMetadata(ctx, role, secret, keys); err != nil {
		return err
	}
	return s.changed(ctx)
}

func (s *Steps) deleteSecret(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	if err := s.World.Change(ctx, "an org admin", http.MethodDelete, secret.Path(), nil); err != nil {
		return err
	}
	if s.World.Answer.Status != http.StatusOK {
		return fmt.Errorf("delete %s: answered %d: %s", ref, s.World.Answer.Status, s.World.Answer.Excerpt())
	}
	return s.changed(ctx)
}

func (s *Steps) storeRaw(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	if err := s.World.StoreValue(ctx, secret, secret.Token); err != nil {
		return err
	}
	return s.changed(ctx)
}

func (s *Steps) storeAnother(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	if err := s.World.StoreValue(ctx, secret, s.World.Mint("another token for "+secret.Name, "sk-")); err != nil {
		return err
	}
	return s.changed(ctx)
}

func (s *Steps) sendAgain(ctx context.Context, ref, method, words string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	keys, err := metadataWords(words)
	if err != nil {
		return err
	}
	if err := s.World.SendAgain(ctx, secret, method, keys); err != nil {
		return err
	}
	return s.changed(ctx)
}

// answersExisting tells an update from none by what came back: the id is the same in both cases.
func (s *Steps) answersExisting(_ context.Context, ref, format string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	if err := equal("the status of the answer", http.StatusOK, s.World.Answer.Status); err != nil {
		return err
	}
	if err := equal("the id answered", secret.ID, gjson.GetBytes(s.World.Answer.Body, "id").String()); err != nil {
		return err
	}
	return equal("metadata.auth_format answered", format, gjson.GetBytes(s.World.Answer.Body, "metadata.auth_format").String())
}

// manySecrets fills up to the count with secrets that need no fix.
func (s *Steps) manySecrets(ctx context.Context, count int, list, format string) error {
	affected := names(list)
	for i := range count {
		secret := &scenarios.Secret{Name: fmt.Sprintf("unaffected-%d", i+1), Level: scenarios.Org}
		var metadata scenarios.Metadata
		if i < len(affected) {
			secret.Name, metadata = affected[i], scenarios.Metadata{{Key: "auth_format", Value: format}}
		}
		if err := s.World.AddSecret(ctx, secret, metadata); err != nil {
			return err
		}
	}
	return nil
}
