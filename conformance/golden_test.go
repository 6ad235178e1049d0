package conformance

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/features"
)

var update = flag.Bool("update", false, "write the golden files anew")

// suiteGolden is what the suite asks. What is taken from the suite has to be taken from it too, where a reader of the change sees it.
const suiteGolden = "testdata/suite.golden"

// pinned writes down what features ask: totals, and of each scenario its tags, its Thens, and a hash of the rest with its place.
func pinned(from fs.FS) ([]string, error) {
	all, err := catalog(from)
	if err != nil {
		return nil, err
	}
	blocks, totals := []string{""}, map[string]int{}
	for _, r := range all {
		kind := "required"
		if r.Reproduction {
			kind = "reproduction"
		}
		totals["scenarios, "+kind]++
		totals["scenarios of "+r.Family+", "+kind]++
		rest, thens := fnv.New64a(), []string{}
		for i, step := range r.pickle.Steps {
			if step.Type == messages.PickleStepType_OUTCOME {
				thens = append(thens, "  Then "+step.Text)
				continue
			}
			argument, err := json.Marshal(step.Argument)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(rest, "%d %s %q %s\n", i, step.Type, step.Text, argument)
		}
		totals["Thens"] += len(thens)
		tags := slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return tag == "@"+r.Family || tag == "@"+r.Behaviour })
		slices.Sort(tags)
		blocks = append(blocks, fmt.Sprintf("%s\n  %s\n  %d other sentences, %016x\n%s", r.ID, strings.Join(append([]string{kind}, tags...), " "),
			len(r.pickle.Steps)-len(thens), rest.Sum64(), strings.Join(thens, "\n")))
	}
	for _, what := range slices.Sorted(maps.Keys(totals)) {
		blocks[0] += fmt.Sprintf("%d %s\n", totals[what], what)
	}
	blocks[0] = strings.TrimSuffix(blocks[0], "\n")
	return blocks, nil
}

// differences are what was pinned and is not so any more, and what is so and was not pinned.
func differences(golden, now []string) (gone, more []string) {
	lacks := func(all []string) func(string) bool {
		return func(block string) bool { return slices.Contains(all, block) }
	}
	return slices.DeleteFunc(slices.Clone(golden), lacks(now)), slices.DeleteFunc(slices.Clone(now), lacks(golden))
}

// TestTheSuiteAsksWhatIsPinned: without a Then, a row or a tag the suite still passes, and says less.
func TestTheSuiteAsksWhatIsPinned(t *testing.T) {
	t.Parallel()
	now, err := pinned(features.FS)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(suiteGolden, []byte(strings.Join(now, "\n\n")+"\n"), 0o644))
	}
	golden, err := os.ReadFile(suiteGolden)
	require.NoError(t, err)
	gone, more := differences(strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n\n"), now)
	assert.Empty(t, gone, "pinned in %s, and not so any more; where it is meant, -update pins it anew:\n%s", suiteGolden, strings.Join(gone, "\n"))
	assert.Empty(t, more, "not pinned in %s; where it is meant, -update does:\n%s", suiteGolden, strings.Join(more, "\n"))
}

// TestWhatIsTakenFromTheSuiteIsSeen takes it away.
func TestWhatIsTakenFromTheSuiteIsSeen(t *testing.T) {
	t.Parallel()
	const file = `Feature: pinned
  @api @API-1 @needs-logs
  Scenario Outline: one
    Given a data plane on v2
    When <caller> is run
    Then <caller> succeeds
    And the gateway saw nothing
    Examples:
      | caller     |
      | the scorer |
      | the prompt |
`
	pin := func(text string) []string {
		blocks, err := pinned(fstest.MapFS{"api/pinned.feature": {Data: []byte(text)}})
		require.NoError(t, err)
		return blocks
	}
	before := pin(file)
	require.Len(t, before, 3)
	for what, change := range map[string]*strings.Replacer{
		"a Then":               strings.NewReplacer("    And the gateway saw nothing\n", ""),
		"a row":                strings.NewReplacer("      | the prompt |\n", ""),
		"a requirement":        strings.NewReplacer("@API-1", "@API-1 @reproduction"),
		"a need":               strings.NewReplacer(" @needs-logs", ""),
		"a word of a Then":     strings.NewReplacer("saw nothing", "saw no credential"),
		"a word of a Given":    strings.NewReplacer("on v2", "on v1 (legacy-2026-02)"),
		"a Given":              strings.NewReplacer("    Given a data plane on v2\n", ""),
		"the id":               strings.NewReplacer("@API-1", "@API-2"),
		"the order of Thens":   strings.NewReplacer("Then <caller> succeeds\n    And the gateway saw nothing", "Then the gateway saw nothing\n    And <caller> succeeds"),
		"the place of a Given": strings.NewReplacer("    Given a data plane on v2\n", "", "saw nothing\n", "saw nothing\n    Given a data plane on v2\n"),
	} {
		changed := change.Replace(file)
		require.NotEqual(t, file, changed, what)
		gone, _ := differences(before, pin(changed))
		assert.NotEmpty(t, gone, "%s is taken away and nothing is seen", what)
	}
	gone, more := differences(before, pin(regexp.MustCompile(`(?m)^  @api`).ReplaceAllString(file, "  # a comment\n  @api")))
	assert.Empty(t, append(gone, more...), "a comment is nothing that is asked")
}
