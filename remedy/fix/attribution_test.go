package fix_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// TestANamesakeOfDefaultModelsCouldAnswer: the proxy's list of default models is longer than ours.
func TestANamesakeOfDefaultModelsCouldAnswer(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	o.secret("acme", `{"api_base":"http://gateway:8080/v1"}`)
	own := o.projectSecret("evals", "acme", strings.ReplaceAll(callable(""), "acme-chat", "gpt-6-turbo"))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own), calling("gpt-6-turbo"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "another secret of the same name could have answered (acme (org))")
}

// TestANamesakeThatCameMeanwhileCouldAnswer: after the candidates were read, and before the call.
func TestANamesakeThatCameMeanwhileCouldAnswer(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	own := o.projectSecret("evals", "acme", callable(""))
	m := meddler{next: o.server.Client().Transport, before: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.secret("acme", works())
		}
	}}
	err := o.applyWith(o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own), m, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "another secret of the same name could have answered (acme (org))")
}

// TestNamesWithBlanksAreNamesakes: HTTP and the one line of a report leave one blank of several.
func TestNamesWithBlanksAreNamesakes(t *testing.T) {
	t.Parallel()
	for other, is := range map[string]error{"our  acme": fix.ErrCannotTell, "our acme 2": nil} {
		o := newOrg(t, nil)
		own, rival := o.secret("our acme", callable("")), o.secret(other, works())
		for _, s := range []inventory.Secret{own, rival} {
			o.admin("PATCH", s.Path(), `{"secret":"sk-canary-stored"}`)
		}
		_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.find(own.ID)), calling("acme-chat"))
		require.ErrorIs(t, err, is, other)
	}
}

// TestACachedAnswerProvesNothing also where the caches may be used.
func TestACachedAnswerProvesNothing(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	calls := 0
	set := answering{o.server.Client().Transport, func(h http.Header) {
		if calls++; calls == 3 { // before, past the caches, through them
			h.Set("x-bt-cached", "HIT")
		}
	}}
	err := o.applyWith(o.plan(fix.Bearer, fix.DataPlane{}, o.secret("acme", callable(""))), set, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "came from the proxy's cache")
}

// TestACallThatWasAnsweredByAnotherWasNotRefused before the change.
func TestACallThatWasAnsweredByAnotherWasNotRefused(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	o.secret("other", works())
	said, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.secret("acme", callable(""))), calling("acme-chat"))
	require.NoError(t, err)
	assert.NotContains(t, said, "status 200")
}

// silent is an API that tells nothing of stored values.
func silent(c *dataplane.Config) { c.Writes.NoSecretUpdatedAt, c.Writes.NoPreview = true, true }

// TestAnUntoldTokenStaysUntold: neither running it again nor a model that it does not serve proves it.
func TestAnUntoldTokenStaysUntold(t *testing.T) {
	t.Parallel()
	o := newOrg(t, silent)
	p := o.plan(fix.RawToken, fix.DataPlane{}, o.secret("one", `{"excludeDefaultModels":true}`))
	for range 2 {
		_, err := o.apply(p, func(o *fix.Options) { o.Token = "sk-canary-new" })
		require.ErrorIs(t, err, fix.ErrCannotTell)
		assert.ErrorContains(t, err, "neither a preview nor a date")
	}
	o = newOrg(t, silent)
	p = o.plan(fix.RawToken, fix.DataPlane{}, o.secret("one", `{"excludeDefaultModels":true}`))
	p.Steps = append(p.Steps, o.plan(fix.Bearer, fix.DataPlane{}, o.secret("two", callable(""))).Steps...)
	_, err := o.apply(p, func(o *fix.Options) { o.Token, o.Model = "sk-canary-new", "acme-chat" })
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "whether 1 of 2 changes hold, which are in place: one (org)")
}

// TestOddMetadataThatChangesIsSeen: metadata that is no object that can be edited, beside a token.
func TestOddMetadataThatChangesIsSeen(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	odd := o.secret("odd", `{"a":1,"a":2}`)
	m := meddler{next: o.server.Client().Transport, after: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.admin("PATCH", odd.Path(), `{"metadata":{"a":1,"a":3}}`)
		}
	}}
	err := o.applyWith(o.plan(fix.RawToken, fix.DataPlane{}, odd), m, func(o *fix.Options) { o.Token = "sk-canary-new" })
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "not only what was asked has changed: metadata:")
}

// TestTheLastReadingSeesAStoredValue that somebody replaced after it was proven.
func TestTheLastReadingSeesAStoredValue(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one, two := o.secret("one", affected("")), o.secret("two", affected(""))
	m := meddler{next: o.server.Client().Transport, before: func(r *http.Request) {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, two.ID) {
			o.admin("PATCH", one.Path(), `{"secret":"sk-another-one-entirely"}`)
		}
	}}
	err := o.applyWith(o.plan(fix.Bearer, fix.DataPlane{}, one, two), m, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "reverted since: one (org) was changed by somebody else")
}

// TestRestoreReadsOnceMore: what was written back can be reverted.
func TestRestoreReadsOnceMore(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.secret("one", affected(""))), nil)
	require.NoError(t, err)
	var said strings.Builder
	options := o.options(&said)
	backup, err := fix.ReadBackup(options.Backup)
	require.NoError(t, err)
	undos, err := fix.Compare(t.Context(), o.client(adminKey), backup, options)
	require.NoError(t, err)
	reverting := meddler{next: o.server.Client().Transport, before: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.configure(func(c *dataplane.Config) { c.Writes.RevertAfterReads = 1 })
		}
	}}
	err = fix.Restore(t.Context(), control.New(o.url(), adminKey, &http.Client{Transport: reverting}), backup, undos, options)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "reverted since: one (org) is as it was before")
}

// TestEveryNamesakeStandsIn: of whatever type, and with a name that is told like it.
func TestEveryNamesakeStandsIn(t *testing.T) {
	t.Parallel()
	own := secret(inventory.Project, `{"auth_format":"api_key"}`)
	namesake := secret(inventory.Org, `{}`)
	namesake.ID, namesake.Type = "id-2", "azure"
	p := propose(fix.Bearer, own, fix.DataPlane{Org: []inventory.Secret{namesake}})
	assert.Contains(t, refused(t, p).Reason, "the organization's secret of the same name would answer in its place")
}

// TestANamesakeThatWentMeanwhileCouldHaveAnswered: it was there before the change, and not when the candidates are read again.
func TestANamesakeThatWentMeanwhileCouldHaveAnswered(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	namesake, own := o.secret("acme", works()), o.projectSecret("evals", "acme", callable(""))
	calls := 0
	m := meddler{next: o.server.Client().Transport, after: func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/chat/completions") {
			if calls++; calls == 3 {
				o.admin("DELETE", namesake.Path(), "")
			}
		}
	}}
	err := o.applyWith(o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own), m, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
}

// TestATokenThatWasIgnoredIsNotDone: without a date the journal tells that it was accepted, and the preview that nothing has moved.
func TestATokenThatWasIgnoredIsNotDone(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Writes.NoSecretUpdatedAt = true })
	p := o.plan(fix.RawToken, fix.DataPlane{}, o.secret("one", affected("")))
	same := func(o *fix.Options) { o.Token = "sk-canary-stored-one" }
	_, err := o.apply(p, same)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	_, err = o.apply(p, same)
	require.ErrorIs(t, err, fix.ErrCannotTell, "running it again does not make it so")
}
