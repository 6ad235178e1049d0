package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCandidates is that an inventory does not tell who could answer a call, as it is not complete.
var ErrCandidates = errors.New("cannot tell which secrets could answer")

// Candidates are the secrets that could answer a call of a model in a project's context, or without one where projectID is empty: the
// project's, then the organization's. A secret of the organization stays where the project has one of its name: whether the data plane
// overrides by name may be what is asked (guide: project-override-on-legacy-proxy, long-term fix). The error is ErrCandidates where the
// inventory is incomplete or the project was not read, as one that is missing could have answered.
func (i Inventory) Candidates(projectID, model string) ([]Secret, error) {
	read := projectID == "" || slices.ContainsFunc(i.Projects, func(p ProjectRef) bool { return strings.EqualFold(p.ID, projectID) })
	switch {
	case len(i.Incomplete) > 0:
		return nil, fmt.Errorf("%w: %s", ErrCandidates, i.Incomplete[0])
	case !read:
		return nil, fmt.Errorf("%w: the project was not read", ErrCandidates)
	}
	var project, org []Secret
	for _, s := range i.Secrets {
		switch {
		case !s.Provider().MayServe(model):
		case s.Level != Project:
			org = append(org, s)
		case strings.EqualFold(s.Project.ID, projectID):
			project = append(project, s)
		}
	}
	return append(project, org...), nil
}
