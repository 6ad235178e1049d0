package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// summarize tells the whole run, the verdict first, in sections with an empty line between them. It ends in a newline.
func summarize(r *Run, paint painter) string {
	c := r.conclude()
	all := r.sorted()
	sections := []string{
		paint(c.color(), c.word) + strings.TrimPrefix(r.Headline(), c.word) + "\n",
		summarizeInfrastructure(r),
		summarizeCounts(r.Tally()),
		summarizeProfiles(r.Profiles(), paint),
		summarizeJudged(r.Judged()),
		list("Failed", all, Failed),
		list("Broken: the harness or its infrastructure, not the system", all, Broken),
		summarizeExcused(all),
		summarizeNotVerified(r.NotVerified()),
		summarizeCircumstances(r),
	}
	return strings.Join(slices.DeleteFunc(sections, func(s string) bool { return s == "" }), "\n")
}

// color is the verdict whose color the conclusion takes.
func (c conclusion) color() Verdict {
	switch c.code {
	case exitPassed:
		return Passed
	case exitNothing:
		return NotSupported
	default:
		return Failed
	}
}

func summarizeInfrastructure(r *Run) string {
	var b strings.Builder
	for _, text := range r.Infrastructure {
		b.WriteString(labelled("  infrastructure: ", text))
	}
	return b.String()
}

func summarizeCounts(t Tally) string {
	var b strings.Builder
	row := func(name string, c Counts, what string) {
		if c.Total() > 0 {
			fmt.Fprintf(&b, "  %-14s %s  (%s)\n", name, c, what)
		}
	}
	row("requirements", t.Requirements, "must hold on any system that claims conformance")
	row("reproductions", t.Reproductions, "known failures; passed means the failure was seen")
	row("excused", t.Excused, "told, decide nothing")
	return b.String()
}

func summarizeProfiles(profiles []Profile, paint painter) string {
	var b strings.Builder
	colors := map[string]Verdict{"passed": Passed, "partial": NotSupported, "failed": Failed, "broken": Broken}
	for _, p := range profiles {
		verdict := paint(colors[p.Verdict], fmt.Sprintf("%-8s", p.Verdict))
		fmt.Fprintf(&b, "  %-14s %s %d of %d required\n", evidence.Printable(p.Family), verdict, p.Required.Passed, p.Required.Total())
	}
	return b.String()
}

// titled puts a title over a section that is not empty.
func titled(title, section string) string {
	if section == "" {
		return ""
	}
	return "  " + title + ":\n" + section
}

// list names the required scenarios of a verdict once more: what was told when it happened has scrolled away.
func list(title string, all []Scenario, v Verdict) string {
	var b strings.Builder
	for _, s := range all {
		if s.Required() && s.Verdict == v {
			fmt.Fprintf(&b, "    %s  %s:%d\n", evidence.Printable(s.ID), evidence.Printable(s.File), s.Line)
		}
	}
	return titled(title, b.String())
}

// summarizeJudged counts by what a failure would have condemned. What nothing judged is told too: no pass says anything of it.
func summarizeJudged(all []Judged) string {
	names := map[string]string{
		Plane: "data plane and proxy", API: "control API", Remedies: "audit, fixes, logs", Verification: "token verification",
	}
	var b strings.Builder
	for _, j := range all {
		fmt.Fprintf(&b, "    %-21s %s\n", names[j.Judge], j.Required)
	}
	return titled("Judged, by what a failure would condemn (a scenario may judge two)", b.String())
}

// summarizeExcused names what failed and decides nothing, with the reason.
func summarizeExcused(all []Scenario) string {
	var b strings.Builder
	for _, s := range all {
		if s.Excused != "" && s.Verdict > NotSupported {
			b.WriteString(labelled("    ", fmt.Sprintf("%s  %s", s.Verdict, s.ID)))
			b.WriteString(labelled("            ", s.Excused))
		}
	}
	return titled("Excused", b.String())
}

// namedGaps is how many scenarios of a gap are named; report.json names all.
const namedGaps = 3

func summarizeNotVerified(gaps []Gap) string {
	var b strings.Builder
	for _, g := range gaps {
		if len(g.Scenarios) == 0 {
			b.WriteString(labelled("    ", g.Reason))
			continue
		}
		b.WriteString(labelled("    ", fmt.Sprintf("%s (%d)", g.Reason, len(g.Scenarios))))
		for _, id := range g.Scenarios[:min(namedGaps, len(g.Scenarios))] {
			b.WriteString(labelled("      ", id))
		}
		if more := len(g.Scenarios) - namedGaps; more > 0 {
			fmt.Fprintf(&b, "      … %d more; report.json of --report DIR names all\n", more)
		}
	}
	return titled("Not verified", b.String())
}

func summarizeCircumstances(r *Run) string {
	var b strings.Builder
	runtime := r.Runtime
	if r.Why != "" {
		runtime += " (" + r.Why + ")"
	}
	b.WriteString(labelled("  runtime      ", runtime))
	if r.Proxy != "" {
		b.WriteString(labelled("  proxy        ", r.Proxy+", "+cmp.Or(r.Generation, "of an unknown generation")))
	}
	if r.Tags != "" {
		b.WriteString(labelled("  tags         ", r.Tags))
	}
	fmt.Fprintf(&b, "  duration     %s, concurrency %d\n", r.Ended.Sub(r.Started).Round(time.Millisecond), r.Concurrency)
	fmt.Fprintf(&b, "  repeat with  --seed %d\n", r.Seed)
	return b.String()
}
