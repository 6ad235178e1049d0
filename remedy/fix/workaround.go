package fix

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// workaround is the second guide's: it removes from a project secret what the legacy proxy rejects, or, literally, all but the guide's
// three keys. It is offered only where the guide's three conditions hold (behaviours: OVERRIDE 12, 13, 22).
func (s *Step) workaround(secret inventory.Secret, before map[string]any, in Situation) error {
	issues := read(in.Generation, secret, secret.Metadata)
	s.Conditions = []Condition{onLegacyProxy(in), projectUnused(secret, issues, in), keysUnrecognized(secret, issues, in)}
	var missing []string
	for _, c := range s.Conditions {
		if !c.Holds {
			missing = append(missing, c.Name+" ("+c.Judged+")")
		}
	}
	if len(missing) > 0 {
		return s.refuse("the workaround does not apply: missing is: "+strings.Join(missing, "; "), s.Conditions)
	}
	minimal := literal(before)
	if s.Remedy == Literal {
		if secret.Type != "openai" {
			return s.refuse(fmt.Sprintf("the guide's literal form makes it type openai, and it is %q", secret.Type), s.Conditions)
		}
		s.Edit, s.Costs = minimal, costs(before, minimal, unrecognized(issues))
	} else {
		s.Edit.Remove = unrecognized(issues)
		s.Alternative = alternative(secret, before, minimal, s.Edit.Remove)
	}
	edited, err := s.Edit.Apply(secret.Metadata)
	if err != nil {
		return s.refuse(err.Error(), s.Conditions)
	}
	if left := read(in.Generation, secret, edited); len(left) > 0 {
		return s.refuse(fmt.Sprintf("%s could not read the result either: %s", in.Generation, evidence.Printable(provider.Explain(left))), s.Conditions)
	}
	if before["auth_format"] == "api_key" {
		s.note("after an upgrade a gateway that requires Api-Key needs auth_format api_key back: keep the backup")
	}
	for _, other := range in.Projects {
		if sameProject(other, secret) && len(read(in.Generation, other, other.Metadata)) > 0 {
			s.note(fmt.Sprintf("%s of the same project cannot be read either: until that is mended too, the project gets none of its own",
				evidence.Printable(other.Name)))
		}
	}
	s.note("this is temporary: the fix that lasts is an upgrade of the data plane")
	return nil
}

// read asks whether a generation could read the secret with that metadata. Its value is not known, and is taken for a text.
func read(g provider.Generation, secret inventory.Secret, metadata []byte) []provider.Issue {
	raw, err := json.Marshal(map[string]any{
		"name": secret.Name, "type": secret.Type, "secret": "unknown", "metadata": json.RawMessage(metadata),
	})
	if err != nil || g == "" {
		return nil
	}
	_, issues := provider.Read(g, raw)
	return issues
}

// unrecognized are the metadata keys that the issues name as unknown.
func unrecognized(issues []provider.Issue) []string {
	var keys []string
	for _, i := range issues {
		if i.Code == provider.CodeUnrecognizedKeys {
			keys = append(keys, i.Keys...)
		}
	}
	return keys
}

// literal is the metadata of the guide's command, with the secret's own api_base as the endpoint that is intended.
func literal(before map[string]any) Edit {
	e := Edit{Set: []Entry{
		{"excludeDefaultModels", json.RawMessage("false")}, {"supportsStreaming", json.RawMessage("true")},
	}}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if key != "excludeDefaultModels" && key != "supportsStreaming" && key != "api_base" {
			e.Remove = append(e.Remove, key)
		}
	}
	return e
}

// sameProject says of another secret that it is in the project of this one: one that cannot be read spoils all (facts: three generations).
func sameProject(other, secret inventory.Secret) bool {
	return other.ID != secret.ID && other.Project != nil && secret.Project != nil && other.Project.ID == secret.Project.ID
}

// costs says what the literal form loses beside what the proxy rejects anyway (behaviours: OVERRIDE-21).
func costs(before map[string]any, e Edit, rejected []string) []string {
	var all []string
	for _, key := range e.Remove {
		if slices.Contains(rejected, key) {
			continue
		}
		cost := evidence.Printable(key) + " is lost"
		if models, isObject := before[key].(map[string]any); key == "customModels" && isObject && len(models) > 0 {
			cost += ": " + strings.Join(printable(slices.Sorted(maps.Keys(models))), ", ") + " no longer route to the project"
		}
		all = append(all, cost)
	}
	if before["excludeDefaultModels"] == true {
		all = append(all, "excludeDefaultModels becomes false: default models route to the project")
	}
	if before["supportsStreaming"] == false {
		all = append(all, "supportsStreaming becomes true")
	}
	return all
}

func alternative(secret inventory.Secret, before map[string]any, minimal Edit, rejected []string) string {
	if secret.Type != "openai" {
		return ""
	}
	lost := costs(before, minimal, rejected)
	if len(lost) == 0 {
		lost = []string{"nothing else is lost"}
	}
	return "the guide's literal form (--literal) instead: " + strings.Join(lost, "; ")
}

func printable(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = evidence.Printable(text)
	}
	return out
}
