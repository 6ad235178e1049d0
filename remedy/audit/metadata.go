package audit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/internal/jsonvalue"
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
			Source:  "guide: project-override-on-legacy-proxy (\"skips or fails\"); behaviour OVERRIDE-6",
			Why:     "The project's secrets are read together: where one cannot be read, the proxy continues with the organization's only.",
			Advice:  "Mend the unreadable secret; the others need nothing.",
			Follows: []string{"metadata-unreadable"},
			check:   each(projectDropped),
		},
		{
			ID: "metadata-not-object", Title: "metadata is not a JSON object",
			Severity: Warning, Confidence: Recorded,
			Source: "recorded: secret-schema; guide: bearer-after-v2-migration, step 1",
			Why:    "Nothing in it counts, and the guide's own jq filter ends with an error at this secret instead of going on to the next.",
			Advice: "Store an object.",
			check: each(func(_ *pass, s *secret) (match, bool) {
				text := bytes.TrimSpace(s.Metadata)
				found := len(text) > 0 && text[0] != '{' && string(text) != "null"
				return match{cause: "metadata is " + jsonvalue.Kind(text), evidence: []string{"metadata is " + shorten(string(text), maxShown)}}, found
			}),
		},
		{
			ID: "custom-models-not-object", Title: "customModels is not an object",
			Severity: Warning, Confidence: Recorded,
			Source: "guide: bearer-after-v2-migration, step 1; behaviour BEARER-4",
			Why:    "Whether this secret serves a custom model cannot be told, and the guide's own jq filter ends with an error at it.",
			Advice: "Store an object with a key for each model, or remove the key.",
			check: each(func(_ *pass, s *secret) (match, bool) {
				return match{evidence: []string{s.key("customModels")}}, s.modelsUndecided() && s.keys != nil
			}),
		},
	}
}

func unreadable(p *pass, s *secret) (match, bool) {
	var answers []string
	failing := p.failing(s)
	if len(failing) == 0 {
		return match{}, false
	}
	for _, g := range p.generations() {
		answer := fmt.Sprintf("%s reads it", g)
		if slices.Contains(failing, g) {
			answer = fmt.Sprintf("%s cannot read it: %s", g, provider.Explain(s.issues[g]))
		}
		answers = append(answers, answer)
	}
	worst := failing[len(failing)-1]
	m := match{severity: p.unreadableSeverity(s, failing), cause: provider.Explain(s.issues[failing[0]]), evidence: answers}
	if p.generation == "" && worst != provider.Current202608 {
		m.needs = "the generation that serves the organization: --legacy GENERATION; the proxy's log tells it (planeproof logs)"
	}
	if s.ofProject() {
		m.evidence = append(m.evidence, "used instead: "+p.instead(s))
	}
	if p.version != "" && p.generation.Strict() {
		m.needs = "whether that proxy still serves: the data plane says that it is " + p.version + ", for which the workaround is not"
	}
	if p.version == "" && failing[0].Strict() && s.ofProject() && s.onlyUnknownKeys(failing[0]) && s.readable(provider.Current202608) {
		m.remedy = p.remedyFor(RemedyWorkaround, s)
		if p.generation == "" {
			m.evidence = append(m.evidence, fmt.Sprintf("the fix is for %s, the oldest generation: what that can read, every later one can read too", p.strictest()))
		}
	}
	return m, true
}

// failing are the generations in question that cannot read the secret, oldest first.
func (p *pass) failing(s *secret) []provider.Generation {
	return slices.DeleteFunc(slices.Clone(p.generations()), s.readable)
}

// unreadableSeverity: what fails for sure is an error; where the generation is not known, or a proxy may not check, a warning.
func (p *pass) unreadableSeverity(s *secret, failing []provider.Generation) Severity {
	sure := p.generation != "" || slices.Contains(failing, provider.Current202608)
	switch {
	case s.ofProject() && sure:
		return Error
	case s.ofProject():
		return Warning
	case slices.Contains(failing, provider.Current202608):
		return Warning
	default:
		return Note
	}
}

// instead says which secrets of the organization take the place of a project's.
func (p *pass) instead(s *secret) string {
	others := slices.DeleteFunc(slices.Clone(p.organization), func(o *secret) bool { return len(shared(s, o)) == 0 })
	if len(others) == 0 {
		return "nothing of the organization's: the call fails with `No API keys found`"
	}
	return "the organization's " + names(others)
}

func projectDropped(p *pass, s *secret) (match, bool) {
	failing := p.failing(s)
	if len(failing) == 0 || !s.ofProject() {
		return match{}, false
	}
	latest := failing[len(failing)-1]
	others := slices.DeleteFunc(slices.Clone(p.secrets), func(o *secret) bool { return o == s || !o.readable(latest) })
	if len(others) == 0 {
		return match{}, false
	}
	m := match{
		severity: p.unreadableSeverity(s, failing), cause: fmt.Sprintf("%s cannot read all of a project's secrets", latest),
		evidence: []string{"dropped with it: " + names(others)}, also: refs(others),
	}
	return m, true
}

// modelsUndecided says that the guide's filter cannot tell whether the secret has a custom model: it takes null and false for an
// empty object, and ends at anything else that is none.
func (s *secret) modelsUndecided() bool {
	if s.keys == nil {
		text := string(bytes.TrimSpace(s.Metadata))
		return text != "" && text != "null"
	}
	raw, there := s.keys["customModels"]
	return there && raw[0] != '{' && string(raw) != "null" && string(raw) != "false"
}
