package features_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/features"
)

func TestScenariosHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	all, err := conformance.List(conformance.Options{})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	at := map[string]string{}
	for _, s := range all {
		assert.Empty(t, at[s.ID], "%s is in %s too", s.ID, s.File)
		at[s.ID] = s.File
		folder := path.Base(path.Dir(s.File))
		assert.Equal(t, folder, s.Family, "%s: %s", s.File, s.ID)
		assert.Contains(t, s.Tags, "@"+folder, "%s: %s has not the tag of its folder", s.File, s.ID)
	}
}

// source is a comment that says where a requirement comes from.
var source = regexp.MustCompile(`^\s*# (guide|facts|recorded|behaviour list|published API description): \S`)

// TestScenariosNameTheirSource asks for the lines above a scenario in this order: source, tags, scenario.
func TestScenariosNameTheirSource(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(features.FS, "*/*.feature")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := fs.ReadFile(features.FS, file)
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			if !strings.HasPrefix(strings.TrimSpace(line), "Scenario") {
				continue
			}
			require.GreaterOrEqual(t, i, 2, file)
			assert.Regexp(t, `^\s*@[A-Z]+-\d+( |$)`, lines[i-1], "%s:%d: the behaviour id is the first tag", file, i+1)
			assert.True(t, source.MatchString(lines[i-2]), "%s:%d: no source above the tags: %q", file, i+1, lines[i-2])
		}
	}
}
