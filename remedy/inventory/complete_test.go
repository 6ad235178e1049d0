package inventory_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// TestWhatMayBeCutIsIncomplete reads planes that list as badly as the API allows: an inventory without an entry must be the whole.
func TestWhatMayBeCutIsIncomplete(t *testing.T) {
	t.Parallel()
	type listing = dataplane.Listing
	for name, c := range map[string]struct {
		listing                dataplane.Listing
		secrets, projects, own int // secrets of the org, projects, and secrets of the first of them
		elsewhere              int // secrets of the second
		says                   string
	}{
		"capped at 50":              {listing{Cap: 50}, 1, 2, 60, 0, "may cut env_var listings at 50:"},
		"capped at 100":             {listing{Cap: 100}, 1, 2, 120, 0, "may cut env_var listings at 100:"},
		"capped, twice":             {listing{Cap: 50}, 1, 2, 60, 55, `lists exactly so many for project "p-0" (`},
		"cap beside a small one":    {listing{Cap: 50}, 1, 2, 60, 7, "may cut env_var listings at 50:"},
		"50 of 50, nothing else":    {listing{}, 1, 2, 50, 0, "may cut env_var listings at 50:"}, // nothing shows that it is no cap
		"50, and a longer one":      {listing{}, 1, 2, 50, 51, ""},
		"50, and others together":   {listing{}, 1, 2, 50, 1, ""},
		"49 and 51":                 {listing{}, 1, 2, 49, 51, ""},
		"limit ignored, 60":         {listing{IgnoreLimit: true}, 1, 2, 60, 0, ""},
		"limit ignored, 1001":       {listing{IgnoreLimit: true}, 1, 2, 1001, 0, ""},
		"1000, the limit itself":    {listing{}, 1, 2, 1000, 3, ""}, // with a larger limit it stays
		"1200, above the limit":     {listing{}, 1, 2, 1200, 0, ""}, // as does this
		"capped at the limit":       {listing{Cap: 1000}, 1, 2, 1200, 3, "may cut env_var listings at 1000:"},
		"cursor ignored, 7":         {listing{IgnoreCursor: true}, 7, 3, 1, 0, ""},
		"cursor ignored, 1":         {listing{IgnoreCursor: true}, 1, 1, 0, 0, ""},
		"cursor ignored, 20":        {listing{IgnoreCursor: true}, 20, 3, 1, 0, "provider secrets of the organization: GET /v1/ai_secret: the listing repeats itself after 20"},
		"cursor ignored, 25 of 30":  {listing{IgnoreCursor: true, Cap: 25}, 1, 30, 1, 0, "list of projects: GET /v1/project: the listing repeats itself after 25"},
		"both ignored":              {listing{IgnoreCursor: true, IgnoreLimit: true}, 11, 11, 3, 2, ""},
		"small pages":               {listing{Cap: 3}, 11, 7, 1, 2, ""},
		"pages of one":              {listing{Cap: 1}, 3, 2, 1, 1, ""},
		"secret vanished, refused":  {listing{Vanish: dataplane.VanishRefuse}, 4, 1, 1, 0, "may have been deleted meanwhile"},
		"secret vanished, end":      {listing{Vanish: dataplane.VanishEmpty, Cap: 10}, 14, 1, 1, 0, "changed while it was read"},
		"secret vanished, restarts": {listing{Vanish: dataplane.VanishFirst, Cap: 10}, 14, 1, 1, 0, "changed while it was read"},
		"no object_type":            {listing{OmitFields: []string{"object_type"}}, 1, 1, 1, 0, "without object_type"},
		"no object_id":              {listing{OmitFields: []string{"object_id"}}, 1, 1, 1, 0, "without object_id"},
		"no metadata of a project":  {listing{OmitFields: []string{"metadata"}}, 0, 1, 1, 0, "without metadata"},
		"no metadata of the org":    {listing{OmitFields: []string{"metadata"}}, 1, 1, 0, 0, "without metadata"},
		"no project visible":        {listing{HideProjects: true}, 1, 1, 1, 0, "the key sees no project"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			for n := range c.secrets {
				p.post("/v1/ai_secret", fmt.Sprintf(`{"name":"s-%d","type":"openai","metadata":{}}`, n))
			}
			for n := range c.projects {
				id := p.project(fmt.Sprintf("p-%d", n))
				for m := range [...]int{c.own, c.elsewhere, 0}[min(n, 2)] {
					p.envVar("project", id, "ai_provider", fmt.Sprintf("v-%d", m), `{}`)
				}
			}
			p.listing(c.listing)
			found := p.read(inventory.Options{All: true})
			if c.says != "" {
				require.NotEmpty(t, found.Incomplete)
				assert.Contains(t, strings.Join(found.Incomplete, "\n"), c.says)
				if strings.HasPrefix(name, "no metadata") {
					assert.Len(t, found.Secrets, c.secrets+c.own, "what was read is kept")
				}
				return
			}
			require.Empty(t, found.Incomplete)
			assert.Len(t, found.Secrets, c.secrets+c.own+c.elsewhere)
			assert.Len(t, found.Projects, c.projects)
		})
	}
}

// TestAUsualLengthCostsOneRequest holds the cost of believing: 30 projects with 10 each are shown to be whole by one listing of all.
func TestAUsualLengthCostsOneRequest(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.fill(30, 10)
	assert.Empty(t, p.read(inventory.Options{All: true}).Incomplete)
	const version, listings, ends, believing = 1, 4 + 30, 3, 1
	assert.EqualValues(t, version+listings+ends+believing, p.requests.Load())
	p.listing(dataplane.Listing{Cap: 10})
	found := p.read(inventory.Options{All: true})
	require.Len(t, found.Incomplete, 1, "the same is said once")
	assert.Contains(t, found.Incomplete[0], "may cut env_var listings at 10:")
	assert.Contains(t, found.Incomplete[0], "and 27 more")
}

// TestWhatCannotBeListedTogetherIsNotBelieved is a plane that wants an object for every listing.
func TestWhatCannotBeListedTogetherIsNotBelieved(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.fill(2, 10)
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/"+tenant+"/v1/env_var" && !r.URL.Query().Has("object_id") {
			return onPath("", 400, "object_id: required")(w, r)
		}
		return false
	}
	found := p.read(inventory.Options{All: true})
	require.Len(t, found.Incomplete, 1)
	assert.Contains(t, found.Incomplete[0], "may cut env_var listings at 10:")
}

// listing gives the plane manners and keeps what it has stored.
func (p *plane) listing(l dataplane.Listing) {
	p.t.Helper()
	config := p.config()
	config.Listing = l
	p.configure(config)
}
