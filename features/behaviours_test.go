package features_test

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/features"
)

var (
	listFamily = regexp.MustCompile(`^## ([A-Z]+):`)
	listNumber = regexp.MustCompile(`^(\d+)\. `)
	idTag      = regexp.MustCompile(`@([A-Z]+-\d+)\b`)
)

// TestEveryBehaviourHasAScenario holds the features against the project's own list.
func TestEveryBehaviourHasAScenario(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("../docs/behaviours.md")
	require.NoError(t, err)
	var listed, tagged []string
	family := ""
	for line := range strings.Lines(string(list)) {
		if m := listFamily.FindStringSubmatch(line); m != nil {
			family = m[1]
		}
		if m := listNumber.FindStringSubmatch(line); m != nil {
			listed = append(listed, family+"-"+m[1])
		}
	}
	files, err := fs.Glob(features.FS, "*/*.feature")
	require.NoError(t, err)
	for _, file := range files {
		text, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		for _, m := range idTag.FindAllStringSubmatch(string(text), -1) {
			tagged = append(tagged, m[1])
		}
	}
	slices.Sort(listed)
	slices.Sort(tagged)
	assert.Len(t, listed, 67, "20 BEARER, 13 TOKEN, 22 OVERRIDE, 7 MIGRATION, 5 API")
	assert.Equal(t, listed, slices.Compact(tagged))
}
