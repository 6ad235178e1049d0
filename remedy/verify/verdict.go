package verify

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what a verification found out about a token, on one path or overall.
type Verdict string

// The verdicts of a path; NotServed is never an overall verdict (guide: bearer-after-v2-migration, step 3).
const (
	// Verified: 200 and a model list, and a wrong token was refused on the same path or was not tried.
	Verified Verdict = "verified"
	// Refused: 401.
	Refused Verdict = "refused"
	// NotAuthorized: 403, which is authenticated but not authorized.
	NotAuthorized Verdict = "not authorized"
	// OpenEndpoint: a deliberately wrong token was answered with a model list too, so that the 200 proves nothing.
	OpenEndpoint Verdict = "open endpoint"
	// NotModelList: an answer that is no model list, such as a login page, a redirect, or other JSON.
	NotModelList Verdict = "not a model list"
	// NotServed: 404, 405, 410 or 501.
	NotServed Verdict = "not served"
	// Inconclusive: an answer that says nothing about the token, such as 429 or a 5xx, or an interrupted check.
	Inconclusive Verdict = "inconclusive"
	// Unreachable: no answer at all.
	Unreachable Verdict = "unreachable"
)

// The verdicts that are overall ones only.
const (
	// NotBase: neither path is served, or the base is no URL that a path can be added to.
	NotBase Verdict = "not an OpenAI-compatible base URL"
	// NotRaw: the token was not sent, because it is no raw token.
	NotRaw Verdict = "not a raw token"
	// CallElsewhere: the token works, but the proxy calls a place where the model list is not served, or is refused.
	CallElsewhere Verdict = "the call goes elsewhere"
	// CallUnknown: the token works, but nothing tells whether it does where the proxy calls.
	CallUnknown Verdict = "the call cannot be judged"
)

// meaning is what follows from a verdict: the command line's exit code, and what to do next, in one line.
type meaning struct {
	verdict Verdict
	code    int
	advice  string
}

// meanings has those of paths in the order in which the first one that a path has is the overall one. One verified path is proof,
// whatever the other says. Without it, a path that could not be judged leaves the token undecided, since the other path does
// not condemn it: some gateways answer 401 where they serve nothing (facts: models-paths, api-key-products). For the same reason 403 and
// an open list stand before a 401, and any answer of an API before a web page or a 404.
func meanings() []meaning {
	return []meaning{
		{Verified, 0, "the token and the gateway work: re-run the scorer or a prompt"},
		{Inconclusive, 3, "nothing is known about the token: try again later"},
		{Unreachable, 3, "nothing is known about the token: check address, DNS and network policy, and look from where Braintrust runs"},
		{NotAuthorized, 1, "the gateway knows the token but does not allow it to list models: ask its owner for the permission"},
		{OpenEndpoint, 1, "the list is open to anyone, so it proves nothing about the token: verify with a model call"},
		{Refused, 1, "the gateway does not accept this token as Bearer: store a valid raw token, or check which scheme the gateway wants"},
		{NotModelList, 1, "this is not the API: look for a login page or proxy in front of it, or correct the base URL"},
		{NotServed, 1, "the gateway does not serve this path"},

		{NotBase, 1, "correct the base URL: scheme, host and what stands before /models or /v1/models"},
		{NotRaw, 1, "give and store the raw token only: no scheme, no white space, no control characters"},
		{CallElsewhere, 1, "the token is good, but not where the proxy calls"},
		{CallUnknown, 3, "the token is good; whether it works where the proxy calls takes a model call: re-run the scorer or a prompt"},
	}
}

func (v Verdict) rank() int {
	return slices.IndexFunc(meanings(), func(m meaning) bool { return m.verdict == v })
}

// ExitCode is that of the command line: 0 verified, 3 where nothing can be said of the token or of the proxy's
// call with it, 1 for every other verdict.
func (v Verdict) ExitCode() int {
	if v.rank() < 0 { // none of ours
		return 1
	}
	return meanings()[v.rank()].code
}

func (v Verdict) advice() string { return meanings()[v.rank()].advice }

// conclude fills in the overall verdict, its detail and its advice from those of the paths.
func (r *Result) conclude() {
	first := slices.MinFunc(r.Paths, func(a, b PathVerdict) int {
		return a.Verdict.rank() - b.Verdict.rank()
	})
	r.Verdict, r.Advice = first.Verdict, first.Advice
	said := make([]string, len(r.Paths))
	var elsewhere bool
	for i, p := range r.Paths {
		said[i] = p.Path + ": " + string(p.Verdict)
		if p.Status != 0 {
			said[i] += fmt.Sprintf(" (%d)", p.Status)
		}
		elsewhere = elsewhere || p.Verdict != Verified
	}
	r.Detail = strings.Join(said, "; ")
	switch {
	case r.Verdict == NotServed:
		r.Verdict, r.Advice = NotBase, NotBase.advice()
	case r.Verdict == Verified && elsewhere:
		r.Advice = fmt.Sprintf("only %s confirms the token: the api_base that goes with it is %s",
			first.Path, strings.TrimSuffix(first.URL, "/models"))
	}
	r.Call.judge(r)
	if r.Verdict == CallElsewhere {
		r.Advice += ": mend api_base, or endpoint_path, so that calls go below " + strings.TrimSuffix(first.URL, "/models")
	}
	if len(r.TokenProblems) > 0 {
		r.Advice = NotRaw.advice()
	}
}
