package report_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
)

func TestTerminalGolden(t *testing.T) {
	t.Parallel()
	interrupted := mixedRun()
	interrupted.Interrupted = true
	for name, r := range map[string]*report.Run{
		"mixed": mixedRun(), "pass": passingRun(), "interrupted": interrupted, "proxy": proxyRun(), "nothing": {Runtime: "process", Seed: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			terminal := report.NewTerminal(&out, false, false, &evidence.Redactor{})
			for i, s := range r.Scenarios {
				if s.Verdict >= report.Failed {
					terminal.Failure(s)
				}
				terminal.Progress(i+1, len(r.Scenarios))
			}
			require.NoError(t, terminal.Summary(r))
			assert.NotContains(t, out.String(), "\x1b")
			golden(t, name+".txt", out.String())
		})
	}
}

func TestTerminalProgressAndColor(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	terminal := report.NewTerminal(&out, true, true, &evidence.Redactor{})
	terminal.Progress(0, 2)
	terminal.Failure(brokenScenario())
	terminal.Progress(1, 2)
	require.NoError(t, terminal.Summary(passingRun()))
	text := out.String()
	assert.True(t, strings.HasPrefix(text, "0 of 2 scenarios\x1b[K\r\x1b[K\x1b[1;31mBROKEN\x1b[0m  OVERRIDE-3/"), "%q", text)
	assert.Contains(t, text, "\n1 of 2 scenarios\x1b[1;31m, 1 failed or broken\x1b[0m\x1b[K\r\x1b[K\x1b[1;32mPASS\x1b[0m  2 of 2")
}

func TestTerminalPhaseOnATerminalOnly(t *testing.T) {
	t.Parallel()
	redactor := &evidence.Redactor{}
	redactor.Add("key", "canary-secret")
	for tty, want := range map[bool]string{true: "starting with ‹key›", false: ""} {
		var out strings.Builder
		report.NewTerminal(&out, tty, false, redactor).Phase("starting with canary-secret")
		assert.Equal(t, want, strings.TrimRight(out.String(), "\x1b[K\r"))
	}
}

func TestTerminalColorsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	terminal := report.NewTerminal(&out, true, false, &evidence.Redactor{})
	terminal.Failure(failedScenario())
	require.NoError(t, terminal.Summary(mixedRun()))
	assert.NotContains(t, out.String(), "\x1b[")
}

func TestTerminalLeavesOutEarlyEvidence(t *testing.T) {
	t.Parallel()
	s := failedScenario()
	s.Exchanges = nil
	for i := range 25 {
		s.Exchanges = append(s.Exchanges, evidence.Exchange{System: "gateway", Method: "GET", Path: fmt.Sprintf("/call-%02d", i)})
	}
	var out strings.Builder
	report.NewTerminal(&out, false, false, &evidence.Redactor{}).Failure(s)
	assert.Contains(t, out.String(), "… 5 earlier exchanges left out; report.json of --report DIR has the last 50\n")
	assert.NotContains(t, out.String(), "/call-04")
	assert.Contains(t, out.String(), "/call-05")
	assert.Contains(t, out.String(), "/call-24")
}

func TestTerminalThroughRedactingWriter(t *testing.T) {
	t.Parallel()
	var redactor evidence.Redactor
	var out strings.Builder
	redactor.Add("acme", canary)
	w := redactor.Writer(&out)
	terminal := report.NewTerminal(w, true, true, &redactor)
	terminal.Progress(0, 1)
	assert.Contains(t, out.String(), "0 of 1", "the redacting writer must not hold progress back")
	run := canaryRun()
	terminal.Failure(run.Scenarios[0])
	require.NoError(t, terminal.Summary(run))
	require.NoError(t, w.Close())
	assertNoCanary(t, out.String())
	assert.Contains(t, out.String(), "‹acme›")
}

func TestTerminalReportsFirstWriteError(t *testing.T) {
	t.Parallel()
	terminal := report.NewTerminal(brokenPipe{}, false, false, &evidence.Redactor{})
	terminal.Failure(failedScenario())
	assert.ErrorIs(t, terminal.Summary(passingRun()), errPipe)
}

var errPipe = errors.New("pipe closed")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestTerminalFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	terminal := report.NewTerminal(&out, true, false, &evidence.Redactor{})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			terminal.Failure(brokenScenario())
			terminal.Progress(i, 20)
		})
	}
	all.Wait()
	assert.Equal(t, 20, strings.Count(out.String(), "BROKEN  OVERRIDE-3/the-guides-patch  Title"))
	assert.Contains(t, out.String(), "20 failed or broken")
}
