package inventory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	_, err := inventory.Read(t.Context(), p.withKey("sk-canary-wrong"), inventory.Options{})
	assert.Equal(t, control.WrongKey, control.KindOf(err))
	assert.ErrorContains(t, err, "read organization")
	assert.NotContains(t, err.Error(), "canary")

	_, err = inventory.Read(t.Context(), p.client, inventory.Options{Org: "other"})
	require.ErrorIs(t, err, inventory.ErrOrganization)
	assert.ErrorContains(t, err, `"other" is not what the key sees: acme`)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = inventory.Read(ctx, p.client, inventory.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSeveralOrganizationsNeedAName(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		return onPath("/v1/organization", 200, `{"objects":[{"id":"`+orgID+`","name":"acme"},{"id":"x","name":"b\u001b["}]}`)(w, r)
	}
	_, err := inventory.Read(t.Context(), p.client, inventory.Options{})
	require.ErrorIs(t, err, inventory.ErrOrganization)
	assert.ErrorContains(t, err, `acme, b\x1b[`)
	found := p.read(inventory.Options{Org: "acme"})
	assert.Contains(t, found.Key, "sees 2 organizations")
}

func TestReadFindsAllLevels(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	one, two := p.project("one"), p.project("two")
	ai := p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk-canary-1","metadata":{"b":1.0,"a":"<"}}`)
	org := p.envVar("organization", orgID, "ai_provider", "org-env", `{}`)
	first := p.envVar("project", one, "ai_provider", "z", `{}`)
	second := p.envVar("project", two, "ai_provider", "a", `{}`)
	p.envVar("project", one, "env_var", "PASSWORD", `{}`)
	p.envVar("function", uuid.NewString(), "ai_provider", "function", `{}`)

	var steps []string
	found := p.read(inventory.Options{All: true, Tool: "planeproof test", Progress: func(done, total int) { steps = append(steps, fmt.Sprint(done, "/", total)) }})
	assert.Empty(t, found.Incomplete)
	assert.Equal(t, []string{"1/2", "2/2"}, steps)
	assert.Equal(t, inventory.Organization{ID: orgID, Name: "acme"}, found.Organization)
	assert.Equal(t, p.url, found.APIURL)
	assert.Equal(t, 2, found.VisibleProjects)
	assert.Equal(t, []inventory.ProjectRef{{ID: one, Name: "one"}, {ID: two, Name: "two"}}, found.Projects)
	var ids []string
	for _, s := range found.Secrets {
		ids = append(ids, string(s.Level)+" "+s.ID)
	}
	assert.Equal(t, []string{"org " + ai, "org-env " + org, "project " + first, "project " + second}, ids)
	assert.Equal(t, `{"b":1.0,"a":"<"}`, string(found.Secrets[0].Metadata), "metadata is kept as it was sent")
	assert.Equal(t, &inventory.ProjectRef{ID: one, Name: "one"}, found.Secrets[2].Project)
	assert.NotEmpty(t, found.Secrets[0].SecretUpdatedAt)
	assert.Equal(t, "openai", found.Secrets[2].Type)
}

func TestOnlyTheProjectsAskedFor(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	one := p.project("one")
	p.envVar("project", p.project("two"), "ai_provider", "a", `{}`)
	found := p.read(inventory.Options{Projects: []string{strings.ToUpper(one), one}})
	assert.Empty(t, found.Incomplete)
	assert.Len(t, found.Projects, 1)
	assert.Equal(t, 2, found.VisibleProjects)
	assert.Empty(t, found.Secrets)

	unknown := uuid.NewString()
	_, err := inventory.Read(t.Context(), p.client, inventory.Options{Projects: []string{one, unknown}})
	require.ErrorIs(t, err, inventory.ErrProject)
	require.ErrorContains(t, err, "the key sees no project "+unknown)
	p.instead = onPath("/v1/project", 403, "")
	found = p.read(inventory.Options{Projects: []string{unknown}})
	assert.Contains(t, found.Incomplete, "project "+unknown+": the key sees no project of this id", "a list that was not read may have it")
}

func TestFewerProjectsThanExpectedAreIncomplete(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.project("one")
	assert.Empty(t, p.read(inventory.Options{All: true, ExpectProjects: 1}).Incomplete)
	assert.Equal(t, []string{"projects: the key sees 1, and at least 2 are expected"}, p.read(inventory.Options{All: true, ExpectProjects: 2}).Incomplete)
}

