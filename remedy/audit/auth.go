package audit

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
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
			Source: "guide: bearer-after-v2-migration, step 2; facts: auth_type changes nothing for openai",
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
			ID: "auth-format-other-type", Title: "auth_format is api_key on a type that is not openai",
			Severity: Note, Confidence: Assumed,
			Source: "facts: auth_format is a key of openai alone",
			Why:    "The schema knows auth_format for openai alone; what the proxy sends for this type then is not recorded.",
			Advice: "Remove auth_format, or try a call and look at the credential that the provider saw.",
			Needs:  "a call through the proxy whose credential is seen upstream",
			check: each(func(_ *look, v *view) (hit, bool) {
				return hit{cause: "type " + v.Type, evidence: []string{v.key("auth_format")}}, v.meta.AuthFormat == "api_key" && v.Type != "openai"
			}),
		},
	}
}

func authFormatAPIKey(l *look, v *view) (hit, bool) {
	if v.Type != "openai" || v.meta.AuthFormat != "api_key" {
		return hit{}, false
	}
	h := hit{
		severity: Warning, cause: "the gateway gets the token as an API key",
		evidence: []string{v.key("auth_format"), v.key("auth_type"), v.key("api_base"), l.schemes(v)},
		needs: "whether the gateway takes Bearer or requires Api-Key, in which case the secret is right as it is and nothing is to be done: " +
			"planeproof verify-token --api-url " + shell(l.apiURL) + " --secret ID --token-file token.txt",
		remedy: l.remedyFor(RemedyBearer, v),
	}
	if isOpenAI(v.meta.APIBase) && l.generation != provider.Legacy202602 { // which sends Bearer all the same
		h.severity, h.needs, h.cause = Error, "", "OpenAI's own API takes Bearer alone"
	}
	switch {
	case v.ofProject() && strict(l.generation):
		h.remedy = l.remedyFor(RemedyPortable, v)
	case v.ofProject() && l.generation == "":
		h.evidence = append(h.evidence, "if a legacy proxy still serves the project: upgrade first, or use the portable form (auth-fix-before-upgrade)")
	}
	return h, true
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
func (l *look) schemes(v *view) string {
	var sent []string
	for _, g := range l.generations() {
		sent = append(sent, fmt.Sprintf("%s sends Authorization: %s", g, v.schemes[g]))
	}
	return strings.Join(sent, "; ")
}

func fixBeforeUpgrade(l *look, v *view) (hit, bool) {
	if !v.ofProject() || v.Type != "openai" || v.meta.AuthFormat != "api_key" || l.generation == provider.Current202608 {
		return hit{}, false
	}
	h := hit{
		severity: Warning, cause: "the data plane's legacy proxy is " + string(l.generation),
		evidence: []string{v.key("auth_format"), v.key("auth_type")}, remedy: l.remedyFor(RemedyPortable, v),
	}
	if l.generation == "" {
		h.severity, h.cause = Note, "it is not known whether a legacy proxy serves the project"
		h.needs = "the generation that serves the organization: --legacy GENERATION"
	}
	return h, true
}

func authValueUnknown(l *look, v *view) (hit, bool) {
	g := l.generation
	if g == "" {
		g = provider.Current202608
	}
	for _, issue := range v.issues[g] {
		if len(issue.Path) != 2 || issue.Code == provider.CodeUnrecognizedKeys {
			continue
		}
		name, _ := issue.Path[1].(string)
		if !slices.Contains([]string{"auth_type", "authType", "auth_format"}, name) {
			continue
		}
		h := hit{
			severity: Error, cause: issue.Explain(), evidence: []string{v.key(name), "type " + v.Type},
			remedy: l.edit(v, "."+name+` = "<VALUE>"`),
		}
		if len(issue.Options) > 0 {
			h.evidence = append(h.evidence, string(g)+" knows "+strings.Join(issue.Options, ", "))
		}
		if !v.ofProject() {
			h.severity = Warning // the self-hosted proxy does not check it
		}
		return h, true
	}
	return hit{}, false
}

func authTypeOther(l *look, v *view) (hit, bool) {
	var authType string
	_ = json.Unmarshal(v.keys["auth_type"], &authType) // another type is told by auth-value-unknown
	found := v.Type == "openai" && authType != "" && authType != "api_key" && v.readable(provider.Current202608)
	if !found {
		return hit{}, false
	}
	return hit{cause: "auth_type " + authType, evidence: []string{v.key("auth_type"), v.key("auth_format")}, remedy: l.remedyFor(RemedyBearer, v)}, true
}

func authHalfSet(l *look, v *view) (hit, bool) {
	if v.Type != "openai" || v.has("auth_type") == v.has("auth_format") || v.meta.AuthFormat == "api_key" {
		return hit{}, false
	}
	return hit{evidence: []string{v.key("auth_type"), v.key("auth_format")}, remedy: l.remedyFor(RemedyPortable, v)}, true
}
