package audit

import (
	"encoding/json"
	"strings"
)

// valueRules are about the stored value, of which only a preview shows.
func valueRules() []Rule {
	return []Rule{
		{
			ID: "value-scheme-prefix", Title: "the stored value begins with a scheme such as `Bearer `",
			Severity: Error, Confidence: Seen,
			Source: "guide: bearer-after-v2-migration, step 2; recorded: proxy-routing, doubled Bearer",
			Why:    "The token is sent as it is stored, behind the scheme: the gateway gets `Bearer Bearer <token>` and refuses it.",
			Advice: "Store the raw token.",
			check:  each(schemePrefix),
		},
		{
			ID: "value-white-space", Title: "white space stands around the stored value",
			Severity: Warning, Confidence: Seen,
			Source: "behaviour BEARER-10; facts: the token is concatenated as stored",
			Why:    "White space at the end is cut by the proxy's HTTP client; in front of the token it is sent, and gateways differ in what they make of it.",
			Advice: "Store the raw token.",
			check: each(func(l *look, v *view) (hit, bool) {
				found := strings.TrimSpace(v.Preview) != v.Preview
				return hit{evidence: []string{"preview " + jsonText(v.Preview)}, remedy: l.remedyFor(RemedyRawToken, v)}, found
			}),
		},
		{
			ID: "value-missing", Title: "no value seems to be stored",
			Severity: Warning, Confidence: Assumed,
			Source: "behaviour BEARER-10; facts: a stored value of null",
			Why: "The API shows no preview of the value. Without a value, current-2026-08 sends no credential, and older generations " +
				"cannot read a project's secret and send `Bearer null` for an organization's.",
			Advice: "Store the token, unless the provider needs none.",
			Needs:  "whether the provider needs a token",
			check:  each(valueMissing),
		},
	}
}

func schemePrefix(l *look, v *view) (hit, bool) {
	scheme, _, found := strings.Cut(strings.TrimSpace(v.Preview), " ")
	for _, known := range []string{"Bearer", "Api-Key", "Basic"} {
		if found && strings.EqualFold(scheme, known) {
			return hit{evidence: []string{"preview " + jsonText(v.Preview)}, remedy: l.remedyFor(RemedyRawToken, v)}, true
		}
	}
	return hit{}, false
}

func valueMissing(l *look, v *view) (hit, bool) {
	if v.Preview != "" || v.Type == "ollama" {
		return hit{}, false
	}
	var authType string
	_ = json.Unmarshal(v.keys["auth_type"], &authType)
	if authType == "assume_role" || authType == "workload_identity_federation" {
		return hit{}, false
	}
	evidence := []string{"preview_secret is absent or null"}
	return hit{evidence: evidence, remedy: l.remedyFor(RemedyRawToken, v)}, true
}
