package audit_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/audit"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files and docs/rules.md anew")
	os.Exit(m.Run())
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "written anew by: go test ./remedy/audit -update")
}

func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/rules.md", audit.Reference())
}
