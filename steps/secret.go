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
	b.Given(`^(an org provider secret|org provider secrets|a project provider secret|an environment variable) ("[^"]*"(?:(?:, | and )"[^"]*")*)(?: of type "([^"]*)")?(?: in project "([^"]*)")?(?: for model "([^"]*)")?(?: with (.+))?$`, (*Steps).secretsExist)
	b.Given(`^the token of `+ref+` is stored (with a Bearer prefix|with a blank before it|with a newline after it|as an empty value|as null)$`, (*Steps).storedAs)
	b.When(`^`+role+` sets (.+) on `+ref+`$`, (*Steps).setMetadata)
	b.When(`^an org admin deletes `+ref+`$`, (*Steps).deleteSecret)
	b.When(`^an org admin stores (its raw token|another token) in `+ref+`$`, (*Steps).store)
	b.When(`^an org admin sends `+ref+` again by (POST|PUT) with (.+)$`, (*Steps).sendAgain)
	b.Then(`^the API answers 200 with the `+ref+` that was there, auth_format "([^"]*)"$`, (*Steps).answersExisting)
}

// withPassword is the one thing of a secret's metadata that a sentence cannot spell out: the password is made for the scenario.
const withPassword = "a password in its api_base"

// secretsExist makes secrets in the order of the sentence: of type openai, of project "alpha", with an api_base and additionalHeaders, and
// with customModels for a model. An environment variable belongs to a project too and is no AI provider.
func (s *Steps) secretsExist(ctx context.Context, what, list, kind, project, model, with string) error {
	var metadata scenarios.Metadata
	if with == withPassword {
		metadata = scenarios.Metadata{{Key: "api_base", Value: s.World.UserinfoBase()}}
	} else {
		var err error
		if metadata, err = metadataWords(with); err != nil {
			return err
		}
	}
	if model != "" {
		metadata = append(metadata, scenarios.Entry{Key: "customModels", Value: scenarios.CustomModel(model)})
		s.World.ServeModel(model)
	}
	s.World.ServeModel("gpt-4o-mini")
	level, ofProject := map[string]scenarios.Level{"a project provider secret": scenarios.Project, "an environment variable": scenarios.Environment}[what]
	switch {
	case !ofProject && project != "":
		return fmt.Errorf("make %s: it is of no project", what)
	case !ofProject:
		level = scenarios.Org
	case project == "":
		project = scenarios.DefaultProject
	}
	for _, name := range names(list) {
		if err := s.World.AddSecret(ctx, &scenarios.Secret{Name: name, Level: level, Project: project, Type: kind}, metadata); err != nil {
			return err
		}
	}
	return nil
}

// storedAs stores something else than the raw token, before the scenario begins.
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

// setMetadata does what the guide's fix does: reads the secret, sets keys of its metadata, and sends the whole back by PATCH.
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

// deleteSecret must get through.
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

// store replaces the stored value.
func (s *Steps) store(ctx context.Context, what, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	value := secret.Token
	if what == "another token" {
		value = s.World.Mint("another token for "+secret.Name, "sk-")
	}
	if err := s.World.StoreValue(ctx, secret, value); err != nil {
		return err
	}
	return s.changed(ctx)
}

// sendAgain sends an org secret of the same name once more, with other metadata and without its value.
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
