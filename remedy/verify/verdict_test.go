package verify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/remedy/verify"
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
		got := verify.Problems(bad)
		if assert.Len(t, got, len(want), "%q: %q", bad, got) {
			for i := range want {
				assert.Contains(t, got[i], want[i], "%q", bad)
			}
		}
	}
	for _, good := range []string{"sk-1", "Bearersk", "ey.J0-_~+/==", "virtual:key"} {
		assert.Empty(t, verify.Problems(good), good)
	}
}

// TestPrecedence shows what the two paths make together; the order of the paths does not matter.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	good, html := reply{status: 200, body: list}, reply{status: 200, body: "<html>"}
	for _, c := range []struct {
		a, b reply
		want verify.Verdict
	}{
		{good, reply{status: 403}, verify.Verified},
		{good, reply{status: 500}, verify.Verified},
		{good, html, verify.Verified},
		{refusal(), reply{status: 404}, verify.Refused},
		{refusal(), html, verify.Refused},
		{refusal(), reply{status: 403}, verify.NotAuthorized},
		{refusal(), reply{status: 503}, verify.Inconclusive},
		{reply{status: 403}, reply{status: 400}, verify.Inconclusive},
		{html, reply{status: 404}, verify.NotModelList},
		{reply{status: 405}, reply{status: 404}, verify.NotBase},
	} {
		for _, paths := range []map[string]reply{
			{"/models": c.a, "/v1/models": c.b}, {"/models": c.b, "/v1/models": c.a},
		} {
			got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, &gateway{paths: paths}), token)
			assert.Equal(t, c.want, got.Verdict, "%d and %d", c.a.status, c.b.status)
			assert.NotEmpty(t, got.Advice)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[verify.Verdict]int{
		verify.Verified: 0, verify.Refused: 1, verify.NotAuthorized: 1, verify.OpenEndpoint: 1, verify.NotModelList: 1,
		verify.NotBase: 1, verify.NotRaw: 1, verify.CallElsewhere: 1,
		verify.Inconclusive: 3, verify.Unreachable: 3, verify.CallUnknown: 3,
	} {
		assert.Equal(t, want, verdict.ExitCode(), verdict)
	}
}
