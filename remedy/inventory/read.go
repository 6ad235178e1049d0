package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
)

// Options says what Read looks at. The organization's own secrets are always read.
type Options struct {
	// Projects are the ids of the projects to read.
	Projects []string
	// All reads every project that the key can see.
	All bool
	// ExpectProjects is how many projects the key should see at least, 0 for no expectation.
	ExpectProjects int
	// Org is the organization's name, needed only where the key sees several.
	Org string
	// Tool names the program and its version in the inventory.
	Tool string
	// Progress is told how many listings of projects were read, from one goroutine at a time; nil for nobody.
	Progress func(done, total int)
}

// ErrOrganization is that the organization meant is not known.
var ErrOrganization = errors.New("find the organization")

// ErrProject is that a project asked for is none that the key sees.
var ErrProject = errors.New("find the project")

// Read takes the inventory of one organization with GET alone. An error is that not even the organization could be read; all else that
// is missing, or may be, is said in Incomplete.
func Read(ctx context.Context, client *control.Client, o Options) (Inventory, error) {
	org, visible, err := organization(ctx, client, o.Org)
	if err != nil {
		return Inventory{}, err
	}
	r := &reader{client: client, options: o, org: org, failed: map[string][]failure{}, found: Inventory{
		Schema: Schema, Tool: o.Tool, APIURL: client.BaseURL(), TakenAt: time.Now().UTC().Format(time.RFC3339),
		Organization: Organization(org), Key: describeKey(visible),
		Version: ReadVersion(ctx, client), Projects: []ProjectRef{}, Secrets: []Secret{},
	}}
	r.readOrg(ctx)
	projects, err := r.choose(r.listProjects(ctx))
	if err != nil {
		return Inventory{}, err
	}
	r.readProjects(ctx, projects)
	r.checkLongest(ctx)
	if ctx.Err() != nil {
		return Inventory{}, fmt.Errorf("read inventory: %w", ctx.Err())
	}
	r.sort()
	return r.found, nil
}

// organization finds the one that is meant, and how many the key sees.
func organization(ctx context.Context, client *control.Client, name string) (control.Organization, int, error) {
	all, err := client.Organizations(ctx)
	if err != nil {
		return control.Organization{}, 0, fmt.Errorf("read organization: %w", err)
	}
	var names []string
	for _, org := range all {
		if org.Name == name || name == "" && len(all) == 1 {
			return org, len(all), nil
		}
		names = append(names, evidence.Printable(org.Name))
	}
	switch {
	case len(all) == 0:
		return control.Organization{}, 0, fmt.Errorf("%w: the key sees none", ErrOrganization)
	case name == "":
		return control.Organization{}, 0, fmt.Errorf("%w: the key sees several, name one: %s", ErrOrganization, strings.Join(names, ", "))
	default:
		return control.Organization{}, 0, fmt.Errorf("%w: %q is not what the key sees: %s", ErrOrganization, name, strings.Join(names, ", "))
	}
}

// describeKey says what reading alone shows of a key.
func describeKey(organizations int) string {
	scope := "sees one organization"
	if organizations > 1 {
		scope = fmt.Sprintf("sees %d organizations", organizations)
	}
	return "Braintrust API key, " + scope + "; whether it is an org admin's shows only in a write, and none was sent"
}

// reader is one inventory being taken.
type reader struct {
	client  *control.Client
	options Options
	org     control.Organization

	mu    sync.Mutex // guards what follows while projects are read
	found Inventory
	// longest is the length of the longest env_var listing, longestOf whose they are.
	longest   int
	longestOf []string
	// failed are the listings of projects that could not be read, by the reason.
	failed map[string][]failure
}

// failure is the listing of a project that could not be read.
type failure struct {
	project *ProjectRef
	err     error
}

func (r *reader) missing(format string, args ...any) {
	r.found.Incomplete = append(r.found.Incomplete, fmt.Sprintf(format, args...))
}

// readOrg reads the secrets of the organization's two levels.
func (r *reader) readOrg(ctx context.Context) {
	list, err := r.client.AISecrets(ctx, r.org.Name)
	if err != nil {
		r.missing("provider secrets of the organization: %v", err)
	}
	for _, o := range list {
		if o.OrgID == "" || strings.EqualFold(o.OrgID, r.org.ID) {
			r.found.Secrets = append(r.found.Secrets, secret(o, Org, nil))
		}
	}
	list, err = r.envVars(ctx, nil)
	if err != nil {
		r.missing("environment variables of the organization: %v", err)
	}
	r.keep(list, OrgEnv, nil)
}

// keep adds what one env_var listing holds.
func (r *reader) keep(list []control.Object, level Level, project *ProjectRef) {
	for _, o := range list {
		r.found.Secrets = append(r.found.Secrets, secret(o, level, project))
	}
}

