package verify_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/verify"
)

func TestForbiddenIsAuthenticatedButNotAuthorized(t *testing.T) { // TOKEN-11
	t.Parallel()
	forbidden := reply{status: 403, body: `{"message":"key may not list models"}`}
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, &gateway{paths: both(forbidden)}), token)
	assert.Equal(t, verify.NotAuthorized, got.Verdict)
	assert.Equal(t, "answered 403, authenticated but not authorized: key may not list models", got.Paths[0].Detail)
	assert.Equal(t, 1, got.Verdict.ExitCode())
}

func TestOpenEndpointProvesNothing(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), open: map[string]bool{"/models": true, "/v1/models": true}}
	base := serve(t, g)
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, base, token)
	assert.Equal(t, verify.OpenEndpoint, got.Verdict)
	assert.Contains(t, got.Paths[0].OpenCheck, "deliberately wrong token")
	assert.Equal(t, 1, got.Verdict.ExitCode())
	seen := g.requests()
	require.Len(t, seen, 4, "one wrong token per path")
	assert.NotContains(t, seen[1].Header.Get("Authorization"), token)

	got = verify.Token(t.Context(), verify.Options{Client: ownClient(), SkipOpenCheck: true}, base, token)
	assert.Equal(t, verify.Verified, got.Verdict)
	assert.Contains(t, got.Paths[0].OpenCheck, "no deliberately wrong token was sent")
	assert.Len(t, g.requests(), 6)
}

func TestOpenPathBesideAGuardedOne(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), open: map[string]bool{"/v1/models": true}}
	base := serve(t, g)
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, base, token)
	assert.Equal(t, verify.Verified, got.Verdict)
	assert.Equal(t, []verify.Verdict{verify.Verified, verify.OpenEndpoint}, verdicts(got))

	got = verify.Token(t.Context(), verify.Options{Client: ownClient()}, base, "sk-some-other")
	assert.Equal(t, verify.OpenEndpoint, got.Verdict)
	assert.Equal(t, []verify.Verdict{verify.Refused, verify.OpenEndpoint}, verdicts(got))
}

func TestOpenCheckWithoutAnAnswerProvesNothing(t *testing.T) { // TOKEN-12
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list}), wrong: both(reply{status: 429})}
	got := verify.Token(t.Context(), verify.Options{Client: ownClient(), Retries: 3}, serve(t, g), token)
	assert.Equal(t, verify.Inconclusive, got.Verdict)
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
		got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, g), token)
		assert.Equal(t, verify.NotModelList, got.Verdict, "%s", body)
		assert.Equal(t, 1, got.Verdict.ExitCode())
	}
	g := &gateway{paths: both(reply{status: 204})}
	assert.Equal(t, verify.NotModelList, verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, g), token).Verdict)
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
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, huge), token)
	assert.Equal(t, verify.Inconclusive, got.Verdict)
	assert.Contains(t, got.Paths[0].Detail, "more than 1048576 bytes")
}

func TestInterruptedIsInconclusive(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := verify.Token(ctx, verify.Options{}, "http://127.0.0.1:1", token)
	assert.Equal(t, verify.Inconclusive, got.Verdict)
	assert.Equal(t, 3, got.Verdict.ExitCode())
}
