package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/stretchr/testify/assert"
)

func TestRedactMetadata(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		`{"additionalHeaders":{"X-Key":"canary","n":7,"b":true,"o":{"p":["canary"]},"z":null}}`:                            `{"additionalHeaders":{"X-Key":"redacted","n":0,"b":true,"o":{"p":["redacted"]},"z":null}}`,
		`{"headers":{"X-Key":"canary"},"extraHeaders":{"n":7}}`:                                                            `{"headers":{"X-Key":"redacted"},"extraHeaders":{"n":0}}`,
		`{"customModels":{"m":{"headers":{"X":"canary"},"additionalHeaders":{"Y":"canary"},"flavor":"chat"}}}`:             `{"customModels":{"m":{"headers":{"X":"redacted"},"additionalHeaders":{"Y":"redacted"},"flavor":"chat"}}}`,
		`{"customModels":{"m":{"endpoint":"https://gw/v1#canary"}}}`:                                                       `{"customModels":{"m":{"endpoint":"https://gw/v1#redacted"}}}`,
		`{"api_base":"https://svc:canary@gw/v1"}`:                                                                          `{"api_base":"https://redacted@gw/v1"}`,
		`{"api_base":"https://a:b@canary@gw\\v1"}`:                                                                         `{"api_base":"https://redacted@gw\\v1"}`,
		`{"api_base":"svc:canary@gw/v1"}`:                                                                                  `{"api_base":"redacted:redacted@gw/v1"}`,
		`{"api_base":"https://gw/v1?key=canary#canary"}`:                                                                   `{"api_base":"https://gw/v1?redacted"}`,
		`{"api_base":"https://gw/v1#canary"}`:                                                                              `{"api_base":"https://gw/v1#redacted"}`,
		`{"api_base":"https://gw/sk-canary123/v1"}`:                                                                        `{"api_base":"https://gw/redacted/v1"}`,
		`{"api_base":" https://svc:canary@gw/v1 "}`:                                                                        `{"api_base":"redacted"}`,
		`{"api_base":"//svc:canary@gw/v1"}`:                                                                                `{"api_base":"//redacted@gw/v1"}`,
		`{"endpoint_path":"/x?k=canary"}`:                                                                                  `{"endpoint_path":"/x?redacted"}`,
		`{"access_key":"canary","session_token":"canary","client_secret":"canary","api_key":"canary"}`:                     `{"access_key":"redacted","session_token":"redacted","client_secret":"redacted","api_key":"redacted"}`,
		`{"note":"Bearer canary","x":"sk-canary123","y":"0canary0canary0canary0canary","j":"eyJhbGciOiJIUzI1NiJ9.canary"}`: `{"note":"redacted","x":"redacted","y":"redacted","j":"redacted"}`,
		`{"a":"AKIAIOSFODNN7EXAMPLE","b":"glpat-canary4711","c":"-----BEGIN X-----\ncanary","d":"AIzacanary4711"}`:         `{"a":"redacted","b":"redacted","c":"redacted","d":"redacted"}`,
		`{"overrideSystemPrompt":"use sk-canary123 now"}`:                                                                  `{"overrideSystemPrompt":"redacted"}`,
		`{"a":{"a":"x"},"a":{"token":"canary"}}`:                                                                           `{"a":{"a":"x"},"a":{"token":"redacted"}}`,
		`["canary-free","Bearer canary"]`:                                                                                  `["canary-free","redacted"]`,
		`{"p":"see https://svc:canary@gw for it"}`:                                                                         `{"p":"redacted"}`,
		`{"api_base":"https:svc:canary@gw/v1"}`:                                                                            `{"api_base":"https:redacted@gw/v1"}`,
		`"https://svc:canary@gw"`:                                                                                          `"https://redacted@gw"`,
		`not JSON canary`:                                                                                                  `null`,
	} {
		shown, places := evidence.RedactMetadata(json.RawMessage(before))
		assert.Equal(t, after, string(shown))
		assert.NotEmpty(t, places)
		again, places := evidence.RedactMetadata(shown)
		assert.Equal(t, after, string(again), "redacting again changes nothing")
		assert.Empty(t, places)
	}
}

