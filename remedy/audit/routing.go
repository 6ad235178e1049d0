package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// routingRules are about which secret serves a model.
func routingRules() []Rule {
	return []Rule{
		{
			ID: "same-name-both-affected", Title: "secrets of one name are affected at both levels",
			Severity: Warning, Confidence: Guide,
			Source:  "guide: project-override-on-legacy-proxy, override is by name; behaviour BEARER-19",
			Why:     "A project's secret takes the place of the organization's of the same name: mending only the organization's leaves the project failing.",
			Advice:  "Apply the remedy to each of them.",
			Follows: []string{"auth-format-api-key", "value-scheme-prefix"},
			check:   each(bothAffected),
		},
		{
			ID: "serves-nothing", Title: "the secret serves no model",
			Severity: Warning, Confidence: Recorded,
			Source: "guide: project-override-on-legacy-proxy, eligibility; recorded: proxy-routing",
			Why: "excludeDefaultModels takes the default models of the type away, `models` allows only what it lists, and no custom model is left: the proxy " +
				"never chooses this secret.",
			Advice: "If default models are meant, set excludeDefaultModels to false; else add the custom models, or delete the secret.",
			Needs:  "whether the provider is meant for default models",
			check:  each(servesNothing),
		},
		{
			ID: "default-models-excluded", Title: "excludeDefaultModels is true on a provider that lists default models",
			Severity: Warning, Confidence: Guide,
			Source: "guide: project-override-on-legacy-proxy, eligibility",
			Why:    "A provider remains eligible for default models only where excludeDefaultModels is not true: the default models that `models` lists go elsewhere.",
			Advice: "Set excludeDefaultModels to false, or add the models to customModels.",
			check:  each(defaultsExcluded),
		},
		{
			ID: "custom-model-not-allowed", Title: "a custom model is missing in the models list",
			Severity: Warning, Confidence: Recorded,
			Source: "facts: eligible",
			Why:    "`models` allows only what it lists, custom models too.",
			Advice: "Add the model to `models`, or remove the list.",
			check:  each(customBlocked),
		},
		{
			ID: "model-not-served", Title: "no provider secret serves the model asked for",
			Severity: Error, Confidence: Recorded,
			Source: "facts: nothing-eligible; behaviours API-5, BEARER-4",
			Why:    "A call with this model fails with `No API keys found`.",
			Advice: "Add the model to customModels of the provider that is meant, or restore the provider that was deleted.",
			after:  notServed,
		},
		{
			ID: "project-overrides-org", Title: "a project's secret overrides the organization's of the same name",
			Severity: Note, Confidence: Guide,
			Source: "guide: project-override-on-legacy-proxy, long-term fix",
			Why:    "In this project the organization's secret of that name is not used. x-bt-used-endpoint shows the name and cannot tell the two apart.",
			Advice: "Nothing, if it is meant.",
			check: each(func(p *pass, s *secret) (match, bool) {
				org := p.namesake(s)
				return match{evidence: []string{fmt.Sprintf("the organization has %q too", s.Name)}, also: refs(org)}, len(org) > 0
			}),
		},
		{
			ID: "both-candidates", Title: "a project's secret shares models with one of another name of the organization",
			Severity: Note, Confidence: Guide,
			Source: "guide: project-override-on-legacy-proxy, long-term fix; behaviours OVERRIDE-8 and OVERRIDE-10",
			Why: "Both remain candidates. If the gateway refuses the project's credential, the organization's is tried: the caller sees 200, and the wrong " +
				"credential was used.",
			Advice: "Give both the same name where the project's is meant to override.",
			check:  each(bothCandidates),
		},
	}
}

// namesake are the organization's secrets of a project secret's name.
func (p *pass) namesake(s *secret) []*secret {
	if !s.ofProject() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.organization), func(o *secret) bool { return o.Name != s.Name })
}

// affected says that the first guide's remedy is for this secret.
func (p *pass) affected(s *secret) bool {
	_, format := authFormatAPIKey(p, s)
	_, prefix := schemePrefix(p, s)
	return format || prefix
}

func bothAffected(p *pass, s *secret) (match, bool) {
	org := slices.DeleteFunc(p.namesake(s), func(o *secret) bool { return !p.affected(o) })
	if len(org) == 0 {
		return match{}, false
	}
	evidence := []string{fmt.Sprintf("both secrets named %q are affected: the project's and the organization's (%s)", s.Name, org[0].ID)}
	return match{evidence: evidence, also: refs(org)}, p.affected(s)
}

// list is names of models for evidence.
func list(models []string) string { return shorten(strings.Join(models, ", "), maxShown) }

func servesNothing(p *pass, s *secret) (match, bool) {
	closed := s.meta.Models != nil && len(s.meta.Models) == 0
	if !closed && !(s.meta.ExcludeDefaultModels && len(s.meta.CustomModels) == 0 && !s.modelsUndecided() && len(s.meta.Models) == 0) {
		return match{}, false
	}
	m := match{evidence: []string{s.key("excludeDefaultModels"), s.key("customModels"), s.key("models")}}
	if closed {
		m.cause = "`models` is an empty list"
	} else {
		m.cause = "default models are excluded and there are no custom ones"
		m.remedy = p.byHand(s, ".excludeDefaultModels = false")
	}
	return m, true
}

func defaultsExcluded(p *pass, s *secret) (match, bool) {
	if !s.meta.ExcludeDefaultModels || s.modelsUndecided() {
		return match{}, false
	}
	lost := slices.DeleteFunc(slices.Clone(s.meta.Models), func(model string) bool { _, custom := s.meta.CustomModels[model]; return custom })
	evidence := []string{s.key("excludeDefaultModels"), "listed in models and in no custom model: " + list(lost)}
	return match{evidence: evidence, remedy: p.byHand(s, ".excludeDefaultModels = false")}, len(lost) > 0
}

func customBlocked(_ *pass, s *secret) (match, bool) {
	lost := slices.DeleteFunc(slices.Sorted(maps.Keys(s.meta.CustomModels)), s.allows)
	return match{evidence: []string{"in customModels and not in models: " + list(lost)}}, len(s.meta.Models) > 0 && len(lost) > 0
}

// notServed is about the organization as a whole, and only where a model was asked for.
func notServed(p *pass) []match {
	if p.model == nil || p.model.served {
		return nil
	}
	m := match{cause: fmt.Sprintf("model %q", p.model.Name), evidence: []string{"no secret that was read is eligible for it"}}
	for _, s := range p.model.Custom {
		m.evidence = append(m.evidence, fmt.Sprintf("%q has it in customModels, but not in its models list", s.Name))
	}
	if p.model.defaults {
		m.evidence = append(m.evidence, "default models of a type are known here by a short list: where it is one, a secret of its type may serve it")
	}
	if len(p.model.Undecided) > 0 {
		m.severity, m.needs = Warning, "the custom models of the secrets where they cannot be told (custom-models-not-object, metadata-not-object)"
	}
	return []match{m}
}

func bothCandidates(p *pass, s *secret) (match, bool) {
	if !s.ofProject() {
		return match{}, false
	}
	m := match{}
	for _, o := range p.organization {
		if models := shared(s, o); o.Name != s.Name && len(models) > 0 {
			m.also = append(m.also, o.ref)
			m.evidence = append(m.evidence, fmt.Sprintf("with %q: %s", o.Name, list(models)))
		}
	}
	return m, len(m.also) > 0
}
