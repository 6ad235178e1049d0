package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// edit is what a remedy does to a secret, and nothing else decides it: a plan shows it, and apply asks it again instead of believing the
// plan. The generation is the proxy's, empty where nobody says. The error says why the remedy is none for this secret.
func edit(remedy Remedy, g provider.Generation, secret inventory.Secret) (e Edit, replaceValue bool, err error) {
	if remedy == RawToken {
		return Edit{}, true, nil
	}
	before, err := object(secret.Metadata)
	if err != nil {
		return Edit{}, false, err
	}
	ofType := func(reason string) error {
		if secret.Type == "openai" {
			return nil
		}
		return fmt.Errorf("its type is %q: %s", secret.Type, reason)
	}
	switch remedy {
	case Bearer:
		e.Set = []Entry{{"auth_format", json.RawMessage(`"bearer"`)}, {"auth_type", json.RawMessage(`"api_key"`)}}
		return e, false, ofType("auth_format belongs to type openai alone")
	case Portable:
		e.Remove = present(before, "auth_type", "auth_format")
		return e, false, ofType("without auth_type only type openai is Bearer everywhere")
	case Literal:
		return literal(before), false, ofType("the guide's literal form makes it type openai")
	case Workaround:
		e.Remove = unrecognized(issues(g, secret, secret.Metadata))
		return e, false, nil
	}
	_, err = ParseRemedy(string(remedy))
	return e, false, err
}

// literal is the metadata of the guide's command, with the secret's own api_base as the endpoint that is intended.
func literal(before jsonvalue.Object) Edit {
	e := Edit{Set: []Entry{
		{"excludeDefaultModels", json.RawMessage("false")}, {"supportsStreaming", json.RawMessage("true")},
	}}
	for _, key := range before.Keys() {
		if key != "excludeDefaultModels" && key != "supportsStreaming" && key != "api_base" {
			e.Remove = append(e.Remove, key)
		}
	}
	return e
}

// present keeps the keys that the object has.
func present(object jsonvalue.Object, keys ...string) []string {
	return slices.DeleteFunc(keys, func(key string) bool {
		_, there := object[key]
		return !there
	})
}

// newStep is all of a step that follows from the remedy, the generation and the secret as it is.
func newStep(remedy Remedy, g provider.Generation, secret inventory.Secret) (Step, error) {
	s := Step{
		Remedy: remedy, SecretID: secret.ID, Level: secret.Level, Project: secret.Project, Path: secret.Path(),
		Name: secret.Name, Type: secret.Type, Before: jsonvalue.Hash(secret.Metadata), SecretUpdatedAt: secret.SecretUpdatedAt,
		Diff: []Change{}, Request: Request{Method: "PATCH", Path: secret.Path()},
	}
	var err error
	if s.Edit, s.ReplaceValue, err = edit(remedy, g, secret); err != nil {
		return s, err
	}
	if s.ReplaceValue {
		s.After = s.Before
		s.Diff = []Change{{Key: "(stored value)", Before: hidden, After: "‹the raw token given with --token-file›"}}
		s.Request.Body = fmt.Sprintf(`{"%s": ‹the raw token›}`, valueKey(secret.Level))
		return s, nil
	}
	edited, err := s.Edit.Apply(secret.Metadata)
	if err != nil {
		return s, err
	}
	before, errBefore := object(secret.Metadata)
	after, errAfter := object(edited)
	s.After, s.Diff = jsonvalue.Hash(edited), changes(before, after)
	s.Request.Body = `{"metadata": ‹the whole metadata, changed as above›}`
	return s, errors.Join(errBefore, errAfter)
}

// checkAgainst refuses a step that is not what its remedy makes of the secret as it was: a plan is for reading, the remedy decides.
func (s Step) checkAgainst(g provider.Generation, before inventory.Secret) error {
	want, err := newStep(s.Remedy, g, before)
	if err != nil {
		return fmt.Errorf("the step for %s %w: %w", evidence.Printable(s.Name), ErrEdited, err)
	}
	if !bytes.Equal(s.derived(), want.derived()) {
		return fmt.Errorf("the step for %s %w: its edit, diff, request or hashes are not what remedy %s makes of the secret",
			evidence.Printable(s.Name), ErrEdited, s.Remedy)
	}
	return nil
}

// derived is what newStep derives, but for the date of the stored value, which may move without harm, and the project's name.
func (s Step) derived() []byte {
	s.Wave, s.SecretUpdatedAt, s.Conditions, s.Costs, s.Alternative, s.Notes, s.Namesakes = 0, "", nil, nil, "", nil, nil
	if s.Project != nil {
		s.Project = &inventory.ProjectRef{ID: s.Project.ID}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil // an edit that is no JSON is nobody's
	}
	return raw
}

// issues asks whether a generation could read the secret with that metadata. Its value is not known, and is taken for a text.
func issues(g provider.Generation, secret inventory.Secret, metadata []byte) []provider.Issue {
	raw, err := json.Marshal(map[string]any{
		"name": secret.Name, "type": secret.Type, "secret": "unknown", "metadata": json.RawMessage(metadata),
	})
	if err != nil || g == "" {
		return nil
	}
	_, found := provider.Read(g, raw)
	return found
}

// unrecognized are the metadata keys that the issues name as unknown.
func unrecognized(found []provider.Issue) []string {
	var keys []string
	for _, i := range found {
		if i.Code == provider.CodeUnrecognizedKeys {
			keys = append(keys, i.Keys...)
		}
	}
	return keys
}

// costs says what the literal form loses beside what the proxy rejects anyway (behaviours: OVERRIDE-21).
func costs(before jsonvalue.Object, rejected []string) []string {
	var all []string
	for _, key := range literal(before).Remove {
		if slices.Contains(rejected, key) {
			continue
		}
		cost := evidence.Printable(key) + " is lost"
		if models, err := jsonvalue.ParseObject(before[key]); key == "customModels" && err == nil && len(models) > 0 {
			cost += ": " + strings.Join(printable(models.Keys()), ", ") + " no longer route to the project"
		}
		all = append(all, cost)
	}
	if string(before["excludeDefaultModels"]) == "true" {
		all = append(all, "excludeDefaultModels becomes false: default models route to the project")
	}
	if string(before["supportsStreaming"]) == "false" {
		all = append(all, "supportsStreaming becomes true")
	}
	return all
}

// customModels are the custom models that metadata names, sorted.
func customModels(metadata []byte) []string {
	return slices.Sorted(maps.Keys(provider.Secret{Metadata: metadata}.Decode().CustomModels))
}

// valueKey is the name of the stored value in requests (facts: value-key).
func valueKey(level inventory.Level) string {
	if level == inventory.Org {
		return "secret"
	}
	return "value"
}

func printable(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = evidence.Printable(text)
	}
	return out
}
