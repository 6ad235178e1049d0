package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// Step is one sentence of a scenario and how far it got.
type Step struct {
	// Keyword is the sentence's first word as written: `Given`, `When`, `Then`, `And`, `But`.
	Keyword string  `json:"keyword"`
	Text    string  `json:"text"`
	Verdict Verdict `json:"verdict"`
}

// Scenario is one scenario (one row of an outline) with its verdict and the evidence for it.
type Scenario struct {
	// ID is the behaviour id, `/`, the slug of the title, and `[column=value,…]` for a row of an outline.
	ID string `json:"id"`
	// Behaviour is the id's first part, `BEARER-6`; Family is the profile it belongs to, `bearer`.
	Behaviour string   `json:"behaviour"`
	Family    string   `json:"family"`
	Title     string   `json:"title"`
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Tags      []string `json:"tags,omitempty"`
	// Judges names what a failure would condemn, of Judges().
	Judges []string `json:"judges,omitempty"`
	// Excused says why the scenario is told but decides nothing; empty: it decides.
	Excused string `json:"excused,omitempty"`
	// Reproduction says that the scenario re-enacts a known failure on a generation the harness chose.
	Reproduction bool    `json:"reproduction"`
	Verdict      Verdict `json:"verdict"`
	// Reason says why a scenario is not supported, broken or not run, or what a failed check said in words.
	Reason string `json:"reason,omitempty"`
	// Sentence is the step that decided, as written, with its keyword.
	Sentence   string              `json:"sentence,omitempty"`
	Steps      []Step              `json:"steps,omitempty"`
	Mismatches []evidence.Mismatch `json:"mismatches,omitempty"`
	Exchanges  []evidence.Exchange `json:"exchanges,omitempty"`
	Logs       []evidence.LogLine  `json:"logs,omitempty"`
	Duration   time.Duration       `json:"-"` // report.json has it in seconds
}

// What a scenario can judge, by its tag `@judges-…`: what its failure would condemn.
const (
	Plane        = "plane"        // the data plane as it calls models, and its proxy
	API          = "api"          // the control API
	Remedies     = "remedies"     // the audit, the fixes and the reading of logs
	Verification = "verification" // the verification of a token
)

// Judges lists them.
func Judges() []string { return []string{Plane, API, Remedies, Verification} }

// Required says whether the scenario decides the run: all but the excused ones and the reproductions that
// the stack cannot re-enact, which say nothing about a system that must work.
func (s Scenario) Required() bool {
	return s.Excused == "" && (!s.Reproduction || s.Verdict != NotSupported)
}

// Run is everything one run found out.
type Run struct {
	// Version is that of planeproof.
	Version string `json:"version"`
	// Features is the folder of the feature files, empty for the built-in ones.
	Features string `json:"features,omitempty"`
	// Sabotage names the way in which the systems were broken on purpose, empty where they were not: the verdict is then none on them.
	Sabotage string `json:"sabotage,omitempty"`
	// Runtime is where the systems ran, and Why is the reason it was taken.
	Runtime string `json:"runtime"`
	Why     string `json:"why,omitempty"`
	// Fakes says that all systems were ours, so that the run judged the fakes and the harness only.
	Fakes bool `json:"fakes"`
	// Proxy is the proxy of somebody else's that was judged, as it may be shown, and Generation what it was said to be; empty for none.
	Proxy      string `json:"proxy,omitempty"`
	Generation string `json:"proxy_generation,omitempty"`
	// Tags is the expression, and IDs are the ids, that selected the scenarios, empty for all.
	Tags        string    `json:"tags,omitempty"`
	IDs         []string  `json:"ids,omitempty"`
	Seed        int64     `json:"seed"`
	Concurrency int       `json:"concurrency"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended"`
	// Interrupted says that the run was told to stop before its end.
	Interrupted bool `json:"interrupted"`
	// Infrastructure lists what went wrong outside every scenario; any entry makes the run broken.
	Infrastructure []string `json:"infrastructure,omitempty"`
	// Scenarios are the selected ones, in any order, those not run included.
	Scenarios []Scenario `json:"-"` // report.json has them with seconds
}

// sorted returns the scenarios in the order of the feature files, whatever order they ended in.
func (r *Run) sorted() []Scenario {
	return slices.SortedStableFunc(slices.Values(r.Scenarios), func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.ID, b.ID))
	})
}
