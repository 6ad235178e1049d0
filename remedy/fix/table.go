package fix

import (
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/lines"
)

// Text shows the plan to a person: every change with its reasons, what is refused, and what is not needed.
func (p *Plan) Text() string {
	text := lines.New(evidence.Printable)
	line := text.Line
	var notes []string
	of := map[string][]string{} // the steps of a note, which may be thousands
	line("organization %s (%s), %s", p.Organization.Name, p.Organization.ID, p.APIURL)
	for i, s := range p.Steps {
		if i == 0 || s.Wave != p.Steps[i-1].Wave {
			line("wave %d", s.Wave)
		}
		line("  %s: %s, remedy %s", s.label(), s.SecretID, s.Remedy)
		for _, c := range s.Diff {
			line("    %s", c.text())
		}
		line("    %s %s %s", s.Request.Method, s.Request.Path, s.Request.Body)
		judged(line, s.Conditions)
		for _, cost := range s.Costs {
			line("    costs: %s", cost)
		}
		for _, note := range s.Notes {
			if of[note] == nil {
				notes = append(notes, note)
			}
			of[note] = append(of[note], s.label())
		}
		if same := s.sameNames(); len(same) > 0 {
			line(`    not mended by this, and with auth_format "api_key" too: %s`, someOf(labels(same)))
		}
		if s.Alternative != "" {
			line("    %s", s.Alternative)
		}
	}
	for _, note := range notes {
		line("  note for %s: %s", someOf(of[note]), note)
	}
	for _, name := range p.Already {
		line("  %s: is so already", name)
	}
	for _, r := range p.Refused {
		line("  %s: remedy %s is refused: %s", r.Name, r.Remedy, r.Reason)
		judged(line, r.Conditions)
	}
	for _, l := range p.Left {
		line("  %s", l.line())
	}
	for _, what := range p.Incomplete {
		line("  not read, so that secrets of the same names may be missing here: %s", what)
	}
	return text.String()
}

func judged(line func(string, ...any), conditions []Condition) {
	for _, c := range conditions {
		mark := "holds"
		if !c.Holds {
			mark = "does not hold"
		}
		line("    condition %q %s: %s", c.Name, mark, c.Judged)
	}
}

// Text shows to a person what restoring means.
func (u Undo) Text() string {
	text := lines.New(evidence.Printable)
	line := text.Line
	s := u.Saved.Step
	what := "is as in the backup"
	switch {
	case u.Merged:
		what = "our keys are written back, theirs are kept"
	case u.Needed:
		what = "metadata is written back"
	case len(u.Obstacles) > 0:
		what = "is not touched"
	}
	line("  %s: %s, %s", s.label(), s.SecretID, what)
	for _, c := range u.Changes {
		line("    %s", c.text())
	}
	for _, o := range u.Obstacles {
		line("    cannot be undone: %s", o)
	}
	for _, c := range u.Caveats {
		line("    %s", c)
	}
	return text.String()
}
