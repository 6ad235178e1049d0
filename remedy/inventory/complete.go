package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/remedy/control"
)

// envVarLimit is the limit that an env_var listing, which has no cursors, is asked for with; largeLimit is that of one which fills it.
const (
	envVarLimit = 1000
	largeLimit  = 10_000
)

// envVars reads one env_var listing, and remembers how long it was. One that fills its limit is read again with a larger one.
func (r *reader) envVars(ctx context.Context, project *ProjectRef) ([]control.Object, error) {
	objectType, id, owner := "organization", r.org.ID, "the organization"
	if project != nil {
		objectType, id, owner = "project", project.ID, project.String()
	}
	list, listed, err := r.client.EnvVars(ctx, objectType, id, envVarLimit)
	if err == nil && listed == envVarLimit {
		list, listed, err = r.client.EnvVars(ctx, objectType, id, largeLimit)
		if err == nil && listed < envVarLimit {
			err = fmt.Errorf("with limit %d the listing holds %d objects, and with limit %d only %d", envVarLimit, envVarLimit, largeLimit, listed)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if listed > r.longest {
		r.longest, r.longestOf = listed, nil
	}
	if listed == r.longest {
		r.longestOf = append(r.longestOf, owner)
	}
	return list, err
}

// checkLongest says which env_var listings may have been cut: those of a length at which servers cut, if this server gave no longer one.
// A cap is the server's, not a project's, so that one longer listing shows for all shorter ones that they are whole. Where the longest
// may be cut itself, one request for all env_vars that the key can see is the server's chance to give a longer one. This would not see a
// cap that differs from project to project, or holds only for listings with filters.
func (r *reader) checkLongest(ctx context.Context) {
	limit := envVarLimit
	if r.longest >= envVarLimit {
		limit = largeLimit
	}
	if !control.MayBeCut(r.longest, limit) {
		return
	}
	if longest, _ := r.client.LongestEnvVars(ctx, limit); longest > r.longest { // an error shows nothing
		return
	}
	slices.Sort(r.longestOf)
	r.missing("the server may cut env_var listings at %d: it gave no longer one, and it lists exactly so many for %s; add one env_var anywhere in the "+
		"organization to find out", r.longest, some(r.longestOf))
}

// some names the first three of many.
func some(names []string) string {
	if more := len(names) - 3; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), more)
	}
	return strings.Join(names, ", ")
}
