package proxylog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/planeproof/planeproof/provider"
)

// What is kept is bounded, however long the log is and whatever it says.
const (
	maxProjects = 1000
	maxCauses   = 500 // over all projects
	maxCounts   = 20  // different statuses or models of a project
	maxSecrets  = 20  // of a cause
)

// others stands for what came after as many different ones as are kept.
const others = "others"

// context is what a line says about where it belongs; all but the type is fit to be shown.
type context struct {
	projectID, projectName           string
	secretID, secretName, secretType string
}

// reason is why a project's secrets could not be read.
type reason struct {
	issues []issue
	typ    string
	why    string // without issues
}

// tally adds up what was found.
type tally struct {
	projects map[[2]string]*entry
	causes   int
	left     int
}

// entry adds up one project.
type entry struct {
	unreadable     int
	causes         map[string]*causeEntry
	retried, noKey map[string]int
}

type causeEntry struct {
	times   int
	reason  reason
	secrets map[string]string // what is shown → id
}

// project returns the entry of the context's project, nil where there is no room for another.
func (t *tally) project(c context) *entry {
	key := [2]string{c.projectID, c.projectName}
	if e := t.projects[key]; e != nil {
		return e
	}
	if len(t.projects) >= maxProjects {
		t.left++
		return nil
	}
	e := &entry{causes: map[string]*causeEntry{}, retried: map[string]int{}, noKey: map[string]int{}}
	t.projects[key] = e
	return e
}

// unreadable counts one warning that a project's secrets could not be loaded.
func (t *tally) unreadable(c context, r reason) {
	e := t.project(c)
	if e == nil {
		return
	}
	e.unreadable++
	if r.typ == "" {
		r.typ = c.secretType
	}
	key := r.key()
	cause := e.causes[key]
	if cause == nil {
		if t.causes >= maxCauses {
			t.left++
			return
		}
		t.causes++
		cause = &causeEntry{reason: r, secrets: map[string]string{}}
		e.causes[key] = cause
	}
	cause.times++
	if label := cmp.Or(c.secretName, c.secretID); label != "" && len(cause.secrets) < maxSecrets {
		cause.secrets[label] = c.secretID
	}
}

// key is the same for reasons that are told as one.
func (r reason) key() string {
	shown, _ := json.Marshal([]any{r.shown(), r.typ, r.why}) // strings always encode
	return string(shown)
}

func (r reason) shown() []Issue {
	out := make([]Issue, len(r.issues))
	for i, issue := range r.issues {
		out[i] = issue.shown()
	}
	return out
}

func (t *tally) retried(c context, status string) {
	if e := t.project(c); e != nil {
		count(e.retried, cmp.Or(status, "none"))
	}
}

func (t *tally) noKeys(c context, model string) {
	if e := t.project(c); e != nil {
		count(e.noKey, cmp.Or(name(model), "not named"))
	}
}

func count(counts map[string]int, what string) {
	if counts[what] == 0 && len(counts) >= maxCounts {
		what = others
	}
	counts[what]++
}

// summarize tells what was found, the projects that lost their credentials first.
func (t *tally) summarize() []Project {
	out := make([]Project, 0, len(t.projects))
	for key, e := range t.projects {
		p := Project{ID: key[0], Name: key[1], Unreadable: e.unreadable, Retried: sorted(e.retried), NoKeys: sorted(e.noKey)}
		if p.Unreadable > 0 {
			p.UsedInstead = usedInstead
		}
		for _, cause := range e.causes {
			p.Causes = append(p.Causes, cause.summarize(p))
		}
		slices.SortFunc(p.Causes, func(a, b Cause) int {
			return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.sortKey(), b.sortKey()))
		})
		p.advise()
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Project) int {
		return cmp.Or(cmp.Compare(b.Unreadable, a.Unreadable), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func (c *causeEntry) summarize(p Project) Cause {
	out := Cause{Times: c.times, Type: name(c.reason.typ), Issues: c.reason.shown(), Why: c.reason.why}
	out.Secrets = slices.Sorted(maps.Keys(c.secrets))
	out.Workaround = len(c.reason.issues) > 0
	for _, i := range c.reason.issues {
		out.Workaround = out.Workaround && i.code == provider.CodeUnrecognizedKeys
	}
	if len(c.reason.issues) > 0 {
		out.Fits = fitting(c.reason.issues, c.reason.typ)
	}
	var id string
	if len(out.Secrets) == 1 {
		id = c.secrets[out.Secrets[0]]
	}
	out.advise(p, id)
	return out
}

func (c Cause) sortKey() string {
	key, _ := json.Marshal(c.Issues) // strings always encode
	return string(key) + c.Type + c.Why
}

// sorted lists counts, the largest first.
func sorted(counts map[string]int) []Count {
	var out []Count
	for what, n := range counts {
		out = append(out, Count{What: what, Times: n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.What, b.What))
	})
	return out
}
