package verify_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/verify"
)

// ofSecret are the options for a secret with that metadata, BASE standing for the gateway's address.
func ofSecret(base, metadata string) verify.Options {
	raw := json.RawMessage(strings.ReplaceAll(metadata, "BASE", base))
	return verify.Options{Client: ownClient(), Secret: &provider.Secret{Name: "acme", Type: "openai", Metadata: raw}}
}

// TestAVerdictIsAboutWhatTheProxyCalls: a token that works at the base as it is normalized says nothing of a call that goes elsewhere.
func TestAVerdictIsAboutWhatTheProxyCalls(t *testing.T) { // TOKEN-9
	t.Parallel()
	good := reply{status: 200, body: list}
	v1 := map[string]reply{"/v1/models": good}
	for name, c := range map[string]struct {
		metadata string
		paths    map[string]reply
		verdict  verify.Verdict
		called   string
		asked    int
	}{
		"as it should be":          {`{"api_base":"BASE/v1"}`, v1, verify.Verified, "/v1/chat/completions", 2},
		"blanks in front":          {`{"api_base":" BASE/v1"}`, v1, verify.Verified, "/v1/chat/completions", 2},
		"a line's end":             {`{"api_base":"BASE/v1\n"}`, v1, verify.Verified, "/v1/chat/completions", 2},
		"a blank behind":           {`{"api_base":"BASE/v1 "}`, v1, verify.CallElsewhere, "/v1%20/chat/completions", 3},
		"without v1":               {`{"api_base":"BASE"}`, v1, verify.CallElsewhere, "/chat/completions", 2},
		"without v1, refused":      {`{"api_base":"BASE"}`, map[string]reply{"/v1/models": good, "/models": refusal()}, verify.CallElsewhere, "/chat/completions", 2},
		"without v1, both served":  {`{"api_base":"BASE"}`, both(good), verify.Verified, "/chat/completions", 2},
		"without v1, busy":         {`{"api_base":"BASE"}`, map[string]reply{"/v1/models": good, "/models": {status: 502}}, verify.CallUnknown, "/chat/completions", 2},
		"without v1, no listing":   {`{"api_base":"BASE"}`, map[string]reply{"/v1/models": good, "/models": {status: 403}}, verify.Verified, "/chat/completions", 2},
		"a slash":                  {`{"api_base":"BASE/v1/"}`, v1, verify.CallElsewhere, "/v1//chat/completions", 3},
		"a slash that is served":   {`{"api_base":"BASE/v1/"}`, map[string]reply{"/v1/models": good, "/v1//models": good}, verify.Verified, "/v1//chat/completions", 3},
		"two versions":             {`{"api_base":"BASE/v1/v1"}`, map[string]reply{"/v1/models": good}, verify.CallElsewhere, "/v1/v1/chat/completions", 2},
		"endpoint_path":            {`{"api_base":"BASE/v1","endpoint_path":"/generate"}`, v1, verify.CallUnknown, "/v1/generate", 2},
		"endpoint_path of a chat":  {`{"api_base":"BASE","endpoint_path":"/v1/chat/completions"}`, v1, verify.Verified, "/v1/chat/completions", 2},
		"endpoint_path elsewhere":  {`{"api_base":"BASE/v1","endpoint_path":"/x/chat/completions"}`, v1, verify.CallElsewhere, "/v1/x/chat/completions", 3},
		"a wrong token, elsewhere": {`{"api_base":"BASE"}`, map[string]reply{"/v1/models": refusal()}, verify.Refused, "/chat/completions", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths := map[string]reply{}
			for path, r := range c.paths {
				paths[path] = r
			}
			g := &gateway{paths: paths}
			base := serve(t, g)
			o := ofSecret(base, c.metadata)
			got := verify.Token(t.Context(), o, o.Secret.Decode().APIBase, token)
			assert.Equal(t, c.verdict, got.Verdict, "%+v", got)
			require.NotNil(t, got.Call)
			assert.Equal(t, base+c.called, got.Call.URL)
			assert.NotEmpty(t, got.Call.Detail)
			assert.Len(t, got.Paths, c.asked)
			if c.verdict == verify.CallElsewhere || c.verdict == verify.CallUnknown {
				assert.Contains(t, got.Detail, "; the proxy calls "+base+c.called)
			}
			if c.verdict == verify.CallElsewhere {
				assert.Contains(t, got.Advice, "so that calls go below "+base)
			}
			for _, r := range g.requests() {
				assert.Equal(t, http.MethodGet, r.Method)
				assert.True(t, strings.HasSuffix(r.URL.Path, "/models"), "only lists are asked: %s", r.URL.Path)
			}
		})
	}
	assert.Equal(t, 1, verify.CallElsewhere.ExitCode(), "seen not to hold")
	assert.Equal(t, 3, verify.CallUnknown.ExitCode(), "nobody can tell")
}

func TestLegacy202602IgnoresEndpointPath(t *testing.T) {
	t.Parallel()
	o := ofSecret(serve(t, &gateway{paths: both(reply{status: 200, body: list})}), `{"api_base":"BASE/v1","endpoint_path":"/generate"}`)
	o.Generation = provider.Legacy202602
	got := verify.Token(t.Context(), o, o.Secret.Decode().APIBase, token)
	assert.Equal(t, verify.Verified, got.Verdict)
	assert.True(t, strings.HasSuffix(got.Call.URL, "/v1/chat/completions"))
}

