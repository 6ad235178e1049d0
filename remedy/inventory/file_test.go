package inventory_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	_, err := inventory.Load(path)
	require.ErrorIs(t, err, file.ErrUnusable)
	require.NoError(t, os.WriteFile(path, []byte(`{"schema":"planeproof/audit/v1"}`), 0o600))
	_, err = inventory.Load(path)
	require.ErrorIs(t, err, file.ErrUnusable)
	assert.EqualError(t, err, `load inventory: file `+path+` cannot be used: its schema is "planeproof/audit/v1", want planeproof/inventory/v1`)
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	project := p.project("one\x1b[2J")
	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk-canary-1","metadata":{"api_base":"https://svc:canary@gw/v1?key=canary",
		"additionalHeaders":{"X":"canary"},"customModels":{"m":{"format":"openai","flavor":"chat"}}}}`)
	p.envVar("project", project, "ai_provider", "z", `{"excludeDefaultModels":false,"n":12345678901234567890.10}`)
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
	assert.Equal(t, `{"excludeDefaultModels":false,"n":12345678901234567890.10}`, compact(t, loaded.Secrets[1].Metadata), "numbers keep their digits")

	require.ErrorContains(t, found.Save(filepath.Join(t.TempDir(), "no", "such", "folder")), "save inventory")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	require.Error(t, found.Save(link), "never through a link")
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, json.Compact(&out, raw))
	return out.String()
}
