package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// maxMetadata is how much of a metadata the table shows, in characters.
const maxMetadata = 2000

// maxListed is how many findings of one group the table shows; the JSON has all.
const maxListed = 20

// Table writes the report for people: what was looked at, the verdict, what could not be read, the model, and the groups; notes only
// where they are asked for. Names are shown without what would move a terminal's cursor.
func (r Report) Table(w io.Writer, notes bool) error {
	t := &table{}
	t.line("API           %s", r.APIURL)
	t.line("organization  %s (%s)", r.Organization.Name, r.Organization.ID)
	t.line("key           %s", r.Key)
	t.line("projects      %d visible, %d read", r.VisibleProjects, r.ReadProjects)
	t.line("taken         %s", r.TakenAt)
	t.line("generation    %s", orElse(r.Generation, "not given (--legacy): every generation is answered for"))
	t.line("")
	t.line("%s", strings.ToUpper(string(r.Verdict))+strings.TrimPrefix(r.Summary, string(r.Verdict)))
	if hidden := r.Counts[Note]; hidden > 0 && !notes {
		t.line("notes are hidden: --notes shows them")
	}
	for _, missing := range r.Incomplete {
		t.line("  not read: %s", missing)
	}
	r.Model.table(t)
	for _, g := range r.Groups {
		if g.Severity != Note || notes {
			g.table(t)
		}
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// table collects lines that are safe to print.
type table struct{ out strings.Builder }

func (t *table) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.out.WriteString(strings.TrimRight(evidence.Printable(text), " ") + "\n")
}

// block indents a text of several lines of our own making.
func (t *table) block(indent, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		t.line("%s%s", indent, line)
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (g Group) table(t *table) {
	t.line("")
	t.line("%s  %s: %s", strings.ToUpper(string(g.Severity)), g.Rule, g.Title)
	if g.Cause != "" {
		t.line("  cause       %s", g.Cause)
	}
	t.line("  why         %s", g.Why)
	t.line("  rests on    %s (%s)", g.Confidence, g.Source)
	if g.Needs != "" {
		t.line("  undecided   it would need: %s", g.Needs)
	}
	t.line("  what to do  %s", g.Advice)
	for n, f := range g.Findings {
		if n == maxListed {
			t.line("  … and %d more: --format json has them all", len(g.Findings)-n)
			return
		}
		f.table(t, n == 0)
	}
}

// table shows the way by hand for the first finding of a group: the others differ in the id alone.
func (f Finding) table(t *table, byHand bool) {
	if f.Secret != nil {
		t.line("  • %s", f.Secret)
	} else {
		t.line("  • the organization")
	}
	for _, seen := range f.Evidence {
		t.line("      %s", seen)
	}
	remedy := f.Remedy.Written()
	if remedy.Command != "" {
		t.line("      fix    %s", remedy.Command)
	}
	if remedy.Curl != "" && byHand {
		t.line("      by hand")
		t.block("        ", remedy.Curl)
	}
}

// String names the secret for a person.
func (s SecretRef) String() string { return describe(s.Name, s.Type, s.Level, s.Project, s.ID) }

// describe quotes names, so that one cannot be taken for the rest of the line.
func describe(name, typ string, level inventory.Level, project *inventory.ProjectRef, id string) string {
	owner := "organization"
	switch {
	case project != nil:
		owner = project.String()
	case level == inventory.OrgEnv:
		owner = "organization, as an environment variable"
	}
	return fmt.Sprintf("%q, type %s, of %s, id %s", name, orElse(typ, "none"), owner, id)
}

func (m *Model) table(t *table) {
	if m == nil {
		return
	}
	t.line("")
	t.line("model %q is in customModels of %s, and a default model of %s", m.Name, count(len(m.Custom), "secret"), count(len(m.Default), "other"))
	for _, s := range m.Custom {
		t.line("  • %s", describe(s.Name, s.ProviderType, s.Level, s.Project, s.ID))
		t.line("      preview   %s", jsonText(s.Preview))
		t.line("      metadata  %s", shorten(compact(s.Metadata), maxMetadata))
	}
	for n, s := range m.Default {
		if n == maxListed {
			t.line("  … and %d more: --format json has them all", len(m.Default)-n)
			break
		}
		t.line("  • by default: %s", s)
	}
	for _, s := range m.Undecided {
		t.line("  • cannot be told, customModels or metadata is no object: %s", s)
	}
}

// compact is metadata in one line: a saved inventory indents it.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return "null"
	}
	return b.String()
}
