package fix_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestBackupsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	path := o.dir + "/backup.json"
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	since := len(o.journal())
	for _, row := range []struct{ old, new, reason string }{
		{"planeproof/backup/v1", "planeproof/backup/v2", "use the program that wrote it"},
		{"planeproof/backup/v1", "planeproof/plan/v1", `want planeproof/backup/v1`},
		{headerValue, "hdr-other", "are not what remedy bearer makes of the secret"},
		{"/v1/ai_secret/", "/v1/env_var/", "are not what remedy bearer makes of the secret"},
		{string(raw[len(raw)/2:]), "", "not JSON of ours"},
	} {
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), row.old, row.new, 1)), 0o600))
		_, _, err := o.restore()
		require.ErrorIs(t, err, file.ErrUnusable, row.new)
		assert.ErrorContains(t, err, row.reason)
		assert.NotContains(t, err.Error(), "canary")
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), orgID, strings.Replace(orgID, "6d1c", "7d1c", 1), 1)), 0o600))
	_, _, err = o.restore()
	require.ErrorIs(t, err, fix.ErrOrganization)
	assert.Empty(t, o.writes(since))
}

func TestRestoreLeavesWhatOthersChanged(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	gone, changed, broken, kept := o.secret("gone", affected("")), o.secret("changed", affected("")), o.secret("broken", affected("")), o.secret("kept", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, gone, changed, broken, kept), nil)
	require.NoError(t, err)
	o.admin("DELETE", gone.Path(), "")
	o.admin("PATCH", changed.Path(), `{"metadata":{"api_base":"http://other"}}`)
	o.admin("PATCH", kept.Path(), `{"name":"renamed"}`)
	since := len(o.journal())
	undos, said, err := o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "gone (org): it does not exist any more")
	assert.ErrorContains(t, err, "changed (org): its metadata was changed by somebody else since (additionalHeaders, api_base")
	assert.Contains(t, said, "kept (org): restored and read back")
	i := slices.IndexFunc(undos, func(u fix.Undo) bool { return u.Saved.Step.Name == "kept" })
	assert.Equal(t, []string{"also changed since, and left alone: name"}, undos[i].Caveats)
	assert.Len(t, o.writes(since), 2)
	assert.Equal(t, affected(""), o.metadata(kept))
	assert.Equal(t, "renamed", o.object(kept).Get("name").String())
}

