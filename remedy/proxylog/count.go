package proxylog

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/planeproof/planeproof/provider"
)

// What is kept is bounded, however long the log is and whatever it says.
const (
	maxProjects = 1000
	maxCauses   = 500 // over all projects
	maxCounts   = 20  // different statuses or models of a project
	maxSecrets  = 20  // of a cause
	maxIssues   = 16  // of a cause
	maxKeys     = 32  // of an issue
)

// context is what a text says about where it belongs.
type context struct {
	source, projectID, projectName   string
	secretID, secretName, secretType string
}

// scanner goes through a log and adds up what it finds.
type scanner struct {
	Summary
	projects map[[2]string]*Project // by id and name
	causes   int                    // of all projects
	open     map[string]*group      // by source
	refusals int                    // lines of a tool that gives no log
}

// project returns the context's project, nil where there is no room for another.
func (s *scanner) project(c context) *Project {
	key := [2]string{c.projectID, c.projectName}
	if s.projects[key] == nil && len(s.projects) < maxProjects {
		s.projects[key] = &Project{ID: c.projectID, Name: c.projectName}
	} else if s.projects[key] == nil {
		s.Left++
	}
	return s.projects[key]
}

// add counts one more of what; beyond maxCounts of them, all others are counted together.
func add(counts *[]Count, what string) {
	for i := range *counts {
		if c := &(*counts)[i]; c.What == what || i == maxCounts {
			c.Times++
			return
		}
	}
	if len(*counts) == maxCounts {
		what = "others"
	}
	*counts = append(*counts, Count{what, 1})
}

// unreadable counts one warning that a project's secrets could not be loaded, because of the issues; why says what is not told.
func (s *scanner) unreadable(c context, issues []provider.Issue, why string) {
	p := s.project(c)
	if p == nil {
		return
	}
	p.Unreadable++
	p.UsedInstead = usedInstead
	issues, typ := provider.Narrow(issues)
	issues, typ = bounded(issues), cmp.Or(c.secretType, typ)
	shown := Cause{Type: name(typ), Issues: show(issues), Why: why, secretType: typ}
	at := slices.IndexFunc(p.Causes, func(o Cause) bool {
		return o.secretType == typ && o.Why == why && reflect.DeepEqual(o.Issues, shown.Issues)
	})
	if at < 0 {
		if s.causes >= maxCauses {
			s.Left++
			return
		}
		if s.causes++; why == "" {
			shown.Fits = fitting(issues, typ)
		}
		at, p.Causes = len(p.Causes), append(p.Causes, shown)
	}
	found := &p.Causes[at]
	found.Times++
	label := cmp.Or(c.secretName, c.secretID)
	if label != "" && len(found.Secrets) < maxSecrets && !slices.Contains(found.Secrets, label) {
		found.Secrets, found.secretID = append(found.Secrets, label), c.secretID
	}
}

// conclude puts in order what was found, those who lost their credentials first, and says what it means.
func (s *scanner) conclude(err error) {
	for _, p := range s.projects {
		for i := range p.Causes {
			slices.Sort(p.Causes[i].Secrets)
			p.Causes[i].advise(p)
		}
		slices.SortFunc(p.Causes, func(a, b Cause) int {
			return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
		})
		for _, counts := range [][]Count{p.Retried, p.NoKeys, p.Refused} {
			slices.SortFunc(counts, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.What, b.What)) })
		}
		p.advise()
		s.Projects = append(s.Projects, *p)
	}
	slices.SortFunc(s.Projects, func(a, b Project) int {
		return cmp.Or(cmp.Compare(b.Unreadable, a.Unreadable), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	s.headline(err)
}
