package fix_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
)

func TestRawToken(t *testing.T) {
	t.Parallel()
	const token = "sk-canary-new-token-4711"
	for _, bad := range []string{"Bearer " + token, " " + token, token + "\n", "", "a b"} {
		err := fix.CheckToken(bad)
		require.ErrorIs(t, err, fix.ErrNotApplied, bad)
		assert.NotContains(t, err.Error(), "canary")
	}
	o := newOrg(t, nil)
	org, own := o.secret("one", `null`), o.projectSecret("evals", "own", affected(""))
	p := o.plan(fix.RawToken, fix.DataPlane{}, own)
	before := o.object(own)
	_, err := o.apply(p, nil)
	require.ErrorIs(t, err, fix.ErrTokenNeeded)
	_, err = o.apply(p, func(o *fix.Options) { o.Token = "Bearer " + token })
	require.ErrorIs(t, err, fix.ErrNotApplied)

	since := len(o.journal())
	said, err := o.apply(p, func(o *fix.Options) { o.Token = token })
	require.NoError(t, err)
	assert.NotContains(t, said, "canary")
	_, err = o.apply(o.plan(fix.RawToken, fix.DataPlane{}, org), func(p *fix.Options) { p.Token, p.Backup = token, o.dir+"/org.json" })
	require.NoError(t, err, "metadata null is no obstacle")
	assert.NotEqual(t, before.Get("secret_updated_at").Raw, o.object(own).Get("secret_updated_at").Raw)
	assert.Equal(t, before.Get("metadata").Raw, o.object(own).Get("metadata").Raw)
	handed := o.admin("POST", "/api/secret", `{"mode":"full","project_id":"`+own.Project.ID+`"}`)
	assert.Equal(t, token, handed.Get("org.0.secret").String())
	assert.Equal(t, token, handed.Get("project.0.secret").String())
	assert.Len(t, o.writes(since), 3, "one for each, and that of this test")

	since = len(o.journal())
	_, err = o.apply(p, nil)
	require.NoError(t, err, "done already, so no token is needed")
	assert.Empty(t, o.writes(since))
	for _, path := range []string{"/backup.json", "/backup.json.journal.jsonl"} {
		raw, err := os.ReadFile(o.dir + path)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), token)
	}
	stale := o.plan(fix.RawToken, fix.DataPlane{}, own)
	stale.MadeAt = "another plan"
	require.NoError(t, os.Remove(o.dir+"/backup.json"))
	_, err = o.apply(stale, func(o *fix.Options) { o.Token = token })
	assert.ErrorContains(t, err, "its stored value has been replaced", "the journal tells of another plan")
	require.NoError(t, os.Remove(fix.JournalPath(o.dir+"/backup.json")))
	_, err = o.apply(p, nil)
	assert.ErrorContains(t, err, "its stored value has been replaced", "without the journal nobody knows by whom")

	same := o.plan(fix.RawToken, fix.DataPlane{}, o.find(own.ID))
	_, err = o.apply(same, func(p *fix.Options) { p.Token, p.Backup = token, o.dir+"/same.json" })
	assert.ErrorContains(t, err, "secret_updated_at did not move")
}

// TestNothingElseChangesBesideOddMetadata: metadata that cannot be edited must not keep the rest from being compared.
func TestNothingElseChangesBesideOddMetadata(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	odd := o.secret("odd", `{"a":1,"a":2}`)
	p := o.plan(fix.RawToken, fix.DataPlane{}, odd)
	var said strings.Builder
	options := o.options(&said)
	options.Token = "sk-canary-new"
	m := meddler{next: o.server.Client().Transport, after: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.admin("PATCH", odd.Path(), `{"type":"azure"}`)
		}
	}}
	_, err := fix.Apply(t.Context(), control.New(o.url(), adminKey, &http.Client{Transport: m}), p, options)
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "not only what was asked has changed: type")
}
