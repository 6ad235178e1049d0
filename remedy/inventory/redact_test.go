package inventory_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	before := inventory.Secret{Preview: "Bearer sk-***nary", Metadata: json.RawMessage(`{"customModels":{"m":{"headers":{"X":"canary"}}}}`), Redacted: []string{"before"}}
	shown := before.Redact()
	assert.JSONEq(t, `{"customModels":{"m":{"headers":{"X":"redacted"}}}}`, string(shown.Metadata))
	assert.Equal(t, "Bearer ***", shown.Preview)
	assert.Equal(t, []string{"before", "metadata.customModels.m.headers.X", "preview"}, shown.Redacted)
	assert.Equal(t, shown, shown.Redact(), "redacting again changes nothing")
	assert.Equal(t, []string{"before"}, before.Redacted)
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
