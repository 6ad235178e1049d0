package fix

import (
	"context"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Left are findings of one rule that a plan does not mend, for one reason.
type Left struct {
	Rule     string         `json:"rule"`
	Severity audit.Severity `json:"severity"`
	Reason   string         `json:"reason"`
	// Secrets are the names of those concerned, empty for the organization as a whole.
	Secrets []string `json:"secrets,omitempty"`
}

// Unmended says that an error or a warning is left, or a remedy was refused.
func (p *Plan) Unmended() bool {
	return len(p.Refused) > 0 || slices.ContainsFunc(p.Left, func(l Left) bool { return l.Severity != audit.Note })
}

// FromAudit are the remedies that an audit asks for, of findings of the severity that it fails on or worse, and the findings that are
// left. A secret comes from the inventory where it is there, and else is read by its id. literal asks for the second guide's own form.
func FromAudit(ctx context.Context, client *control.Client, report audit.Report, found inventory.Inventory, literal bool,
	progress func(done, total int),
) (wanted []Wanted, left []Left, err error) {
	known := map[string]inventory.Secret{}
	for _, s := range found.Secrets {
		known[s.ID] = s
	}
	missing, err := readMissing(ctx, client, report, known, progress)
	if err != nil {
		return nil, nil, err
	}
	severities := audit.Severities()
	for _, group := range report.Groups {
		minor := slices.Index(severities, group.Severity) > slices.Index(severities, report.FailOn)
		placeOf := map[string]int{} // in left, by reason
		for _, f := range group.Findings {
			remedy, err := parseRemedy(f.Remedy.Name)
			reason := ""
			switch {
			case minor:
				reason = "it is less severe than what the audit fails on (" + string(report.FailOn) + "): for people to decide"
			case err != nil || f.Secret == nil:
				reason = "no remedy of ours mends it: " + group.Advice
			case missing[f.Secret.ID] != nil:
				reason = missing[f.Secret.ID].Error()
			case remedy == RawToken:
				reason = "a token belongs to one secret: plan it with --secret ID and --token-file"
			case remedy == Workaround && literal:
				remedy = Literal
			}
			if reason == "" {
				wanted = append(wanted, Wanted{known[f.Secret.ID], remedy})
				continue
			}
			if _, there := placeOf[reason]; !there {
				placeOf[reason] = len(left)
				left = append(left, Left{Rule: group.Rule, Severity: group.Severity, Reason: reason})
			}
			if l := &left[placeOf[reason]]; f.Secret != nil {
				l.Secrets = append(l.Secrets, f.Secret.Name)
			}
		}
	}
	return wanted, left, nil
}

// readMissing reads, each with one GET, the secrets with findings that the inventory does not have whole, and adds them to what is known.
// It returns why one cannot be planned.
func readMissing(ctx context.Context, client *control.Client, report audit.Report, known map[string]inventory.Secret,
	progress func(done, total int),
) (missing map[string]error, err error) {
	missing = map[string]error{}
	var refs []*audit.SecretRef
	for _, group := range report.Groups {
		for _, f := range group.Findings {
			if f.Secret == nil || f.Remedy.Name == "" || missing[f.Secret.ID] != nil {
				continue
			}
			if s := known[f.Secret.ID]; s.Metadata == nil || string(s.Metadata) == "null" {
				missing[f.Secret.ID] = fmt.Errorf("%w: it does not exist any more", ErrNotApplied)
				refs = append(refs, f.Secret)
			}
		}
	}
	s := newSession(client, Options{Progress: progress})
	all, err := s.readAll(ctx, len(refs), func(i int) string { return inventory.Secret{ID: refs[i].ID, Level: refs[i].Level}.Path() }, once)
	for i, now := range all {
		if ref := refs[i]; !now.gone {
			if now.Project != nil && ref.Project != nil && now.Project.ID == ref.Project.ID {
				now.Project.Name = ref.Project.Name // it is only shown
			}
			known[ref.ID], missing[ref.ID] = now.Secret, now.alien
		}
	}
	return missing, err
}

// line says it to a person.
func (l Left) line() string {
	text := fmt.Sprintf("not mended: %s %s", l.Severity, l.Rule)
	if len(l.Secrets) > 0 {
		text += " on " + someOf(printable(l.Secrets))
	}
	return text + ": " + evidence.Printable(l.Reason)
}
