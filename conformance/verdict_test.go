package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target"
)

func TestVerdictOfAScenario(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps    string // separated by slashes
		verdict  report.Verdict
		sentence string
		reason   string
		exit     int
	}{
		"all hold":            {"Given all is well / When it is done / Then it holds", report.Passed, "", "", 0},
		"a check fails":       {"When it is done / Then it holds / And it does not hold / And it holds", report.Failed, "And it does not hold", "", 1},
		"a check cannot look": {"When it is done / Then it cannot be seen", report.Broken, "Then it cannot be seen", "no such luck", 3},
		"a Given fails":       {"Given it cannot be had / Then it does not hold", report.Broken, "Given it cannot be had", "no such luck", 3},
		"a Given compares":    {"Given it is not as it should be / Then it holds", report.Broken, "Given it is not as it should be", "it: expected one, actual other", 3},
		"undefined":           {"Given all is well / When nobody knows this phrase", report.Broken, "When nobody knows this phrase", "step is undefined: nobody knows this phrase; the nearest phrases: ", 3},
		"of another kind":     {"Given it holds", report.Broken, "Given it holds", "undefined: it holds; the nearest phrases: Then it holds; ", 3},
		"ambiguous":           {"When it has two meanings / Then it holds", report.Broken, "When it has two meanings", "ambiguous", 3},
		"a panic":             {"When it panics / Then it holds", report.Broken, "When it panics", "out of luck", 3},
		"a journal is full":   {"When the gateway is asked too often / Then it holds", report.Broken, "", "read journal of gateway: not all was kept: 1 exchanges dropped", 3},
		"failed, then full": {"When the gateway is asked too often / Then it does not hold", report.Broken,
			"Then it does not hold", "read journal of gateway: not all was kept: 1 exchanges dropped", 3},
		"no answer": {"When the systems end / And the scorer is run / Then it holds", report.Broken, "", "no answer from data-plane:8080", 3},
		"no answer to a check": {"When the systems end / And the scorer is run / Then the scorer succeeds", report.Broken,
			"Then the scorer succeeds", "connection refused", 3},
		"no steps": {"", report.NotRun, "", "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "@BEARER-1\nScenario: one\n" + strings.ReplaceAll(c.steps, " / ", "\n")
			result := run(t.Context(), t, Options{Features: doctored(text)})
			require.Len(t, result.Scenarios, 1)
			got := result.Scenarios[0]
			assert.Equal(t, c.verdict.String(), got.Verdict.String(), got.Reason)
			assert.Equal(t, c.sentence, got.Sentence)
			assert.Contains(t, got.Reason, c.reason)
			assert.Equal(t, c.exit, result.ExitCode(), result.Headline())
		})
	}
}

// TestARemedyThatGivesWayFailsWhereItIsJudged: elsewhere nothing was found out of what is.
func TestARemedyThatGivesWayFailsWhereItIsJudged(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]report.Verdict{
		"@judges-remedies": report.Failed, "@judges-plane @judges-verification": report.Failed, "@judges-plane": report.Broken, "@judges-api": report.Broken, "": report.Broken,
	} {
		for sentence, verdict := range map[string]report.Verdict{"When the remedy gives way": want, "Given it is not as it should be": report.Broken} {
			result := run(t.Context(), t, Options{Features: doctored("@BEARER-1 " + tags + "\nScenario: one\n" + sentence + "\nThen it holds")})
			got := result.Scenarios[0]
			assert.Equal(t, verdict.String(), got.Verdict.String(), "%s: %s", tags, sentence)
			assert.Equal(t, sentence, got.Sentence)
		}
	}
	const ends = "@BEARER-1 @judges-remedies\nScenario: one\nWhen the systems end\nAnd the organization is audited\nThen it holds"
	got := run(t.Context(), t, Options{Features: doctored(ends)}).Scenarios[0]
	assert.Equal(t, report.Broken.String(), got.Verdict.String(), "a system that gives no answer is not the remedy's")
}

// TestEveryScenarioHasItsEvidence has two scenarios side by side, each with its own; what passed keeps no log.
func TestEveryScenarioHasItsEvidence(t *testing.T) {
	t.Parallel()
	result := run(t.Context(), t, Options{Concurrency: 2, Features: doctored(`
  @BEARER-1
  Scenario: fails
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When the scorer is run
    Then the scorer succeeds
  @BEARER-2
  Scenario: passes
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run
    Then the scorer succeeds
`)})
	require.Len(t, result.Scenarios, 2)
	failed, passed := result.Scenarios[0], result.Scenarios[1]
	require.Len(t, failed.Mismatches, 1)
	assert.Equal(t, "the outcome of the scorer", failed.Mismatches[0].What)
	assert.Equal(t, "an answer of the model", failed.Mismatches[0].Expected)
	assert.Contains(t, failed.Mismatches[0].Actual, "status 401")
	assert.Equal(t, []report.Step{
		{Keyword: "Given", Text: `an org provider secret "acme" for model "acme-chat" with auth_format "api_key"`, Verdict: report.Passed},
		{Keyword: "When", Text: "the scorer is run", Verdict: report.Passed},
		{Keyword: "Then", Text: "the scorer succeeds", Verdict: report.Failed},
	}, failed.Steps)
	assert.Equal(t, report.Passed, passed.Verdict, passed.Reason)
	for _, s := range []report.Scenario{failed, passed} {
		systems := map[string]bool{}
		for i, e := range s.Exchanges {
			systems[e.System] = true
			if i > 0 {
				assert.False(t, e.Time.Before(s.Exchanges[i-1].Time), "exchanges are in order of time")
			}
		}
		assert.Equal(t, map[string]bool{"client": true, "data-plane": true, "gateway": true}, systems, s.ID)
	}
}

