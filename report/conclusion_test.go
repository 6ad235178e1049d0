package report_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/report"
)

func TestVerdictsOnlyRise(t *testing.T) {
	t.Parallel()
	ladder := []report.Verdict{report.NotRun, report.Passed, report.NotSupported, report.Failed, report.Broken}
	for i, from := range ladder {
		for j, to := range ladder {
			assert.Equal(t, ladder[max(i, j)], from.Raise(to), "%s raised to %s", from, to)
		}
	}
}

func TestVerdictNames(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal([]report.Verdict{report.NotRun, report.Passed, report.NotSupported, report.Failed, report.Broken, 99})
	require.NoError(t, err)
	assert.JSONEq(t, `["not run","passed","not supported","failed","broken","broken"]`, string(text))
}

// a scenario of a class and a verdict
func of(v report.Verdict, class string) report.Scenario {
	s := report.Scenario{Family: "f", Verdict: v, Reproduction: class == "reproduction"}
	if class == "excused" {
		s.Excused = "known to fail"
	}
	return s
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	pass, fail, broken := of(report.Passed, ""), of(report.Failed, ""), of(report.Broken, "")
	unsupported, notRun := of(report.NotSupported, ""), of(report.NotRun, "")
	for name, c := range map[string]struct {
		scenarios      []report.Scenario
		interrupted    bool
		infrastructure []string
		code           int
		headline       string
	}{
		"passed":                    {scenarios: []report.Scenario{pass, pass}, code: 0, headline: "PASS  2 of 2 required scenarios passed"},
		"one passed":                {scenarios: []report.Scenario{pass}, code: 0, headline: "PASS  1 of 1 required scenario passed"},
		"nothing selected":          {code: 4, headline: "NOTHING RUN  no scenario was selected"},
		"unsupported":               {scenarios: []report.Scenario{pass, unsupported}, code: 4, headline: "INCOMPLETE  1 of 2 required scenarios not supported, 1 passed"},
		"failed":                    {scenarios: []report.Scenario{pass, fail}, code: 1, headline: "FAIL  1 of 2 required scenarios failed"},
		"failed over unsupported":   {scenarios: []report.Scenario{unsupported, fail}, code: 1, headline: "FAIL  1 of 2 required scenarios failed"},
		"broken over failed":        {scenarios: []report.Scenario{fail, broken}, code: 3, headline: "BROKEN: nothing can be said of the system (2 required scenarios: 1 failed, 1 broken)"},
		"infrastructure alone":      {infrastructure: []string{"no engine"}, code: 3, headline: "BROKEN: nothing can be said of the system (the infrastructure failed)"},
		"infrastructure over all":   {scenarios: []report.Scenario{pass, fail}, infrastructure: []string{"gone"}, code: 3, headline: "BROKEN: nothing can be said of the system (the infrastructure failed; 2 required scenarios: 1 passed, 1 failed)"},
		"lost without interrupt":    {scenarios: []report.Scenario{pass, notRun}, code: 3, headline: "BROKEN: nothing can be said of the system (2 required scenarios: 1 passed, 1 not run)"},
		"interrupted over broken":   {scenarios: []report.Scenario{broken, fail, notRun}, interrupted: true, infrastructure: []string{"gone"}, code: 130, headline: "INTERRUPTED  of 3 required scenarios: 1 failed, 1 broken, 1 not run"},
		"interrupted, nothing yet":  {interrupted: true, code: 130, headline: "INTERRUPTED  of 0 required scenarios: none"},
		"excused failed":            {scenarios: []report.Scenario{pass, of(report.Failed, "excused")}, code: 0, headline: "PASS  1 of 1 required scenario passed, 1 had no part"},
		"excused broken":            {scenarios: []report.Scenario{pass, of(report.Broken, "excused")}, code: 0, headline: "PASS  1 of 1 required scenario passed, 1 had no part"},
		"excused unsupported":       {scenarios: []report.Scenario{pass, of(report.NotSupported, "excused")}, code: 0, headline: "PASS  1 of 1 required scenario passed, 1 had no part"},
		"excused only":              {scenarios: []report.Scenario{of(report.Passed, "excused")}, code: 4, headline: "NOTHING RUN  no required scenario could be judged, so nothing was proven"},
		"reproduction failed":       {scenarios: []report.Scenario{pass, of(report.Failed, "reproduction")}, code: 1, headline: "FAIL  1 of 2 required scenarios failed"},
		"reproduction unsupported":  {scenarios: []report.Scenario{pass, of(report.NotSupported, "reproduction")}, code: 0, headline: "PASS  1 of 1 required scenario passed"},
		"only such a reproduction":  {scenarios: []report.Scenario{of(report.NotSupported, "reproduction")}, code: 4, headline: "NOTHING RUN  no required scenario could be judged, so nothing was proven"},
		"reproduction broken first": {scenarios: []report.Scenario{of(report.Broken, "reproduction"), fail}, code: 3, headline: "BROKEN: nothing can be said of the system (2 required scenarios: 1 failed, 1 broken)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &report.Run{Scenarios: c.scenarios, Interrupted: c.interrupted, Infrastructure: c.infrastructure}
			assert.Equal(t, c.code, r.ExitCode())
			assert.Equal(t, c.headline, r.Headline())
		})
	}
}

