package audit

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/verify"
)

// authRules are about how the stored credential is sent.
func authRules() []Rule {
	return []Rule{
		{
			ID: "auth-format-api-key", Title: "auth_format is api_key on an OpenAI-compatible provider",
			Severity: Error, Confidence: Recorded,
			Source: "guide: bearer-after-v2-migration, steps 1 and 2; recorded: proxy-routing",
			Why: "legacy-2026-02 ignores auth_format and sends `Authorization: Bearer`; later generations and data plane v2 send the token as an " +
				"API key instead, which a gateway that expects Bearer refuses with an authentication error.",
			Advice: "Set auth_type api_key and auth_format bearer, and store the raw token without a `Bearer ` prefix.",
			check:  each(authFormatAPIKey),
		},
		{
			ID: "auth-fix-before-upgrade", Title: "setting the auth keys before the upgrade would cost the project its own credential",
			Severity: Warning, Confidence: Recorded,
			Source: "recorded: secret-schema; behaviour MIGRATION-1",
			Why: "A strict legacy proxy cannot read a project's secret that has auth_type, and legacy-2026-02 none that has auth_format: it then drops " +
				"the project's secrets and uses the organization's.",
			Advice: "Upgrade first, or use the portable form without auth_type and auth_format, which every generation reads as Bearer.",
			check:  each(fixBeforeUpgrade),
		},
		{
			ID: "auth-value-unknown", Title: "auth_type or auth_format has a value that is not known for the type",
			Severity: Error, Confidence: Recorded,
			Source: "recorded: secret-schema",
			Why:    "A value that the schema does not list makes the whole secret unreadable, in every generation that checks it.",
			Advice: "Store a value that the type knows.",
			check:  each(authValueUnknown),
		},
		{
			ID: "auth-type-not-api-key", Title: "auth_type is not api_key",
			Severity: Note, Confidence: Guide,
			Source: "guide: bearer-after-v2-migration, step 2; facts: auth-type",
			Why: "The combination for an OpenAI-compatible provider is auth_type api_key with auth_format bearer. The proxy's own code takes no notice of " +
				"auth_type for openai.",
			Advice: "Leave it where it is meant; else set auth_type api_key and auth_format bearer.",
			Needs:  "whether another way to authenticate is meant, and what the Gateway makes of it",
			check:  each(authTypeOther),
		},
		{
			ID: "auth-keys-half-set", Title: "only one of auth_type and auth_format is set",
			Severity: Note, Confidence: Recorded,
			Source: "recorded: proxy-routing; behaviour BEARER-20",
			Why:    "Bearer is sent either way; a strict legacy proxy may still refuse the one key that is there.",
			Advice: "Set both, or neither: the form with neither works in every generation.",
			check:  each(authHalfSet),
		},
		{
			ID: "additional-headers-authorization", Title: "additionalHeaders has an Authorization of its own",
			Severity: Warning, Confidence: Recorded,
			Source: "facts: additional-headers; behaviour BEARER-22",
			Why: "It is joined with the token's, in one header: `Basic extra, Bearer <token>` by the current proxy, the other way round by older ones. " +
				"Gateways refuse that as they would a wrong token.",
			Advice: "Remove it from additionalHeaders, or, where the gateway wants this one alone, ask its owner how to authenticate.",
			check: each(func(p *pass, s *secret) (match, bool) {
				m := match{evidence: []string{"metadata.additionalHeaders has Authorization"}}
				m.remedy = p.byHand(s, `.additionalHeaders |= with_entries(select(.key | ascii_downcase != "authorization"))`)
				return m, verify.HasAuthorization(s.meta)
			}),
		},
		{
			ID: "auth-format-other-type", Title: "auth_format is api_key on a type that is not openai",
			Severity: Note, Confidence: Assumed,
			Source: "facts: auth-type",
			Why:    "The schema knows auth_format for openai alone; what the proxy sends for this type then is not recorded.",
			Advice: "Remove auth_format, or try a call and look at the credential that the provider saw.",
			Needs:  "a call through the proxy whose credential is seen upstream",
			check: each(func(_ *pass, s *secret) (match, bool) {
				return match{cause: "type " + s.Type, evidence: []string{s.key("auth_format")}}, s.meta.AuthFormat == "api_key" && s.Type != "openai"
			}),
		},
	}
}

