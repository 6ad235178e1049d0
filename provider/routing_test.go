package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
)

func secret(typ, metadata string) provider.Secret {
	return provider.Secret{Name: "acme", Type: typ, Value: new("sk-acme"), Metadata: json.RawMessage(metadata)}
}

func TestEligible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ, metadata, model string
		want                 bool
	}{
		"refused: unknown model":                    {"openai", `{}`, "acme-chat", false},
		"refused: default model of another type":    {"groq", `{}`, "gpt-4o-mini", false},
		"refused: default models excluded":          {"openai", `{"excludeDefaultModels":true}`, "gpt-4o-mini", false},
		"refused: not on the list":                  {"openai", `{"models":["gpt-4o"]}`, "gpt-4o-mini", false},
		"refused: the list is empty":                {"openai", `{"models":[]}`, "gpt-4o-mini", false},
		"refused: the list names nothing":           {"openai", `{"models":[1]}`, "gpt-4o-mini", false},
		"refused: custom, but not on the list":      {"openai", `{"customModels":{"acme-chat":{}},"models":["gpt-4o"]}`, "acme-chat", false},
		"refused: customModels is no object":        {"openai", `{"customModels":["acme-chat"]}`, "acme-chat", false},
		"custom model":                              {"openai", `{"customModels":{"acme-chat":{}}}`, "acme-chat", true},
		"custom model, default models excluded":     {"openai", `{"customModels":{"acme-chat":{}},"excludeDefaultModels":true}`, "acme-chat", true},
		"default model":                             {"openai", `{}`, "gpt-4o-mini", true},
		"default model, metadata null":              {"openai", `null`, "gpt-4o-mini", true},
		"default model, no metadata":                {"openai", ``, "gpt-4o-mini", true},
		"default model, exclude false":              {"openai", `{"excludeDefaultModels":false}`, "gpt-4o-mini", true},
		"default model, exclude is no boolean":      {"openai", `{"excludeDefaultModels":"true"}`, "gpt-4o-mini", true},
		"default model on the list":                 {"openai", `{"models":["gpt-4o-mini"]}`, "gpt-4o-mini", true},
		"default model, list null":                  {"openai", `{"models":null}`, "gpt-4o-mini", true},
		"default model, another key of wrong type":  {"openai", `{"api_base":5}`, "gpt-4o-mini", true},
		"default model, metadata is no JSON object": {"openai", `[1]`, "gpt-4o-mini", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, secret(c.typ, c.metadata).Eligible(c.model))
		})
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	named := func(names ...string) (list []provider.Secret) {
		for _, name := range names {
			list = append(list, provider.Secret{Name: name})
		}
		return list
	}
	names := func(list []provider.Secret) (names []string) {
		for _, s := range list {
			names = append(names, s.Name)
		}
		return names
	}
	assert.Empty(t, provider.Merge(nil, nil))
	assert.Equal(t, []string{"o"}, names(provider.Merge(nil, named("o"))))
	assert.Equal(t, []string{"p", "o"}, names(provider.Merge(named("p"), named("o"))))
	assert.Equal(t, []string{"Acme", "acme"}, names(provider.Merge(named("Acme"), named("acme"))))

	project, org := named("acme"), named("other", "acme")
	project[0].Type, org[1].Type = "project's", "org's"
	merged := provider.Merge(project, org)
	require.Equal(t, []string{"acme", "other"}, names(merged))
	assert.Equal(t, "project's", merged[0].Type)
	assert.Len(t, project, 1, "the project's list is not changed")
}

// recorded: proxy-routing org-auth_format=*; facts: null-value
func TestCredential(t *testing.T) {
	t.Parallel()
	const none = "no credential"
	for name, c := range map[string]struct {
		value            *string
		metadata         string
		old, mid, latest string
	}{
		"null token":              {nil, `{}`, "Bearer null", "Bearer null", none},
		"null token, api_key":     {nil, `{"auth_format":"api_key"}`, "Bearer null", "Api-Key null", none},
		"empty token":             {new(""), `{}`, "Bearer", "Bearer", "Bearer"},
		"trailing newline":        {new("sk\r\n"), `{}`, "Bearer sk", "Bearer sk", "Bearer sk"},
		"leading space":           {new(" sk"), `{}`, "Bearer  sk", "Bearer  sk", "Bearer  sk"},
		"prefixed token":          {new("Bearer sk"), `{}`, "Bearer Bearer sk", "Bearer Bearer sk", "Bearer Bearer sk"},
		"prefixed token, api_key": {new("Bearer sk"), `{"auth_format":"api_key"}`, "Bearer Bearer sk", "Api-Key Bearer sk", "Api-Key Bearer sk"},
		"api_key":                 {new("sk"), `{"auth_format":"api_key","auth_type":"api_key"}`, "Bearer sk", "Api-Key sk", "Api-Key sk"},
		"bearer":                  {new("sk"), `{"auth_format":"bearer"}`, "Bearer sk", "Bearer sk", "Bearer sk"},
		"auth_format null":        {new("sk"), `{"auth_format":null}`, "Bearer sk", "Bearer sk", "Bearer sk"},
		"auth_format absent":      {new("sk"), `{"auth_type":"api_key"}`, "Bearer sk", "Bearer sk", "Bearer sk"},
		"auth_format unknown":     {new("sk"), `{"auth_format":"basic"}`, "Bearer sk", "Bearer sk", "Bearer sk"},
		"auth_format not a word":  {new("sk"), `{"auth_format":["api_key"]}`, "Bearer sk", "Bearer sk", "Bearer sk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := provider.Secret{Type: "openai", Value: c.value, Metadata: json.RawMessage(c.metadata)}
			for i, want := range []string{c.old, c.mid, c.latest} {
				header, value, ok := provider.Credential(provider.Generations()[i], s)
				if want == none {
					assert.False(t, ok)
					assert.Empty(t, header+value)
					continue
				}
				assert.True(t, ok)
				assert.Equal(t, "Authorization", header)
				assert.Equal(t, want, value)
			}
		})
	}
}