func TestHeadlineOfSomebodyElsesProxy(t *testing.T) {
	t.Parallel()
	pass, fail := of(report.Passed, ""), of(report.Failed, "")
	r := &report.Run{Proxy: "http://127.0.0.1:8787/v1", Scenarios: []report.Scenario{pass, of(report.Failed, "excused"), of(report.NotSupported, "excused")}}
	assert.Equal(t, "PASS  1 of 1 scenario that judged the proxy passed, 2 had no part", r.Headline())
	r.Scenarios = append(r.Scenarios, fail)
	assert.Equal(t, "FAIL  1 of 2 scenarios that judged the proxy failed", r.Headline())
}

func TestJudgedCountsTheRequiredForEachJudge(t *testing.T) {
	t.Parallel()
	with := func(s report.Scenario, judges ...string) report.Scenario {
		s.Judges = judges
		return s
	}
	r := &report.Run{Scenarios: []report.Scenario{
		with(of(report.Passed, ""), report.Plane, report.Remedies),
		with(of(report.Failed, ""), report.Plane),
		with(of(report.Failed, "excused"), report.API),
		of(report.Passed, ""),
	}}
	assert.Equal(t, []report.Judged{
		{Judge: report.Plane, Required: report.Counts{Passed: 1, Failed: 1}}, {Judge: report.API},
		{Judge: report.Remedies, Required: report.Counts{Passed: 1}}, {Judge: report.Verification},
	}, r.Judged())
}

func TestNotVerifiedNamesEveryScenarioWithoutAPart(t *testing.T) {
	t.Parallel()
	unsupported, excused, nobody := of(report.NotSupported, ""), of(report.Passed, "excused"), of(report.NotSupported, "")
	unsupported.ID, unsupported.Reason = "A-1/a", "cannot"
	excused.ID, nobody.ID = "B-1/b", "C-1/c"
	r := &report.Run{Fakes: true, Scenarios: []report.Scenario{nobody, excused, unsupported, of(report.Failed, "")}}
	assert.Equal(t, []report.Gap{
		{Reason: "anyone's data plane, proxy or gateway: this run judged the fakes and the harness"},
		{Reason: "no reason given", Scenarios: []string{"C-1/c"}},
		{Reason: "cannot", Scenarios: []string{"A-1/a"}},
		{Reason: "known to fail", Scenarios: []string{"B-1/b"}},
	}, r.NotVerified())
	assert.Empty(t, (&report.Run{Fakes: true}).NotVerified(), "nothing ran, so nothing could be mistaken")
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scenarios []report.Scenario
		verdict   string
	}{
		"passed":                    {[]report.Scenario{of(report.Passed, ""), of(report.Passed, "reproduction")}, "passed"},
		"excused has no part":       {[]report.Scenario{of(report.Passed, ""), of(report.Failed, "excused")}, "passed"},
		"unsupported":               {[]report.Scenario{of(report.Passed, ""), of(report.NotSupported, "")}, "partial"},
		"not run":                   {[]report.Scenario{of(report.Passed, ""), of(report.NotRun, "")}, "partial"},
		"nothing required":          {[]report.Scenario{of(report.Passed, "excused")}, "partial"},
		"failed before unsupported": {[]report.Scenario{of(report.Failed, ""), of(report.NotSupported, "")}, "failed"},
		"broken before failed":      {[]report.Scenario{of(report.Failed, ""), of(report.Broken, "")}, "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			profiles := (&report.Run{Scenarios: c.scenarios}).Profiles()
			require.Len(t, profiles, 1)
			assert.Equal(t, c.verdict, profiles[0].Verdict)
		})
	}
}
