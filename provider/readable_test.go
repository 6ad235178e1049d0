package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/vectors"
	"github.com/planeproof/planeproof/provider"
)

// TestWhatTheOldestReadsAllRead: a secret that one generation can read, every later one can read too, by the recording and by the schemas.
// The audit writes its workaround for the oldest generation because of it.
func TestWhatTheOldestReadsAllRead(t *testing.T) {
	t.Parallel()
	read := map[provider.Generation]int{}
	for _, row := range vectors.Rows[schemaRow](t, "secret-schema.jsonl") {
		recorded, schema := "", provider.Generation("")
		for _, g := range provider.Generations() {
			var verdict verdict
			require.NoError(t, json.Unmarshal(row.Verdicts[g], &verdict))
			if verdict.Accepted {
				recorded = string(g)
				read[g]++
			} else if recorded != "" {
				assert.Fail(t, "recorded otherwise", "%s: %s reads it, %s does not: %s", row.ID, recorded, g, row.Secret)
			}
			if _, issues := provider.Read(g, row.Secret); len(issues) == 0 {
				schema = g
			} else if schema != "" {
				assert.Fail(t, "not so by the schemas", "%s: %s reads it, %s does not: %s", row.ID, schema, g, row.Secret)
			}
		}
	}
	for _, g := range provider.Generations() {
		assert.Greater(t, read[g], 100, g)
	}
}