func TestLackingCapabilityIsNotSupported(t *testing.T) {
	t.Parallel()
	lacking := &targets{shape: func(d *doctoredTarget) {
		d.lacks = map[target.Capability]string{target.Upgrade: "it is deployed by others"}
	}}
	result := run(t.Context(), t, Options{start: lacking.start, Features: doctored(`
  @BEARER-1 @needs-journal @needs-upgrade
  Scenario: cannot be
    Given it cannot be had
    Then it does not hold
  @BEARER-2 @needs-upgrade @reproduction
  Scenario: cannot be re-enacted
    Then it does not hold
  @BEARER-3 @needs-journal
  Scenario: can be
    Then it holds
`)})
	require.Len(t, result.Scenarios, 3)
	assert.Equal(t, report.NotSupported, result.Scenarios[0].Verdict)
	assert.Equal(t, "needs upgrade: it is deployed by others", result.Scenarios[0].Reason)
	assert.Empty(t, result.Scenarios[0].Steps)
	assert.Equal(t, report.NotSupported, result.Scenarios[1].Verdict)
	assert.False(t, result.Scenarios[1].Required())
	assert.Equal(t, report.Passed, result.Scenarios[2].Verdict, result.Scenarios[2].Reason)
	assert.Equal(t, 4, result.ExitCode())
}

func TestTargetThatGivesWayBreaksTheRun(t *testing.T) {
	t.Parallel()
	const features = "@BEARER-1\nScenario: one\nThen it holds"
	result := run(t.Context(), t, Options{Features: doctored(features), start: func(context.Context) (target.Target, error) { return nil, errNoLuck }})
	assert.Equal(t, []string{"no such luck"}, result.Infrastructure)
	assert.Equal(t, report.NotRun, result.Scenarios[0].Verdict)
	assert.Equal(t, 3, result.ExitCode())

	left := &targets{shape: func(d *doctoredTarget) {
		end := d.end
		d.end = func(ctx context.Context) error { _ = end(ctx); return errNoLuck }
	}}
	result = run(t.Context(), t, Options{Features: doctored(features), start: left.start})
	assert.Equal(t, []string{"no such luck"}, result.Infrastructure)
	assert.Equal(t, report.Passed, result.Scenarios[0].Verdict, result.Scenarios[0].Reason)
	assert.Equal(t, 3, result.ExitCode())
}

// TestTrailTellsProjectsAndRepeats has a call that fails, so that the harness repeats it.
func TestTrailTellsProjectsAndRepeats(t *testing.T) {
	t.Parallel()
	result := run(t.Context(), t, Options{Features: doctored(`
  @BEARER-1
  Scenario: fails
    Given a project provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When the project's scorer is run
    Then the project's scorer succeeds
`)})
	told := map[string][]string{}
	for _, e := range result.Scenarios[0].Exchanges {
		if e.Nonce != "" {
			assert.Equal(t, "alpha", e.Project, e.String())
			told[e.System] = append(told[e.System], e.Harness)
		}
	}
	want := []string{"", "call repeated, 1 of 3", "call repeated, 2 of 3", "call repeated, 3 of 3"}
	assert.Equal(t, map[string][]string{"client": want, "data-plane": want, "gateway": want}, told)
}

// endedTarget is a target of which a system has ended.
type endedTarget struct{ target.Target }

func (endedTarget) Renew(context.Context) error {
	return errors.New("data-plane: container x ended with exit code 137 (killed): out of memory")
}

func TestSystemThatEndedIsToldInTheBrokenLine(t *testing.T) {
	t.Parallel()
	start := func(ctx context.Context) (target.Target, error) {
		started, err := startProcess(ctx)
		return endedTarget{started}, err
	}
	for steps, want := range map[string][]string{
		"Given it cannot be had": {"data-plane: container x ended with exit code 137 (killed): out of memory"},
		"Then it does not hold":  {"data-plane: container x ended with exit code 137 (killed): out of memory"},
		"Then it holds":          nil, // what held is not explained
	} {
		result := run(t.Context(), t, Options{start: start, Features: doctored("@BEARER-1\nScenario: one\n" + steps)})
		assert.Equal(t, want, result.Infrastructure)
	}
}
