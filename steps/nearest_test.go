package steps

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	phrases := Compile(Bind)
	for sentence, want := range map[string]string{
		`the prompt suceeds`:                                `Then (the scorer|the project's scorer|the project's streaming scorer|the prompt|the scorer of project "…"|the scorer of an unknown project) succeeds`,
		`it is shown "acme"`:                                `Then it shows "…"`,
		`the audit is cleaned`:                              `Then the audit is (clean|not clean)`,
		`the gateway saw the raw token of "acme" as bearer`: `Then the gateway saw the raw token of "…" as (`,
		`a gateway which accepts only Bearer tokens`:        `Given a gateway that (accepts only Authorization: Api-Key tokens|accepts only Bearer tokens|`,
		`the token of "acme" is verified with 2 retry`:      `When the token of "…" is verified(`,
	} {
		found := phrases.Nearest(sentence)
		assert.True(t, strings.HasPrefix(found[0], want), "%s: %s", sentence, found)
		assert.Len(t, found, 3)
	}
	assert.Empty(t, (&Phrases{}).Nearest("anything"))
	assert.Len(t, phrases.Nearest(""), 3)
}