func TestRestoreAsksTheJournalWhoChangedIt(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Keys[1].Role = dataplane.RoleAdmin })
	first, second := o.secret("first", affected("")), o.secret("second", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, first, second)
	o.config.Patch = dataplane.PatchIgnore
	o.configure(func(*dataplane.Config) {})
	_, err := o.apply(p, nil) // stops at the first; the second is in the backup and was never begun
	require.ErrorIs(t, err, fix.ErrNotApplied)
	o.configure(func(c *dataplane.Config) { c.Patch = dataplane.PatchReplace })
	o.admin("PATCH", second.Path(), `{"metadata":`+strings.Replace(affected(""), `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1)+`}`)
	_, said, err := o.restore()
	assert.ErrorContains(t, err, "second (org): its metadata was changed by somebody else since (auth_format)")
	assert.Contains(t, said, "first (org): is as in the backup, not written")
}

func TestRestoreLooksAgain(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	var said strings.Builder
	options := o.options(&said)
	backup, err := fix.ReadBackup(options.Backup)
	require.NoError(t, err)
	undos, err := fix.Compare(t.Context(), o.client(adminKey), backup, options)
	require.NoError(t, err)
	o.admin("PATCH", one.Path(), `{"metadata":{"api_base":"http://other"}}`)
	err = fix.Restore(t.Context(), o.client(adminKey), backup, undos, options)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "it was changed by somebody else meanwhile; not written")
	assert.JSONEq(t, `{"api_base":"http://other"}`, o.metadata(one))
}

func TestRestoreWhereTheAPIMerges(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Patch = dataplane.PatchMerge })
	metadata := `{"api_base":"http://gateway:8080/v1","additionalHeaders":{"x-acme":"` + headerValue + `"}}`
	org, own := o.secret("org", metadata), o.projectSecret("evals", "own", metadata)
	orgBefore := o.object(org)
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, org, own), nil)
	require.NoError(t, err, "what is set goes through")
	since := len(o.journal())
	undos, said, err := o.restore(func(o *fix.Options) { o.AllowPut = true })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, `own (project evals): auth_format is "bearer", not (absent); auth_type is "api_key", not (absent)`)
	assert.Contains(t, said, "org (org): restored and read back")
	assert.Contains(t, undos[0].Caveats[0], "auth_format, auth_type cannot be removed again: an env_var is never replaced", "told beforehand")
	assert.Contains(t, undos[1].Caveats[0], "will be removed by a PUT without the stored value")
	assert.Equal(t, []string{"PATCH " + own.Path() + " 200", "PATCH " + org.Path() + " 200", "PUT /v1/ai_secret 200"}, o.writes(since))
	after := o.object(org)
	assert.JSONEq(t, metadata, after.Get("metadata").Raw)
	for _, field := range []string{"id", "name", "type", "preview_secret", "secret_updated_at", "created"} {
		assert.Equal(t, orgBefore.Get(field).Raw, after.Get(field).Raw, field)
	}
	handed := o.admin("POST", "/api/secret", `{"mode":"full"}`)
	assert.Equal(t, "sk-canary-stored-org", handed.Get("0.secret").String(), "the stored value is kept")
}

func TestReplacedValueCannotBeRestored(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.RawToken, fix.DataPlane{}, one), func(o *fix.Options) { o.Token = "sk-canary-new" })
	require.NoError(t, err)
	since := len(o.journal())
	undos, _, err := o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.Contains(t, undos[0].Obstacles[0], "no backup holds the old one")
	assert.Empty(t, o.writes(since))
}

func TestCompareOnlyReads(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	path := o.dir + "/backup.json"
	backup, err := fix.ReadBackup(path)
	require.NoError(t, err)
	since := len(o.journal())
	undos, err := fix.Compare(t.Context(), o.client(memberKey), backup, fix.Options{Backup: path})
	require.NoError(t, err)
	require.Len(t, undos, 1)
	assert.True(t, undos[0].Needed)
	assert.Equal(t, []fix.Change{{Key: "auth_format", Before: `"bearer"`, After: `"api_key"`}}, undos[0].Changes)
	for _, e := range o.journal()[since:] {
		assert.Equal(t, "GET", e.Method)
	}
}

// TestApplyAndRestoreRandomMetadata: for random metadata and any remedy, applying changes exactly the named keys, and restoring on an API
// that replaces gives back every byte.
func TestApplyAndRestoreRandomMetadata(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	applied := map[fix.Remedy]int{}
	for seed := range uint64(40) {
		if seed%20 == 19 { // a journal has room for a thousand exchanges
			o = newOrg(t, nil)
		}
		random := rand.New(rand.NewPCG(seed, 2))
		metadata := randomMetadata(random)
		for i, remedy := range fix.Remedies() {
			name := fmt.Sprintf("s%d-%d", seed, i)
			in := fix.DataPlane{Version: version("2.0.0")}
			var s inventory.Secret
			switch {
			case remedy == fix.Workaround || remedy == fix.Literal:
				s, in = o.projectSecret("evals", name, metadata), fix.DataPlane{Generation: provider.Legacy202602}
			case random.IntN(2) == 0:
				s = o.projectSecret("evals", name, metadata)
			default:
				s = o.secret(name, metadata)
			}
			p := o.plan(remedy, in, s)
			if len(p.Steps) == 0 {
				continue
			}
			applied[remedy]++
			applyAndRestore(t, o, p, s)
		}
	}
	for _, remedy := range fix.Remedies() {
		assert.Positive(t, applied[remedy], remedy)
	}
}

func applyAndRestore(t *testing.T, o *org, p *fix.Plan, s inventory.Secret) {
	t.Helper()
	metadata := string(s.Metadata)
	backup := filepath.Join(t.TempDir(), "backup.json")
	o.dir = filepath.Dir(backup)
	_, err := o.apply(p, func(o *fix.Options) { o.Token = "sk-canary-new" })
	require.NoError(t, err, metadata)
	step := p.Steps[0]
	var named []string
	after := o.metadata(s)
	for _, e := range step.Edit.Set {
		named = append(named, e.Key)
		require.Equal(t, string(e.Value), gjson.Get(after, e.Key).Raw)
	}
	named = append(named, step.Edit.Remove...)
	require.Equal(t, rawPairs(metadata, named), rawPairs(after, named), "%s of %s", step.Remedy, metadata)
	for _, pair := range rawPairs(after, nil) {
		for _, key := range step.Edit.Remove {
			require.False(t, strings.HasPrefix(pair, string(quoted(key))+":"), "%s is still there", key)
		}
	}
	_, _, err = o.restore()
	if step.ReplaceValue {
		require.ErrorContains(t, err, "its stored value was replaced")
	} else {
		require.NoError(t, err, metadata)
	}
	require.Equal(t, metadata, o.metadata(s), "to the byte")
}
