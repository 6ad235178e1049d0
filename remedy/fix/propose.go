package fix

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// DataPlane is what is known of the data plane when a remedy is proposed.
type DataPlane struct {
	// Generation is the proxy's, as the caller says; empty where nobody says.
	Generation provider.Generation
	// Version is the data plane's own answer to GET /version, nil where it has none. Its form is not promised.
	Version json.RawMessage
	// Log is what a proxy's log says about provider secrets, nil where none was given.
	Log *proxylog.Summary
	// Org are the org's provider secrets, which a project falls back on; Projects are those of projects, which share their fate.
	Org, Projects []inventory.Secret
	// Incomplete says what of them could not be read.
	Incomplete []string
}

// Know takes over what an inventory tells.
func (d *DataPlane) Know(found inventory.Inventory) {
	d.Incomplete = found.Incomplete
	if d.Version == nil {
		d.Version = found.Version
	}
	for _, s := range found.Secrets {
		if s.Level == inventory.Project {
			d.Projects = append(d.Projects, s)
		} else {
			d.Org = append(d.Org, s)
		}
	}
}

// propose makes the step by which a remedy changes a secret. A step without a change says that the secret is so already; an error says
// why the remedy is not offered.
func propose(remedy Remedy, secret inventory.Secret, plane DataPlane) (Step, error) {
	step, edited, err := newStep(remedy, plane.Generation, secret)
	second := remedy == Workaround || remedy == Literal // the second guide's
	if second {
		if missing := step.judge(secret, plane); len(missing) > 0 {
			err = errors.New("the workaround does not apply: missing is: " + strings.Join(missing, "; "))
		}
	}
	switch {
	case err != nil:
		return step, err
	case remedy == RawToken:
		step.note("the present stored value cannot be read, so this cannot be undone")
		return step, nil
	case second:
		err = step.workaround(secret, edited, plane)
	default:
		step.noteMeaning(secret)
	}
	if err == nil && secret.Level == inventory.Project && len(step.Diff) > 0 {
		err = step.readable(edited, plane)
	}
	return step, err
}

// readable refuses a change of a project's secret after which the project could lose its own credential (behaviours: MIGRATION-1), above
// all where a secret of the organization would answer in its place and nobody would notice.
func (s *Step) readable(edited inventory.Secret, plane DataPlane) error {
	const lost = "and the project would lose its own credential: "
	order := "upgrade first"
	if s.Remedy == Bearer {
		order += ", or use the portable form (--portable)"
	}
	major, version, told := inventory.MajorVersion(plane.Version)
	found := issues(plane.Generation, edited)
	unreadable := func(g provider.Generation) bool { return len(issues(g, edited)) > 0 }
	known := plane.Generation != "" || told && major >= 2
	unknown := "the data plane does not tell its version"
	switch {
	case len(found) == 0 && (known || !slices.ContainsFunc(provider.Generations(), unreadable)):
		return nil
	case s.Remedy == Bearer && len(found) > 0:
		return fmt.Errorf("%s could not read the result (%s), %s%s", plane.Generation, causes(found), lost, order)
	case s.Remedy == Bearer && told && major < 2:
		return fmt.Errorf("the data plane says that it is %s: a strict legacy proxy could not read the result, %s%s, or name the proxy's "+
			"generation with --legacy", version, lost, order)
	case len(found) > 0:
		unknown = fmt.Sprintf("%s cannot read the result (%s)", plane.Generation, causes(found))
	case told:
		unknown = "the data plane says that it is " + version
	}
	if by := plane.standIn(edited.Name); by != "" {
		return fmt.Errorf("%s, and %s would answer in its place without anybody noticing: name the proxy's generation with --legacy, or %s",
			unknown, by, order)
	}
	s.note("%s: on a strict legacy proxy the project would lose its own credential; upgrade it first", unknown)
	return nil
}

// standIn names what would answer in the place of a project's secret that cannot be read, and not be told apart from it.
func (d DataPlane) standIn(name string) string {
	if len(d.Incomplete) > 0 {
		return "a secret that could not be listed (" + d.Incomplete[0] + ")"
	}
	if slices.ContainsFunc(d.Org, func(o inventory.Secret) bool { return told(o.Name) == told(name) }) {
		return "the organization's secret of the same name"
	}
	return ""
}

// noteMeaning says what cannot be known from here about how the gateway wants to be called, and what the preview shows of the stored
// value (behaviours: BEARER-9).
func (s *Step) noteMeaning(secret inventory.Secret) {
	before := keysOf(secret.Metadata)
	if usesAPIKey(secret) {
		s.note("it cannot be known from here whether the gateway wants Bearer: where it requires Api-Key, auth_format api_key is right, and " +
			"this change breaks it; try the token with verify-token first, or apply with --model")
	}
	if kind, isText := before.Text("auth_type"); isText && kind != "api_key" {
		s.note("auth_type is %s: the stored value may be something else than a raw token", shown(before, "auth_type"))
	}
	if scheme, _, found := strings.Cut(secret.Preview, " "); found && strings.EqualFold(scheme, "Bearer") {
		s.note("the stored value begins with Bearer, so the gateway would see Bearer twice: store the raw token too (--token-file)")
	}
}

func (s *Step) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// workaround says what the second guide's form costs, and refuses one that would not help.
func (s *Step) workaround(secret, edited inventory.Secret, plane DataPlane) error {
	lost := costs(keysOf(secret.Metadata), unrecognized(issues(plane.Generation, secret)))
	switch {
	case s.Remedy == Literal:
		s.Costs = lost
	case secret.Type == "openai" && len(lost) == 0:
		s.Alternative = "the guide's literal form (--literal) instead: nothing else is lost"
	case secret.Type == "openai":
		s.Alternative = "the guide's literal form (--literal) instead: " + strings.Join(lost, "; ")
	}
	if left := issues(plane.Generation, edited); len(left) > 0 {
		return fmt.Errorf("%s could not read the result either: %s", plane.Generation, causes(left))
	}
	if usesAPIKey(secret) {
		s.note("after an upgrade a gateway that requires Api-Key needs auth_format api_key back: keep the backup")
	}
	for _, other := range plane.Projects {
		same := other.ID != secret.ID && other.Project.ID == secret.Project.ID // one that cannot be read spoils all (facts: strict-schema)
		if same && len(issues(plane.Generation, other)) > 0 {
			s.note("%s of the same project cannot be read either: until that is mended too, the project gets none of its own",
				evidence.Printable(other.Name))
		}
	}
	s.note("this is temporary: the fix that lasts is an upgrade of the data plane")
	return nil
}

// causes says why a secret cannot be read.
func causes(found []provider.Issue) string { return evidence.Printable(provider.Explain(found)) }
