package remedy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/remedy"
)

func TestTokenProblems(t *testing.T) { // TOKEN-4
	t.Parallel()
	for bad, want := range map[string][]string{
		"":                  {"empty"},
		" \n":               {"empty"},
		"Bearer":            {"begins with the word Bearer"},
		"Bearer sk-1":       {"begins with the word Bearer"},
		"bearer\tsk-1":      {"begins with the word Bearer"},
		" BEARER sk-1":      {"around", "begins with the word Bearer"},
		"sk-1\n":            {"around"},
		"\u00a0sk-1":        {"around"},
		"sk 1":              {"inside"},
		"Api-Key sk-1":      {"inside"},
		"sk\x001":           {"control"},
		"sk-“1”":            {"beyond ASCII"},
		"\ufeffBearer sk-1": {"inside", "beyond ASCII"},
	} {
		got := remedy.TokenProblems(bad)
		if assert.Len(t, got, len(want), "%q: %q", bad, got) {
			for i := range want {
				assert.Contains(t, got[i], want[i], "%q", bad)
			}
		}
	}
	for _, good := range []string{"sk-1", "Bearersk", "ey.J0-_~+/==", "virtual:key"} {
		assert.Empty(t, remedy.TokenProblems(good), good)
	}
}

// TestPrecedence shows what the two paths make together; the order of the paths does not matter.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	good, html := reply{status: 200, body: list}, reply{status: 200, body: "<html>"}
	for _, c := range []struct {
		a, b reply
		want remedy.Verdict
	}{
		{good, reply{status: 403}, remedy.Verified},
		{good, reply{status: 500}, remedy.Verified},
		{good, html, remedy.Verified},
		{refusal(), reply{status: 404}, remedy.Refused},
		{refusal(), html, remedy.Refused},
		{refusal(), reply{status: 403}, remedy.NotAuthorized},
		{refusal(), reply{status: 503}, remedy.Inconclusive},
		{reply{status: 403}, reply{status: 400}, remedy.Inconclusive},
		{html, reply{status: 404}, remedy.NotModelList},
		{reply{status: 405}, reply{status: 404}, remedy.NotBase},
	} {
		for _, paths := range []map[string]reply{
			{"/models": c.a, "/v1/models": c.b}, {"/models": c.b, "/v1/models": c.a},
		} {
			got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), serve(t, &gateway{paths: paths}), token)
			assert.Equal(t, c.want, got.Verdict, "%d and %d", c.a.status, c.b.status)
			assert.NotEmpty(t, got.Advice)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[remedy.Verdict]int{
		remedy.Verified: 0, remedy.Refused: 1, remedy.NotAuthorized: 1, remedy.OpenEndpoint: 1, remedy.NotModelList: 1,
		remedy.NotBase: 1, remedy.NotRaw: 1, remedy.Inconclusive: 3, remedy.Unreachable: 3,
	} {
		assert.Equal(t, want, verdict.ExitCode(), verdict)
	}
}
