package report_test

import (
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
)

// randomRun has up to 40 scenarios of every class and verdict, with texts of random runes.
func randomRun(seed uint64) *report.Run {
	random := rand.New(rand.NewPCG(seed, 7))
	text := func() string {
		runes := make([]rune, random.IntN(30))
		for i := range runes {
			runes[i] = rune(random.IntN(0x300))
			if random.IntN(10) == 0 {
				runes[i] = rune(0xfff0 + random.IntN(16)) // U+FFFE and U+FFFF are no XML characters
			}
		}
		return string(runes)
	}
	r := &report.Run{Started: noon(), Ended: noon().Add(time.Second), Interrupted: random.IntN(5) == 0}
	for range random.IntN(3) {
		r.Infrastructure = append(r.Infrastructure, text())
	}
	for i := range random.IntN(40) {
		s := failedScenario()
		s.ID, s.Family = fmt.Sprintf("%d%s", i, text()), []string{"bearer", "token", "api"}[random.IntN(3)]
		s.Verdict = report.Verdict(random.IntN(5))
		s.Reproduction = random.IntN(4) == 0
		if random.IntN(4) == 0 {
			s.Excused = "x" + text()
		}
		s.Reason, s.Title, s.Mismatches[0].Actual, s.Logs[0].Text = text(), text(), text(), text()
		s.Line = random.IntN(5)
		r.Scenarios = append(r.Scenarios, s)
	}
	return r
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type junitFile struct {
	junitCounts
	Suites []struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []struct {
			Class   string     `xml:"classname,attr"`
			Name    string     `xml:"name,attr"`
			Failure []struct{} `xml:"failure"`
			Error   []struct{} `xml:"error"`
			Skipped []struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// expectedCounts says, from the run alone, what the elements must be.
func expectedCounts(r *report.Run) junitCounts {
	want := junitCounts{Tests: len(r.Scenarios) + len(r.Infrastructure), Errors: len(r.Infrastructure)}
	if r.Interrupted {
		want.Tests++
		want.Errors++
	}
	for _, s := range r.Scenarios {
		switch {
		case s.Verdict == report.Passed:
		case s.Excused != "", s.Verdict == report.NotRun, s.Verdict == report.NotSupported:
			want.Skipped++
		case s.Verdict == report.Failed:
			want.Failures++
		default:
			want.Errors++
		}
	}
	return want
}

func TestJUnitCountsEqualElements(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		run := randomRun(seed)
		dir := t.TempDir()
		require.NoError(t, report.WriteFiles(dir, run, &evidence.Redactor{}))
		var file junitFile
		require.NoError(t, xml.Unmarshal([]byte(read(t, dir, "junit.xml")), &file), "seed %d", seed)
		var all junitCounts
		suites := map[string]bool{}
		for _, suite := range file.Suites {
			assert.False(t, suites[suite.Name], "seed %d: two suites %q", seed, suite.Name)
			suites[suite.Name] = true
			var elements junitCounts
			for _, c := range suite.Cases {
				assert.Equal(t, "planeproof."+suite.Name, c.Class, "seed %d", seed)
				elements.Tests++
				elements.Failures += len(c.Failure)
				elements.Errors += len(c.Error)
				elements.Skipped += len(c.Skipped)
			}
			assert.Equal(t, elements, suite.junitCounts, "seed %d, suite %s", seed, suite.Name)
			all.Tests += elements.Tests
			all.Failures += elements.Failures
			all.Errors += elements.Errors
			all.Skipped += elements.Skipped
		}
		assert.Equal(t, all, file.junitCounts, "seed %d", seed)
		assert.Equal(t, expectedCounts(run), all, "seed %d", seed)
	}
}

func TestJUnitOfExcusedFailureStaysGreenWithEvidence(t *testing.T) {
	t.Parallel()
	s := failedScenario()
	s.Excused = "known to fail on\nlegacy-2026-02"
	dir := t.TempDir()
	require.NoError(t, report.WriteFiles(dir, &report.Run{Scenarios: []report.Scenario{s}}, &evidence.Redactor{}))
	text := read(t, dir, "junit.xml")
	assert.NotContains(t, text, "<failure")
	assert.Contains(t, text, `<skipped message="known to fail on: failed: credential the gateway saw`)
	assert.Contains(t, text, "[Authorization: Api-Key ‹3fa94b21c0de›]")
}

func TestJUnitHasNoControlCharacters(t *testing.T) {
	t.Parallel()
	s := failedScenario()
	s.Reason = "a\x00b\x1b[31mc\u009bd\u202ee\ufffe"
	s.Mismatches = nil
	dir := t.TempDir()
	require.NoError(t, report.WriteFiles(dir, &report.Run{Scenarios: []report.Scenario{s}}, &evidence.Redactor{}))
	text := read(t, dir, "junit.xml")
	assert.Contains(t, text, `a\x00b\x1b[31mc\u009bd\u202ee`)
	assert.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x9b || r == 0xfffe }))
}
