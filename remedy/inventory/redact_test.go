package inventory_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		`{"additionalHeaders":{"X-Key":"canary","n":7,"b":true,"o":{"p":["canary"]},"z":null}}`:                            `{"additionalHeaders":{"X-Key":"redacted","n":0,"b":true,"o":{"p":["redacted"]},"z":null}}`,
		`{"api_base":"https://svc:canary@gw/v1"}`:                                                                          `{"api_base":"https://redacted@gw/v1"}`,
		`{"api_base":"https://a:b@canary@gw\\v1"}`:                                                                         `{"api_base":"https://redacted@gw\\v1"}`,
		`{"api_base":"svc:canary@gw/v1"}`:                                                                                  `{"api_base":"redacted:redacted@gw/v1"}`,
		`{"api_base":"https://gw/v1?key=canary#canary"}`:                                                                   `{"api_base":"https://gw/v1?redacted"}`,
		`{"api_base":"https://gw/v1#canary"}`:                                                                              `{"api_base":"https://gw/v1#redacted"}`,
		`{"api_base":"https://gw/sk-canary123/v1"}`:                                                                        `{"api_base":"https://gw/redacted/v1"}`,
		`{"api_base":"//svc:canary@gw/v1"}`:                                                                                `{"api_base":"//redacted@gw/v1"}`,
		`{"access_key":"canary","session_token":"canary","client_secret":"canary","api_key":"canary"}`:                     `{"access_key":"redacted","session_token":"redacted","client_secret":"redacted","api_key":"redacted"}`,
		`{"note":"Bearer canary","x":"sk-canary123","y":"0canary0canary0canary0canary","j":"eyJhbGciOiJIUzI1NiJ9.canary"}`: `{"note":"redacted","x":"redacted","y":"redacted","j":"redacted"}`,
		`{"overrideSystemPrompt":"use sk-canary123 now"}`:                                                                  `{"overrideSystemPrompt":"redacted"}`,
		`{"a":{"a":"x"},"a":{"token":"canary"}}`:                                                                           `{"a":{"a":"x"},"a":{"token":"redacted"}}`,
		`["canary-free","Bearer canary"]`:                                                                                  `["canary-free","redacted"]`,
		`{"p":"see https://svc:canary@gw for it"}`:                                                                         `{"p":"redacted"}`,
		`{"api_base":"https:svc:canary@gw/v1"}`:                                                                            `{"api_base":"https:redacted@gw/v1"}`,
		`"https://svc:canary@gw"`:                                                                                          `"https://redacted@gw"`,
	} {
		shown := inventory.Secret{Metadata: json.RawMessage(before)}.Redact()
		assert.Equal(t, after, string(shown.Metadata))
		assert.NotEmpty(t, shown.Redacted)
		assert.Equal(t, shown, shown.Redact(), "redacting again changes nothing")
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	for _, metadata := range []string{
		`{}`, `null`, `[1,2.50,1e400]`, `7`, `true`,
		`{"auth_type":"api_key","auth_format":"api_key","authType":"access_token","api_base":"https://token-gateway.example:8443/v1/"}`,
		`{"models":["claude-3-5-sonnet-20241022-v2","0model0model0model0model0model"],"excludeDefaultModels":true}`,
		`{"customModels":{"acme-chat":{"format":"openai","flavor":"chat","input_cost_per_token":0.10,"max_input_tokens":1000}}}`,
		`{"api_base":"localhost:8080","deployment":"gpt-4o-mini-2024-07-18","region":"us-east-1","api_version":"2023-07-01-preview"}`,
		`{"role_arn":"arn:aws:iam::123456789012:role/braintrust","displayName":"a < b & c","location":"us-central1","b":"","a":"z"}`,
	} {
		shown := inventory.Secret{Metadata: json.RawMessage(metadata)}.Redact()
		assert.Equal(t, metadata, string(shown.Metadata))
		assert.Empty(t, shown.Redacted)
	}
}

