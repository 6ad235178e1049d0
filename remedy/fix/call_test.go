package fix_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
)

func TestCallsProveOrRefute(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	// A gateway that wants Api-Key, where auth_format api_key is right (behaviours: BEARER-13).
	right := o.secret("right", strings.Replace(callable(""), "/v1", "/apikey/v1", 1))
	before := o.metadata(right)
	_, err := o.apply(o.plan(fix.Bearer, fix.Situation{}, right), func(o *fix.Options) { o.Model = "acme-chat" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "it worked before the change; it was put back, and is as it was")
	assert.JSONEq(t, before, o.metadata(right))
	o.admin("DELETE", right.Path(), "")

	// A stored Bearer prefix (behaviours: BEARER-9): the change is right, and not enough.
	prefixed := o.secret("prefixed", callable(""))
	o.admin("PATCH", prefixed.Path(), `{"secret":"Bearer sk-canary-stored"}`)
	prefixed = o.find(prefixed.ID)
	p := o.plan(fix.Bearer, fix.Situation{}, prefixed)
	assert.Contains(t, strings.Join(p.Steps[0].Notes, " "), "the gateway would see Bearer twice")
	_, err = o.apply(p, func(p *fix.Options) { p.Model, p.Backup = "acme-chat", o.dir+"/2.json" })
	assert.ErrorContains(t, err, "a call of acme-chat past the caches fails: status 401")
	assert.ErrorContains(t, err, "the change is in place")
	assert.NotContains(t, err.Error(), "canary")
	p = o.plan(fix.RawToken, fix.Situation{}, o.find(prefixed.ID))
	_, err = o.apply(p, func(p *fix.Options) { p.Model, p.Token, p.Backup = "acme-chat", "sk-canary-raw", o.dir+"/3.json" })
	require.NoError(t, err)

	// A secret that does not serve the model is not called.
	other := o.secret("other", `{"auth_format":"api_key","excludeDefaultModels":true}`)
	said, err := o.apply(o.plan(fix.Bearer, fix.Situation{}, other), func(p *fix.Options) { p.Model, p.Backup = "acme-chat", o.dir+"/4.json" })
	require.NoError(t, err)
	assert.Contains(t, said, "no call was made, as it does not serve acme-chat")
}

// staleCache answers calls that may use the caches with what an old credential gave.
type staleCache struct{ next http.RoundTripper }

func (s staleCache) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/chat/completions") && r.Header.Get("x-bt-use-creds-cache") == "" {
		return &http.Response{
			StatusCode: http.StatusUnauthorized, Body: io.NopCloser(strings.NewReader("old credential")), Header: http.Header{}, Request: r,
		}, nil
	}
	return s.next.RoundTrip(r)
}

func TestStaleCachesAreToldApart(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", callable(""))
	p := o.plan(fix.Bearer, fix.Situation{}, one)
	var said strings.Builder
	options := o.options(&said)
	options.Model = "acme-chat"
	client := control.New(o.url(), adminKey, &http.Client{Transport: staleCache{o.server.Client().Transport}})
	err := fix.Apply(context.Background(), client, p, options)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "works past the caches and fails through them")
	assert.ErrorContains(t, err, "the change is in place")
	assert.Contains(t, o.metadata(one), `"auth_format":"bearer"`)
}

func TestAnotherSecretsAnswerIsNoProof(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	plain := callable("")
	o.secret("works", strings.Replace(plain, `"api_key","customModels"`, `"bearer","customModels"`, 1))
	broken := o.secret("broken", strings.Replace(plain, "/v1", "/apikey/v1", 1))
	_, err := o.apply(o.plan(fix.Bearer, fix.Situation{}, broken), func(p *fix.Options) { p.Model = "acme-chat" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, `it was served by "works", another secret`, "OVERRIDE-10: it hides behind the other")
}
