package fix_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestApplyRefusesBeforeAnyWrite(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one, two := o.secret("one", affected("")), o.secret("two", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, one, two)
	since := len(o.journal())

	_, err := o.apply(p, func(o *fix.Options) { o.Org = "Acme" })
	require.ErrorIs(t, err, fix.ErrOrganization)
	assert.ErrorContains(t, err, `the plan is about "acme", not "Acme"`)

	_, err = o.apply(p, func(o *fix.Options) { o.Wave = 3 })
	assert.ErrorContains(t, err, "the plan has no wave 3")

	other := *p
	other.Organization.ID = strings.Replace(orgID, "6d1c", "7d1c", 1)
	_, err = o.apply(&other, nil)
	require.ErrorIs(t, err, fix.ErrOrganization)
	assert.ErrorContains(t, err, `the key sees ["acme"]`)

	o.admin("PATCH", two.Path(), `{"metadata":{"auth_format":"api_key"}}`)
	_, err = o.apply(p, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "nothing was written, as secrets have changed since the plan was made: two: its metadata is another")

	o.admin("PATCH", one.Path(), `{"name":"renamed"}`)
	o.admin("DELETE", two.Path(), "")
	_, err = o.apply(p, nil)
	assert.ErrorContains(t, err, "one: its name or type is another; two: it does not exist any more")
	assert.Empty(t, cut(o.writes(since), "PATCH "+two.Path()+" 200", "PATCH "+one.Path()+" 200", "DELETE "+two.Path()+" 200"))
	assert.NoFileExists(t, o.dir+"/backup.json")
}

// cut removes one occurrence of each.
func cut(from []string, each ...string) []string {
	for _, one := range each {
		for i, s := range from {
			if s == one {
				from = append(from[:i:i], from[i+1:]...)
				break
			}
		}
	}
	return from
}

