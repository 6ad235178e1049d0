// Package report turns the verdicts of a run into what a person reads on a terminal and what a pipeline reads from
// files: report.json and junit.xml.
package report

// Verdict is what is known of one scenario or step. Verdicts only rise, in the order of the constants.
type Verdict int

const (
	// NotRun says that nothing was tried; it is the zero value.
	NotRun Verdict = iota
	// Passed says that every check held.
	Passed
	// NotSupported says that the target lacks what the scenario needs.
	NotSupported
	// Failed says that a check compared expected with actual and they differ.
	Failed
	// Broken says that the harness or its infrastructure gave way, so nothing is known of the system.
	Broken
)

// Raise returns the higher of the two verdicts.
func (v Verdict) Raise(to Verdict) Verdict { return max(v, to) }

// String names the verdict in lower-case words, as reports write it.
func (v Verdict) String() string {
	switch v {
	case NotRun:
		return "not run"
	case Passed:
		return "passed"
	case NotSupported:
		return "not supported"
	case Failed:
		return "failed"
	default:
		return "broken" // a verdict nobody defined is the harness's own mistake
	}
}

// MarshalText writes the verdict's name; it never fails.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
