package provider

import (
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

// Endpoint returns the URL called for a request to requestPath: api_base, or the type's default base, and the
// endpoint_path or else the request path, concatenated as they are (recorded: proxy-routing api_base=*, endpoint_path=”).
func Endpoint(g Generation, s Secret, requestPath string) string {
	m := s.Decode()
	base, path := m.APIBase, requestPath
	if base == "" {
		base = defaultBase(s.Type)
	}
	if g != Legacy202602 && m.EndpointPath != nil {
		path = *m.EndpointPath
	}
	return base + path
}
