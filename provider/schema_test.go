package provider_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/vectors"
	"github.com/planeproof/planeproof/provider"
)

func TestReadRefusesWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, `null`, `5`, `[]`, `"openai"`, `{`, `{} {}`, `{}`, `{"type":["openai"]}`, `{"type":"OpenAI","secret":"s"}`} {
		for _, g := range provider.Generations() {
			parsed, issues := provider.Read(g, json.RawMessage(raw))
			assert.Nil(t, parsed, raw)
			require.Len(t, issues, 1, raw)
			assert.Equal(t, provider.CodeInvalidUnion, issues[0].Code, raw)
			assert.Empty(t, issues[0].Path, raw)
		}
	}
}

// facts: null-value; before current-2026-08 a project secret is unreadable.
func TestReadNullValue(t *testing.T) {
	t.Parallel()
	raw := json.RawMessage(`{"name":"acme","type":"openai","secret":null}`)
	for _, g := range []provider.Generation{provider.Legacy202602, provider.Legacy202603} {
		_, issues := provider.Read(g, raw)
		require.Len(t, issues, 1)
		assert.Equal(t, []any{"secret"}, issues[0].Path)
	}
	_, issues := provider.Read(provider.Current202608, raw)
	assert.Empty(t, issues)
}

// Not recorded, but public in the proxy's source: ids are UUIDs.
func TestReadUnrecordedRules(t *testing.T) {
	t.Parallel()
	for _, g := range provider.Generations() {
		_, issues := provider.Read(g, json.RawMessage(`{"id":"x","type":"groq","secret":"s"}`))
		require.Len(t, issues, 1)
		assert.Equal(t, "uuid", issues[0].Validation)
		assert.Equal(t, []any{"id"}, issues[0].Path)
	}
}

// facts: vertex
func TestReadVertex(t *testing.T) {
	t.Parallel()
	const none, ok = "", "ok"
	for metadata, want := range map[string][3]string{
		`"authType":"access_token"`:                                {ok, ok, ok},
		`"authType":"access_token","location":""`:                  {"unknown keys in metadata: location", ok, ok},
		`"authType":"access_token","location":" \t "`:              {"unknown keys in metadata: location", ok, ok},
		`"authType":"access_token","location":null`:                {"unknown keys in metadata: location", "metadata.location is null, but must be a string", "metadata.location is null, but must be a string"},
		`"authType":"oauth_bearer"`:                                {none, none, ok},
		`"authType":"workload_identity_federation"`:                {none, none, ok},
		`"authType":"workload_identity_federation","project":""`:   {none, none, "metadata.project is too short"},
		`"authType":"workload_identity_federation","project":null`: {none, none, "metadata.project is null, but must be a string"},
		`"authType":"workload_identity_federation","scopes":["s"],"connection_id":"c","workload_identity_provider":"w"`: {none, none, ok},
	} {
		raw := json.RawMessage(`{"type":"vertex","secret":"s","metadata":{"project":"p",` + metadata + `}}`)
		for i, g := range provider.Generations() {
			parsed, issues := provider.Read(g, raw)
			switch want[i] {
			case ok:
				assert.Empty(t, issues, "%s: %s", g, metadata)
				assert.NotContains(t, string(parsed), "location")
			case none:
				assert.NotEmpty(t, issues, "%s: %s", g, metadata)
			default:
				assert.Equal(t, want[i], provider.Explain(issues), "%s: %s", g, metadata)
			}
		}
	}
}

func TestReadTakesTheLastOfRepeatedKeys(t *testing.T) {
	t.Parallel()
	raw := json.RawMessage(`{"type":"nope","secret":"s","metadata":{"api_base":"nope","models":[],"api_base":"http://gw"},"type":"openai"}`)
	parsed, issues := provider.Read(provider.Legacy202602, raw)
	require.Empty(t, issues)
	assert.Equal(t, `{"secret":"s","metadata":{"models":[],"supportsStreaming":true,"api_base":"http://gw"},"type":"openai"}`, string(parsed))
}

