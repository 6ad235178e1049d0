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