// TestALargerLimitIsHeld is a plane that lists less where it is asked for more than it knows.
func TestALargerLimitIsHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"refused": {400, "limit: at most 1000", "limit: at most 1000"},
		"fewer":   {200, `{"objects":[]}`, "with limit 1000 the listing holds 1000 objects, and with limit 10000 only 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			p.project("empty")
			full := p.project("full")
			for n := range 1000 {
				p.envVar("project", full, "ai_provider", fmt.Sprint(n), `{}`)
			}
			p.instead = onPath("limit=10000&", c.status, c.body)
			found := p.read(inventory.Options{All: true})
			require.NotEmpty(t, found.Incomplete)
			assert.Contains(t, strings.Join(found.Incomplete, "\n"), c.says)
		})
	}
}

func TestWhatCannotBeReadIsIncomplete(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   string
		status int
		body   string
		says   string
	}{
		"secrets forbidden":    {"/v1/ai_secret", 403, "", "provider secrets of the organization: GET /v1/ai_secret?limit=1000"},
		"org variables gone":   {"object_type=organization", 404, "", "environment variables of the organization"},
		"project page of HTML": {"object_type=project", 200, "<html>", "HTML, not JSON"},
		"project truncated":    {"object_type=project", 200, `{"objects":[{"id"`, "truncated"},
		"projects forbidden":   {"/v1/project", 403, "", "list of projects"},
		"not a listing":        {"object_type=project", 200, `{"objects":7}`, "not a listing"},
		"vanished project":     {"object_type=project", 400, "object_id: no such project", "no such project"},
		"key withdrawn":        {"object_type=project", 401, "", "2 of 2 projects were not read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			p.project("one")
			p.project("two\x1b[2J")
			p.instead = onPath(c.path, c.status, c.body)
			found := p.read(inventory.Options{All: true})
			require.NotEmpty(t, found.Incomplete)
			assert.Contains(t, strings.Join(found.Incomplete, "\n"), c.says)
			assert.NotContains(t, strings.Join(found.Incomplete, "\n"), "\x1b")
		})
	}
}

func TestMetadataOfAnyKindIsKept(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	big := `{"x":"` + strings.Repeat("y", 1<<20) + `"}`
	all := []string{`null`, `[1,"a"]`, `"text"`, `7`, `true`, big}
	var objects []string
	for n, metadata := range all {
		objects = append(objects, fmt.Sprintf(`{"id":"%d","name":"n%d","type":"openai","metadata":%s}`, n, n, metadata))
	}
	objects = append(objects, `{"id":"9","name":7,"type":null,"metadata":null}`)
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		body := `{"objects":[` + strings.Join(objects, ",") + `]}`
		if r.URL.Query().Has("starting_after") {
			body = `{"objects":[]}`
		}
		return onPath("/v1/ai_secret", 200, body)(w, r)
	}
	found := p.read(inventory.Options{})
	require.Len(t, found.Secrets, len(all)+1)
	for _, s := range found.Secrets {
		if s.ID == "9" {
			assert.Equal(t, "null", s.Name+s.Type+string(s.Metadata))
			continue
		}
		assert.Contains(t, all, string(s.Metadata))
	}
	_, err := json.Marshal(found.Redact())
	require.NoError(t, err)
}

// TestOneReasonIsOneLine: what fails for every project in the same way is said once, with the first projects.
func TestOneReasonIsOneLine(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var ids []string
	for n := range 7 {
		ids = append(ids, p.project(fmt.Sprint("p", n)))
	}
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		id := r.URL.Query().Get("object_id")
		if id == ids[6] {
			return onPath("object_type=project", 403, "")(w, r)
		}
		return onPath("object_type=project", 501, "see request "+uuid.NewString())(w, r)
	}
	found := p.read(inventory.Options{All: true})
	require.Len(t, found.Incomplete, 2, "%q", found.Incomplete)
	first := `6 projects for one reason: project "p0" (` + ids[0] + `), project "p1" (` + ids[1] + `), project "p2" (` + ids[2] + `) and 3 more; the first: GET `
	assert.Contains(t, found.Incomplete[0], first)
	assert.Contains(t, found.Incomplete[0], "object_id="+ids[0])
	assert.Contains(t, found.Incomplete[0], "answered 501: see request ")
	assert.Contains(t, found.Incomplete[1], `project "p6" (`+ids[6]+`): GET `)
	assert.Empty(t, found.Projects)
}

// TestErrorsEchoNothingListed: a server that quotes metadata that it has listed before, whole or in part, is not repeated.
func TestErrorsEchoNothingListed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	const value = "team-orange-7c31f0d9"
	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","metadata":{"additionalHeaders":{"X-Team":"`+value+`"}}}`)
	p.project("one")
	p.instead = onPath("object_type=project", 501, "cannot encode "+value[6:]+" of "+value+" here")
	found := p.read(inventory.Options{All: true})
	require.Len(t, found.Incomplete, 1)
	assert.Contains(t, found.Incomplete[0], "cannot encode ‹metadata› of ‹metadata› here")
	assert.NotContains(t, found.Incomplete[0], "7c31f0d9")
}