func TestRedactMetadataNamesPlaces(t *testing.T) {
	t.Parallel()
	_, places := evidence.RedactMetadata(json.RawMessage(`{"additionalHeaders":{"X":"canary"},"a":["b","sk-canary123"],"customModels":{"m":{"headers":{"Y":"canary"}}}}`))
	assert.Equal(t, []string{"metadata.additionalHeaders.X", "metadata.a[1]", "metadata.customModels.m.headers.Y"}, places)
}

func TestRedactMetadataLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	for _, metadata := range []string{
		`{}`, `null`, `[1,2.50,1e400]`, `7`, `true`, ``,
		`{"auth_type":"api_key","auth_format":"api_key","authType":"access_token","api_base":"https://token-gateway.example:8443/v1/"}`,
		`{"models":["claude-3-5-sonnet-20241022-v2","0model0model0model0model0model"],"excludeDefaultModels":true}`,
		`{"customModels":{"acme-chat":{"format":"openai","flavor":"chat","input_cost_per_token":0.10,"max_input_tokens":1000}}}`,
		`{"api_base":"localhost:8080","deployment":"gpt-4o-mini-2024-07-18","region":"us-east-1","api_version":"2023-07-01-preview"}`,
		`{"role_arn":"arn:aws:iam::123456789012:role/braintrust","displayName":"a < b & c","location":"us-central1","b":"","a":"z"}`,
		`{"api_base":"http://gateway/t-0123456789abcdef/v1"}`,
	} {
		shown, places := evidence.RedactMetadata(json.RawMessage(metadata))
		assert.Equal(t, metadata, string(shown))
		assert.Empty(t, places)
	}
}

// TestAddMetadata has one value in each place; an answer that repeats it, as it stands or as it is sent, must not show it.
func TestAddMetadata(t *testing.T) {
	t.Parallel()
	for metadata, echoed := range map[string][]string{
		`{"additionalHeaders":{"X":"pony and more","Y":["horse-pony"]}}`:   {"pony and more", "horse-pony"},
		`{"customModels":{"m":{"headers":{"X":"nested pony"}}}}`:           {"nested pony"},
		`{"api_base":"https://service:first%20pony@gw/v1"}`:                {"first%20pony", "first pony", "service:first%20pony"},
		`{"api_base":"https://gw/v1?k=query+pony&l=other-pony#last-pony"}`: {"query pony", "other-pony", "last-pony"},
		`{"api_base":"https://lonely-pony@gw/v1"}`:                         {"lonely-pony"},
		`{"knob":{"deep":["unknown pony"]},"odd":"another pony"}`:          {"unknown pony", "another pony"},
		`{"session_token":"short pony"}`:                                   {"short pony"},
	} {
		var r evidence.Redactor
		r.AddMetadata(json.RawMessage(metadata))
		for _, text := range echoed {
			for _, said := range []string{"<" + text + ">", base64.StdEncoding.EncodeToString([]byte("u:" + text)), "quoted " + text} {
				assert.NotContains(t, r.String(said), text, metadata)
				assert.Contains(t, r.String(said), "‹metadata›", "%s in %s", text, said)
			}
		}
	}
	var r evidence.Redactor
	r.AddMetadata(json.RawMessage(`{"auth_format":"bearer","auth_type":"api_key","models":["acme-chat"],"customModels":{"acme-chat":{"flavor":"completion"}},"api_base":"https://gateway/v1"}`))
	const text = "bearer api_key acme-chat completion https://gateway/v1"
	assert.Equal(t, text, r.String(text), "words that occur elsewhere stay")
}

func TestRedactPreview(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"": "", "***": "***", "pass word…": "***", "sk-***nary": "***", "Bearer sk-***nary": "Bearer ***", "bearer  Bearer can": "bearer Bearer ***",
		" sk-can \n": " *** \n", "Bearer": "***", "Api-Key can": "Api-Key ***", "Bea…-1": "Bea***", "bear***1234": "bear***", "Bas...x=": "Bas***",
		"Be…-1": "***", "Bex…-1": "***", "Api…9": "Api***",
	} {
		assert.Equal(t, after, evidence.RedactPreview(before), before)
		assert.Equal(t, after, evidence.RedactPreview(after), "redacting again changes nothing")
	}
}
