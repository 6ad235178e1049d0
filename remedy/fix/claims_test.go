package fix_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// works is metadata that a Bearer-only gateway accepts already.
func works() string {
	return strings.Replace(callable(""), `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1)
}

func calling(model string) func(*fix.Options) { return func(o *fix.Options) { o.Model = model } }

func TestACallWithANamesakeProvesNothing(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	o.secret("acme", works())
	own, later := o.projectSecret("evals", "acme", callable("")), o.secret("later", callable(""))
	p := o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own, later)
	said, err := o.apply(p, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
	require.NotErrorIs(t, err, fix.ErrNotApplied)
	assert.True(t, strings.HasPrefix(err.Error(), "cannot tell whether 1 of 2 changes hold, which are in place: acme (project evals): "), err)
	for _, text := range []string{
		"another secret of the same name could have answered (acme (org), later (org))", "rename one of the two", "add a custom model that only this secret has",
		"refused before the change: status 401", "1 steps of later waves were not begun",
	} {
		assert.ErrorContains(t, err, text)
	}
	assert.NotContains(t, said, "proven")
	assert.Contains(t, o.metadata(own), `"auth_format":"bearer"`, "it stays in place")
	assert.Contains(t, o.metadata(later), `"auth_format":"api_key"`, "the next wave is not begun")
}

func TestAModelOfItsOwnTells(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	o.secret("acme", works())
	own := o.projectSecret("evals", "acme", strings.Replace(callable(""), `"customModels":{`, `"customModels":{"own-chat":{"format":"openai","flavor":"chat"},`, 1))
	p := o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own)
	said, err := o.apply(p, calling("acme-chat"))
	require.NoError(t, err)
	assert.Contains(t, said, "calling own-chat too, which only acme (project evals) serves")
	assert.Contains(t, said, "so does one of own-chat, which only this secret serves")

	// The same where the own model is refused: seen to be wrong.
	o = newOrg(t, nil)
	o.secret("acme", works())
	broken := strings.Replace(callable(""), `"customModels":{`, `"customModels":{"own-chat":{"format":"openai","flavor":"chat"},`, 1)
	own = o.projectSecret("evals", "acme", broken)
	p = o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own)
	err = o.applyWith(p, refusing{o.server.Client().Transport, "own-chat"}, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "one of own-chat past the caches: status 401")
}

// refusing answers calls of one model with 401.
type refusing struct {
	next  http.RoundTripper
	model string
}

func (r refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/chat/completions") {
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(req.Body)
		req.Body = http.NoBody
		clone := req.Clone(req.Context())
		clone.Body, clone.ContentLength = io.NopCloser(bytes.NewReader(body.Bytes())), int64(body.Len())
		req = clone
		if gjson.GetBytes(body.Bytes(), "model").String() == r.model {
			return &http.Response{StatusCode: 401, Body: io.NopCloser(strings.NewReader("no")), Header: http.Header{}, Request: req}, nil
		}
	}
	return r.next.RoundTrip(req)
}

// answering changes the headers of the answers to calls.
type answering struct {
	next http.RoundTripper
	set  func(http.Header)
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/chat/completions") {
		a.set(resp.Header)
	}
	return resp, err
}

func TestWhatTheAnswerMustTell(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		other string // another candidate, empty for none
		set   func(http.Header)
		is    error
		says  string
	}{
		"named among others":         {"other", func(http.Header) {}, nil, ""},
		"not named among others":     {"other", func(h http.Header) { h.Del("x-bt-used-endpoint") }, fix.ErrCannotTell, "the proxy did not say which secret answered"},
		"not named, none other":      {"", func(h http.Header) { h.Del("x-bt-used-endpoint") }, nil, ""},
		"always another":             {"", func(h http.Header) { h.Set("x-bt-used-endpoint", "else") }, fix.ErrInPlace, `served by "else", another secret`},
		"from the cache all the way": {"", func(h http.Header) { h.Set("x-bt-cached", "HIT") }, fix.ErrCannotTell, "came from the proxy's cache"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t, nil)
			if row.other != "" {
				o.secret(row.other, works())
			}
			p := o.plan(fix.Bearer, fix.DataPlane{}, o.secret("acme", callable("")))
			err := o.applyWith(p, answering{o.server.Client().Transport, row.set}, calling("acme-chat"))
			if row.is == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, row.is)
			assert.ErrorContains(t, err, row.says)
		})
	}
}

func TestIncompleteReadingOfRivalsCannotTell(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	p := o.plan(fix.Bearer, fix.DataPlane{}, o.secret("acme", callable("")))
	m := meddler{next: o.server.Client().Transport}
	err := o.applyWith(p, failing{m, "/v1/env_var?"}, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "cannot tell which secrets could answer")
}

// failing answers 403 to what begins so.
type failing struct {
	next http.RoundTripper
	path string
}

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.RequestURI(), "/"+tenantID+f.path) {
		return &http.Response{StatusCode: 403, Body: io.NopCloser(strings.NewReader("no")), Header: http.Header{}, Request: r}, nil
	}
	return f.next.RoundTrip(r)
}

// TestPlansThatCouldHideBehindANamesakeAreRefused: on a strict proxy of which nobody tells, the organization's secret would answer.
func TestPlansThatCouldHideBehindANamesakeAreRefused(t *testing.T) {
	t.Parallel()
	own := secret(inventory.Project, `{"auth_format":"api_key","customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}}`)
	namesake := secret(inventory.Org, `{"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}}`)
	namesake.ID = "id-2"
	other := namesake
	other.Name = "other"
	for name, row := range map[string]struct {
		remedy   fix.Remedy
		in       fix.DataPlane
		metadata string
		refused  string
	}{
		"nobody tells": {fix.Bearer, fix.DataPlane{Org: []inventory.Secret{namesake}}, "",
			"the data plane does not tell its version, and the organization's secret of the same name would answer in its place"},
		"not all could be read":     {fix.Bearer, fix.DataPlane{Incomplete: []string{"no"}}, "", "a secret that could not be listed (no)"},
		"another name":              {fix.Bearer, fix.DataPlane{Org: []inventory.Secret{other}}, "", ""},
		"told by the version":       {fix.Bearer, fix.DataPlane{Org: []inventory.Secret{namesake}, Version: version("2.0.0")}, "", ""},
		"told by --legacy":          {fix.Bearer, fix.DataPlane{Org: []inventory.Secret{namesake}, Generation: provider.Current202608}, "", ""},
		"every generation can read": {fix.Portable, fix.DataPlane{Org: []inventory.Secret{namesake}}, "", ""},
		"one generation cannot":     {fix.Portable, fix.DataPlane{Org: []inventory.Secret{namesake}}, `{"auth_type":"api_key","knob":1}`, "would answer in its place"},
		"the one given still cannot": {fix.Portable, fix.DataPlane{Org: []inventory.Secret{namesake}, Generation: provider.Legacy202602},
			`{"auth_type":"api_key","knob":1}`, "legacy-2026-02 cannot read the result (unknown keys in metadata: knob)"},
	} {
		s := own
		if row.metadata != "" {
			s.Metadata = json.RawMessage(row.metadata)
		}
		p := propose(row.remedy, s, row.in)
		if row.refused == "" {
			assert.Len(t, p.Steps, 1, "%s: %v", name, p.Refused)
			continue
		}
		assert.Contains(t, refused(t, p).Reason, row.refused, name)
	}
}

func TestEditedPlansAreRefused(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one, two := o.secret("one", affected("")), o.secret("two", affected(""))
	raw, err := json.Marshal(o.plan(fix.Bearer, fix.DataPlane{}, one, two))
	require.NoError(t, err)
	evil := fix.Entry{Key: "api_base", Value: json.RawMessage(`"http://evil"`)}
	since := len(o.journal())
	for name, change := range map[string]func(*fix.Step){
		"a key more":            func(s *fix.Step) { s.Edit.Set = append(s.Edit.Set, evil) },
		"a key less":            func(s *fix.Step) { s.Edit.Set = s.Edit.Set[1:] },
		"another value":         func(s *fix.Step) { s.Edit.Set[0].Value = json.RawMessage(`"api_key"`) },
		"a key removed":         func(s *fix.Step) { s.Edit.Remove = []string{"api_base"} },
		"the diff":              func(s *fix.Step) { s.Diff = s.Diff[1:] },
		"the request":           func(s *fix.Step) { s.Request.Path = "/v1/ai_secret/other" },
		"the hash after":        func(s *fix.Step) { s.After = "sha256:0" },
		"done by its own words": func(s *fix.Step) { s.After = s.Before },
		"another remedy":        func(s *fix.Step) { s.Remedy = fix.Portable },
		"no remedy":             func(s *fix.Step) { s.Remedy = "delete" },
		"the stored value too":  func(s *fix.Step) { s.ReplaceValue = true },
	} {
		var p fix.Plan
		require.NoError(t, json.Unmarshal(raw, &p))
		change(&p.Steps[1])
		_, err := o.apply(&p, func(o *fix.Options) { o.Token = "sk-canary-new" })
		require.ErrorIs(t, err, fix.ErrEdited, name)
	}
	assert.Empty(t, o.writes(since), "refused before the first write")
	assert.NoFileExists(t, o.dir+"/backup.json")

	// What only the plan's generation tells: a workaround that is done by its own words.
	own := o.projectSecret("evals", "own", `{"auth_type":"api_key","api_base":"http://gateway:8080/v1"}`)
	done := o.plan(fix.Workaround, fix.DataPlane{Generation: provider.Legacy202602}, own)
	require.Len(t, done.Steps, 1)
	done.Steps[0].After = done.Steps[0].Before
	_, err = o.apply(done, func(p *fix.Options) { p.Backup = o.dir + "/own.json" })
	require.ErrorIs(t, err, fix.ErrEdited)

	var p fix.Plan
	require.NoError(t, json.Unmarshal(raw, &p))
	_, err = o.apply(&p, nil)
	require.NoError(t, err, "the plan itself is fine")
}

func TestAnAPIThatRoundsNumbersIsSeen(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", `{"auth_format":"api_key","n":12345678901234567890}`)
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	o.configure(func(c *dataplane.Config) { c.Writes.RoundNumbers = true })
	_, err := o.apply(p, nil)
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "not only what was asked has changed: metadata.n")
}

func TestNamesakesOnTheOtherLevelAreTold(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	org, own := o.secret("acme", affected("")), o.projectSecret("evals", "acme", affected(""))
	o.projectSecret("fine", "acme", works())
	found, err := inventory.Read(t.Context(), o.client(adminKey), inventory.Options{All: true})
	require.NoError(t, err)
	plane := fix.DataPlane{Version: version("2.0.0")}
	plane.Know(found)
	for _, row := range []struct {
		fixed inventory.Secret
		left  string
	}{{org, "acme (project evals)"}, {own, "acme (org)"}} {
		p := o.plan(fix.Bearer, plane, row.fixed)
		assert.Contains(t, p.Text(), `not mended by this, and with auth_format "api_key" too: `+row.left)
		said, err := o.apply(p, func(p *fix.Options) { p.Backup = t.TempDir() + "/b.json" })
		require.NoError(t, err)
		if row.fixed.ID == org.ID {
			lines := strings.Split(strings.TrimSpace(said), "\n")
			assert.Equal(t, `not mended, and with auth_format "api_key" still: acme (project evals) (planeproof fix plan --secret `+own.ID+`)`, lines[len(lines)-1])
		} else {
			assert.NotContains(t, said, "still", "the org's was mended meanwhile: apply reads it again")
		}
	}
	assert.Empty(t, o.plan(fix.Bearer, plane, org, own).Steps[0].Namesakes, "both are in the plan")
}

func TestA5xxIsNoRefusal(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	p := o.plan(fix.Bearer, fix.DataPlane{}, o.secret("one", affected("")))
	err := o.applyWith(p, answeringStatus{o.server.Client().Transport, 501}, nil)
	require.Equal(t, control.Busy, control.KindOf(err))
	require.NotErrorIs(t, err, fix.ErrNotApplied)
}

// answeringStatus answers every GET of a secret so.
type answeringStatus struct {
	next   http.RoundTripper
	status int
}

func (a answeringStatus) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/v1/ai_secret/") {
		return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}, Request: r}, nil
	}
	return a.next.RoundTrip(r)
}

// TestEchoedTokensAreNotShown: an API that quotes what it refuses.
func TestEchoedTokensAreNotShown(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Writes.Echo = true })
	p := o.plan(fix.RawToken, fix.DataPlane{}, o.secret("one", affected("")))
	_, err := o.apply(p, func(o *fix.Options) { o.Token = "sk-canary-new-token" })
	require.Equal(t, control.Refused, control.KindOf(err))
	assert.NotContains(t, err.Error(), "canary")
	// Neither its form nor its place tells that this is a token.
	o.faults(tenancy.Fault{Path: "/v1/ai_secret/", Method: "PATCH", Status: 400, Body: `{"error":"what is canary.pony good for"}`})
	_, err = o.apply(p, func(o *fix.Options) { o.Token = "canary.pony" })
	assert.ErrorContains(t, err, "what is ")
	require.Equal(t, control.Refused, control.KindOf(err))
	assert.NotContains(t, err.Error(), "canary")
	raw, err := os.ReadFile(fix.JournalPath(o.dir + "/backup.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "canary")
}
