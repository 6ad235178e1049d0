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
	anchorOf = regexp.MustCompile(`<a id="([a-z0-9-]+)"></a>`)
	// factsCited takes all anchors of `facts: one, other`, also where a comment breaks its line after a comma or the colon.
	factsCited = regexp.MustCompile(`\bfacts:(?:\s|//)+((?:[a-z0-9][a-z0-9-]*)?(?:,(?:\s|//)+[a-z0-9-]+)*)`)
	guideCited = regexp.MustCompile(`\bguide:(?:\s|//)+([a-z0-9-]*)`)
	separators = regexp.MustCompile(`[\s/,]+`)
)

// TestCitationsResolve follows every citation of a fact and of a guide in code and features to its anchor in docs/facts.md.
func TestCitationsResolve(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/facts.md")
	require.NoError(t, err)
	anchors := map[string]bool{}
	for _, m := range anchorOf.FindAllStringSubmatch(string(page), -1) {
		assert.False(t, anchors[m[1]], "docs/facts.md has the anchor %s twice", m[1])
		anchors[m[1]] = true
	}
	facts, guides := 0, 0
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == "facts_test.go" || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".feature") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range factsCited.FindAllStringSubmatch(string(text), -1) {
			facts++
			for _, anchor := range separators.Split(m[1], -1) {
				assert.True(t, anchors[anchor], "%s cites %q: docs/facts.md has no anchor %q", name, strings.Join(strings.Fields(m[0]), " "), anchor)
			}
		}
		for _, m := range guideCited.FindAllStringSubmatch(string(text), -1) {
			guides++
			assert.True(t, anchors["guide-"+m[1]], "%s cites the guide %q, which docs/facts.md does not name", name, m[1])
		}
		return err
	}))
	assert.Greater(t, facts, 50, "citations of facts")
	assert.Greater(t, guides, 50, "citations of guides")
}
