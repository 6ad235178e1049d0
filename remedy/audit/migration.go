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
			Source: "guide: bearer-after-v2-migration; facts: strict-schema; behaviours MIGRATION-3 and MIGRATION-6, OVERRIDE-14",
			Why: "Older generations ignore auth_format, or cannot read a project's newer metadata at all; the current one honours it, and so a stored " +
				"setting that did nothing begins to count.",
			Advice: "Where Bearer is meant, mend the secret right after the upgrade, or give it the portable form before.",
			check:  each(upgrade),
		},
		{
			ID: "migration-gateway", Title: "switching the Gateway on may change what is sent",
			Severity: Note, Confidence: Assumed,
			Source: "facts: gateway-shape; behaviours MIGRATION-6, OVERRIDE-12",
			Why: "With auth_format api_key the Gateway may send another header than the proxy did; and it has no schema, so that secrets which the proxy " +
				"cannot read are used. With Bearer nothing changes.",
			Advice: "Try a call after the switch and look at the credential that the provider saw.",
			Needs:  "a call with the Gateway on",
			check:  each(gatewaySwitch),
		},
		{
			ID: "migration-step-back", Title: "a step back to an older proxy changes what is sent",
			Severity: Note, Confidence: Recorded,
			Source: "facts: strict-schema; recorded: secret-schema; behaviour MIGRATION-6",
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
func (s *secret) effect(g provider.Generation) string {
	if s.ofProject() && !s.readable(g) {
		return "cannot read it, and uses the organization's secrets"
	}
	return "sends Authorization: " + s.schemes[g]
}

// differing says what those generations make of a secret that make something else of it than one does.
func (s *secret) differing(others []provider.Generation, from provider.Generation) (effects []string) {
	for _, g := range others {
		if s.effect(g) != s.effect(from) {
			effects = append(effects, fmt.Sprintf("%s %s", g, s.effect(g)))
		}
	}
	return effects
}

func upgrade(p *pass, s *secret) (match, bool) {
	const to = provider.Current202608
	evidence := s.differing(p.generations(), to)
	m := match{severity: Note, cause: fmt.Sprintf("the current proxy %s", s.effect(to)), evidence: evidence}
	if s.schemes[to] == "Api-Key" {
		m.needs = "whether the gateway takes Bearer or requires Api-Key"
		if p.generation != "" {
			m.severity = Warning
		}
		m.remedy = p.remedyFor(RemedyPortable, s)
	}
	return m, len(evidence) > 0
}

func gatewaySwitch(_ *pass, s *secret) (match, bool) {
	const before = provider.Current202608
	switch {
	case s.schemes[before] == "Api-Key":
		return match{cause: "auth_format is api_key", evidence: []string{s.key("auth_format"), "the proxy " + s.effect(before)}}, true
	case s.ofProject() && !s.readable(before):
		return match{cause: "the proxy cannot read it", evidence: []string{provider.Explain(s.issues[before])}}, true
	default:
		return match{}, false
	}
}

func stepBack(p *pass, s *secret) (match, bool) {
	from := p.judged()
	all := provider.Generations()
	evidence := s.differing(all[:slices.Index(all, from)], from)
	m := match{cause: fmt.Sprintf("%s %s", from, s.effect(from)), evidence: evidence}
	if _, found := portable(p, s); found {
		m.remedy = p.remedyFor(RemedyPortable, s)
	}
	return m, len(evidence) > 0
}

func portable(p *pass, s *secret) (match, bool) {
	_, other := authTypeOther(p, s)
	if s.Type != "openai" || s.meta.AuthFormat == "api_key" || other || !s.has("auth_type") && !s.has("auth_format") {
		return match{}, false
	}
	var still []string
	for _, g := range provider.Generations() {
		if rest := withoutAuthKeys(s.issues[g]); s.ofProject() && len(rest) > 0 {
			still = append(still, fmt.Sprintf("%s would still not read it: %s", g, provider.Explain(rest)))
		}
	}
	evidence := s.authKeys()
	if len(still) > 0 {
		evidence = append(evidence, strings.Join(still, "; "))
	}
	return match{evidence: evidence, remedy: p.remedyFor(RemedyPortable, s)}, true
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
