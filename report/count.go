package report

import (
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

// Tally counts a run's scenarios. Requirements and Reproductions have no scenario in common and are together
// all of them; Required counts those that decide.
type Tally struct {
	Required      Counts `json:"required"`
	Requirements  Counts `json:"requirements"`
	Reproductions Counts `json:"reproductions"`
}

// Tally counts the run's scenarios.
func (r *Run) Tally() Tally {
	var t Tally
	for _, s := range r.Scenarios {
		if s.Required() {
			t.Required.add(s.Verdict)
		}
		if s.Reproduction {
			t.Reproductions.add(s.Verdict)
		} else {
			t.Requirements.add(s.Verdict)
		}
	}
	return t
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
