package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// migrationRules say beforehand what a change of the data plane would change for a secret.
func migrationRules() []Rule {
	return []Rule{
		{
			ID: "migration-upgrade", Title: "an upgrade to the current proxy or to data plane v2 changes what is sent",
			Severity: Warning, Confidence: Recorded,
			Source: "guide: bearer-after-v2-migration; facts: three generations; behaviours MIGRATION-3 and MIGRATION-6, OVERRIDE-14",
			Why: "Older generations ignore auth_format, or cannot read a project's newer metadata at all; the current one honours it, and so a stored " +
				"setting that did nothing begins to count.",
			Advice: "Where Bearer is meant, mend the secret right after the upgrade, or give it the portable form before.",
			check:  each(upgrade),
		},
		{
			ID: "migration-gateway", Title: "switching the Gateway on may change what is sent",
			Severity: Note, Confidence: Assumed,
			Source: "facts: what header the closed-source Gateway sends for api_key is unknown; behaviours MIGRATION-6, OVERRIDE-12",
			Why: "With auth_format api_key the Gateway may send another header than the proxy did; and it has no schema, so that secrets which the proxy " +
				"cannot read are used. With Bearer nothing changes.",
			Advice: "Try a call after the switch and look at the credential that the provider saw.",
			Needs:  "a call with the Gateway on",
			check:  each(gatewaySwitch),
		},
		{
			ID: "migration-step-back", Title: "a step back to an older proxy changes what is sent",
			Severity: Note, Confidence: Recorded,
			Source: "facts: three generations; recorded: secret-schema; behaviour MIGRATION-6",
			Why:    "An older, strict generation cannot read newer metadata keys of a project's secret, and may ignore auth_format.",
			Advice: "Give the secret the portable form before, where Bearer is meant.",
			check:  each(stepBack),
		},
		{
			ID: "portable-form", Title: "the secret has a form that works in every generation",
			Severity: Note, Confidence: Recorded,
			Source: "recorded: secret-schema, proxy-routing; behaviour MIGRATION-4",
			Why:    "Without auth_type and auth_format every generation sends Bearer, as it does now, and none is strict about keys that are not there.",
			Advice: "Use it where a legacy proxy still serves, or a step back must stay possible.",
			check:  each(portable),
		},
	}
}

// effect is what a generation makes of a secret.
func (v *view) effect(g provider.Generation) string {
	if v.ofProject() && !v.readable(g) {
		return "cannot read it, and uses the organization's secrets"
	}
	return "sends Authorization: " + v.schemes[g]
}

func upgrade(l *look, v *view) (hit, bool) {
	const to = provider.Current202608
	var evidence []string
	for _, from := range l.generations() {
		if v.effect(from) != v.effect(to) {
			evidence = append(evidence, fmt.Sprintf("%s %s", from, v.effect(from)))
		}
	}
	if len(evidence) == 0 {
		return hit{}, false
	}
	h := hit{severity: Note, cause: fmt.Sprintf("the current proxy %s", v.effect(to)), evidence: evidence}
	if v.schemes[to] == "Api-Key" {
		h.needs = "whether the gateway takes Bearer or requires Api-Key"
		if l.generation != "" {
			h.severity = Warning
		}
		h.remedy = l.remedyFor(RemedyPortable, v)
	}
	return h, true
}

func gatewaySwitch(_ *look, v *view) (hit, bool) {
	const before = provider.Current202608
	switch {
	case v.schemes[before] == "Api-Key":
		return hit{cause: "auth_format is api_key", evidence: []string{v.key("auth_format"), "the proxy " + v.effect(before)}}, true
	case v.ofProject() && !v.readable(before):
		return hit{cause: "the proxy cannot read it", evidence: []string{provider.Explain(v.issues[before])}}, true
	default:
		return hit{}, false
	}
}

func stepBack(l *look, v *view) (hit, bool) {
	from := l.generation
	if from == "" {
		from = provider.Current202608
	}
	var evidence []string
	for _, to := range provider.Generations() {
		if to == from {
			break
		}
		if v.effect(to) != v.effect(from) {
			evidence = append(evidence, fmt.Sprintf("%s %s", to, v.effect(to)))
		}
	}
	if len(evidence) == 0 {
		return hit{}, false
	}
	h := hit{cause: fmt.Sprintf("%s %s", from, v.effect(from)), evidence: evidence}
	if _, found := portable(l, v); found {
		h.remedy = l.remedyFor(RemedyPortable, v)
	}
	return h, true
}

func portable(l *look, v *view) (hit, bool) {
	_, other := authTypeOther(l, v)
	if v.Type != "openai" || v.meta.AuthFormat == "api_key" || other || !v.has("auth_type") && !v.has("auth_format") {
		return hit{}, false
	}
	var still []string
	for _, g := range provider.Generations() {
		if rest := withoutAuthKeys(v.issues[g]); v.ofProject() && len(rest) > 0 {
			still = append(still, fmt.Sprintf("%s would still not read it: %s", g, provider.Explain(rest)))
		}
	}
	evidence := []string{v.key("auth_type"), v.key("auth_format")}
	if len(still) > 0 {
		evidence = append(evidence, strings.Join(still, "; "))
	}
	return hit{evidence: evidence, remedy: l.remedyFor(RemedyPortable, v)}, true
}

// withoutAuthKeys are the issues that are left when auth_type and auth_format are gone.
func withoutAuthKeys(issues []provider.Issue) []provider.Issue {
	isAuth := func(key string) bool { return key == "auth_type" || key == "auth_format" }
	var rest []provider.Issue
	for _, issue := range issues {
		issue.Keys = slices.DeleteFunc(slices.Clone(issue.Keys), isAuth)
		if issue.Code == provider.CodeUnrecognizedKeys && len(issue.Keys) == 0 {
			continue
		}
		if len(issue.Path) > 1 && (issue.Path[1] == "auth_type" || issue.Path[1] == "auth_format") {
			continue
		}
		rest = append(rest, issue)
	}
	return rest
}
