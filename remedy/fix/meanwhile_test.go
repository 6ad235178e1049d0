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

// meddler changes a secret behind the back of the one request that it waits for.
type meddler struct {
	next   http.RoundTripper
	before func(*http.Request)
	after  func(*http.Request)
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.before != nil {
		m.before(r)
	}
	resp, err := m.next.RoundTrip(r)
	if m.after != nil {
		m.after(r)
	}
	return resp, err
}

func (o *org) applyMeddled(p *fix.Plan, m meddler) error {
	m.next = o.server.Client().Transport
	var said strings.Builder
	_, err := fix.Apply(context.Background(), control.New(o.url(), adminKey, &http.Client{Transport: m}), p, o.options(&said))
	return err
}

func TestChangesMeanwhileAreNotOverwritten(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", `{"auth_format":"api_key","api_base":"http://a"}`)
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	reads := 0
	err := o.applyMeddled(p, meddler{before: func(r *http.Request) {
		if r.URL.Path != "/"+tenantID+one.Path() {
			return
		}
		if reads++; reads == 2 { // the second look at the secret, after all were compared
			o.admin("PATCH", one.Path(), `{"metadata":{"auth_format":"api_key","api_base":"http://b"}}`)
		}
	}})
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "changed by somebody else while the plan was applied; not written")
	assert.JSONEq(t, `{"auth_format":"api_key","api_base":"http://b"}`, o.metadata(one))

	o = newOrg(t, nil)
	one = o.secret("one", `{"auth_format":"api_key","api_base":"http://a"}`)
	p = o.plan(fix.Bearer, fix.DataPlane{}, one)
	err = o.applyMeddled(p, meddler{after: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.admin("PATCH", one.Path(), `{"metadata":{"auth_format":"bearer","auth_type":"api_key","api_base":"http://b"}}`)
		}
	}})
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "not only what was asked has changed: metadata.api_base")
	assert.JSONEq(t, `{"auth_format":"bearer","auth_type":"api_key","api_base":"http://b"}`, o.metadata(one), "their change is left")

	o = newOrg(t, nil)
	one = o.secret("one", `{"auth_format":"api_key"}`)
	p = o.plan(fix.Bearer, fix.DataPlane{}, one)
	err = o.applyMeddled(p, meddler{after: func(r *http.Request) {
		if r.Method == http.MethodPatch {
			o.admin("PATCH", one.Path(), `{"secret":"sk-another-one-entirely"}`)
		}
	}})
	assert.ErrorContains(t, err, "secret_updated_at", "the stored value must be the same")
}

func TestLostAnswerIsReadBack(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	err := o.applyMeddled(o.plan(fix.Bearer, fix.DataPlane{}, one), meddler{})
	require.NoError(t, err)

	two := o.secret("two", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, two)
	since := len(o.journal())
	var said strings.Builder
	options := o.options(&said)
	options.Backup += ".2"
	lossy := &http.Client{Transport: losing{o.server.Client().Transport}}
	_, err = fix.Apply(context.Background(), control.New(o.url(), adminKey, lossy), p, options)
	require.NoError(t, err)
	assert.Equal(t, []string{"PATCH " + two.Path() + " 200"}, o.writes(since), "not written twice")
}

// losing drops the answer of every PATCH.
type losing struct{ next http.RoundTripper }

func (l losing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodPatch {
		_ = resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

// TestMetadataThatBecomesNullIsSeen: an empty object has no key that could differ.
func TestMetadataThatBecomesNullIsSeen(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", `{"auth_type":"api_key"}`)
	err := o.applyWith(o.plan(fix.Portable, fix.DataPlane{}, one), nulling{o.server.Client().Transport}, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "the metadata is null, not an object; it was put back, and is as it was")
	assert.JSONEq(t, `{"auth_type":"api_key"}`, o.metadata(one))
}

// nulling shows an empty object as null.
type nulling struct{ next http.RoundTripper }

func (n nulling) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(strings.Replace(string(raw), `"metadata":{}`, `"metadata":null`, 1))), -1
	return resp, err
}
