package audit

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// endpointRules are about api_base.
func endpointRules() []Rule {
	return []Rule{
		{
			ID: "api-base-chat-completions", Title: "api_base ends in /chat/completions",
			Severity: Error, Confidence: Recorded,
			Source: "recorded: proxy-routing, api_base=*",
			Why:    "The request path is added to api_base as it is: the provider is asked for /chat/completions/chat/completions.",
			Advice: "Cut api_base behind the version, such as https://gateway.example/v1.",
			check:  each(chatCompletions),
		},
		{
			ID: "api-base-no-scheme", Title: "api_base does not begin with http:// or https://",
			Severity: Error, Confidence: Recorded,
			Source: "recorded: secret-schema, bad URLs",
			Why: "It is no URL that can be called: a project's secret is unreadable with it where the schema notices, and every call fails where it " +
				"does not (`localhost:8080` passes for a scheme).",
			Advice: "Put https:// in front, or http:// where the gateway has no TLS.",
			Needs:  "whether the gateway has TLS",
			check: each(func(p *pass, s *secret) (match, bool) {
				base := s.meta.APIBase
				remedy := p.byHand(s, `.api_base |= "https://" + .`)
				return match{evidence: []string{s.key("api_base")}, remedy: remedy}, base != "" && !withScheme.MatchString(base)
			}),
		},
		{
			ID: "api-base-trailing-slash", Title: "api_base ends in a slash",
			Severity: Warning, Confidence: Recorded,
			Source: "recorded: proxy-routing, api_base=*; facts: url-called",
			Why:    "The request path is added to api_base as it is, which makes `//chat/completions`: some gateways answer that with 404, some with a redirect.",
			Advice: "Remove the slash, unless calls are known to work.",
			Needs:  "a call through the proxy",
			check: each(func(p *pass, s *secret) (match, bool) {
				found := strings.HasSuffix(basePath(s.meta.APIBase), "/")
				return match{evidence: p.callOf(s), remedy: p.tried(s, `.api_base |= sub("/+$"; "")`)}, found
			}),
		},
		{
			ID: "api-base-blank", Title: "white space stands in or around api_base",
			Severity: Warning, Confidence: Recorded,
			Source: "facts: url-called; behaviour TOKEN-9",
			Why: "The request path is added to api_base as it is: a blank at its end is asked for as a part of the path. Where api_base is pasted or " +
				"shown, nobody sees it.",
			Advice: "Remove the white space.",
			check:  each(blankBase),
		},
		{
			ID: "api-base-no-version", Title: "api_base does not end in a version such as /v1",
			Severity: Error, Confidence: Assumed,
			Source: "facts: url-called; facts: models-paths, api-key-products",
			Why: "The request path is added to api_base as it is, and many gateways serve it below /v1 alone; the model list below /v1, which a check by " +
				"hand asks too, says nothing of that.",
			Advice: "Add /v1 where the gateway serves calls there alone.",
			Needs:  "which paths the gateway serves; the command under each finding asks it",
			check:  each(noVersion),
		},
		{
			ID: "endpoint-path", Title: "endpoint_path takes the place of the request path",
			Severity: Note, Confidence: Recorded,
			Source: "recorded: proxy-routing, endpoint_path; facts: gateway-urls",
			Why: "Every call goes to api_base with endpoint_path behind it; legacy-2026-02 does not know the key, and the Gateway may build its URLs " +
				"without it.",
			Advice: "Nothing, if it is meant; try a call after each change of the data plane.",
			check: each(func(p *pass, s *secret) (match, bool) {
				return match{evidence: append(p.callOf(s), s.key("endpoint_path"))}, s.meta.EndpointPath != nil
			}),
		},
		{
			ID: "api-base-credentials", Title: "api_base holds user information, a query or a fragment",
			Severity: Warning, Confidence: Assumed,
			Source: "facts: url-called; behaviour TOKEN-9",
			Why: "HTTP clients of the proxy's kind refuse a URL with a user in it, and what is added behind a query is no path. It may be a credential " +
				"that everyone who can read the metadata sees.",
			Advice: "Keep credentials in the stored value or in additionalHeaders, and change this one where it was a credential.",
			Needs:  "a call through the proxy",
			check: each(func(_ *pass, s *secret) (match, bool) {
				base := s.meta.APIBase
				u, err := url.Parse(base)
				found := strings.ContainsAny(base, "?#") || err == nil && u.User != nil
				return match{evidence: []string{s.key("api_base")}}, found
			}),
		},
	}
}

// withScheme matches what begins like a URL of HTTP.
var withScheme = regexp.MustCompile(`(?i)^\s*https?://`)

// versioned matches an api_base with a version in its path, or with a call's own path, which is told by api-base-chat-completions.
var versioned = regexp.MustCompile(`/v[0-9]+[a-z0-9]*(/|$)|/chat/completions$`)

// basePath is api_base without a query and a fragment.
func basePath(base string) string {
	base, _, _ = strings.Cut(base, "#")
	base, _, _ = strings.Cut(base, "?")
	return base
}

// callOf is what evidence says of the URL that the proxy calls for a chat completion.
func (p *pass) callOf(s *secret) []string {
	called, ok := provider.CalledURL(provider.Endpoint(p.judged(), s.Provider(), "/chat/completions"))
	if !ok {
		called = "nothing, as it is no URL"
	}
	return []string{s.key("api_base"), "called: " + called}
}

// tried is a remedy by hand behind a try of the token, which asks the gateway where the proxy calls.
func (p *pass) tried(s *secret, filter string) Remedy {
	remedy := p.byHand(s, filter)
	remedy.Decide = p.tryToken(s)
	return remedy
}

// blankBase is a note where the proxy's HTTP client drops the white space, as it does in front and at line ends.
func blankBase(p *pass, s *secret) (match, bool) {
	trimmed := strings.Join(strings.Fields(s.meta.APIBase), "")
	m := match{evidence: p.callOf(s), remedy: p.byHand(s, `.api_base |= gsub("\\s"; "")`)}
	if before, ok := provider.CalledURL(s.meta.APIBase); ok {
		if after, _ := provider.CalledURL(trimmed); before == after && strings.TrimRight(s.meta.APIBase, " ") == s.meta.APIBase {
			m.severity, m.needs = Note, "what the Gateway makes of it: the proxy drops it"
		}
	}
	return m, trimmed != s.meta.APIBase
}

// noVersion is an error for OpenAI's own API, which serves nothing without a version, and else a note: nobody asked the gateway.
func noVersion(p *pass, s *secret) (match, bool) {
	m := match{severity: Note, evidence: p.callOf(s), remedy: p.tried(s, `.api_base |= sub("/*$"; "/v1")`)}
	if isOpenAI(s.meta.APIBase) {
		m.severity, m.remedy.Decide = Error, ""
	}
	path := strings.TrimRight(basePath(s.meta.APIBase), "/ ")
	return m, s.Type == "openai" && s.meta.APIBase != "" && s.meta.EndpointPath == nil && withScheme.MatchString(path) && !versioned.MatchString(path)
}

func chatCompletions(p *pass, s *secret) (match, bool) {
	// endpoint_path, where it is known, is the path called (facts: url-called).
	found := strings.HasSuffix(strings.TrimRight(basePath(s.meta.APIBase), "/"), "/chat/completions") &&
		(s.meta.EndpointPath == nil || p.generation == provider.Legacy202602)
	return match{evidence: p.callOf(s), remedy: p.byHand(s, `.api_base |= sub("/chat/completions/*$"; "")`)}, found
}
