package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestCandidates(t *testing.T) { // OVERRIDE-7, OVERRIDE-8
	t.Parallel()
	p := newPlane(t)
	one, two := p.project("one"), p.project("two")
	const serves, other = `{"customModels":{"acme-chat":{}}}`, `{"customModels":{"other":{}},"excludeDefaultModels":true}`
	p.envVar("project", two, "ai_provider", "of two", serves)
	p.envVar("project", one, "ai_provider", "acme", serves)
	p.envVar("project", one, "ai_provider", "unfit", other)
	p.envVar("project", one, "ai_provider", "default", `{}`)
	p.envVar("organization", orgID, "ai_provider", "org-env", serves)
	p.envVar("organization", orgID, "env_var", "no provider", serves)
	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","metadata":`+serves+`}`)
	p.post("/v1/ai_secret", `{"name":"no model","type":"openai","metadata":`+other+`}`)
	found := p.read(inventory.Options{All: true})
	for _, c := range []struct {
		project, model string
		want           []string
	}{
		{one, "acme-chat", []string{"project acme", "org acme", "org-env org-env"}}, // its namesake stays
		{strings.ToUpper(one), "acme-chat", []string{"project acme", "org acme", "org-env org-env"}},
		{one, "gpt-4o-mini", []string{"project acme", "project default", "org acme", "org-env org-env"}},
		{"", "acme-chat", []string{"org acme", "org-env org-env"}},
		{one, "nobody's", nil},
	} {
		list, err := found.Candidates(c.project, c.model)
		require.NoError(t, err)
		var got []string
		for _, s := range list {
			got = append(got, string(s.Level)+" "+s.Name)
		}
		assert.Equal(t, c.want, got, c.model)
	}

	_, err := found.Candidates(uuid.NewString(), "acme-chat")
	require.ErrorIs(t, err, inventory.ErrCandidates, "a project that was not read may have any secret")
	found.Incomplete = []string{"list of projects: forbidden"}
	_, err = found.Candidates("", "acme-chat")
	assert.ErrorContains(t, err, "cannot tell which secrets could answer: list of projects: forbidden")
}
