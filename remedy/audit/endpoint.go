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
			check: each(func(l *look, v *view) (hit, bool) {
				base := v.meta.APIBase
				remedy := l.edit(v, `.api_base |= "https://" + .`)
				return hit{evidence: []string{v.key("api_base")}, remedy: remedy}, base != "" && !withScheme.MatchString(base)
			}),
		},
		{
			ID: "api-base-trailing-slash", Title: "api_base ends in a slash",
			Severity: Warning, Confidence: Recorded,
			Source: "recorded: proxy-routing, api_base=*; facts: URL called",
			Why:    "The request path is added to api_base as it is, which makes `//chat/completions`: some gateways answer that with 404, some with a redirect.",
			Advice: "Remove the slash, unless calls are known to work.",
			Needs:  "a call through the proxy",
			check: each(func(l *look, v *view) (hit, bool) {
				found := strings.HasSuffix(basePath(v.meta.APIBase), "/")
				remedy := l.edit(v, `.api_base |= sub("/+$"; "")`)
				return hit{evidence: []string{v.key("api_base"), "called: " + called(l, v)}, remedy: remedy}, found
			}),
		},
		{
			ID: "api-base-credentials", Title: "api_base holds user information, a query or a fragment",
			Severity: Warning, Confidence: Assumed,
			Source: "facts: URL called; behaviour TOKEN-9",
			Why: "HTTP clients of the proxy's kind refuse a URL with a user in it, and what is added behind a query is no path. It may be a credential " +
				"that everyone who can read the metadata sees.",
			Advice: "Keep credentials in the stored value or in additionalHeaders, and change this one where it was a credential.",
			Needs:  "a call through the proxy",
			check: each(func(_ *look, v *view) (hit, bool) {
				base := v.meta.APIBase
				u, err := url.Parse(base)
				found := strings.ContainsAny(base, "?#") || err == nil && u.User != nil
				return hit{evidence: []string{v.key("api_base")}}, found
			}),
		},
	}
}

// withScheme matches what begins like a URL of HTTP.
var withScheme = regexp.MustCompile(`(?i)^\s*https?://`)

// basePath is api_base without a query and a fragment.
func basePath(base string) string {
	base, _, _ = strings.Cut(base, "#")
	base, _, _ = strings.Cut(base, "?")
	return base
}

// called is the URL of a chat completion.
func called(l *look, v *view) string {
	g := l.generation
	if g == "" {
		g = provider.Current202608
	}
	return provider.Endpoint(g, v.asProvider(), "/chat/completions")
}

func chatCompletions(l *look, v *view) (hit, bool) {
	if !strings.HasSuffix(strings.TrimRight(basePath(v.meta.APIBase), "/"), "/chat/completions") {
		return hit{}, false
	}
	if v.meta.EndpointPath != nil && l.generation != provider.Legacy202602 {
		return hit{}, false // the path called is what endpoint_path says (facts: URL called)
	}
	return hit{
		evidence: []string{v.key("api_base"), "called: " + called(l, v)},
		remedy:   l.edit(v, `.api_base |= sub("/chat/completions/*$"; "")`),
	}, true
}
