package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/planeproof/planeproof/evidence"
)

// shown is how many exchanges, and how many log entries, a failure shows: the last ones, which are nearest to the cause.
const shown = 20

// explain says why a scenario failed or broke, fit for someone who has never seen the suite. It ends in a newline.
func explain(s Scenario, paint painter) string {
	var b strings.Builder
	b.WriteString(paint(s.Verdict, strings.ToUpper(s.Verdict.String())))
	if s.Excused != "" {
		b.WriteString(evidence.Printable(" (decides nothing: " + s.Excused + ")"))
	}
	fmt.Fprintf(&b, "  %s  %s\n", evidence.Printable(s.ID), evidence.Printable(s.Title))
	fmt.Fprintf(&b, "  %s:%d\n", evidence.Printable(s.File), s.Line)
	explainSteps(&b, s)
	if s.Reason != "" {
		b.WriteString(labelled("      ", s.Reason))
	}
	for _, m := range s.Mismatches {
		b.WriteString(labelled("      ", m.What))
		b.WriteString(labelled("        expected: ", orEmpty(m.Expected)))
		b.WriteString(labelled("        actual:   ", orEmpty(m.Actual)))
	}
	if s.Verdict == Broken {
		b.WriteString("  The harness or its infrastructure gave way here: this says nothing about the system.\n")
	}
	explainEvidence(&b, s)
	return b.String()
}

// explainSteps shows the story up to the sentence that decided, which is marked.
func explainSteps(b *strings.Builder, s Scenario) {
	marked := false
	for _, step := range s.Steps {
		if step.Verdict == NotRun {
			continue
		}
		sentence, mark := step.Keyword+" "+step.Text, "    "
		if !marked && sentence == s.Sentence && step.Verdict != Passed {
			marked, mark = true, "  > "
		}
		b.WriteString(labelled(mark, sentence))
	}
	if !marked && s.Sentence != "" {
		b.WriteString(labelled("  > ", s.Sentence))
	}
}

func explainEvidence(b *strings.Builder, s Scenario) {
	if len(s.Exchanges) > 0 {
		b.WriteString("  What led there:\n")
	}
	for _, e := range s.Exchanges[leaveOut(b, len(s.Exchanges), "exchanges", fmt.Sprintf("the last %d", keptExchanges)):] {
		b.WriteString(labelled("    ", e.String()))
	}
	if len(s.Logs) > 0 {
		b.WriteString("  What the systems logged:\n")
	}
	for _, l := range s.Logs[leaveOut(b, len(s.Logs), "log entries", "them all"):] {
		label := "    " + l.Level + "  "
		if l.Project != "" {
			label += "project " + l.Project + "  "
		}
		b.WriteString(labelled(evidence.Printable(label), l.Text))
	}
}

// orEmpty makes an empty side of a comparison visible.
func orEmpty(text string) string {
	if text == "" {
		return "‹empty›"
	}
	return text
}

// leaveOut returns how many of n entries are not shown, and says so, and what report.json has.
func leaveOut(b *strings.Builder, n int, what, has string) int {
	if n <= shown {
		return 0
	}
	fmt.Fprintf(b, "    … %d earlier %s left out; report.json of --report DIR has %s\n", n-shown, what, has)
	return n - shown
}

// labelled puts the label before the first line of the text and indents the others by its width, so that no text can
// forge a line of ours; what else would disturb a terminal is escaped.
func labelled(label, text string) string {
	var b strings.Builder
	prefix := label
	for line := range strings.SplitSeq(strings.TrimRight(text, "\r\n"), "\n") {
		b.WriteString(prefix + evidence.Printable(strings.TrimSuffix(line, "\r")) + "\n")
		prefix = strings.Repeat(" ", utf8.RuneCountInString(label))
	}
	return b.String()
}
