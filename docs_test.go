package planeproof_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	testNamed    = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	testDeclared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// TestNamedTestsExist follows every test and fuzz target that docs/testing.md names to its function.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range testDeclared.FindAllSubmatch(text, -1) {
			declared[string(m[1])] = true
		}
		return err
	}))
	page, err := os.ReadFile("docs/testing.md")
	require.NoError(t, err)
	named := testNamed.FindAllStringSubmatch(string(page), -1)
	assert.Greater(t, len(named), 100)
	for _, m := range named {
		assert.True(t, declared[m[1]], "docs/testing.md names %s, which is no test", m[1])
	}
}
