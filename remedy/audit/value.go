package audit

import (
	"slices"
	"strings"

	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/remedy/verify"
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
			ID: "value-scheme-suspected", Title: "the stored value may begin with a scheme such as `Bearer `",
			Severity: Warning, Confidence: Assumed,
			Source: "guide: bearer-after-v2-migration, step 2; facts: preview",
			Why: "The preview begins as a scheme does, and leaves out what follows. If the value begins with a scheme, the gateway gets it twice; a token " +
				"may also begin with these letters.",
			Advice: "Store the raw token anew, or try a call.",
			Needs:  "the stored value, which nobody can read, or a call through the proxy",
			check:  each(schemeSuspected),
		},
		{
			ID: "value-white-space", Title: "white space stands around the stored value",
			Severity: Warning, Confidence: Seen,
			Source: "behaviour BEARER-10; facts: stored-token",
			Why:    "White space at the end is cut by the proxy's HTTP client; in front of the token it is sent, and gateways differ in what they make of it.",
			Advice: "Store the raw token.",
			check: each(func(p *pass, s *secret) (match, bool) {
				return p.rawToken(s), strings.TrimSpace(s.Preview) != s.Preview
			}),
		},
		{
			ID: "value-missing", Title: "no value seems to be stored",
			Severity: Warning, Confidence: Assumed,
			Source: "behaviour BEARER-10; facts: null-value",
			Why: "The API shows no preview of the value. Without a value, current-2026-08 sends no credential, and older generations " +
				"cannot read a project's secret and send `Bearer null` for an organization's.",
			Advice: "Store the token, unless the provider needs none.",
			Needs:  "whether the provider needs a token",
			check:  each(valueMissing),
		},
	}
}

// rawToken is what a preview gives away, and the remedy for it.
func (p *pass) rawToken(s *secret) match {
	return match{evidence: []string{"preview " + string(jsonvalue.Text(s.Preview))}, remedy: p.remedyFor(RemedyRawToken, s)}
}

func schemePrefix(p *pass, s *secret) (match, bool) {
	_, sure := verify.SchemeIn(s.Preview)
	return p.rawToken(s), sure
}

func schemeSuspected(p *pass, s *secret) (match, bool) {
	scheme, sure := verify.SchemeIn(s.Preview)
	m := p.rawToken(s)
	m.cause = "the stored value may begin with `" + scheme + " `"
	return m, scheme != "" && !sure
}

func valueMissing(p *pass, s *secret) (match, bool) {
	needed := s.Type != "ollama" && !slices.Contains([]string{"assume_role", "workload_identity_federation"}, s.authType())
	return match{evidence: []string{"preview_secret is absent or null"}, remedy: p.remedyFor(RemedyRawToken, s)}, s.Preview == "" && needed
}