func authFormatAPIKey(p *pass, s *secret) (match, bool) {
	if s.Type != "openai" || s.meta.AuthFormat != "api_key" {
		return match{}, false
	}
	m := match{
		severity: Warning, cause: "the gateway gets the token as an API key",
		evidence: []string{s.key("auth_format"), s.key("auth_type"), s.key("api_base"), p.schemes(s)},
		needs: "whether the gateway takes Bearer or requires Api-Key, in which case the secret is right as it is and nothing is to be done; " +
			"the command under each finding tries the token as Bearer",
		remedy: p.remedyFor(RemedyBearer, s),
	}
	if isOpenAI(s.meta.APIBase) && p.generation != provider.Legacy202602 { // which sends Bearer all the same
		m.severity, m.needs, m.cause = Error, "", "OpenAI's own API takes Bearer alone"
	}
	if s.ofProject() && p.generation.Strict() {
		m.remedy = p.remedyFor(RemedyPortable, s)
	}
	if m.needs != "" {
		m.remedy.Decide = p.tryToken(s)
	}
	if s.ofProject() && p.generation == "" {
		m.evidence = append(m.evidence, "if a legacy proxy still serves the project: upgrade first, or use the portable form (auth-fix-before-upgrade)")
	}
	return m, true
}

// isOpenAI says that requests go to OpenAI itself, which is where they go without api_base.
func isOpenAI(base string) bool {
	if base == "" {
		return true
	}
	u, err := url.Parse(strings.ToLower(base))
	return err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".api.openai.com"))
}

// schemes says what each generation in question sends.
func (p *pass) schemes(s *secret) string {
	var sent []string
	for _, g := range p.generations() {
		sent = append(sent, fmt.Sprintf("%s sends Authorization: %s", g, s.schemes[g]))
	}
	return strings.Join(sent, "; ")
}

func fixBeforeUpgrade(p *pass, s *secret) (match, bool) {
	if !s.ofProject() || s.Type != "openai" || s.meta.AuthFormat != "api_key" || p.generation == provider.Current202608 {
		return match{}, false
	}
	m := match{
		severity: Warning, cause: "the data plane's legacy proxy is " + string(p.generation),
		evidence: s.authKeys(), remedy: p.remedyFor(RemedyPortable, s),
	}
	if p.generation == "" {
		m.severity, m.cause = Note, "it is not known whether a legacy proxy serves the project"
		m.needs = "the generation that serves the organization: --legacy GENERATION"
	}
	return m, true
}

func authValueUnknown(p *pass, s *secret) (match, bool) {
	g := p.judged()
	for _, issue := range s.issues[g] {
		if len(issue.Path) != 2 || issue.Code == provider.CodeUnrecognizedKeys {
			continue
		}
		name, _ := issue.Path[1].(string)
		if !slices.Contains([]string{"auth_type", "authType", "auth_format"}, name) {
			continue
		}
		m := match{cause: issue.Explain(), evidence: []string{s.key(name), "type " + s.Type}}
		if len(issue.Options) > 0 {
			m.evidence = append(m.evidence, string(g)+" knows "+strings.Join(issue.Options, ", "))
		}
		if !s.ofProject() {
			m.severity = Warning // the self-hosted proxy does not check it
		}
		return m, true
	}
	return match{}, false
}

func authTypeOther(p *pass, s *secret) (match, bool) {
	kind := s.authType() // another type is told by auth-value-unknown
	found := s.Type == "openai" && kind != "" && kind != "api_key" && s.readable(provider.Current202608)
	return match{cause: "auth_type " + kind, evidence: s.authKeys(), remedy: p.remedyFor(RemedyBearer, s)}, found
}

func authHalfSet(p *pass, s *secret) (match, bool) {
	found := s.Type == "openai" && s.has("auth_type") != s.has("auth_format") && s.meta.AuthFormat != "api_key"
	return match{evidence: s.authKeys(), remedy: p.remedyFor(RemedyPortable, s)}, found
}
