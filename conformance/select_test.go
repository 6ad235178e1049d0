package conformance

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/process"
)

const three = `
  Background:
    Given all is well
  @BEARER-1
  Scenario: The first one, as "it" is!
    * it holds
  @TOKEN-12 @reproduction @judges-plane @judges-api
  Scenario: second
    Then it holds
  @BEARER-1 @slow
  Scenario Outline: by row
    Then it <does>
    Examples:
      | does          | why |
      | holds         | a   |
      | does not hold | b   |
`

func TestTagsSelect(t *testing.T) {
	t.Parallel()
	const one, two = "BEARER-1/the-first-one-as-it-is", "TOKEN-12/second"
	rows := []string{"BEARER-1/by-row[does=holds,why=a]", "BEARER-1/by-row[does=does not hold,why=b]"}
	for tags, want := range map[string][]string{
		"":                                  {one, two, rows[0], rows[1]},
		"  ":                                {one, two, rows[0], rows[1]},
		"@BEARER-1":                         {one, rows[0], rows[1]},
		"@BEARER-1 and not @slow":           {one},
		"not @BEARER-1":                     {two},
		"(@slow or @judges-api) and @slow ": {rows[0], rows[1]},
		"@nobody":                           nil,
	} {
		all, err := List(Options{Tags: tags, Features: doctored(three)})
		require.NoError(t, err, tags)
		var ids []string
		for _, s := range all {
			ids = append(ids, s.ID)
		}
		assert.Equal(t, want, ids, tags)
	}
	all, err := List(Options{Tags: "@TOKEN-12", Features: doctored(three)})
	require.NoError(t, err)
	assert.Equal(t, []string{report.Plane, report.API}, all[0].Judges)
	assert.True(t, all[0].Reproduction)
	assert.Equal(t, "token", all[0].Family)
	assert.Equal(t, "features/bearer/doctored.feature", all[0].File)
}

func TestIDsSelect(t *testing.T) {
	t.Parallel()
	const first, second = "BEARER-1/the-first-one-as-it-is", "TOKEN-12/second"
	rows := []string{"BEARER-1/by-row[does=holds,why=a]", "BEARER-1/by-row[does=does not hold,why=b]"}
	for _, c := range []struct {
		ids, want []string
		tags      string
	}{
		{[]string{"BEARER-1"}, []string{first, rows[0], rows[1]}, ""},
		{[]string{"BEARER-1/by-row"}, rows, ""},
		{[]string{rows[1], "TOKEN-12"}, []string{second, rows[1]}, ""},
		{[]string{"BEARER-1"}, []string{first}, "not @slow"},
	} {
		all, err := List(Options{IDs: c.ids, Tags: c.tags, Features: doctored(three)})
		require.NoError(t, err)
		var ids []string
		for _, s := range all {
			ids = append(ids, s.ID)
		}
		assert.Equal(t, c.want, ids, c.ids)
	}
	_, err := Run(t.Context(), Options{IDs: []string{"BEARER-1", "TOKEN-2"}, Features: doctored(three)})
	require.ErrorIs(t, err, ErrUnknownID)
	require.NotErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, `no scenario is called TOKEN-2: did you mean TOKEN-12 or `)
}

func TestOnlyTheSelectedRowsAreRun(t *testing.T) {
	t.Parallel()
	result := run(t.Context(), t, Options{Tags: "@BEARER-1", Features: doctored(three)})
	require.Len(t, result.Scenarios, 3)
	for i, want := range []string{"passed", "passed", "failed"} {
		assert.Equal(t, want, result.Scenarios[i].Verdict.String(), result.Scenarios[i].Reason)
	}
	assert.Equal(t, "Given", result.Scenarios[0].Steps[0].Keyword, "of the background")
	assert.Equal(t, 1, result.ExitCode())
}

func TestNothingSelectedStartsNothing(t *testing.T) {
	t.Parallel()
	result := run(t.Context(), t, Options{Tags: "@nobody", Features: doctored(three), start: func(context.Context) (target.Target, error) {
		t.Error("started")
		return nil, errNoLuck
	}})
	assert.Empty(t, result.Scenarios)
	assert.Equal(t, 4, result.ExitCode())
}

func TestBadTagExpression(t *testing.T) {
	t.Parallel()
	for _, tags := range []string{"@a and", "(@a", "@a @b", "and", "not", "()", ")", "@a or or @b", "@a or (not)"} {
		_, err := Run(t.Context(), Options{Tags: tags, Features: doctored(three), Concurrency: 1, Seed: 1})
		require.ErrorIs(t, err, ErrUsage, tags)
		require.ErrorContains(t, err, tags)
		assert.NotContains(t, err.Error(), "\n")
		_, err = List(Options{Tags: tags, Features: doctored(three)})
		require.ErrorIs(t, err, ErrUsage, tags)
	}
}

func TestFeaturesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Scenario: none\nThen it holds":                                `scenario "none" has no behaviour id`,
		"@BEARER-1 @TOKEN-1\nScenario: two\nThen it holds":             `scenario "two" has two behaviour ids`,
		"@BEARER-1 @needs-luck\nScenario: needs\nThen it holds":        `scenario "needs" needs "luck", which is no capability`,
		"@BEARER-1 @judges-luck\nScenario: judges\nThen it holds":      `scenario "judges" judges "luck", which is none of plane, api, remedies, verification`,
		"@BEARER-1\nScenario: broken\nThen it holds\nNobody says this": "doctored.feature",
	} {
		_, err := Run(t.Context(), Options{Features: doctored(text), Concurrency: 1, Seed: 1})
		require.ErrorContains(t, err, want)
		require.NotErrorIs(t, err, ErrUsage)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	on, err := process.Start(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = on.Close(t.Context()) }()
	for want, o := range map[string]Options{
		`runtime "podman" is not auto, docker or process`: {Runtime: "podman"},
		"concurrency -1 is less than 1":                   {Concurrency: -1},
		"seed -1 is less than 1":                          {Seed: -1},
		"needs the process runtime":                       {Runtime: Docker, Proxy: &process.Proxy{}},
		"another target is given":                         {Target: on, Proxy: &process.Proxy{}},
		"an operand is missing":                           {Tags: "@a and"},
	} {
		_, err := Run(t.Context(), o)
		require.ErrorIs(t, err, ErrUsage, want)
		require.ErrorContains(t, err, want)
	}
}
