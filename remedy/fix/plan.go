package fix

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/planeproof/planeproof/remedy/inventory"
)

// Plan is what is going to be changed, for people to review: it holds no credentials and no metadata, only the edits.
type Plan struct {
	Schema       string                 `json:"schema"`
	Tool         string                 `json:"tool"`
	MadeAt       string                 `json:"made_at"` // UTC, RFC 3339
	APIURL       string                 `json:"api_url"`
	Organization inventory.Organization `json:"organization"`
	// Generation is the proxy's as it was given with --legacy, empty for none.
	Generation string `json:"generation,omitempty"`
	// Steps are in the order in which they are done: by wave.
	Steps []Step `json:"steps"`
	// Already are the names of secrets that are as the remedy would make them.
	Already []string `json:"already,omitempty"`
	// Refused are the remedies that were asked for and are not offered.
	Refused []Refusal `json:"refused,omitempty"`
}

// Step is the change of one secret.
type Step struct {
	Wave     int                   `json:"wave"`
	Remedy   Remedy                `json:"remedy"`
	SecretID string                `json:"secret_id"`
	Level    inventory.Level       `json:"level"`
	Project  *inventory.ProjectRef `json:"project,omitempty"`
	Path     string                `json:"path"`
	Name     string                `json:"name"`
	Type     string                `json:"type"`
	// Before and After are hashes of the metadata's JSON value; SecretUpdatedAt is the API's own date of the stored value.
	Before          string `json:"before"`
	After           string `json:"after"`
	SecretUpdatedAt string `json:"secret_updated_at,omitempty"`
	Edit            Edit   `json:"edit"`
	// ReplaceValue says that the stored value is replaced; the new one is not in the plan.
	ReplaceValue bool     `json:"replace_value,omitempty"`
	Diff         []Change `json:"diff"`
	Request      Request  `json:"request"`
	// Conditions are those of the second guide, and how each was judged.
	Conditions []Condition `json:"conditions,omitempty"`
	// Costs is what else is lost; Alternative is another form of the remedy and its costs.
	Costs       []string `json:"costs,omitempty"`
	Alternative string   `json:"alternative,omitempty"`
	// Notes say what else must be known, and what cannot be.
	Notes []string `json:"notes,omitempty"`
}

// Request is the shape of the request that a step sends.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
}

// Ask is a remedy asked for a secret.
type Ask struct {
	Secret inventory.Secret
	Remedy Remedy
}

func newStep(remedy Remedy, secret inventory.Secret) Step {
	return Step{
		Remedy: remedy, SecretID: secret.ID, Level: secret.Level, Project: secret.Project, Path: secret.Path(),
		Name: secret.Name, Type: secret.Type, Before: hash(secret.Metadata), SecretUpdatedAt: secret.SecretUpdatedAt,
		Diff: []Change{},
	}
}

// check refuses a step that no plan of ours has; its texts are from a file that anybody may have edited.
func (s Step) check() error {
	if _, err := ParseRemedy(string(s.Remedy)); err != nil {
		return err
	}
	levels := []inventory.Level{inventory.Org, inventory.OrgEnv, inventory.Project}
	switch {
	case !slices.Contains(levels, s.Level):
		return errors.New("its level is not one that is known")
	case s.SecretID == "" || url.PathEscape(s.SecretID) != s.SecretID || s.Path != (inventory.Secret{ID: s.SecretID, Level: s.Level}).Path():
		return errors.New("its path is not that of its secret")
	case s.Level == inventory.Project && s.Project == nil:
		return errors.New("it names no project")
	case s.Before == "" || s.After == "":
		return errors.New("it has no hashes")
	case s.ReplaceValue && len(s.Edit.keys()) > 0:
		return errors.New("it changes both the stored value and metadata")
	}
	return nil
}

// Add proposes what is asked and takes the outcome into the plan: a step, a name among Already, or a Refusal. A secret gets one step;
// what else is asked for it is noted there.
func (p *Plan) Add(ask Ask, s Situation) {
	sameSecret := func(s Step) bool { return s.SecretID == ask.Secret.ID }
	if i := slices.IndexFunc(p.Steps, sameSecret); i >= 0 {
		if other := &p.Steps[i]; other.Remedy != ask.Remedy {
			other.note(fmt.Sprintf("remedy %s was asked for too: apply this one, then plan that", ask.Remedy))
		}
		return
	}
	if ask.Remedy == RawToken && slices.ContainsFunc(p.Steps, func(s Step) bool { return s.ReplaceValue }) {
		p.Refused = append(p.Refused, Refusal{
			SecretID: ask.Secret.ID, Name: ask.Secret.Name, Remedy: ask.Remedy,
			Reason: "a token belongs to one secret, and the plan stores one already: make a plan of its own",
		})
		return
	}
	step, err := propose(ask.Remedy, ask.Secret, s)
	var refusal Refusal
	switch {
	case errors.As(err, &refusal):
		p.Refused = append(p.Refused, refusal)
	case len(step.Diff) == 0:
		p.Already = append(p.Already, step.Name)
	default:
		p.Steps = append(p.Steps, step)
		p.arrange()
	}
}

// arrange puts one step of the smallest reach first, then the other project secrets, then those of the org, which every project uses.
func (p *Plan) arrange() {
	reach := func(s Step) int {
		if s.Level == inventory.Project {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return cmp.Compare(reach(a), reach(b)) })
	wave := 1
	for i := range p.Steps {
		if i == 1 || i > 1 && reach(p.Steps[i]) != reach(p.Steps[i-1]) {
			wave++
		}
		p.Steps[i].Wave = wave
	}
}

// NewPlan is a plan without steps.
func NewPlan(tool, apiURL string, org inventory.Organization, s Situation, now time.Time) *Plan {
	return &Plan{
		Schema: PlanSchema, Tool: tool, MadeAt: now.UTC().Format(time.RFC3339), APIURL: apiURL, Organization: org,
		Generation: string(s.Generation), Steps: []Step{},
	}
}