// listProjects lists what the key can see of this organization; whole says that the listing came to its end.
func (r *reader) listProjects(ctx context.Context) (visible []ProjectRef, whole bool) {
	list, err := r.client.Projects(ctx, r.org.Name)
	if err != nil {
		r.missing("list of projects: %v", err)
	}
	for _, p := range list {
		if p.OrgID == "" || strings.EqualFold(p.OrgID, r.org.ID) {
			visible = append(visible, ProjectRef{ID: p.ID, Name: p.Name})
		}
	}
	r.found.VisibleProjects = len(visible)
	if r.options.All && err == nil && len(visible) == 0 {
		r.missing("the key sees no project: there is none, or it may not see them")
	}
	if expected := r.options.ExpectProjects; len(visible) < expected {
		r.missing("projects: the key sees %d, and at least %d are expected", len(visible), expected)
	}
	return visible, err == nil
}

// choose returns the projects to read. One that is asked for and cannot be seen is an ErrProject, or missing where the list of projects
// may lack it: a listing of it would be empty.
func (r *reader) choose(visible []ProjectRef, whole bool) ([]ProjectRef, error) {
	if r.options.All {
		return visible, nil
	}
	var chosen []ProjectRef
	for n, id := range r.options.Projects {
		same := func(other string) bool { return strings.EqualFold(other, id) }
		if slices.ContainsFunc(r.options.Projects[:n], same) {
			continue
		}
		i := slices.IndexFunc(visible, func(p ProjectRef) bool { return same(p.ID) })
		if i < 0 && whole {
			return nil, fmt.Errorf("%w: the key sees no project %s in this organization", ErrProject, evidence.Printable(id))
		}
		if i < 0 {
			r.missing("project %s: the key sees no project of this id", evidence.Printable(id))
			continue
		}
		chosen = append(chosen, visible[i])
	}
	return chosen, nil
}

// readProjects reads each project with one listing. Where the API is gone or the key is not taken any more, it stops and says how much
// is missing.
func (r *reader) readProjects(ctx context.Context, projects []ProjectRef) {
	read := 0
	err := control.Each(ctx, len(projects), func(ctx context.Context, i int) error {
		return r.readProject(ctx, &projects[i])
	}, func(done, total int) {
		read = done
		if r.options.Progress != nil {
			r.options.Progress(done, total)
		}
	})
	if err != nil {
		r.missing("%d of %d projects were not read: %v", len(projects)-read, len(projects), err)
	}
	for _, all := range r.failed {
		slices.SortFunc(all, func(a, b failure) int { return byName(*a.project, *b.project) })
		who := make([]string, len(all))
		for i, f := range all {
			who[i] = f.project.String()
		}
		if first := all[0]; len(all) == 1 {
			r.missing("%s: %v", who[0], first.err)
		} else {
			r.missing("%d projects for one reason: %s; the first: %v", len(all), some(who), first.err)
		}
	}
}

// reason is what the failures of one reason have in common: requests differ by their project, and the server's own words by an id.
func reason(err error) string {
	if e := (*control.Error)(nil); errors.As(err, &e) {
		return fmt.Sprint(e.Kind, e.Status, e.Reason)
	}
	return err.Error()
}

func (r *reader) readProject(ctx context.Context, project *ProjectRef) error {
	list, err := r.envVars(ctx, project)
	kind := control.KindOf(err)
	if kind == control.Unreachable || kind == control.WrongKey || kind == control.Interrupted {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(list, Project, project)
	if err != nil {
		r.failed[reason(err)] = append(r.failed[reason(err)], failure{project, err})
		return nil
	}
	r.found.Projects = append(r.found.Projects, *project)
	return nil
}

// sort gives the inventory an order that does not depend on which answer came first.
func (r *reader) sort() {
	slices.SortFunc(r.found.Projects, byName)
	slices.Sort(r.found.Incomplete)
	levels := []Level{Org, OrgEnv, Project}
	slices.SortFunc(r.found.Secrets, func(a, b Secret) int {
		byLevel := cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level))
		if byLevel == 0 && a.Project != nil && b.Project != nil {
			byLevel = byName(*a.Project, *b.Project)
		}
		return cmp.Or(byLevel, cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

func byName(a, b ProjectRef) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }

// String names the project for a person.
func (p *ProjectRef) String() string {
	return fmt.Sprintf("project %q (%s)", p.Name, evidence.Printable(p.ID))
}

func secret(o control.Object, level Level, project *ProjectRef) Secret {
	return Secret{
		ID: o.ID, Level: level, Project: project, Name: o.Name, Type: o.Type,
		Preview: o.Preview, Metadata: o.Metadata, SecretUpdatedAt: o.SecretUpdatedAt,
	}
}
