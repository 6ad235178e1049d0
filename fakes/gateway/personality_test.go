package gateway_test

import (
	"net/http"
	"testing"

	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/provider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// encounter is one request to a gateway with a personality, and the answer.
type encounter struct {
	path   string
	header []string
	status int
	body   string // exact, or what it begins with where it is no refusal
	extra  []string
}

func encounters() map[string][]encounter {
	bearerToken := []string{"Authorization", "Bearer " + token}
	wrong := []string{"Authorization", "Bearer nope"}
	const models = `{"object":"list","data":[{"id":"acme-chat"`
	const vllm, fastAPI = `{"error":"Unauthorized"}`, `{"detail":"Not Found"}`
	const noKey, kongNo = `{"message":"No API key found in request"}`, `{"message":"Unauthorized"}`
	const azure = `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide ` +
		`a valid key for an active subscription and use a correct regional API endpoint for your resource."}}`
	liteLLM := func(message, typ, param string) string {
		return `{"error":{"message":"Authentication Error, ` + message + `","type":"` + typ + `","param":"` + param + `","code":"401"}}`
	}
	malformed := liteLLM("Malformed API Key passed in. Ensure Key has `Bearer ` prefix.", "auth_error", "None")
	unknown := liteLLM("Invalid proxy server token passed.", "token_not_found_in_db", "key")
	invalidURL := func(path string) string {
		return `{"error":{"message":"Invalid URL (GET ` + path + `)","type":"invalid_request_error","param":null,"code":null}}`
	}
	challenge := []string{"Www-Authenticate", `Bearer realm="OpenAI API"`}
	key := []string{"Www-Authenticate", `Key realm="kong"`}
	none := []string{"Www-Authenticate", ""}

	return map[string][]encounter{
		gateway.PersonalityOpenAI: {
			{"/v1/models", nil, 401, `{"error":{"message":"You didn't provide an API key. You need to provide your API key in an Authorization ` +
				`header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).","type":"invalid_request_error","param":null,"code":null}}`, challenge},
			{"/v1/models", wrong, 401, `{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,` +
				`"code":"invalid_api_key"}}`, challenge},
			{"/models", bearerToken, 404, invalidURL("/models"), none},
			{"/v1/models", bearerToken, 200, models, none},
		},
		gateway.PersonalityVLLM: {
			{"/v1/models", nil, 401, vllm, none},
			{"/v1/models", wrong, 401, vllm, none},
			{"/v1/models", []string{"Authorization", "Bearer Bearer " + token}, 401, vllm, none},
			{"/v1/models", []string{"Authorization", "Api-Key " + token}, 401, vllm, none},
			{"/v1/nothing", nil, 401, vllm, none},
			{"/v1/nothing", bearerToken, 404, fastAPI, none},
			{"/models", nil, 404, fastAPI, none},
			{"/v1x", nil, 404, fastAPI, none},
			{"/v1/models", bearerToken, 200, models, none},
		},
		gateway.PersonalityLiteLLM: {
			{"/models", nil, 401, liteLLM("No api key passed in.", "auth_error", "None"), none},
			{"/v1/models", []string{"Authorization", token}, 401, malformed, none},
			{"/v1/models", []string{"Authorization", "Api-Key " + token}, 401, malformed, none},
			{"/v1/models", wrong, 401, unknown, none},
			{"/v1/models", []string{"Authorization", "Bearer Bearer " + token}, 401, unknown, none},
			{"/v1/nothing", nil, 404, fastAPI, none},
			{"/models", bearerToken, 200, models, none},
			{"/v1/models", bearerToken, 200, models, none},
		},
		gateway.PersonalityKong: {
			{"/v1/models", nil, 401, noKey, key},
			{"/v1/models", bearerToken, 401, noKey, key},
			{"/v1/models", []string{"Api-Key", token}, 401, noKey, key},
			{"/v1/models", []string{"Apikey", "nope"}, 401, kongNo, key},
			{"/v1/models", []string{"Apikey", "Bearer " + token}, 401, kongNo, key},
			{"/nothing", nil, 401, noKey, key},
			{"/nothing", []string{"Apikey", token}, 404, invalidURL("/nothing"), none},
			{"/v1/models", []string{"Apikey", token}, 200, models, none},
			{"/v1/models", []string{"Apikey", token, "Authorization", "Bearer nope"}, 200, models, none},
		},
		gateway.PersonalityAzure: {
			{"/openai/v1/models", nil, 401, azure, none},
			{"/openai/v1/models", bearerToken, 401, azure, none},
			{"/openai/v1/models", []string{"Api-Key", "nope"}, 401, azure, none},
			{"/v1/models", []string{"Api-Key", token}, 404, `{"error":{"code":"404","message":"Resource not found"}}`, none},
			{"/openai/v1/models", []string{"Api-Key", token}, 200, models, none},
		},
		gateway.PersonalityBaseten: {
			{"/v1/models", bearerToken, 401, `{"error":{"message":"Wrong authentication scheme: Bearer. Send ` +
				"`Authorization: Api-Key YOUR_KEY`" + `.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`,
				[]string{"Www-Authenticate", `Api-Key realm="OpenAI API"`}},
			{"/v1/models", []string{"Authorization", "Api-Key " + token}, 200, models, none},
		},
		gateway.PersonalitySSO: {
			{"/v1/models", nil, 200, "<!DOCTYPE html>", []string{"Content-Type", "text/html; charset=utf-8", "Location", ""}},
			{"/v1/models", bearerToken, 200, "<!DOCTYPE html>", none},
			{"/nothing", bearerToken, 200, "<!DOCTYPE html>", none},
		},
		gateway.PersonalitySSORedirect: {
			{"/v1/models", bearerToken, 302, "<!DOCTYPE html>", []string{
				"Content-Type", "text/html; charset=utf-8", "Location", "https://login.example.com/authorize"}},
		},
		gateway.PersonalityOpenModels: {
			{"/v1/models", nil, 200, models, none},
			{"/models", wrong, 200, models, none},
		},
	}
}

func TestPersonalities(t *testing.T) {
	t.Parallel()
	for name, all := range encounters() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := bearer()
			config.Personality = name
			b := start(t, config)
			b.data.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			for _, e := range all {
				got := b.ask("GET", e.path, "", e.header...)
				require.Equal(t, e.status, got.StatusCode, "%s %v", e.path, e.header)
				if e.status >= 400 {
					assert.Equal(t, e.body, got.body, "%s %v", e.path, e.header)
					assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
				} else {
					assert.Contains(t, got.body, e.body)
				}
				for i := 0; i < len(e.extra); i += 2 {
					assert.Equal(t, e.extra[i+1], got.Header.Get(e.extra[i]), "%s %v", e.path, e.header)
				}
				assert.NotContains(t, got.body, "canary")
			}
		})
	}
}