// recorded: proxy-routing api_base=*, endpoint_path=”.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ, metadata    string
		old, mid, latest string
	}{
		"plain":                 {"openai", `{"api_base":"http://gw/v1"}`, "http://gw/v1/chat", "http://gw/v1/chat", "http://gw/v1/chat"},
		"trailing slash":        {"openai", `{"api_base":"http://gw/v1/"}`, "http://gw/v1//chat", "http://gw/v1//chat", "http://gw/v1//chat"},
		"endpoint_path":         {"openai", `{"api_base":"http://gw","endpoint_path":"/x"}`, "http://gw/chat", "http://gw/x", "http://gw/x"},
		"endpoint_path empty":   {"openai", `{"api_base":"http://gw","endpoint_path":""}`, "http://gw/chat", "http://gw", "http://gw"},
		"endpoint_path null":    {"openai", `{"api_base":"http://gw","endpoint_path":null}`, "http://gw/chat", "http://gw/chat", "http://gw/chat"},
		"no api_base":           {"openai", `{}`, "https://api.openai.com/v1/chat", "https://api.openai.com/v1/chat", "https://api.openai.com/v1/chat"},
		"empty api_base":        {"openai", `{"api_base":""}`, "https://api.openai.com/v1/chat", "https://api.openai.com/v1/chat", "https://api.openai.com/v1/chat"},
		"type without any base": {"azure", `{}`, "/chat", "/chat", "/chat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, want := range []string{c.old, c.mid, c.latest} {
				assert.Equal(t, want, provider.Endpoint(provider.Generations()[i], secret(c.typ, c.metadata), "/chat"))
			}
		})
	}
}

// facts: responses-base, responses-models, azure-path
func TestEndpointFor(t *testing.T) {
	t.Parallel()
	const openai = "https://api.openai.com/v1/responses"
	for name, c := range map[string]struct {
		typ, metadata, model, path string
		old, mid, latest           string
	}{
		"responses":               {"openai", `{"api_base":"http://gw/v1"}`, "m", "/responses", openai, openai, "http://gw/v1/responses"},
		"responses, azure":        {"azure", `{"api_base":"http://gw"}`, "", "/responses", openai, openai, "http://gw/responses"},
		"azure, by model":         {"azure", `{"api_base":"http://gw/"}`, "gpt-3.5-turbo", "/c", "http://gw/openai/deployments/gpt-35-turbo/c", "http://gw/openai/deployments/gpt-35-turbo/c", "http://gw/openai/deployments/gpt-35-turbo/c"},
		"azure, its deployment":   {"azure", `{"api_base":"http://gw","deployment":"a b","api_version":"v&1"}`, "m", "/c", "http://gw/openai/deployments/a%20b/c?api-version=v%261", "http://gw/openai/deployments/a%20b/c?api-version=v%261", "http://gw/openai/deployments/a%20b/c?api-version=v%261"},
		"azure, none in the path": {"azure", `{"api_base":"http://gw","deployment":"d","no_named_deployment":true}`, "m", "/c", "http://gw/c", "http://gw/c", "http://gw/c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, want := range []string{c.old, c.mid, c.latest} {
				assert.Equal(t, want, provider.EndpointFor(provider.Generations()[i], secret(c.typ, c.metadata), c.model, c.path))
			}
		})
	}
}

// facts: responses-models
func TestLeavesChat(t *testing.T) {
	t.Parallel()
	for model, want := range map[string][3]bool{
		"acme-chat": {}, "gpt-4o-mini": {}, "gpt-5": {}, "gpt-5.2": {}, "gpt-5-mini": {},
		"o1-pro": {true, true, true}, "gpt-5-pro": {true, true, true}, "gpt-5.1-codex": {true, true, true},
		"o3-pro": {true, true, true}, "gpt-5.3": {false, true, true}, "gpt-5.10": {false, true, true},
	} {
		for i, g := range provider.Generations() {
			assert.Equal(t, want[i], provider.LeavesChat(g, model), "%s: %s", g, model)
		}
	}
}