// TestTheListBesideTheCallStaysOnTheHost: parsers of URLs differ, and the token goes to no host but the base's.
func TestTheListBesideTheCallStaysOnTheHost(t *testing.T) {
	t.Parallel()
	stranger := &gateway{paths: both(reply{status: 200, body: list})}
	base := serve(t, &gateway{paths: both(reply{status: 200, body: list})})
	o := ofSecret(serve(t, stranger), `{"api_base":"BASE/v1"}`)
	got := verify.Token(t.Context(), o, base, token)
	assert.Equal(t, verify.CallUnknown, got.Verdict)
	assert.Empty(t, stranger.requests())
}

func TestAdditionalHeadersAreSentAsTheProxySendsThem(t *testing.T) { // BEARER-22
	t.Parallel()
	const metadata = `{"api_base":"BASE/v1","additionalHeaders":{"Authorization":"Basic canary-extra","X-Team":" canary-team\n","x-team":"canary-second","Accept":"text/canary"}}`
	for generation, want := range map[provider.Generation]string{
		"":                     "Basic canary-extra, Bearer " + token,
		provider.Legacy202603:  "Bearer " + token + ", Basic canary-extra",
		provider.Current202608: "Basic canary-extra, Bearer " + token,
	} {
		g := &gateway{paths: both(reply{status: 200, body: list})}
		o := ofSecret(serve(t, g), metadata)
		o.Generation = generation
		got := verify.Token(t.Context(), o, o.Secret.Decode().APIBase, token)
		assert.Equal(t, verify.Refused, got.Verdict)
		assert.Equal(t, want, g.requests()[0].Header.Get("Authorization"))
		assert.Equal(t, []string{"canary-team, canary-second"}, g.requests()[0].Header["X-Team"])
		assert.Equal(t, []string{"text/canary"}, g.requests()[0].Header["Accept"])
		require.Len(t, got.Stored, 1)
		assert.Contains(t, got.Stored[0], "additionalHeaders has an Authorization of its own")
		shown, err := json.Marshal(got)
		require.NoError(t, err)
		assert.NotContains(t, string(shown), "canary")
	}
}

// TestAnEchoedHeaderIsHidden: what additionalHeaders hold is as secret as the token.
func TestAnEchoedHeaderIsHidden(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("who is " + r.Header.Get("X-Team") + " or " + strings.TrimPrefix(r.Header.Get("X-Auth"), "Token ")))
	})
	for _, value := range []string{"canary-team", "can"} {
		o := ofSecret(serve(t, echo), `{"api_base":"BASE/v1","additionalHeaders":{"X-Team":"`+value+`","X-Auth":"Token canary-second"}}`)
		got := verify.Token(t.Context(), o, o.Secret.Decode().APIBase, token)
		assert.Equal(t, verify.Refused, got.Verdict)
		if len(value) > 5 { // a shorter one cannot be searched for: nothing is quoted
			assert.Contains(t, got.Paths[0].Detail, "who is ‹additional header› or")
		}
		shown, err := json.Marshal(got)
		require.NoError(t, err)
		assert.NotContains(t, string(shown), value)
		assert.NotContains(t, string(shown), "canary-second")
	}
}

func TestTheWrongTokenHasTheSameHeaders(t *testing.T) { // TOKEN-12: a header that authenticates by itself makes any token good
	t.Parallel()
	byHeader := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Api-Key") != "real" {
			refusal().write(w)
			return
		}
		reply{status: 200, body: list}.write(w)
	})
	o := ofSecret(serve(t, byHeader), `{"api_base":"BASE/v1","additionalHeaders":{"api-key":"real"}}`)
	got := verify.Token(t.Context(), o, o.Secret.Decode().APIBase, "sk-any-other")
	assert.Equal(t, verify.OpenEndpoint, got.Verdict)
}

func TestWhatIsStoredIsTold(t *testing.T) {
	t.Parallel()
	base := serve(t, &gateway{paths: both(reply{status: 200, body: list})})
	for preview, says := range map[string]string{
		"Bearer sk-***": "begins with `Bearer `", "Bea…-1": "may begin with `Bearer `", "bear***": "may begin with `Bearer `",
		"Bearer***x": "may begin with `Bearer `", "api-k•••": "may begin with `Api-Key `",
	} {
		o := ofSecret(base, `{"api_base":"BASE/v1"}`)
		o.Preview = preview
		got := verify.Token(t.Context(), o, base, token)
		require.Len(t, got.Stored, 1, preview)
		assert.Contains(t, got.Stored[0], "the stored value "+says, preview)
	}
	for _, preview := range []string{"", "***", "sk-***1", "Be…1", "Bead…1", "Bearerish***", "Bea"} {
		o := ofSecret(base, `{"api_base":"BASE/v1"}`)
		o.Preview = preview
		assert.Empty(t, verify.Token(t.Context(), o, base, token).Stored, preview)
	}
	o := ofSecret(base, `{"api_base":"BASE/v1","auth_format":"api_key"}`)
	assert.Contains(t, verify.Token(t.Context(), o, base, token).Stored[0], "auth_format is api_key")
	o.Generation = provider.Legacy202602
	assert.Empty(t, verify.Token(t.Context(), o, base, token).Stored)
}
