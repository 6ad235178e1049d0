package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Counts holds the number of scenarios by verdict.
type Counts struct {
	NotRun       int `json:"not_run"`
	Passed       int `json:"passed"`
	NotSupported int `json:"not_supported"`
	Failed       int `json:"failed"`
	Broken       int `json:"broken"`
}

func (c *Counts) add(v Verdict) {
	switch v {
	case NotRun:
		c.NotRun++
	case Passed:
		c.Passed++
	case NotSupported:
		c.NotSupported++
	case Failed:
		c.Failed++
	default:
		c.Broken++
	}
}

// Total is the number of scenarios counted.
func (c Counts) Total() int { return c.NotRun + c.Passed + c.NotSupported + c.Failed + c.Broken }

// String lists the verdicts that occur, the good news first: `61 passed, 2 failed`.
func (c Counts) String() string {
	var parts []string
	for _, p := range []struct {
		n int
		v Verdict
	}{{c.Passed, Passed}, {c.Failed, Failed}, {c.Broken, Broken}, {c.NotSupported, NotSupported}, {c.NotRun, NotRun}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.v))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Tally counts a run's scenarios. Requirements, Reproductions and Excused have no scenario in common and are
// together all of them; Required counts those that decide.
type Tally struct {
	Required      Counts `json:"required"`
	Requirements  Counts `json:"requirements"`
	Reproductions Counts `json:"reproductions"`
	Excused       Counts `json:"excused"`
}

// Tally counts the run's scenarios.
func (r *Run) Tally() Tally {
	var t Tally
	for _, s := range r.Scenarios {
		if s.Required() {
			t.Required.add(s.Verdict)
		}
		switch {
		case s.Excused != "":
			t.Excused.add(s.Verdict)
		case s.Reproduction:
			t.Reproductions.add(s.Verdict)
		default:
			t.Requirements.add(s.Verdict)
		}
	}
	return t
}

// Judged is what is known of one thing that scenarios judge.
type Judged struct {
	Judge    string `json:"judge"`
	Required Counts `json:"required"`
}

// Judged counts the required scenarios by what they judged, in the order of Judges; one that judges two things counts for both.
func (r *Run) Judged() []Judged { return judged(r.Scenarios) }

func judged(scenarios []Scenario) []Judged {
	var all []Judged
	for _, judge := range Judges() {
		j := Judged{Judge: judge}
		for _, s := range scenarios {
			if s.Required() && slices.Contains(s.Judges, judge) {
				j.Required.add(s.Verdict)
			}
		}
		all = append(all, j)
	}
	return all
}

// Gap is something that the run says nothing about.
type Gap struct {
	Reason    string   `json:"reason"`
	Scenarios []string `json:"scenarios,omitempty"` // ids
}

// NotVerified lists what nobody may take this run for: what was not there to be judged, and the scenarios that were not supported or had no
// part in the verdict, under the reason they share.
func (r *Run) NotVerified() []Gap {
	gaps := []Gap{}
	if r.Fakes && slices.ContainsFunc(r.Scenarios, func(s Scenario) bool { return s.Verdict != NotRun }) {
		gaps = append(gaps, Gap{Reason: "anyone's data plane, proxy or gateway: this run judged the fakes and the harness"})
	}
	byReason := map[string][]string{}
	for _, s := range r.sorted() {
		if reason := cmp.Or(s.Excused, s.Reason); s.Excused != "" || s.Verdict == NotSupported {
			byReason[reason] = append(byReason[reason], s.ID)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		gaps = append(gaps, Gap{cmp.Or(reason, "no reason given"), byReason[reason]})
	}
	return gaps
}

// Profile is what is known of one family.
type Profile struct {
	Family string `json:"family"`
	// Verdict is `passed`, `partial` (nothing failed, but something required was not supported or not run, or nothing
	// was required), `failed` or `broken`.
	Verdict  string `json:"verdict"`
	Required Counts `json:"required"`
}

// Profiles judges each family by its required scenarios, in the order of the families' names.
func (r *Run) Profiles() []Profile {
	required := map[string]*Counts{}
	for _, s := range r.Scenarios {
		if required[s.Family] == nil {
			required[s.Family] = &Counts{}
		}
		if s.Required() {
			required[s.Family].add(s.Verdict)
		}
	}
	profiles := make([]Profile, 0, len(required))
	for _, family := range slices.Sorted(maps.Keys(required)) {
		counts := *required[family]
		profiles = append(profiles, Profile{Family: family, Verdict: profileVerdict(counts), Required: counts})
	}
	return profiles
}

func profileVerdict(required Counts) string {
	switch {
	case required.Broken > 0:
		return Broken.String()
	case required.Failed > 0:
		return Failed.String()
	case required.Passed == 0 || required.NotSupported > 0 || required.NotRun > 0:
		return "partial"
	default:
		return Passed.String()
	}
}
