package conformance_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/conformance"
)

func ExampleRun() {
	result, err := conformance.Run(context.Background(), conformance.Options{Tags: "@TOKEN-11"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Headline())
	// Output: PASS  1 of 1 required scenario passed
}

// TestLibraryFromAModuleOfItsOwn does what the page of the library shows: another module, which knows planeproof as a dependency only.
func TestLibraryFromAModuleOfItsOwn(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("testdata/library/library_test.go")
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/library.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), string(example), "docs/library.md shows the code that is run here")

	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	_, requires, found := strings.Cut(string(mod), "\nrequire (")
	require.True(t, found)
	indirect := regexp.MustCompile(`(?m)^(\t\S+ v\S+)$`).ReplaceAllString("require ("+requires, "$1 // indirect")
	dir := t.TempDir()
	own := "module example.com/platform\n\ngo 1.26.0\n\nrequire github.com/planeproof/planeproof v0.0.0\n\n" +
		"replace github.com/planeproof/planeproof => " + root + "\n\n" + indirect
	sums, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	for name, text := range map[string]string{"go.mod": own, "go.sum": string(sums), "library_test.go": string(example)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	test := exec.CommandContext(t.Context(), "go", "test", "-C", dir, "-count=1", "-v", "./...")
	test.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	said, err := test.CombinedOutput()
	require.NoError(t, err, string(said))
	for _, passed := range []string{"TestConformance", "TestWrongOption", "TestGateway", "TestConformance/TOKEN-11/"} {
		assert.Contains(t, string(said), "--- PASS: "+passed)
	}
}
