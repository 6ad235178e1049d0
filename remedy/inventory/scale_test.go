package inventory_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/inventory"
)

// fill gives the plane so many projects with so many provider secrets each, and a few of the organization's.
func (p *plane) fill(projects, each int) {
	p.t.Helper()
	for n := range 10 {
		p.post("/v1/ai_secret", fmt.Sprintf(`{"name":"org-%d","type":"openai","secret":"sk-canary","metadata":%s}`, n, metadata(n)))
	}
	for n := range projects {
		id := p.project(fmt.Sprintf("project-%d", n))
		for m := range each {
			p.envVar("project", id, "ai_provider", fmt.Sprintf("provider-%d", m), metadata(m))
		}
	}
}

// metadata is of the size that the console saves.
func metadata(n int) string {
	return fmt.Sprintf(`{"api_base":"https://gateway-%d.example.com/v1","auth_type":"api_key","auth_format":"bearer","excludeDefaultModels":true,
		"supportsStreaming":true,"additionalHeaders":{"X-Team":"canary-%d"},
		"customModels":{"acme-chat-%d":{"format":"openai","flavor":"chat","multimodal":true,"displayName":"Acme chat"}}}`, n, n, n)
}

// checkScale holds the counts of a whole read against what is needed: one listing of projects per thousand, one of the
// organization, two of its secrets, and one for each project.
func (p *plane) checkScale(found inventory.Inventory, projects, each int) {
	p.t.Helper()
	require.Empty(p.t, found.Incomplete)
	require.Len(p.t, found.Projects, projects)
	require.Len(p.t, found.Secrets, 10+projects*each)
	needed := 3 + math.Ceil(float64(projects)/1000) + float64(projects)
	requests := float64(p.requests.Load())
	assert.LessOrEqual(p.t, requests, math.Ceil(needed*1.02), "listings needed: %v", needed)
	assert.LessOrEqual(p.t, p.most.Load(), int32(8), "requests in flight")
}

func TestScale(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.fill(200, 3)
	p.checkScale(p.read(inventory.Options{All: true}), 200, 3)
	assert.Greater(t, p.most.Load(), int32(1), "listings are read concurrently")
}
