package report_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/name.
func golden(t *testing.T, name, actual string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(actual), 0o644))
	}
	expected, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(expected), actual, "differs from %s; -update writes it anew", path)
}

func noon() time.Time { return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC) }

func passed(id, family, file string, line int) report.Scenario {
	behaviour, _, _ := strings.Cut(id, "/")
	return report.Scenario{
		ID: id, Behaviour: behaviour, Family: family, Title: "Title of " + id, File: file, Line: line,
		Verdict: report.Passed, Duration: 20 * time.Millisecond,
	}
}

// failedScenario has everything that a failure can show, hostile text included.
func failedScenario() report.Scenario {
	s := passed("BEARER-6/bearer-format-repairs[wire=raw]", "bearer", "features/bearer/fix.feature", 14)
	s.Title = "Bearer format repairs an org provider secret"
	s.Tags = []string{"@bearer", "@BEARER-6"}
	s.Judges = []string{report.Plane, report.Remedies}
	s.Verdict = report.Failed
	s.Sentence = `Then the gateway saw the raw token of "acme" as Bearer`
	s.Steps = []report.Step{
		{Keyword: "Given", Text: "a data plane on v2", Verdict: report.Passed},
		{Keyword: "Then", Text: `the gateway saw the raw token of "acme" as Bearer`, Verdict: report.Failed},
		{Keyword: "And", Text: `nothing else about "acme" has changed`, Verdict: report.NotRun},
	}
	s.Mismatches = []evidence.Mismatch{
		{What: "credential the gateway saw", Expected: "Authorization: Bearer ‹3fa94b21c0de›", Actual: "Authorization: Api-Key ‹3fa94b21c0de›"},
		{What: "metadata of \"acme\"", Expected: "{\n  \"a\": 1\n}", Actual: ""},
	}
	s.Exchanges = []evidence.Exchange{
		{System: "client", Seq: 1, Time: noon(), Method: "POST", Path: "/v1/proxy/chat/completions", Model: "acme-chat", Project: "alpha", Harness: "call repeated, 2 of 3", Status: 401, Note: "AuthenticationError"},
		{
			System: "gateway", Seq: 1, Time: noon(), Method: "POST", Path: "/v1/chat/completions",
			Credentials: []evidence.Credential{{Header: "authorization", Scheme: "Api-Key", Fingerprint: "3fa94b21c0de", LastWord: "3fa94b21c0de", Length: 24}},
			Header:      map[string]string{"accept": "*/*"}, Status: 401, Note: "wrong scheme <b>\x1b[2J",
		},
	}
	s.Logs = []evidence.LogLine{{Time: noon(), Level: "warn", Project: "p-1", Request: 1, Text: "Failed to parse secret\nPASS  forged line"}}
	return s
}

func brokenScenario() report.Scenario {
	s := passed("OVERRIDE-3/the-guides-patch", "override", "features/override/patch.feature", 9)
	s.Verdict = report.Broken
	s.Sentence = "Given a data plane on v1"
	s.Reason = "make tenant: connection refused"
	return s
}

// mixedRun has each verdict and each class once or more, in no order.
func mixedRun() *report.Run {
	unsupported := passed("MIGRATION-3/carried-through", "migration", "features/migration/m.feature", 5)
	unsupported.Verdict, unsupported.Reason = report.NotSupported, "the stack cannot upgrade"
	reproduction := passed("BEARER-1/api-key-fails", "bearer", "features/bearer/a.feature", 3)
	reproduction.Reproduction = true
	excused := passed("BEARER-15/test-key-disagrees", "bearer", "features/bearer/z.feature", 3)
	excused.Excused, excused.Verdict, excused.Reason = "known to fail on legacy-2026-02", report.Failed, "the test key says no"
	notRun := passed("API-1/never-come-back", "api", "features/api/a.feature", 3)
	notRun.Verdict = report.NotRun
	return &report.Run{
		Version: "v0.1.0", Runtime: "process", Why: "no engine answers", Fakes: true, Tags: "not @slow", Seed: 42, Concurrency: 8,
		Started: noon(), Ended: noon().Add(1234 * time.Millisecond),
		Infrastructure: []string{"engine went away:\nEOF"},
		Scenarios: []report.Scenario{
			unsupported, failedScenario(), excused, brokenScenario(), notRun, reproduction,
			passed("TOKEN-1/good-token", "token", "features/token/t.feature", 3),
		},
	}
}

func passingRun() *report.Run {
	r := mixedRun()
	r.Infrastructure, r.Interrupted = nil, false
	r.Scenarios = []report.Scenario{r.Scenarios[5], r.Scenarios[6]}
	for i, judge := range []string{report.Plane, report.Verification} {
		r.Scenarios[i].Judges = []string{judge}
	}
	return r
}

// proxyRun judged a proxy of somebody else's: what has no part in that is many.
func proxyRun() *report.Run {
	r := passingRun()
	r.Fakes, r.Proxy, r.Generation = false, "http://127.0.0.1:8787/v1", "legacy-2026-02"
	for i := range 5 {
		s := passed(fmt.Sprintf("API-2/listing-%d", i), "api", "features/api/a.feature", 3+i)
		s.Judges, s.Excused = []string{report.API}, "judges something else than the proxy"
		r.Scenarios = append(r.Scenarios, s)
	}
	excused := failedScenario()
	excused.Excused = "known to fail on legacy-2026-02"
	r.Scenarios[1].Judges = []string{report.Plane}
	r.Scenarios = append(r.Scenarios, excused)
	return r
}
