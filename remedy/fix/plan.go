package fix

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/provider"
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
	// Left are the findings of an audit that the plan does not mend.
	Left []Left `json:"left,omitempty"`
	// Incomplete says what could not be read, so that secrets of the same names may be missing from the plan.
	Incomplete []string `json:"incomplete,omitempty"`
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
	// Namesakes are the secrets of the same name on the other level that still have auth_format api_key after the whole plan.
	Namesakes []Namesake `json:"namesakes,omitempty"`
	// Notes say what else must be known, and what cannot be.
	Notes []string `json:"notes,omitempty"`
}

// secret is what a step tells of its secret.
func (s Step) secret() inventory.Secret {
	return inventory.Secret{ID: s.SecretID, Level: s.Level, Project: s.Project, Name: s.Name}
}

func (s Step) label() string { return label(s.secret()) }

// sameNames are the step's Namesakes as secrets.
func (s Step) sameNames() (all []inventory.Secret) {
	for _, n := range s.Namesakes {
		all = append(all, inventory.Secret{ID: n.SecretID, Level: n.Level, Project: n.Project, Name: s.Name})
	}
	return all
}

// Request is the shape of the request that a step sends.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
}

// Namesake is another secret of a step's name.
type Namesake struct {
	SecretID string                `json:"secret_id"`
	Level    inventory.Level       `json:"level"`
	Project  *inventory.ProjectRef `json:"project,omitempty"`
}

// Refusal is why a remedy is not offered for a secret.
type Refusal struct {
	SecretID   string      `json:"secret_id"`
	Name       string      `json:"name"`
	Remedy     Remedy      `json:"remedy"`
	Reason     string      `json:"reason"`
	Conditions []Condition `json:"conditions,omitempty"`
}

func (r Refusal) Error() string {
	return fmt.Sprintf("refuse remedy %s for %s: %s", r.Remedy, evidence.Printable(r.Name), r.Reason)
}

// Is makes a Refusal an ErrNotApplied.
func (r Refusal) Is(target error) bool { return target == ErrNotApplied }

// Wanted is a remedy that is asked for a secret.
type Wanted struct {
	Secret inventory.Secret
	Remedy Remedy
}

// NewPlan proposes what is wanted: a step, a name among Already, or a Refusal for each. A secret gets one step; what else is wanted of
// it is noted there.
func NewPlan(tool string, org inventory.Organization, apiURL string, plane DataPlane, wanted []Wanted, now time.Time) *Plan {
	p := &Plan{
		Schema: planSchema, Tool: tool, MadeAt: now.UTC().Format(time.RFC3339), APIURL: apiURL, Organization: org,
		Generation: string(plane.Generation), Steps: []Step{}, Incomplete: plane.Incomplete,
	}
	stepOf := map[string]int{} // by the secret's id
	tokens := 0
	for _, w := range wanted {
		if i, there := stepOf[w.Secret.ID]; there {
			if other := &p.Steps[i]; other.Remedy != w.Remedy {
				other.note("remedy %s was asked for too: apply this one, then plan that", w.Remedy)
			}
			continue
		}
		step, err := propose(w.Remedy, w.Secret, plane)
		if w.Remedy == RawToken {
			if tokens++; tokens > 1 && err == nil {
				err = errors.New("a token belongs to one secret, and the plan stores one already: make a plan of its own")
			}
		}
		switch {
		case err != nil:
			p.Refused = append(p.Refused, Refusal{w.Secret.ID, w.Secret.Name, w.Remedy, err.Error(), step.Conditions})
		case len(step.Diff) == 0:
			p.Already = append(p.Already, step.Name)
		default:
			stepOf[w.Secret.ID] = len(p.Steps)
			p.Steps = append(p.Steps, step)
		}
	}
	p.findNamesakes(plane, stepOf)
	p.arrange()
	return p
}

// findNamesakes finds what a step does not mend: a secret of the same name on the other level (behaviours: BEARER-19).
func (p *Plan) findNamesakes(plane DataPlane, stepOf map[string]int) {
	affected := map[string][]inventory.Secret{} // by name
	for _, s := range slices.Concat(plane.Org, plane.Projects) {
		if _, planned := stepOf[s.ID]; !planned && usesAPIKey(s) {
			affected[s.Name] = append(affected[s.Name], s)
		}
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		for _, s := range affected[step.Name] {
			otherLevel := (s.Level == inventory.Project) != (step.Level == inventory.Project)
			if otherLevel && (step.Remedy == Bearer || step.Remedy == Portable) {
				step.Namesakes = append(step.Namesakes, Namesake{s.ID, s.Level, s.Project})
			}
		}
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

// Write writes the plan to a file that is not there yet: a plan that was applied in part must not be replaced.
func (p *Plan) Write(path string) error {
	if file.Exists(path) {
		return unusable(path, errors.New("it exists already, and a plan is never overwritten"))
	}
	return file.WriteJSON(path, p)
}

// unusable is an ErrUnusable for a file of ours.
func unusable(path string, reason error) error {
	return fmt.Errorf("file %s %w: %w", evidence.Printable(path), file.ErrUnusable, reason)
}

// ReadPlan reads a plan; every error is a file.ErrUnusable. What its steps say is believed by nobody: apply asks the remedies again.
func ReadPlan(path string) (*Plan, error) {
	p := new(Plan)
	if err := file.ReadJSON(path, planSchema, p); err != nil {
		return nil, err
	}
	if p.Generation != "" {
		if _, err := provider.ParseGeneration(p.Generation); err != nil {
			return nil, unusable(path, err)
		}
	}
	seen := map[string]bool{}
	for _, s := range p.Steps {
		switch {
		case s.Path != s.secret().Path(), s.Level == inventory.Project && s.Project == nil:
			return nil, unusable(path, fmt.Errorf("the path of %s is not that of its secret", evidence.Printable(s.Name)))
		case seen[s.SecretID]:
			return nil, unusable(path, fmt.Errorf("two steps change %s", evidence.Printable(s.Name)))
		}
		seen[s.SecretID] = true
	}
	return p, nil
}

// waves is how many waves the plan has.
func (p *Plan) waves() (n int) {
	for _, s := range p.Steps {
		n = max(n, s.Wave)
	}
	return n
}

// ID names the plan by its content.
func (p *Plan) ID() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // a plan holds nothing that cannot be encoded
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
