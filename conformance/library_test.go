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
	if testing.Short() {
		t.Skip("another module is built for a longer test only")
	}
	dir := t.TempDir()
	page, err := os.ReadFile("../docs/library.md")
	require.NoError(t, err)
	for _, name := range []string{"library_test.go", "deaf_test.go"} {
		example, err := os.ReadFile(filepath.Join("testdata/library", name))
		require.NoError(t, err)
		assert.Contains(t, string(page), string(example), "docs/library.md shows the code that is run here")
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), example, 0o600))
	}

	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	_, requires, found := strings.Cut(string(mod), "\nrequire (")
	require.True(t, found)
	indirect := regexp.MustCompile(`(?m)^(\t\S+ v\S+)$`).ReplaceAllString("require ("+requires, "$1 // indirect")
	own := "module example.com/platform\n\ngo 1.26.0\n\nrequire github.com/planeproof/planeproof v0.0.0\n\n" +
		"replace github.com/planeproof/planeproof => " + root + "\n\n" + indirect
	sums, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	for name, text := range map[string]string{"go.mod": own, "go.sum": string(sums)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	goTest := func(args ...string) (string, error) {
		test := exec.CommandContext(t.Context(), "go", append([]string{"test", "-C", dir, "-count=1", "-v"}, args...)...)
		test.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		said, err := test.CombinedOutput()
		return string(said), err
	}
	said, err := goTest("-skip", "TestDeaf")
	require.NoError(t, err, said)
	for _, passed := range []string{"TestConformance", "TestWrongOption", "TestGateway", "TestConformance/TOKEN-11/"} {
		assert.Contains(t, said, "--- PASS: "+passed)
	}
	said, err = goTest("-run", "TestDeaf")
	require.Error(t, err, "a target that is wrapped is judged as it is met")
	assert.Contains(t, said, "--- FAIL: TestDeaf/BEARER-6/")
	assert.Contains(t, said, "expected: ")
}
