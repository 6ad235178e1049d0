package report

import (
	"cmp"
	"fmt"
	"maps"
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
		list("Failed", all, Failed),
		list("Broken: the harness or its infrastructure, not the system", all, Broken),
		summarizeUnsupported(all),
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

// summarizeUnsupported names what was not supported under the reason they share.
func summarizeUnsupported(all []Scenario) string {
	byReason := map[string][]string{}
	for _, s := range all {
		if s.Verdict == NotSupported {
			byReason[s.Reason] = append(byReason[s.Reason], s.ID)
		}
	}
	var b strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		ids := byReason[reason]
		b.WriteString(labelled("    ", fmt.Sprintf("%s (%d)", cmp.Or(reason, "no reason given"), len(ids))))
		for _, id := range ids {
			b.WriteString(labelled("      ", id))
		}
	}
	return titled("Not supported", b.String())
}

func summarizeCircumstances(r *Run) string {
	var b strings.Builder
	judged := slices.ContainsFunc(r.Scenarios, func(s Scenario) bool { return s.Verdict != NotRun })
	if r.Fakes && judged {
		b.WriteString("  This run on fakes judged the fakes and the harness, not anyone's data plane.\n")
	}
	runtime := r.Runtime
	if r.Why != "" {
		runtime += " (" + r.Why + ")"
	}
	b.WriteString(labelled("  runtime      ", runtime))
	if r.Tags != "" {
		b.WriteString(labelled("  tags         ", r.Tags))
	}
	fmt.Fprintf(&b, "  duration     %s, concurrency %d\n", r.Ended.Sub(r.Started).Round(time.Millisecond), r.Concurrency)
	fmt.Fprintf(&b, "  repeat with  --seed %d\n", r.Seed)
	return b.String()
}
