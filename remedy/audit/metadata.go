package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/provider"
)

// metadataRules are about what a proxy can read.
func metadataRules() []Rule {
	return []Rule{
		{
			ID: "metadata-unreadable", Title: "a proxy cannot read the secret's metadata",
			Severity: Error, Confidence: Recorded,
			Source: "guide: project-override-on-legacy-proxy; recorded: secret-schema",
			Why: "A proxy that cannot read a project's secret goes on with the organization's secrets only. The self-hosted proxy does not check the " +
				"organization's own; the hosted one from 2026-03 on does, and then sends the caller's own key to the provider's default base.",
			Advice: "Upgrade the data plane. Until then, on a strict legacy proxy and where unknown keys are the only fault, remove just these keys; " +
				"any other fault must be mended in the metadata itself.",
			check: each(unreadable),
		},
		{
			ID: "project-secrets-dropped", Title: "one unreadable secret drops the project's readable ones too",
			Severity: Error, Confidence: Assumed,
			Source: "guide: project-override-on-legacy-proxy (\"skips or fails\"); behaviour OVERRIDE-6",
			Why:    "The project's secrets are read together: where one cannot be read, the proxy continues with the organization's only.",
			Advice: "Mend the unreadable secret; the others need nothing.",
			check:  each(projectDropped),
		},
		{
			ID: "metadata-not-object", Title: "metadata is not a JSON object",
			Severity: Warning, Confidence: Recorded,
			Source: "recorded: secret-schema; guide: bearer-after-v2-migration, step 1",
			Why:    "Nothing in it counts, and the guide's own jq filter ends with an error at this secret instead of going on to the next.",
			Advice: "Store an object.",
			check: each(func(_ *look, v *view) (hit, bool) {
				text := bytes.TrimSpace(v.Metadata)
				found := len(text) > 0 && text[0] != '{' && string(text) != "null"
				return hit{cause: "metadata is " + kind(text), evidence: []string{"metadata is " + shorten(string(text), maxShown)}}, found
			}),
		},
		{
			ID: "custom-models-not-object", Title: "customModels is not an object",
			Severity: Warning, Confidence: Recorded,
			Source: "guide: bearer-after-v2-migration, step 1; behaviour BEARER-4",
			Why:    "Whether this secret serves a custom model cannot be told, and the guide's own jq filter ends with an error at it.",
			Advice: "Store an object with a key for each model, or remove the key.",
			check: each(func(_ *look, v *view) (hit, bool) {
				return hit{evidence: []string{v.key("customModels")}}, v.modelsUndecided() && v.keys != nil
			}),
		},
	}
}

func unreadable(l *look, v *view) (hit, bool) {
	var answers []string
	failing := l.failing(v)
	if len(failing) == 0 {
		return hit{}, false
	}
	for _, g := range l.generations() {
		answer := fmt.Sprintf("%s reads it", g)
		if slices.Contains(failing, g) {
			answer = fmt.Sprintf("%s cannot read it: %s", g, provider.Explain(v.issues[g]))
		}
		answers = append(answers, answer)
	}
	worst := failing[len(failing)-1]
	h := hit{severity: l.unreadableSeverity(v, failing), cause: provider.Explain(v.issues[failing[0]]), evidence: answers}
	if l.generation == "" && worst != provider.Current202608 {
		h.needs = "the generation that serves the organization: --legacy GENERATION; the proxy's log tells it (planeproof logs)"
	}
	if v.ofProject() {
		h.evidence = append(h.evidence, "used instead: "+l.instead(v))
	}
	if strict(failing[0]) && v.ofProject() && v.onlyUnknownKeys(failing[0]) && v.readable(provider.Current202608) {
		h.remedy = l.remedyFor(RemedyWorkaround, v)
	}
	return h, true
}

// failing are the generations in question that cannot read the secret, oldest first.
func (l *look) failing(v *view) []provider.Generation {
	return slices.DeleteFunc(slices.Clone(l.generations()), v.readable)
}

// unreadableSeverity: what fails for sure is an error; where the generation is not known, or a proxy may not check, a warning.
func (l *look) unreadableSeverity(v *view, failing []provider.Generation) Severity {
	sure := l.generation != "" || slices.Contains(failing, provider.Current202608)
	switch {
	case v.ofProject() && sure:
		return Error
	case v.ofProject():
		return Warning
	case slices.Contains(failing, provider.Current202608):
		return Warning
	default:
		return Note
	}
}

// instead says which secrets of the organization take the place of a project's.
func (l *look) instead(v *view) string {
	var others []*view
	for _, o := range l.organization {
		if len(shared(v, o)) > 0 {
			others = append(others, o)
		}
	}
	if len(others) == 0 {
		return "nothing of the organization's: the call fails with `No API keys found`"
	}
	return "the organization's " + names(others)
}

func projectDropped(l *look, v *view) (hit, bool) {
	failing := l.failing(v)
	if len(failing) == 0 || !v.ofProject() {
		return hit{}, false
	}
	latest := failing[len(failing)-1]
	var others []*view
	for _, o := range l.views {
		if o != v && o.readable(latest) {
			others = append(others, o)
		}
	}
	if len(others) == 0 {
		return hit{}, false
	}
	h := hit{
		severity: l.unreadableSeverity(v, failing), cause: fmt.Sprintf("%s cannot read all of a project's secrets", latest),
		evidence: []string{"dropped with it: " + names(others)}, also: refs(others),
	}
	return h, true
}

// modelsUndecided says that the guide's filter cannot tell whether the secret has a custom model: it takes null and false for an
// empty object, and ends at anything else that is none.
func (v *view) modelsUndecided() bool {
	if v.keys == nil {
		text := string(bytes.TrimSpace(v.Metadata))
		return text != "" && text != "null"
	}
	raw, there := v.keys["customModels"]
	return there && raw[0] != '{' && string(raw) != "null" && string(raw) != "false"
}

// kind names a JSON value's type for a sentence.
func kind(raw []byte) string {
	switch raw[0] {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	default:
		return "a number"
	}
}

// jsonText is a text in JSON's quotes.
func jsonText(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(raw)
}
