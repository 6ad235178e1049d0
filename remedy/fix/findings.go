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
		reasons := map[string]*Left{}
		leave := func(f audit.Finding, reason string) {
			if reasons[reason] == nil {
				left = append(left, Left{Rule: group.Rule, Severity: group.Severity, Reason: reason})
				reasons[reason] = &left[len(left)-1]
			}
			if f.Secret != nil {
				at := slices.IndexFunc(left, func(l Left) bool { return l.Rule == group.Rule && l.Reason == reason })
				left[at].Secrets = append(left[at].Secrets, f.Secret.Name)
			}
		}
		for _, f := range group.Findings {
			remedy, err := ParseRemedy(f.Remedy.Name)
			switch {
			case slices.Index(severities, group.Severity) > slices.Index(severities, report.FailOn):
				leave(f, "it is less severe than what the audit fails on ("+string(report.FailOn)+"): for people to decide")
			case err != nil || f.Secret == nil:
				leave(f, "no remedy of ours mends it: "+group.Advice)
			case missing[f.Secret.ID] != nil:
				leave(f, missing[f.Secret.ID].Error())
			case remedy == RawToken:
				leave(f, "a token belongs to one secret: plan it with --secret ID and --token-file")
			case remedy == Workaround && literal:
				wanted = append(wanted, Wanted{known[f.Secret.ID], Literal})
			default:
				wanted = append(wanted, Wanted{known[f.Secret.ID], remedy})
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
	read := make([]state, len(refs))
	err = control.Each(ctx, len(refs), func(ctx context.Context, i int) (err error) {
		read[i], err = get(ctx, client, inventory.Secret{ID: refs[i].ID, Level: refs[i].Level}.Path())
		if control.KindOf(err) == control.NotFound {
			return nil
		}
		return err
	}, progress)
	if err != nil {
		return nil, err
	}
	for i, ref := range refs {
		if read[i].ID == "" {
			continue
		}
		secret, err := read[i].secret()
		if secret.Project != nil && ref.Project != nil && secret.Project.ID == ref.Project.ID {
			secret.Project.Name = ref.Project.Name // it is only shown
		}
		if known[ref.ID], missing[ref.ID] = secret, err; err == nil {
			delete(missing, ref.ID)
		}
	}
	return missing, nil
}

// line says it to a person.
func (l Left) line() string {
	text := fmt.Sprintf("not mended: %s %s", l.Severity, l.Rule)
	if len(l.Secrets) > 0 {
		text += " on " + someOf(printable(l.Secrets))
	}
	return text + ": " + evidence.Printable(l.Reason)
}
