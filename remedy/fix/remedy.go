package fix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Remedy is one of the changes that are ever made.
type Remedy string

// The remedies.
const (
	// Bearer sets auth_format bearer and auth_type api_key (guide: bearer-after-v2-migration, step 2).
	Bearer Remedy = "bearer"
	// Workaround removes the metadata keys that a strict legacy proxy rejects (guide: project-override-on-legacy-proxy).
	Workaround Remedy = "workaround"
	// Literal leaves the three keys that the second guide's own command sends, whatever else is lost.
	Literal Remedy = "literal"
	// Portable removes auth_type and auth_format where Bearer is meant: every generation and v2 read that as Bearer.
	Portable Remedy = "portable"
	// RawToken replaces the stored value by a raw token.
	RawToken Remedy = "raw-token"
)

// Remedies returns all remedies.
func Remedies() []Remedy { return []Remedy{Bearer, Workaround, Literal, Portable, RawToken} }

// parseRemedy returns the remedy of that exact name.
func parseRemedy(name string) (Remedy, error) {
	if r := Remedy(name); slices.Contains(Remedies(), r) {
		return r, nil
	}
	return "", fmt.Errorf("parse remedy %q: known are %q", evidence.Printable(name), Remedies())
}

// edit is what a remedy does to a secret's metadata, and nothing else decides it: a plan shows it, and apply asks it again instead of
// believing the plan. The generation is the proxy's, empty where nobody says. The error says why the remedy is none for this secret.
func (r Remedy) edit(g provider.Generation, secret inventory.Secret) (e Edit, err error) {
	onlyOpenAI := "" // why it is for that type alone
	switch r {
	case Bearer:
		onlyOpenAI = "auth_format belongs to type openai alone"
		e.Set = []Entry{{"auth_format", json.RawMessage(`"bearer"`)}, {"auth_type", json.RawMessage(`"api_key"`)}}
	case Portable:
		onlyOpenAI = "without auth_type only type openai is Bearer everywhere"
		before := keysOf(secret.Metadata)
		e.Remove = slices.DeleteFunc([]string{"auth_type", "auth_format"}, func(key string) bool { return before[key] == nil })
	case Literal:
		onlyOpenAI = "the guide's literal form makes it type openai"
		e = literal(keysOf(secret.Metadata))
	case Workaround:
		e.Remove = unrecognized(issues(g, secret))
	case RawToken:
	default:
		_, err = parseRemedy(string(r))
	}
	if onlyOpenAI != "" && secret.Type != "openai" {
		err = fmt.Errorf("its type is %q: %s", secret.Type, onlyOpenAI)
	}
	return e, err
}

// literal is the metadata of the guide's command, with the secret's own api_base as the endpoint that is intended.
func literal(before jsonvalue.Object) Edit {
	e := Edit{Set: []Entry{
		{"excludeDefaultModels", json.RawMessage("false")}, {"supportsStreaming", json.RawMessage("true")},
	}}
	e.Remove = slices.DeleteFunc(before.Keys(), func(key string) bool {
		return key == "excludeDefaultModels" || key == "supportsStreaming" || key == "api_base"
	})
	return e
}

// newStep is all of a step that follows from the remedy, the generation and the secret as it is, and the secret as it will be.
func newStep(remedy Remedy, g provider.Generation, secret inventory.Secret) (s Step, edited inventory.Secret, err error) {
	before := jsonvalue.Hash(secret.Metadata)
	s = Step{
		Remedy: remedy, SecretID: secret.ID, Level: secret.Level, Project: secret.Project, Path: secret.Path(),
		Name: secret.Name, Type: secret.Type, Before: before, After: before, SecretUpdatedAt: secret.SecretUpdatedAt,
		ReplaceValue: remedy == RawToken, Diff: []Change{}, Request: Request{Method: "PATCH", Path: secret.Path()},
	}
	edited = secret
	if s.Edit, err = remedy.edit(g, secret); err != nil {
		return s, edited, err
	}
	if s.ReplaceValue {
		s.Diff = []Change{{Key: "(stored value)", Before: hidden, After: "‹the raw token given with --token-file›"}}
		s.Request.Body = fmt.Sprintf(`{"%s": ‹the raw token›}`, valueKey(secret.Level))
		return s, edited, nil
	}
	if edited.Metadata, err = s.Edit.Apply(secret.Metadata); err != nil {
		return s, secret, err
	}
	s.After, s.Diff = jsonvalue.Hash(edited.Metadata), changes(secret.Metadata, edited.Metadata)
	s.Request.Body = `{"metadata": ‹the whole metadata, changed as above›}`
	return s, edited, nil
}

// checkAgainst refuses a step that is not what its remedy makes of the secret as it was: a plan is for reading, the remedy decides.
func (s Step) checkAgainst(generation string, before state) error {
	want, _, err := newStep(s.Remedy, provider.Generation(generation), before.Secret)
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

// issues asks whether a generation could read the secret. Where nobody says which it is, there are none.
func issues(g provider.Generation, secret inventory.Secret) []provider.Issue {
	raw, err := json.Marshal(secret.Provider())
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
			cost += ": " + list(models.Keys()) + " no longer route to the project"
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

// customModels are the custom models of a secret, sorted.
func customModels(s inventory.Secret) []string {
	return slices.Sorted(maps.Keys(s.Provider().Decode().CustomModels))
}

// usesAPIKey says that Bearer is not what the secret asks for (the audit's rule auth-format-api-key).
func usesAPIKey(s inventory.Secret) bool {
	return s.Type == "openai" && s.Provider().Decode().AuthFormat == "api_key"
}

// valueKey is the name of the stored value in requests (facts: value-key).
func valueKey(level inventory.Level) string {
	if level == inventory.Org {
		return "secret"
	}
	return "value"
}

// list is foreign names in one line.
func list(names []string) string { return strings.Join(printable(names), ", ") }

func printable(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = evidence.Printable(text)
	}
	return out
}
