package audit

import (
	"fmt"
	"slices"
	"strings"
)

// routingRules are about which secret serves a model.
func routingRules() []Rule {
	return []Rule{
		{
			ID: "same-name-both-affected", Title: "secrets of one name are affected at both levels",
			Severity: Warning, Confidence: Guide,
			Source: "guide: project-override-on-legacy-proxy, override is by name; behaviour BEARER-19",
			Why:    "A project's secret takes the place of the organization's of the same name: mending only the organization's leaves the project failing.",
			Advice: "Apply the remedy to each of them.",
			check:  each(bothAffected),
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
			Source: "facts: routing, `models`, if set, must contain it",
			Why:    "`models` allows only what it lists, custom models too.",
			Advice: "Add the model to `models`, or remove the list.",
			check:  each(customBlocked),
		},
		{
			ID: "model-not-served", Title: "no provider secret serves the model asked for",
			Severity: Error, Confidence: Recorded,
			Source: "facts: routing, nothing eligible; behaviours API-5, BEARER-4",
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
			check: each(func(l *look, v *view) (hit, bool) {
				org := l.namesake(v)
				return hit{evidence: []string{fmt.Sprintf("the organization has %q too", v.Name)}, also: refs(org)}, len(org) > 0
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
func (l *look) namesake(v *view) []*view {
	if !v.ofProject() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.organization), func(o *view) bool { return o.Name != v.Name })
}

// affected says that the first guide's remedy is for this secret.
func (l *look) affected(v *view) bool {
	_, format := authFormatAPIKey(l, v)
	_, prefix := schemePrefix(l, v)
	return format || prefix
}

func bothAffected(l *look, v *view) (hit, bool) {
	org := slices.DeleteFunc(l.namesake(v), func(o *view) bool { return !l.affected(o) })
	if len(org) == 0 || !l.affected(v) {
		return hit{}, false
	}
	evidence := []string{fmt.Sprintf("both secrets named %q are affected: the project's and the organization's (%s)", v.Name, org[0].ID)}
	return hit{evidence: evidence, also: refs(org)}, true
}

// isEmpty says that no model is custom, as far as that can be told.
func (v *view) noCustomModels() bool { return len(v.meta.CustomModels) == 0 && !v.modelsUndecided() }

func servesNothing(l *look, v *view) (hit, bool) {
	closed := v.meta.Models != nil && len(v.meta.Models) == 0
	if !closed && !(v.meta.ExcludeDefaultModels && v.noCustomModels() && len(v.meta.Models) == 0) {
		return hit{}, false
	}
	h := hit{evidence: []string{v.key("excludeDefaultModels"), v.key("customModels"), v.key("models")}}
	if closed {
		h.cause = "`models` is an empty list"
	} else {
		h.cause = "default models are excluded and there are no custom ones"
		h.remedy = l.edit(v, ".excludeDefaultModels = false")
	}
	return h, true
}

func defaultsExcluded(l *look, v *view) (hit, bool) {
	if !v.meta.ExcludeDefaultModels || v.modelsUndecided() {
		return hit{}, false
	}
	var lost []string
	for _, model := range v.meta.Models {
		if _, custom := v.meta.CustomModels[model]; !custom {
			lost = append(lost, model)
		}
	}
	evidence := []string{v.key("excludeDefaultModels"), "listed in models and in no custom model: " + shorten(strings.Join(lost, ", "), maxShown)}
	return hit{evidence: evidence, remedy: l.edit(v, ".excludeDefaultModels = false")}, len(lost) > 0
}

func customBlocked(_ *look, v *view) (hit, bool) {
	if len(v.meta.Models) == 0 {
		return hit{}, false
	}
	var lost []string
	for model := range v.meta.CustomModels {
		if !slices.Contains(v.meta.Models, model) {
			lost = append(lost, model)
		}
	}
	slices.Sort(lost)
	return hit{evidence: []string{"in customModels and not in models: " + shorten(strings.Join(lost, ", "), maxShown)}}, len(lost) > 0
}

// notServed is about the organization as a whole, and only where a model was asked for.
func notServed(l *look) []hit {
	if l.model == nil || l.model.served {
		return nil
	}
	h := hit{cause: fmt.Sprintf("model %q", l.model.Name), evidence: []string{"no secret that was looked at is eligible for it"}}
	for _, s := range l.model.Custom {
		h.evidence = append(h.evidence, fmt.Sprintf("%q has it in customModels, but not in its models list", s.Name))
	}
	if len(l.model.Undecided) > 0 {
		h.severity, h.needs = Warning, "the custom models of the secrets where they cannot be told (custom-models-not-object, metadata-not-object)"
	}
	return []hit{h}
}

func bothCandidates(l *look, v *view) (hit, bool) {
	if !v.ofProject() {
		return hit{}, false
	}
	h := hit{}
	for _, o := range l.organization {
		if models := shared(v, o); o.Name != v.Name && len(models) > 0 {
			h.also = append(h.also, o.ref)
			h.evidence = append(h.evidence, fmt.Sprintf("with %q: %s", o.Name, shorten(strings.Join(models, ", "), maxShown)))
		}
	}
	return h, len(h.also) > 0
}
