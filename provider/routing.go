package provider

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Eligible says whether the secret may serve the model: it is a custom model, or a default model of the type that is not
// excluded; and the models list, where set, contains it (facts: eligible).
func (s Secret) Eligible(model string) bool {
	m := s.Decode()
	if m.Models != nil && !slices.Contains(m.Models, model) {
		return false
	}
	if _, ok := m.CustomModels[model]; ok {
		return true
	}
	return !m.ExcludeDefaultModels && slices.Contains(defaultModels(s.Type), model)
}

// Merge returns the candidates of a request in a project: the project's secrets, then those of the org whose name no
// project secret has (guide: project-override-on-legacy-proxy, long-term fix; facts: order).
func Merge(project, org []Secret) []Secret {
	merged := slices.Clone(project)
	for _, o := range org {
		sameName := func(p Secret) bool { return p.Name == o.Name }
		if !slices.ContainsFunc(project, sameName) {
			merged = append(merged, o)
		}
	}
	return merged
}

// Credential returns the header that authenticates the proxy upstream, as it appears on the wire; ok is false where none
// is sent (facts: strict-schema; recorded: proxy-routing org-auth_format=*).
func Credential(g Generation, s Secret) (header, value string, ok bool) {
	token := "null" // what concatenating a null token gave before current-2026-08
	switch {
	case s.Value != nil:
		token = *s.Value
	case g == Current202608:
		return "", "", false
	}
	scheme := "Bearer"
	if g != Legacy202602 && s.Decode().AuthFormat == "api_key" {
		scheme = "Api-Key"
	}
	// The proxy concatenates; its HTTP client then trims, so an empty token leaves the scheme alone.
	return "Authorization", strings.TrimRight(scheme+" "+token, " \t\r\n"), true
}

// Responses is the path of OpenAI's newer API.
const Responses = "/responses"

// Endpoint returns the URL called for a request to requestPath: api_base, or the type's default base, and the
// endpoint_path or else the request path, concatenated as they are (recorded: proxy-routing api_base=*, endpoint_path=”).
func Endpoint(g Generation, s Secret, requestPath string) string {
	return EndpointFor(g, s, "", requestPath)
}

// EndpointFor is Endpoint where the model counts too: type azure calls a path of its deployment (facts: azure-path). The legacy
// proxies send `/responses` to OpenAI, whatever api_base says (facts: responses-base).
func EndpointFor(g Generation, s Secret, model, requestPath string) string {
	m := s.Decode()
	base, path := m.APIBase, requestPath
	if requestPath == Responses && g != Current202608 {
		return defaultBase("openai") + path
	}
	if base == "" {
		base = defaultBase(s.Type)
	}
	if g != Legacy202602 && m.EndpointPath != nil {
		path = *m.EndpointPath
	}
	if s.Type != "azure" {
		return base + path
	}
	if deployment := cmp.Or(m.Deployment, strings.Replace(model, "gpt-3.5", "gpt-35", 1)); deployment != "" && !m.NoNamedDeployment {
		base = strings.TrimSuffix(base, "/") + "/openai/deployments/" + url.PathEscape(deployment)
	}
	if m.APIVersion != "" {
		path += "?api-version=" + url.QueryEscape(m.APIVersion)
	}
	return base + path
}

// AtDefaultBase says whether a called URL is below the default base of a provider, and what follows the base.
func AtDefaultBase(called string) (path string, ok bool) {
	for _, typ := range []string{"openai", "anthropic", "google", "groq", "mistral", "perplexity", "xAI"} {
		if path, ok = strings.CutPrefix(called, defaultBase(typ)); ok {
			return path, true
		}
	}
	return "", false
}

var (
	everLeavingChat = regexp.MustCompile(`^(o[13]-pro|gpt-5-pro|gpt-5.*-codex)`)
	laterThanGPT52  = regexp.MustCompile(`^gpt-5\.([3-9]|[1-9][0-9])`)
)

// LeavesChat says whether a chat completion with the model is asked for at `/responses` (facts: responses-models).
func LeavesChat(g Generation, model string) bool {
	return everLeavingChat.MatchString(model) || g != Legacy202602 && laterThanGPT52.MatchString(model)
}
