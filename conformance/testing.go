package conformance

import (
	"bytes"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
)

// RunT runs the selected scenarios as a part of a Go test, each a subtest named by its id. One that is not supported is skipped, with the
// reason; any other verdict but passed is an error, told as the command line tells it. The zero Options run all scenarios in this process.
func RunT(t *testing.T, o Options) {
	t.Helper()
	if o.Redactor == nil {
		o.Redactor = &evidence.Redactor{}
	}
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range result.Infrastructure {
		t.Error(o.Redactor.String(wrong))
	}
	for _, scenario := range result.Scenarios {
		t.Run(scenario.ID, func(t *testing.T) { tellT(t, scenario, o.Redactor) })
	}
	if code := result.ExitCode(); code != 0 && !t.Failed() {
		t.Errorf("%s; repeat with Seed: %d", o.Redactor.String(result.Headline()), result.Seed)
	}
}

func tellT(t *testing.T, s report.Scenario, redactor *evidence.Redactor) {
	t.Helper()
	switch s.Verdict {
	case report.Passed:
	case report.NotSupported:
		t.Skip(redactor.String(s.Reason))
	default:
		var text bytes.Buffer
		report.NewTerminal(&text, false, false, redactor).Failure(s)
		t.Error(text.String())
	}
}
