package inventory_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestTheVersionIsKeptAsItIsTold(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.instead = onPath("/version", 200, `{"version":"2.1.0","commit":{"id":7}}`)
	found := p.read(inventory.Options{})
	assert.JSONEq(t, `{"version":"2.1.0","commit":{"id":7}}`, string(found.Version))
	path := filepath.Join(t.TempDir(), "inventory.json")
	require.NoError(t, found.Save(path))
	saved, err := inventory.Load(path)
	require.NoError(t, err)
	assert.JSONEq(t, string(found.Version), string(saved.Version))

	p.instead = onPath("/version", 404, `{"error":"no"}`)
	found = p.read(inventory.Options{})
	assert.Nil(t, found.Version)
	assert.Empty(t, found.Incomplete, "a data plane need not tell its version")
}

func TestMajorVersion(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{`{"version":"2.0.0"}`: 2, `{"version":"v1.1.32"}`: 1, `{"version":"10.2"}`: 10} {
		major, _, ok := inventory.MajorVersion(json.RawMessage(answer))
		assert.True(t, ok, answer)
		assert.Equal(t, want, major, answer)
	}
	for _, answer := range []string{``, `null`, `"2.0.0"`, `{"version":2}`, `{"version":"2"}`, `{"version":"main-2.0"}`, `{"version":"99999.1"}`, `{"commit":"2.0.0"}`} {
		_, _, ok := inventory.MajorVersion(json.RawMessage(answer))
		assert.False(t, ok, answer)
	}
}