func TestApplyRefusalsOfTheAPI(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	p := o.plan(fix.Bearer, fix.DataPlane{}, o.secret("one", affected("")))
	before := o.object(inventory.Secret{ID: p.Steps[0].SecretID, Level: inventory.Org}).Raw
	var said strings.Builder

	_, err := fix.Apply(context.Background(), o.client(memberKey), p, o.options(&said))
	require.Equal(t, control.Forbidden, control.KindOf(err))
	assert.ErrorContains(t, err, "org admin")

	_, err = fix.Apply(context.Background(), o.client("bt-nobody"), p, o.options(&said))
	require.Equal(t, control.WrongKey, control.KindOf(err))

	o.faults(tenancy.Fault{Path: "/v1/organization", Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>login"})
	_, err = o.apply(p, nil)
	require.Equal(t, control.Broken, control.KindOf(err))

	o.faults(tenancy.Fault{Path: "/v1/ai_secret/", Method: "PATCH", Status: 400,
		Body: `{"error":"additionalHeaders ` + headerValue + ` of svc:` + password + ` not liked"}`})
	since := len(o.journal())
	_, err = o.apply(p, nil)
	require.Equal(t, control.Refused, control.KindOf(err))
	assert.Len(t, o.writes(since), 1, "the name is sent only where it is asked for")
	assert.NotContains(t, err.Error(), "canary", "the API may echo what it refuses")
	assert.ErrorContains(t, err, "not liked")

	o.faults(tenancy.Fault{Path: "/v1/ai_secret/", Method: "PATCH", Status: 502, Body: "bad gateway"})
	since = len(o.journal())
	_, err = o.apply(p, nil)
	require.Equal(t, control.Busy, control.KindOf(err))
	require.NotErrorIs(t, err, fix.ErrNotApplied, "a 5xx is no refusal")
	assert.ErrorContains(t, err, "read back, and the secret is as it was")
	assert.Len(t, o.writes(since), 1)

	o.faults()
	o.server.Close()
	_, err = o.apply(p, nil)
	require.Equal(t, control.Unreachable, control.KindOf(err))
	assert.Equal(t, before, o.object(inventory.Secret{ID: p.Steps[0].SecretID, Level: inventory.Org}).Raw, "nothing changed")
}

func TestBearerChangesItsTwoKeysAndProvesIt(t *testing.T) {
	t.Parallel()
	for _, needsName := range []bool{false, true} {
		o := newOrg(t, func(c *dataplane.Config) { c.PatchNeedsName = needsName })
		org, own := o.secret("shared", callable(`,"n":12345678901234567890`)), o.projectSecret("evals", "acme", callable(""))
		orgBefore, ownBefore := o.object(org), o.object(own)
		p := o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, org, own)
		since := len(o.journal())
		said, err := o.apply(p, func(o *fix.Options) { o.Model = "acme-chat" })
		require.NoError(t, err)
		assert.Contains(t, said, "wave 1\n  1 of 2: acme (project evals): changed, read back and proven; a call of acme-chat works with and without the caches "+
			"(refused before the change: status 401), and the proxy named this secret\nwave 2\n  2 of 2: shared (org): changed, read back and proven")
		assert.Contains(t, said, "and no other secret could have answered it", "a call without a project reaches the org's alone")

		want := []string{"PATCH " + own.Path() + " 200", "PATCH " + org.Path() + " 200"}
		if needsName {
			want = append([]string{"PATCH " + own.Path() + " 400"}, want...)
		}
		assert.Equal(t, want, o.writes(since), "OVERRIDE-19: name only after a 400, and only for the env_var")
		for _, pair := range [][2]gjson.Result{{orgBefore, o.object(org)}, {ownBefore, o.object(own)}} {
			expected := strings.Replace(pair[0].Get("metadata").Raw, `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1)
			assert.Equal(t, expected, pair[1].Get("metadata").Raw, "every other byte is as it was")
			for _, field := range []string{"name", "preview_secret", "secret_updated_at", "created"} {
				assert.Equal(t, pair[0].Get(field).Raw, pair[1].Get(field).Raw, field)
			}
		}
		since = len(o.journal())
		said, err = o.apply(p, nil)
		require.NoError(t, err)
		assert.Contains(t, said, "is as planned already, not written")
		assert.Empty(t, o.writes(since))
	}
}

// naming gives every answer the name of its request.
type naming struct{ next http.RoundTripper }

func (n naming) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(r)
	if err == nil {
		resp.Header.Set("X-Request-Id", "req-1")
	}
	return resp, err
}

func TestFilesTellWhoAndHoldNoSecrets(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	var said strings.Builder
	client := control.New(o.url(), adminKey, &http.Client{Transport: naming{o.server.Client().Transport}})
	_, err := fix.Apply(context.Background(), client, p, o.options(&said))
	require.NoError(t, err)
	assert.NotContains(t, said.String(), "canary")
	journal, err := os.ReadFile(fix.JournalPath(o.dir + "/backup.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(journal), "canary")
	lines := strings.Split(strings.TrimSpace(string(journal)), "\n")
	require.Len(t, lines, 3)
	for i, event := range []string{"begin", "written", "proven"} {
		assert.Equal(t, event, gjson.Get(lines[i], "event").String())
		assert.Equal(t, fix.JournalSchema, gjson.Get(lines[i], "schema").String())
		assert.Equal(t, `{"key":"test key","os_user":"tester"}`, gjson.Get(lines[i], "who").Raw)
		assert.Equal(t, "acme", gjson.Get(lines[i], "organization.name").String())
		assert.NotEmpty(t, gjson.Get(lines[i], "at").String())
	}
	assert.Equal(t, `{"x-request-id":"req-1"}`, gjson.Get(lines[1], "request_ids").Raw)
	assert.Equal(t, `[{"key":"auth_format","before":"\"api_key\"","after":"\"bearer\""}]`, gjson.Get(lines[0], "changes").Raw)

	backup, err := os.ReadFile(o.dir + "/backup.json")
	require.NoError(t, err)
	assert.Contains(t, gjson.GetBytes(backup, "warning").String(), "metadata may hold credentials")
	assert.Contains(t, string(backup), headerValue, "it must be able to restore")
	assert.NotContains(t, string(backup), "sk-canary-stored")
	for _, path := range []string{"/backup.json", "/backup.json.journal.jsonl"} {
		info, err := os.Stat(o.dir + path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), path)
	}
}

func TestIgnoredAndMergedChangesAreReported(t *testing.T) {
	t.Parallel()
	metadata := `{"auth_type":"api_key","auth_format":"bearer","api_base":"http://gateway:8080/v1","excludeDefaultModels":true,
		"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}}`
	strict := fix.DataPlane{Generation: provider.Legacy202602}
	for _, row := range []struct {
		name, patch string
		remedy      fix.Remedy
		in          fix.DataPlane
		is          error
		says        []string
	}{
		{"BEARER-18", dataplane.PatchIgnore, fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, fix.ErrNotApplied,
			[]string{`auth_format is "api_key", not "bearer"`, "the secret is as it was"}},
		{"OVERRIDE-18", dataplane.PatchMerge, fix.Workaround, strict, fix.ErrNotApplied,
			[]string{`auth_format is "bearer", not (absent)`, `auth_type is "api_key", not (absent)`, "the secret is as it was"}},
		{"literal merged", dataplane.PatchMerge, fix.Literal, strict, fix.ErrInPlace, []string{"auth_type is", "it could be put back only in part: supportsStreaming is true, not (absent)"}},
	} {
		o := newOrg(t, func(c *dataplane.Config) { c.Patch = row.patch })
		own := o.projectSecret("evals", "own", metadata)
		if row.remedy == fix.Bearer {
			own = o.projectSecret("evals", "other", affected(""))
		}
		later := o.secret("later", affected(""))
		p := o.plan(row.remedy, row.in, own)
		require.Len(t, p.Steps, 1, "%v", p.Refused)
		p.Steps = append(p.Steps, o.plan(fix.Bearer, fix.DataPlane{}, later).Steps...)
		_, err := o.apply(p, nil)
		require.ErrorIs(t, err, row.is, row.name)
		for _, text := range append(row.says, "accepted the change, but did not apply it", "1 later steps were not begun") {
			assert.ErrorContains(t, err, text, row.name)
		}
		assert.JSONEq(t, affected(""), o.metadata(later), "stopped at the first failed proof")
	}
}

func TestOtherPlansBackupIsKept(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.secret("one", affected(""))), nil)
	require.NoError(t, err)
	_, err = o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.secret("two", affected(""))), nil)
	require.ErrorIs(t, err, file.ErrUnusable)
	assert.ErrorContains(t, err, "it is the backup of another plan")
}

func TestWavesAreDoneAlone(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	var all []inventory.Secret
	for i := range 3 {
		all = append(all, o.secret(fmt.Sprintf("s%d", i), affected("")))
	}
	p := o.plan(fix.Bearer, fix.DataPlane{}, all...)
	since := len(o.journal())
	_, err := o.apply(p, func(o *fix.Options) { o.Wave = 2 })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "waves before wave 2 are not done: s0 (org)")
	assert.Empty(t, o.writes(since))
	var said strings.Builder
	options := o.options(&said)
	options.Wave = 1
	result, err := fix.Apply(t.Context(), o.client(adminKey), p, options)
	require.NoError(t, err)
	assert.Equal(t, fix.Result{Steps: 1, Written: 1, WavesLeft: 1, NextWave: 2}, result)
	assert.Contains(t, o.metadata(all[0]), `"auth_format":"bearer"`)
	assert.Contains(t, o.metadata(all[1]), `"auth_format":"api_key"`)
	_, err = o.apply(p, func(o *fix.Options) { o.Wave = 2 })
	require.NoError(t, err)
	raw, err := os.ReadFile(o.dir + "/backup.json")
	require.NoError(t, err)
	var backup fix.Backup
	require.NoError(t, json.Unmarshal(raw, &backup))
	assert.Len(t, backup.Secrets, 3, "a later wave adds to the backup of the plan")
}

func TestOddNamesAndLargeMetadata(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	name := "é\u001b[31m \u2028\"<&>\\ \n" + strings.Repeat("x", 300)
	raw, err := json.Marshal(name)
	require.NoError(t, err)
	metadata := affected(`,"blob":"` + strings.Repeat("b", 1<<20) + `"`)
	id := o.admin("POST", "/v1/ai_secret", `{"name":`+string(raw)+`,"type":"openai","secret":"sk-canary-stored","metadata":`+metadata+`}`).Get("id").String()
	s := o.find(id)
	p := o.plan(fix.Bearer, fix.DataPlane{}, s)
	assert.NotContains(t, p.Text(), "\x1b")
	assert.Equal(t, 5, strings.Count(p.Text(), "\n")-strings.Count(p.Text(), "note for"), "one line each")
	said, err := o.apply(p, nil)
	require.NoError(t, err)
	assert.NotContains(t, said, "\x1b")
	assert.Equal(t, strings.Replace(metadata, `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1), o.metadata(s))
	o.admin("PATCH", s.Path(), `{"metadata":{}}`)
	_, err = o.apply(p, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.NotContains(t, err.Error(), "\x1b")
	assert.NotContains(t, err.Error(), "\n")
}