// Layouts that the recorded rows do not have whole; the order of keys is that of zod 3.
func TestZodErrorLayouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ, metadata string
		want          string // without white space
	}{
		"url": {"openai", `{"api_base":"nope"}`,
			`[{"validation":"url","code":"invalid_string","message":"Invalidurl","path":["metadata","api_base"]}]`},
		"too small": {"bedrock", `{"region":""}`,
			`[{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"Regioncannotbeempty","path":["metadata","region"]}]`},
		"required": {"databricks", `{}`,
			`[{"code":"invalid_type","expected":"string","received":"undefined","path":["metadata","api_base"],"message":"Required"}]`},
		"type in an array": {"openai", `{"models":[1]}`,
			`[{"code":"invalid_type","expected":"string","received":"number","path":["metadata","models",0],"message":"Expectedstring,receivednumber"}]`},
		"type of an enum": {"azure", `{"api_base":"http://a","auth_type":null}`,
			`[{"expected":"'api_key'|'entra_api'|'entra_oidc'|'entra_bearer'","received":"null","code":"invalid_type","path":["metadata","auth_type"],` +
				`"message":"Expected'api_key'|'entra_api'|'entra_oidc'|'entra_bearer',receivednull"}]`},
		"enum": {"openai", `{"auth_format":"<b>"}`,
			`[{"received":"<b>","code":"invalid_enum_value","options":["bearer","api_key"],"path":["metadata","auth_format"],` +
				`"message":"Invalidenumvalue.Expected'bearer'|'api_key',received'<b>'"}]`},
		"literal": {"azure_ai_gateway", `{"api_base":"http://a","auth_type":null}`,
			`[{"received":null,"code":"invalid_literal","expected":"api_key","path":["metadata","auth_type"],"message":"Invalidliteralvalue,expected\"api_key\""}]`},
		"union": {"mistral", `{"api_base":5}`,
			`[{"code":"invalid_union","unionErrors":[` +
				`{"issues":[{"code":"invalid_type","expected":"string","received":"number","path":["metadata","api_base"],"message":"Expectedstring,receivednumber"}],"name":"ZodError"},` +
				`{"issues":[{"code":"invalid_type","expected":"string","received":"number","path":["metadata","api_base"],"message":"Expectedstring,receivednumber"}],"name":"ZodError"}],` +
				`"path":["metadata","api_base"],"message":"Invalidinput"}]`},
		"unknown type": {"nope", `{}`,
			`[{"code":"invalid_union","unionErrors":[],"path":[],"message":"Invalidinput"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := json.RawMessage(`{"name":"a","secret":"s","type":"` + c.typ + `","metadata":` + c.metadata + `}`)
			_, issues := provider.Read(provider.Current202608, raw)
			rendered := provider.ZodError(issues)
			assert.Equal(t, c.want, strings.NewReplacer(" ", "", "\n", "").Replace(rendered))
			assert.True(t, strings.HasPrefix(rendered, "[\n  {\n    \""), "indented by two spaces: %s", rendered)
		})
	}
	assert.Equal(t, "[]", provider.ZodError(nil))
}

// FuzzRead: any bytes are read without a panic and always the same way, and what is accepted is accepted again, unchanged.
func FuzzRead(f *testing.F) {
	for _, row := range vectors.Rows[schemaRow](f, "secret-schema.jsonl") {
		f.Add([]byte(row.Secret))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, g := range provider.Generations() {
			parsed, issues := provider.Read(g, raw)
			again, sameIssues := provider.Read(g, raw)
			require.Equal(t, string(parsed), string(again))
			require.Equal(t, issues, sameIssues)
			require.True(t, json.Valid([]byte(provider.ZodError(issues))))
			if len(issues) > 0 {
				require.Nil(t, parsed)
				continue
			}
			reread, issues := provider.Read(g, parsed)
			require.Empty(t, issues)
			require.Equal(t, string(parsed), string(reread))
			var s provider.Secret
			if json.Unmarshal(parsed, &s) == nil {
				s.Eligible("gpt-4o-mini")
				provider.Credential(g, s)
				provider.Endpoint(g, s, "/chat/completions")
			}
		}
	})
}
