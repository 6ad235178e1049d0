package report

import (
	"fmt"
	"strings"
)

// Exit codes of a run; 2, usage or configuration, belongs to the command line.
const (
	exitPassed         = 0
	exitFailed         = 1
	exitInfrastructure = 3
	exitNothing        = 4
	exitInterrupted    = 130
)

// conclusion is what a run comes to: one word, why, and the exit code of `planeproof run`.
type conclusion struct {
	word     string
	sentence string
	code     int
}

// ExitCode is the exit code of `planeproof run`: 130 interrupted, 3 broken, 1 failed, 4 nothing proven, 0 passed; the
// first that applies in this order. Excused scenarios have no part in it.
func (r *Run) ExitCode() int { return r.conclude().code }

// Headline is the verdict in one line, its first word in capitals.
func (r *Run) Headline() string {
	c := r.conclude()
	if c.code == exitInfrastructure {
		return c.word + ": " + c.sentence
	}
	return c.word + "  " + c.sentence
}

func (r *Run) conclude() conclusion {
	t := r.Tally()
	c, total := t.Required, t.Required.Total()
	scenarios := r.scenarios
	switch {
	case r.Interrupted:
		return conclusion{"INTERRUPTED", "of " + scenarios(total) + ": " + c.String(), exitInterrupted}
	case len(r.Infrastructure) > 0 || c.Broken > 0 || c.NotRun > 0:
		// Not run without an interrupt means that the harness lost a scenario: no verdict is safe.
		return conclusion{"BROKEN", "nothing can be said of the system (" + r.brokenBecause(c) + ")", exitInfrastructure}
	case c.Failed > 0:
		return conclusion{"FAIL", fmt.Sprintf("%d of %s failed", c.Failed, scenarios(total)), exitFailed}
	case len(r.Scenarios) == 0:
		return conclusion{"NOTHING RUN", "no scenario was selected", exitNothing}
	case total == 0:
		return conclusion{"NOTHING RUN", "no required scenario could be judged, so nothing was proven", exitNothing}
	case c.NotSupported > 0:
		return conclusion{"INCOMPLETE", fmt.Sprintf("%d of %s not supported, %d passed", c.NotSupported, scenarios(total), c.Passed), exitNothing}
	default:
		sentence := fmt.Sprintf("%d of %s passed", c.Passed, scenarios(total))
		if n := t.Excused.Total(); n > 0 {
			sentence += fmt.Sprintf(", %d had no part", n)
		}
		return conclusion{"PASS", sentence, exitPassed}
	}
}

func (r *Run) brokenBecause(required Counts) string {
	var parts []string
	if n := len(r.Infrastructure); n > 0 {
		parts = append(parts, "the infrastructure failed")
	}
	if required.Total() > 0 {
		parts = append(parts, r.scenarios(required.Total())+": "+required.String())
	}
	return strings.Join(parts, "; ")
}

// scenarios counts the scenarios that decide in words; of somebody else's proxy those are the ones that judged it.
func (r *Run) scenarios(n int) string {
	words := "required scenario"
	if r.Proxy != "" {
		words = "scenario"
	}
	if n != 1 {
		words += "s"
	}
	if r.Proxy != "" {
		words += " that judged the proxy"
	}
	return fmt.Sprintf("%d %s", n, words)
}
