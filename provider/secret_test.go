package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
)

func TestParseGeneration(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "legacy", "LEGACY-2026-02", "legacy-2026-02 "} {
		_, err := provider.ParseGeneration(bad)
		require.ErrorContains(t, err, "legacy-2026-03", "the error lists what is known")
	}
	for _, g := range provider.Generations() {
		parsed, err := provider.ParseGeneration(string(g))
		require.NoError(t, err)
		assert.Equal(t, g, parsed)
	}
}

func TestSecretJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(provider.Secret{Name: "acme", Type: "openai"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"acme","type":"openai","secret":null}`, string(b))

	const whole = `{"id":"1","org_name":"o","name":"acme","type":"openai","secret":"sk","metadata":{"b":1,"a":2}}`
	var s provider.Secret
	require.NoError(t, json.Unmarshal([]byte(whole), &s))
	b, err = json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, whole, string(b))
}

func TestDecode(t *testing.T) {
	t.Parallel()
	defaults := provider.Metadata{SupportsStreaming: true}
	for _, metadata := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"api_base":`} {
		assert.Equal(t, defaults, secret("openai", metadata).Decode(), metadata)
	}
	wrong := `{"api_base":5,"auth_format":{},"endpoint_path":1,"organization_id":[],"overrideModel":7,"models":"gpt-4o",
		"customModels":[],"additionalHeaders":"x","excludeDefaultModels":0,"supportsStreaming":"false"}`
	assert.Equal(t, defaults, secret("openai", wrong).Decode(), "values of the wrong type count as absent")

	all := `{"api_base":"http://gw","auth_format":"api_key","endpoint_path":"","organization_id":"org-9","overrideModel":"m",
		"models":["m"],"customModels":{"acme-chat":{"format":"openai"}},
		"additionalHeaders":{"x-team":"evals","x-n":1,"x-b":true,"x-null":null},
		"excludeDefaultModels":true,"supportsStreaming":false}`
	assert.Equal(t, provider.Metadata{
		APIBase: "http://gw", AuthFormat: "api_key", EndpointPath: new(""), OrganizationID: "org-9", OverrideModel: "m",
		Models:               []string{"m"},
		CustomModels:         map[string]json.RawMessage{"acme-chat": json.RawMessage(`{"format":"openai"}`)},
		AdditionalHeaders:    map[string]string{"x-team": "evals", "x-n": "1", "x-b": "true", "x-null": "null"},
		ExcludeDefaultModels: true,
	}, secret("openai", all).Decode())
}
