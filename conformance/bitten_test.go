package conformance

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/features"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
)

// undecided are the Thens that no system's misbehaviour can make fail, by the expression of their phrase, each with the reason and what
// shows instead that it can fail.
func undecided() map[string]string {
	const own = "only planeproof's own verification of a token or its audit can make it fail; TestThens shows that it can"
	return map[string]string{
		`^the other host saw nothing$`:                                          own,
		`^the (advice|problem of the token|detail on "[^"]*") names "([^"]*)"$`: own,
		`^of the paths the advice names "([^"]*)" alone$`:                       own,
		`^for "([^"]*)" the audit proposes the (bearer fix|workaround|portable form) on ((?:the (?:org|project)'s )?"[^"]*")$`: own,
	}
}

// unbitten are the scenarios, or rows of a table, that no system's misbehaviour can make fail, each with the reason.
func unbitten() map[string]string {
	return map[string]string{
		"TOKEN-7/a-certificate-of-an-unknown-authority-is-named": "the front with the unknown authority is the harness's own",
	}
}

// thens takes the expressions of the phrases that judge.
type thens struct{ all []string }

func (*thens) Given(any, any)     {}
func (*thens) When(any, any)      {}
func (t *thens) Then(expr, _ any) { t.all = append(t.all, fmt.Sprint(expr)) }

// TestEverySentenceBites holds the catalogue against the suite: each Then decides that something fails, and so does each scenario and each
// row of a table. What is excused must not decide after all.
func TestEverySentenceBites(t *testing.T) {
	t.Parallel()
	if *bite == "" {
		t.Skip("make bite and make bite-all run it")
	}
	golden := readBites(t)
	decided, failed := map[string]bool{}, map[string]bool{}
	for _, s := range sabotage.Catalogue() {
		assert.NotEmpty(t, golden[s.Name], "nothing fails under %s: it breaks nothing, or the suite cannot see it", s.Name)
	}
	assert.Len(t, golden, len(sabotage.Catalogue()), "%s has a sabotage that is none: write it anew", biteGolden)
	for _, by := range golden {
		for id, sentence := range by {
			failed[id], decided[sentence] = true, true
		}
	}
	var phrases thens
	steps.Bind(&phrases)
	excused := undecided()
	bitten := 0
	for _, expr := range phrases.all {
		says := regexp.MustCompile(expr)
		is := slices.ContainsFunc(slices.Collect(maps.Keys(decided)), says.MatchString)
		if is {
			bitten++
		}
		assert.NotEqual(t, is, excused[expr] != "", "Then %s: decided %t, excused because: %s", expr, is, excused[expr])
		delete(excused, expr)
	}
	assert.Empty(t, excused, "excused and no phrase")
	ids := assertAllFail(t, failed)
	lines, linesBitten := thenLines(t, decided)
	t.Logf("%d sabotages; decided: %d of %d Thens, %d of %d scenarios and rows, %d of %d sentences as written",
		len(golden), bitten, len(phrases.all), len(failed), ids, linesBitten, lines)
}

// assertAllFail asks that each scenario of the suite has failed, and returns how many there are.
func assertAllFail(t *testing.T, failed map[string]bool) int {
	t.Helper()
	all, err := List(Options{})
	require.NoError(t, err)
	excused := unbitten()
	for _, s := range all {
		assert.NotEqual(t, failed[s.ID], excused[s.ID] != "", "%s: fails under a sabotage %t, excused because: %s", s.ID, failed[s.ID], excused[s.ID])
		delete(excused, s.ID)
	}
	assert.Empty(t, excused, "excused and no scenario")
	for id := range failed {
		assert.True(t, slices.ContainsFunc(all, func(s report.Scenario) bool { return s.ID == id }), "%s fails in %s and is no scenario", id, biteGolden)
	}
	return len(all)
}

// thenLines counts the Thens of the features as they come out of their tables.
func thenLines(t *testing.T, decided map[string]bool) (all, bitten int) {
	t.Helper()
	records, err := catalog(features.FS)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range records {
		for _, step := range r.pickle.Steps {
			if step.Type != messages.PickleStepType_OUTCOME || seen[step.Text] {
				continue
			}
			seen[step.Text] = true
			all++
			if decided[step.Text] {
				bitten++
			}
		}
	}
	return all, bitten
}

// sabotagesPage is written from the catalogue and the golden file.
const sabotagesPage = "../docs/sabotages.md"

// page is the table of docs/sabotages.md.
func (b bites) page() string {
	var out strings.Builder
	out.WriteString(`# Sabotages

Written by ` + "`go test ./conformance -run 'Bite|Sabotages' -update`" + `; do not edit.

Each line is a way in which our own gateway, data plane, AI proxy or network is broken on purpose. ` + "`planeproof run --sabotage NAME`" + ` runs the suite
on it; the last column names the behaviours of which a scenario then fails by a check. The sentence by which each scenario fails is in
` + "`conformance/testdata/bite.golden`" + `.

| name | what is broken | where | behaviours that see it |
|---|---|---|---|
`)
	for _, s := range sabotage.Catalogue() {
		ids := map[string]bool{}
		for id := range b[s.Name] {
			behaviour, _, _ := strings.Cut(id, "/")
			ids[behaviour] = true
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", s.Name, s.Says, s.Where(), strings.Join(slices.Sorted(maps.Keys(ids)), ", "))
	}
	return out.String()
}

func TestSabotagesPageIsCurrent(t *testing.T) {
	t.Parallel()
	want := readBites(t).page()
	if *update {
		require.NoError(t, os.WriteFile(sabotagesPage, []byte(want), 0o644))
	}
	got, err := os.ReadFile(sabotagesPage)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "%s is not what -update writes", sabotagesPage)
}
