package remedy_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy"
)

func TestForbiddenIsAuthenticatedButNotAuthorized(t *testing.T) { // TOKEN-11
	t.Parallel()
	forbidden := reply{status: 403, body: `{"message":"key may not list models"}`}
	got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), serve(t, &gateway{paths: both(forbidden)}), token)
	assert.Equal(t, remedy.NotAuthorized, got.Verdict)
	assert.Equal(t, "answered 403, authenticated but not authorized: key may not list models", got.Paths[0].Detail)
	assert.Equal(t, 1, got.Verdict.ExitCode())
}

func TestOpenEndpointProvesNothing(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), open: map[string]bool{"/models": true, "/v1/models": true}}
	base := serve(t, g)
	got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), base, token)
	assert.Equal(t, remedy.OpenEndpoint, got.Verdict)
	assert.Contains(t, got.Paths[0].OpenCheck, "deliberately wrong token")
	assert.Equal(t, 1, got.Verdict.ExitCode())
	seen := g.requests()
	require.Len(t, seen, 4, "one wrong token per path")
	assert.NotContains(t, seen[1].Header.Get("Authorization"), token)

	got = remedy.Verifier{Client: ownClient(), SkipOpenCheck: true}.VerifyToken(t.Context(), base, token)
	assert.Equal(t, remedy.Verified, got.Verdict)
	assert.Contains(t, got.Paths[0].OpenCheck, "no deliberately wrong token was sent")
	assert.Len(t, g.requests(), 6)
}

func TestOpenPathBesideAGuardedOne(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), open: map[string]bool{"/v1/models": true}}
	base := serve(t, g)
	got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), base, token)
	assert.Equal(t, remedy.Verified, got.Verdict)
	assert.Equal(t, []remedy.Verdict{remedy.Verified, remedy.OpenEndpoint}, verdicts(got))

	got = remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), base, "sk-some-other")
	assert.Equal(t, remedy.OpenEndpoint, got.Verdict)
	assert.Equal(t, []remedy.Verdict{remedy.Refused, remedy.OpenEndpoint}, verdicts(got))
}

func TestOpenCheckWithoutAnAnswerProvesNothing(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), wrong: both(reply{status: 429})}
	got := remedy.Verifier{Client: ownClient(), Retries: 3}.VerifyToken(t.Context(), serve(t, g), token)
	assert.Equal(t, remedy.Inconclusive, got.Verdict)
	assert.Contains(t, got.Paths[0].OpenCheck, "without a verdict: answered 429")
	assert.Len(t, g.requests(), 4, "the wrong token is sent once per path")
}

func TestOtherAnswersThatAreNoModelList(t *testing.T) { // TOKEN-13
	t.Parallel()
	for _, body := range []string{
		`{"status":"ok"}`, `{"object":"list"}`, `{"object":"list","data":null}`, `{"object":"list","data":{}}`,
		`{"object":"list","data":[{"name":"acme"}]}`, `{"object":"list","data":[{"id":7}]}`, `{"object":"list","data":[null]}`,
		`{"object":"error","data":[{"id":"x"}]}`, `{"data":[]}`, `[{"id":"acme-chat"}]`, `null`, `"models"`, ``, list + "x",
	} {
		g := &gateway{paths: both(reply{status: 200, body: body})}
		got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), serve(t, g), token)
		assert.Equal(t, remedy.NotModelList, got.Verdict, "%s", body)
		assert.Equal(t, 1, got.Verdict.ExitCode())
	}
	g := &gateway{paths: both(reply{status: 204})}
	assert.Equal(t, remedy.NotModelList, remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), serve(t, g), token).Verdict)
}

func TestHugeAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	huge := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	got := remedy.Verifier{Client: ownClient()}.VerifyToken(t.Context(), serve(t, huge), token)
	assert.Equal(t, remedy.Inconclusive, got.Verdict)
	assert.Contains(t, got.Paths[0].Detail, "more than 1048576 bytes")
}

func TestInterruptedIsInconclusive(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := remedy.Verifier{}.VerifyToken(ctx, "http://127.0.0.1:1", token)
	assert.Equal(t, remedy.Inconclusive, got.Verdict)
	assert.Equal(t, 3, got.Verdict.ExitCode())
}