// Each personality refuses a chat without credential as it refuses a listing, but for the one that leaves listings open.
func TestPersonalitiesGuardChat(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{
		gateway.PersonalityOpenAI: 401, gateway.PersonalityVLLM: 401, gateway.PersonalityLiteLLM: 401, gateway.PersonalityKong: 401,
		gateway.PersonalityBaseten: 401, gateway.PersonalityOpenModels: 401, gateway.PersonalitySSO: 200, gateway.PersonalitySSORedirect: 302,
	} {
		config := bearer()
		config.Personality = name
		b := start(t, config)
		b.data.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		assert.Equal(t, status, b.ask("POST", "/v1/chat/completions", prompt).StatusCode, name)
	}
}

func TestUnknownPersonalityIsRefused(t *testing.T) {
	t.Parallel()
	err := put(gateway.NewTenants(), id, gateway.Config{Personality: "openAI"})
	require.ErrorContains(t, err, `personality "openAI" is unknown, want one of ["azure" "baseten" "kong"`)
}

func TestSettingsRuleOverThePersonality(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		config gateway.Config
		path   string
		header []string
		status int
	}{
		{gateway.Config{Personality: gateway.PersonalityKong, Auth: provider.ShapeBearer}, "/v1/models", []string{"Authorization", "Bearer " + token}, 200},
		{gateway.Config{Personality: gateway.PersonalityVLLM, Serve: []string{""}}, "/models", []string{"Authorization", "Bearer " + token}, 200},
		{gateway.Config{Personality: gateway.PersonalityVLLM, OpenModels: true}, "/v1/models", nil, 200},
		{gateway.Config{Personality: gateway.PersonalityVLLM, UnservedStatus: 403}, "/models", nil, 403},
		{gateway.Config{Personality: gateway.PersonalityAzure, Auth: provider.ShapeNone}, "/openai/v1/models", nil, 200},
	} {
		tt.config.Tokens = []string{token}
		b := start(t, tt.config)
		assert.Equal(t, tt.status, b.ask("GET", tt.path, "", tt.header...).StatusCode, tt.config)
	}
}

func TestLoginPageIsJournalledWithWhatWasSent(t *testing.T) {
	t.Parallel()
	b := start(t, gateway.Config{Personality: gateway.PersonalitySSO})
	b.chat(prompt)
	entry := b.last()
	assert.Equal(t, "login page", entry.Note)
	assert.Len(t, entry.Credentials, 1)
}
