package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/internal/lines"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// maxMetadata is how much of a metadata the table shows, in characters.
const maxMetadata = 2000

// maxListed is how many findings of one group the table shows; the JSON has all.
const maxListed = 20

// Table writes the report for people: what was read, the verdict, what could not be read, the model, and the groups; notes only
// where they are asked for. Names are shown without what would move a terminal's cursor.
func (r Report) Table(w io.Writer, notes bool) error {
	t := lines.New(evidence.Printable)
	t.Field(0, "API", r.APIURL)
	t.Field(0, "organization", fmt.Sprintf("%s (%s)", r.Organization.Name, r.Organization.ID))
	t.Field(0, "key", r.Key)
	t.Field(0, "projects", fmt.Sprintf("%d visible, %d read", r.VisibleProjects, r.ReadProjects))
	t.Field(0, "taken", r.TakenAt)
	t.Field(0, "generation", r.judged())
	t.Line("")
	t.Line("%s", strings.ToUpper(string(r.Verdict))+strings.TrimPrefix(r.Summary, string(r.Verdict)))
	if r.Counts[Note] > 0 && !notes {
		t.Line("notes are hidden: --notes shows them")
	}
	for _, missing := range r.Incomplete {
		t.Line("  not read: %s", missing)
	}
	r.Model.table(t)
	for _, g := range r.Groups {
		if g.Severity != Note || notes {
			g.table(t)
		}
	}
	if len(r.Next) > 0 {
		t.Line("")
		t.Line("to plan all that can be planned:")
		t.Block(2, strings.Join(r.Next, "\n"))
	}
	return t.Write(w)
}

// judged says for which generations the audit answers, and why for those.
func (r Report) judged() string {
	_, version, told := inventory.MajorVersion(r.Version)
	switch {
	case r.Generation != "" && told:
		return r.Generation + ", as --legacy says; the data plane says that it is " + version
	case r.Generation != "":
		return r.Generation
	case len(r.Generations) == 1:
		return fmt.Sprintf("%s: the data plane says that it is %s; --legacy says otherwise", r.Generations[0], version)
	case told:
		return "not given (--legacy): the data plane says that it is " + version + ", so every generation is answered for"
	default:
		return "not given (--legacy): every generation is answered for"
	}
}

func (g Group) table(t *lines.Text) {
	t.Line("")
	t.Line("%s  %s: %s", strings.ToUpper(string(g.Severity)), g.Rule, g.Title)
	t.Field(2, "cause", g.Cause)
	t.Field(2, "why", g.Why)
	t.Field(2, "rests on", fmt.Sprintf("%s (%s)", g.Confidence, g.Source))
	if g.Needs != "" {
		t.Field(2, "undecided", "it would need: "+g.Needs)
	}
	t.Field(2, "what to do", g.Advice)
	for n, f := range g.Findings {
		if n == maxListed {
			t.Line("  … and %d more: -o json has them all", len(g.Findings)-n)
			return
		}
		f.table(t, n == 0)
	}
}

// table shows the way by hand for the first finding of a group: the others differ in the id alone.
func (f Finding) table(t *lines.Text, byHand bool) {
	if f.Secret != nil {
		t.Line("  • %s", f.Secret)
	} else {
		t.Line("  • the organization")
	}
	t.Block(6, strings.Join(f.Evidence, "\n"))
	t.Field(6, "first", f.Remedy.Decide)
	t.Field(6, "fix", f.Remedy.Command)
	if f.Remedy.Curl != "" && byHand {
		t.Line("      by hand")
		t.Block(8, f.Remedy.Curl)
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
	return fmt.Sprintf("%q, type %s, of %s, id %s", name, cmp.Or(typ, "none"), owner, id)
}

func (m *Model) table(t *lines.Text) {
	if m == nil {
		return
	}
	t.Line("")
	t.Line("model %q is in customModels of %s, and a default model of %s", m.Name, count(len(m.Custom), "secret"), count(len(m.Default), "other"))
	for _, s := range m.Custom {
		t.Line("  • %s", describe(s.Name, s.ProviderType, s.Level, s.Project, s.ID))
		t.Field(6, "preview", string(jsonvalue.Text(s.Preview)))
		t.Field(6, "metadata", shorten(compact(s.Metadata), maxMetadata))
	}
	for n, s := range m.Default {
		if n == maxListed {
			t.Line("  … and %d more: -o json has them all", len(m.Default)-n)
			break
		}
		t.Line("  • by default: %s", s)
	}
	for _, s := range m.Undecided {
		t.Line("  • cannot be told, customModels or metadata is no object: %s", s)
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
