package evidence_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/stretchr/testify/assert"
)

// forms are credentials by their form alone; no test of this file tells anybody of them.
func forms() map[string]string {
	return map[string]string{
		"OpenAI":            "sk-proj-Zq8xV2mK",
		"OpenAI, words":     "sk-abcdefghij",
		"Braintrust":        "bt-st-Zq8xV2mKd4",
		"AWS":               "AKIAIOSFODNN7EXAMPLE",
		"AWS, temporary":    "ASIAIOSFODNN7EXAMPLE",
		"GitLab":            "glpat-Zq8xV2mKd4",
		"GitHub":            "ghp_Zq8xV2mKd4RtB8nLw",
		"GitHub, fine":      "github_pat_11ABCDEFG0",
		"Slack":             "xoxb-1234-Zq8xV2mK",
		"Google":            "AIzaSyZq8xV2mKd4",
		"Google, OAuth":     "ya29.Zq8xV2mKd4",
		"Hugging Face":      "hf_Zq8xV2mKd4",
		"JWT":               "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.Zq8xV2mKd4",
		"PEM":               "-----BEGIN PRIVATE KEY-----\nZq8xV2mKd4\n-----END PRIVATE KEY-----",
		"PEM, cut":          "-----BEGIN RSA PRIVATE KEY-----\nZq8xV2",
		"long mixed word":   "c4na4yAb12Cd34Ef56Gh78",
		"one digit":         "yhvjyhlyznivpye3lysydfkc",
		"hexadecimal":       "0123456789abcdef0123456789abcdef",
		"base64":            "Zq8xV2mKd4Rt/B8nLwZq8xV2mKd4Rt+B8nLwZq8xV2mK",
		"camel of no word":  "qWeRtYuIoPaSdFgHjKlZxCvB",
		"prefix of a kind":  "tok-acme-4711",
		"prefix of a store": "key-4711abc",
	}
}

func TestMaskKnowsForms(t *testing.T) {
	t.Parallel()
	for name, secret := range forms() {
		for _, around := range [][2]string{{"", ""}, {"refused: ", ""}, {`{"key":"`, `"}`}, {"(", ")"}, {"a\n", "\nb"}} {
			got := evidence.Mask(around[0] + secret + around[1])
			for _, word := range strings.Fields(secret) {
				if len(word) >= 8 && !strings.HasPrefix(word, "-----") && word != "PRIVATE" {
					assert.NotContains(t, got, word, name)
				}
			}
			assert.Contains(t, got, "‹redacted›", name)
			assert.Equal(t, got, evidence.Mask(got), "%s: masking again changes nothing", name)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Bearer hunter2":                          "Bearer ‹redacted›",
		"authorization: Basic dTpw, x":            "authorization: Basic ‹redacted›, x",
		"Api-Key pony9 refused":                   "Api-Key ‹redacted› refused",
		"Bearer Bearer pony9":                     "Bearer Bearer ‹redacted›",
		`Headers.append: "Bearer a1\nb2 c3" is`:   `Headers.append: "Bearer ‹redacted›" is`,
		"Headers.append: \"Bearer a1\nb2\" is":    `Headers.append: "Bearer ‹redacted›" is`,
		"x-api-key: pony9":                        "x-api-key: ‹redacted›",
		`{"password":"P0ny and more"}`:            `{"password":"‹redacted› and more"}`,
		"token=pony9&x=1":                         "token=‹redacted›&x=1",
		"https://u:p@gw/v1?k=v#f refused":         "https://‹redacted›@gw/v1?‹redacted› refused",
		"https://gw/v1#access_token=x":            "https://gw/v1#‹redacted›",
		`"http://u@gw"`:                           `"http://‹redacted›@gw"`,
		"svc:pony@gw/v1":                          "‹redacted›@gw/v1",
		"https://gw/sk-pony123/v1":                "https://gw/‹redacted›/v1",
		"got ‹token of acme 3fa94b21c0de›":        "got ‹token of acme 3fa94b21c0de›",
		"Bearer ‹token of acme 3fa94b21c0de› x":   "Bearer ‹token of acme 3fa94b21c0de› x",
		`"Bearer ‹token of acme 3fa94b21c0de›"`:   `"Bearer ‹token of acme 3fa94b21c0de›"`,
		"Incorrect API key provided: sk-***nary.": "Incorrect API key provided: sk-***nary.",
	} {
		got := evidence.Mask(text)
		assert.Equal(t, want, got)
		assert.Equal(t, want, evidence.Mask(got), "masking again changes nothing")
	}
}

func TestMaskLeavesSentencesAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "the Bearer token is missing", "Bearer authentication required", `Bearer realm="OpenAI API"`, "wrong scheme: Api-Key instead of Bearer",
		"token: expected string", "No API keys found (for acme-chat). You can configure API secrets at https://www.braintrust.dev/app/settings",
		"read /v1/ai_secret/22222222-2222-4222-8222-222222222222: answered 404", "claude-3-5-sonnet-20241022-v2 on us-east-1",
		"GET https://token-service.example:8443/v1/models", "dial tcp 127.0.0.1:8080: connect: connection refused", "user@example.com is no admin",
		"Failed to load project secrets, continuing with org secrets only", "read provider secret: GET /v1/ai_secret/x: forbidden",
		"dial unix /tmp/TestDockerWithoutAnEngine1609071221/001/none.sock", "unrecognized_keys excludeDefaultModels supportsStreaming",
	} {
		assert.Equal(t, text, evidence.Mask(text))
	}
}

func TestMaskURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://gw:8443/v1/":           "https://gw:8443/v1/",
		"https://u:pony@gw/v1":          "https://gw/v1",
		"https://gw/v1?key=pony":        "https://gw/v1",
		"https://gw/v1#pony":            "https://gw/v1",
		"https://gw?pony#pony":          "https://gw",
		"//u:pony@gw":                   "//gw",
		"u:pony@gw/v1":                  "gw/v1",
		"https:u:pony@gw":               "https:gw",
		"https://a:b@pony@gw\\v1":       "https://gw\\v1",
		"https://u:pony@gw:port":        "https://gw:port",
		"https://gw/sk-pony123/v1":      "https://gw/‹redacted›/v1",
		"http://[::1]:80/a b?pony":      "http://[::1]:80/a b",
		"postgres://u:pony@db/name?a=b": "postgres://db/name",
		"":                              "",
	} {
		assert.Equal(t, want, evidence.MaskURL(raw))
	}
}

func TestIsSecretName(t *testing.T) {
	t.Parallel()
	for _, name := range append(evidence.CredentialHeaders(), "Authorization", "Proxy-Authorization", "X-Api-Key", "Ocp-Apim-Subscription-Key",
		"X-Amz-Security-Token", "Cookie", "Set-Cookie", "X-Goog-Api-Key", "api_key", "apiKey", "access_key", "secretAccessKey", "session_token",
		"client_secret", "password", "private_key", "credentials", "external_id", "key", "sig", "X-Amz-Signature", "access_token",
		"additionalHeaders", "headers", "extra_headers") {
		assert.True(t, evidence.IsSecretName(name), name)
	}
	for _, name := range []string{"", "auth_type", "auth_format", "authType", "secret_type", "secret_category", "secret_updated_at", "models",
		"customModels", "api_base", "Content-Type", "User-Agent", "x-bt-use-creds-cache", "x-bt-project-id", "input_cost_per_token", "max_tokens",
		"location", "endpoint_path", "region", "monkey", "tokenizer"} {
		assert.False(t, evidence.IsSecretName(name), name)
	}
}

func TestCredentialHeadersAreInLowerCaseAndRead(t *testing.T) {
	t.Parallel()
	for _, name := range evidence.CredentialHeaders() {
		assert.Equal(t, strings.ToLower(name), name)
		header := http.Header{}
		header.Set(name, "x")
		assert.Len(t, evidence.Credentials(evidence.NewKey(), header), 1, "a journal must show what a gateway may accept")
	}
}
