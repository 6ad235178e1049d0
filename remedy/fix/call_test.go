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
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, right), func(o *fix.Options) { o.Model = "acme-chat" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "it worked before the change; it was put back, and is as it was")
	assert.JSONEq(t, before, o.metadata(right))
	o.admin("DELETE", right.Path(), "")

	// A stored Bearer prefix (behaviours: BEARER-9): the change is right, and not enough.
	prefixed := o.secret("prefixed", callable(""))
	o.admin("PATCH", prefixed.Path(), `{"secret":"Bearer sk-canary-stored"}`)
	prefixed = o.find(prefixed.ID)
	p := o.plan(fix.Bearer, fix.DataPlane{}, prefixed)
	assert.Contains(t, strings.Join(p.Steps[0].Notes, " "), "the gateway would see Bearer twice")
	_, err = o.apply(p, func(p *fix.Options) { p.Model, p.Backup = "acme-chat", o.dir+"/2.json" })
	assert.ErrorContains(t, err, "a call fails: one of acme-chat past the caches: status 401")
	assert.ErrorIs(t, err, fix.ErrInPlace)
	assert.NotContains(t, err.Error(), "canary")
	p = o.plan(fix.RawToken, fix.DataPlane{}, o.find(prefixed.ID))
	_, err = o.apply(p, func(p *fix.Options) { p.Model, p.Token, p.Backup = "acme-chat", "sk-canary-raw", o.dir+"/3.json" })
	require.NoError(t, err)

	// A model that no secret of the plan serves is refused before anything is written; a secret of several that does not is not called.
	other := o.secret("other", `{"auth_format":"api_key","excludeDefaultModels":true}`)
	since := len(o.journal())
	_, err = o.apply(o.plan(fix.Bearer, fix.DataPlane{}, other), func(p *fix.Options) { p.Model, p.Backup = "acme-chat", o.dir+"/4.json" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "no secret of the plan serves the model acme-chat; they have no custom models")
	assert.Empty(t, o.writes(since))
	serving := o.secret("serving", strings.ReplaceAll(callable(""), "acme-chat", "other-chat"))
	said, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, other, serving), func(p *fix.Options) { p.Model, p.Backup = "other-chat", o.dir+"/5.json" })
	require.NoError(t, err)
	assert.Contains(t, said, "no call was made, as it does not serve other-chat")
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
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	var said strings.Builder
	options := o.options(&said)
	options.Model = "acme-chat"
	client := control.New(o.url(), adminKey, &http.Client{Transport: staleCache{o.server.Client().Transport}})
	_, err := fix.Apply(context.Background(), client, p, options)
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.NotErrorIs(t, err, fix.ErrNotApplied, "one of the two")
	assert.ErrorContains(t, err, "works past the caches and fails through them")
	assert.Contains(t, o.metadata(one), `"auth_format":"bearer"`)
}

func TestAnotherSecretsAnswerIsNoProof(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	plain := callable("")
	o.secret("works", strings.Replace(plain, `"api_key","customModels"`, `"bearer","customModels"`, 1))
	broken := o.secret("broken", strings.Replace(plain, "/v1", "/apikey/v1", 1))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, broken), func(p *fix.Options) { p.Model = "acme-chat" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, `it was served by "works", another secret`, "OVERRIDE-10: it hides behind the other")
}