func TestPreviewKeepsTheSchemeAlone(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"": "", "***": "***", "sk-***nary": "***", "Bearer sk-***nary": "Bearer ***", "bearer  Bearer can": "bearer Bearer ***",
		" sk-can \n": " *** \n", "Bearer": "***", "Token abc": "***", "Api-Key can": "Api-Key ***",
	} {
		shown := inventory.Secret{Preview: before}.Redact()
		assert.Equal(t, after, shown.Preview, before)
		assert.Equal(t, shown, shown.Redact())
	}
}

// TestRedactionChangesNoVerdict: an audit of a saved inventory must say the same.
func TestRedactionChangesNoVerdict(t *testing.T) {
	t.Parallel()
	for _, metadata := range []string{
		`{"api_base":"https://svc:canary@gw/v1"}`, `{"api_base":"https://gw/v1?k=canary"}`, `{"api_base":"svc:canary@gw"}`, `{"api_base":"canary@gw"}`,
		`{"additionalHeaders":{"a":"canary"}}`, `{"additionalHeaders":{"a":7}}`, `{"additionalHeaders":"canary"}`, `{"additionalHeaders":["canary"]}`,
		`{"auth_type":"sk-canary123"}`, `{"organization_id":"org-0canary0canary0canary0canary"}`, `{"models":["sk-canary123"]}`,
	} {
		for _, g := range provider.Generations() {
			read := func(m json.RawMessage) int {
				raw, err := json.Marshal(provider.Secret{Type: "openai", Value: new("x"), Metadata: m})
				require.NoError(t, err)
				_, issues := provider.Read(g, raw)
				return len(issues)
			}
			shown := inventory.Secret{Metadata: json.RawMessage(metadata)}.Redact()
			assert.Equal(t, read(json.RawMessage(metadata)), read(shown.Metadata), "%s %s", g, metadata)
			assert.NotContains(t, string(shown.Metadata), "canary")
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for body, says := range map[string]string{
		``:                                     "not JSON of an inventory",
		`<html>`:                               "not JSON of an inventory",
		`{"schema":"planeproof/inventory/v2"}`: "another version",
		`{"schema":"planeproof/audit/v1"}`:     "it is no inventory",
		`{}`:                                   "it is no inventory",
		`{"schema":"planeproof/inventory/v1","secrets":7}`: "cannot unmarshal",
	} {
		path := filepath.Join(dir, "file")
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		_, err := inventory.Load(path)
		require.ErrorIs(t, err, inventory.ErrFile)
		assert.ErrorContains(t, err, says)
	}
	_, err := inventory.Load(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, inventory.ErrFile)
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	project := p.project("one\x1b[2J")
	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk-canary-1","metadata":{"api_base":"https://svc:canary@gw/v1?key=canary",
		"additionalHeaders":{"X":"canary"},"customModels":{"m":{"format":"openai","flavor":"chat"}}}}`)
	p.envVar("project", project, "ai_provider", "z", `{"excludeDefaultModels":false}`)
	found := p.read(inventory.Options{All: true, ExpectProjects: 2})
	path := filepath.Join(t.TempDir(), "inventory.json")
	require.NoError(t, os.WriteFile(path, []byte("old and longer than what is written, or so it may be"), 0o644))
	require.NoError(t, found.Save(path))

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "canary")
	assert.Contains(t, string(raw), `"schema": "planeproof/inventory/v1"`)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	loaded, err := inventory.Load(path)
	require.NoError(t, err)
	want, err := json.Marshal(found.Redact())
	require.NoError(t, err)
	got, err := json.Marshal(loaded.Redact())
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
	assert.Equal(t, []string{"metadata.api_base", "metadata.additionalHeaders.X", "preview"}, loaded.Secrets[0].Redacted)
	assert.Equal(t, found.Incomplete, loaded.Incomplete)
	require.Error(t, found.Save(filepath.Join(t.TempDir(), "no", "such", "folder")))
}
