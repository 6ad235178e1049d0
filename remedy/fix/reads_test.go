package fix_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// slept is how long the clock was slept by since it was last asked.
func (c *clock) total() (total time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		total += d
	}
	c.slept = nil
	return total
}

func TestStaleReadsAreReadAgain(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	o.configure(func(c *dataplane.Config) { c.Writes.StaleReads = 4 })
	_, err := o.apply(p, nil)
	require.NoError(t, err)
	o.configure(func(c *dataplane.Config) { c.Writes = dataplane.Writes{} })
	assert.Equal(t, strings.Replace(affected(""), `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1), o.metadata(one))

	// A token, of which only the date tells.
	o.configure(func(c *dataplane.Config) { c.Writes.StaleReads = 4 })
	_, err = o.apply(o.plan(fix.RawToken, fix.DataPlane{}, o.secret("two", affected(""))), func(p *fix.Options) {
		p.Token, p.Backup = "sk-canary-new", o.dir+"/two.json"
	})
	require.NoError(t, err)

	// Longer than the wait, it is not applied as far as can be seen.
	three := o.secret("three", affected(""))
	p = o.plan(fix.Bearer, fix.DataPlane{}, three)
	o.configure(func(c *dataplane.Config) { c.Writes.StaleReads = 1000 })
	_, err = o.apply(p, func(p *fix.Options) { p.Backup = o.dir + "/three.json" })
	require.ErrorIs(t, err, fix.ErrNotApplied)
}

func TestRestoreReadsAgainWhatLooksAsInTheBackup(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one, two := o.secret("one", affected("")), o.secret("two", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one, two), nil)
	require.NoError(t, err)
	// A write of the same metadata makes the readings after it old.
	for _, s := range []inventory.Secret{one, two} {
		o.admin("PATCH", s.Path(), `{"metadata":`+affected("")+`}`)
		o.configure(func(c *dataplane.Config) { c.Writes.StaleReads = 4 })
		o.admin("PATCH", s.Path(), `{"metadata":`+works2()+`}`)
	}
	o.clock.total()
	undos, _, err := o.restore()
	require.NoError(t, err)
	assert.True(t, undos[0].Needed && undos[1].Needed, "the first readings said: as in the backup")
	o.configure(func(c *dataplane.Config) { c.Writes = dataplane.Writes{} })
	assert.JSONEq(t, affected(""), o.metadata(one))
	assert.JSONEq(t, affected(""), o.metadata(two))
}

func works2() string {
	return strings.Replace(affected(""), `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1)
}

func TestAsInTheBackupNeedsTwoReadings(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Patch = dataplane.PatchIgnore })
	first, second := o.secret("first", affected("")), o.secret("second", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, first, second), nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	since := len(o.journal())
	o.clock.total()
	_, said, err := o.restore()
	require.NoError(t, err)
	assert.Contains(t, said, "2 of 2: second (org): is as in the backup, not written")
	reads := 0
	for _, e := range o.journal()[since:] {
		if strings.HasSuffix(e.Path, second.ID) {
			reads++
		}
	}
	assert.Equal(t, 2, reads, "the journal tells of no write of the second: two readings, and no more")
	assert.Equal(t, 15*time.Second, o.clock.total(), "the wait for the first, which was written, is the only one")
}

func TestARevertIsSeenByOneSharedReading(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	var all []inventory.Secret
	for i := range 3 {
		all = append(all, o.secret(fmt.Sprintf("s%d", i), affected("")))
	}
	p := o.plan(fix.Bearer, fix.DataPlane{}, all...)
	o.configure(func(c *dataplane.Config) { c.Writes.RevertAfterReads = 1 })
	said, err := o.apply(p, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "was reverted since: s0 (org) is as it was before; s1 (org) is as it was before; s2 (org) is as it was before")
	assert.Contains(t, said, "3 of 3: s2 (org): changed, read back and proven", "a single reading is content")
	assert.Equal(t, 15*time.Second, o.clock.total(), "one wait for all")
}

func TestPatchThatMovesTheDateIsNoFailure(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Writes.PatchMovesSecretUpdatedAt = true })
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	_, _, err = o.restore()
	require.NoError(t, err)
	assert.JSONEq(t, affected(""), o.metadata(one))

	// Without a preview nothing tells that from a new value.
	o.configure(func(c *dataplane.Config) { c.Writes.NoPreview = true })
	_, err = o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.find(one.ID)), func(p *fix.Options) { p.Backup = o.dir + "/2.json" })
	require.ErrorIs(t, err, fix.ErrInPlace)
	assert.ErrorContains(t, err, "secret_updated_at")
}

func TestATokenWithoutADate(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Writes.NoSecretUpdatedAt = true })
	one := o.secret("one", affected(""))
	p := o.plan(fix.RawToken, fix.DataPlane{}, one)
	token := func(o *fix.Options) { o.Token = "sk-canary-another-new-token" }
	_, err := o.apply(p, token)
	require.NoError(t, err, "the preview tells")
	since := len(o.journal())
	_, err = o.apply(p, token)
	require.NoError(t, err)
	assert.Empty(t, o.writes(since), "the journal tells that it is done")
	o.configure(func(c *dataplane.Config) { c.Writes.NoPreview = true })
	undos, _, err := o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.Contains(t, undos[0].Obstacles[0], "its stored value was replaced: no backup holds the old one")
	require.NoError(t, os.Remove(fix.JournalPath(o.dir+"/backup.json")))
	undos, _, err = o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.Contains(t, undos[0].Obstacles[0], "neither the API nor a journal tells")

	// Nothing at all is told of the stored value.
	_, err = o.apply(o.plan(fix.RawToken, fix.DataPlane{}, o.find(one.ID)), func(p *fix.Options) { token(p); p.Backup = o.dir + "/2.json" })
	require.ErrorIs(t, err, fix.ErrCannotTell)
	assert.ErrorContains(t, err, "neither a preview nor a date")
}

func TestRestoreByTheIDOfTheOrganization(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	o.configure(func(c *dataplane.Config) { c.Organization.Name = "acme-two" })
	_, said, err := o.restore()
	require.NoError(t, err)
	assert.Contains(t, said, "note: the organization acme is called acme-two now")
	assert.JSONEq(t, affected(""), o.metadata(one))
	said, err = o.apply(o.plan(fix.Bearer, fix.DataPlane{}, o.find(one.ID)), func(p *fix.Options) { p.Org, p.Backup = "acme-two", o.dir+"/2.json" })
	require.NoError(t, err)
	assert.Contains(t, said, "is called acme-two now")
}

func TestRestoreMergesWhatOthersChanged(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", `{"api_base":"http://a","auth_format":"api_key"}`)
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	o.admin("PATCH", one.Path(), `{"metadata":{"api_base":"http://b","auth_format":"bearer","auth_type":"api_key"}}`)
	since := len(o.journal())
	_, _, err = o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, `changed by somebody else since (api_base): it is left as it is; --merge keeps that and puts back: `+
		`auth_format: "bearer" → "api_key"; auth_type: "api_key" → (absent)`)
	assert.Empty(t, o.writes(since))
	undos, _, err := o.restore(func(o *fix.Options) { o.Merge = true })
	require.NoError(t, err)
	assert.Contains(t, undos[0].Text(), "our keys are written back, theirs are kept")
	assert.JSONEq(t, `{"api_base":"http://b","auth_format":"api_key"}`, o.metadata(one))

	// A key of ours that somebody else has changed is theirs.
	o.admin("PATCH", one.Path(), `{"metadata":{"api_base":"http://a","auth_format":"basic","auth_type":"api_key"}}`)
	_, _, err = o.restore(func(o *fix.Options) { o.Merge = true })
	require.NoError(t, err)
	assert.JSONEq(t, `{"api_base":"http://a","auth_format":"basic"}`, o.metadata(one))
}

func TestAPutThatLosesTheValueIsSaidFirst(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.Patch, c.Writes.PutLosesValue = dataplane.PatchMerge, true })
	one := o.secret("one", `{"api_base":"http://a"}`)
	_, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	since := len(o.journal())
	_, _, err = o.restore()
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "--allow-put would replace the secret without its stored value")
	o.configure(func(c *dataplane.Config) { c.Writes.NoPreview = true })
	_, _, err = o.restore(func(o *fix.Options) { o.AllowPut = true })
	require.ErrorIs(t, err, fix.ErrNotApplied)
	for _, w := range o.writes(since) {
		assert.NotContains(t, w, "PUT", "not without the caller's leave, and not where its loss could not be seen")
	}
	o.configure(func(c *dataplane.Config) { c.Writes.NoPreview = false })
	_, _, err = o.restore(func(o *fix.Options) { o.AllowPut = true })
	require.ErrorIs(t, err, fix.ErrValueLost)
	assert.True(t, strings.HasPrefix(err.Error(), "the stored value was lost"), err)
}

// watching refuses to pass on a request that was not written into the journal before, or that comes before the backup.
type watching struct {
	next   http.RoundTripper
	backup string
	sent   *[]string
}

func (w watching) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return w.next.RoundTrip(r)
	}
	path := strings.TrimPrefix(r.URL.Path, "/"+tenantID)
	*w.sent = append(*w.sent, r.Method+" "+path)
	var saved fix.Backup
	if err := file.ReadJSON(w.backup, fix.BackupSchema, &saved); err != nil || len(saved.Secrets) == 0 {
		return nil, fmt.Errorf("no backup before %s %s", r.Method, path)
	}
	raw, err := os.ReadFile(fix.JournalPath(w.backup))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	last := gjson.Parse(lines[len(lines)-1])
	if event := last.Get("event").String(); event != "begin" && event != "call" || !strings.HasPrefix(last.Get("request").String(), r.Method+" "+path) {
		return nil, fmt.Errorf("the journal tells %s %s, not %s %s", event, last.Get("request"), r.Method, path)
	}
	return w.next.RoundTrip(r)
}

// TestTheJournalTellsOfEachRequestFirst: changes, those with the name, put-backs, PUT and calls, of apply and of restore.
func TestTheJournalTellsOfEachRequestFirst(t *testing.T) {
	t.Parallel()
	o := newOrg(t, func(c *dataplane.Config) { c.PatchNeedsName = true })
	own := o.projectSecret("evals", "own", strings.Replace(callable(""), "/v1", "/apikey/v1", 1)) // it works, and is put back
	var sent []string
	transport := watching{o.server.Client().Transport, o.dir + "/backup.json", &sent}
	err := o.applyWith(o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own), transport, calling("acme-chat"))
	require.ErrorIs(t, err, fix.ErrNotApplied)
	require.ErrorContains(t, err, "it was put back, and is as it was")
	const call = "POST /v1/proxy/chat/completions"
	patch := "PATCH " + own.Path()
	assert.Equal(t, []string{call, patch, patch, call, patch, patch}, sent)

	o = newOrg(t, func(c *dataplane.Config) { c.Patch = dataplane.PatchMerge })
	org := o.secret("org", `{"api_base":"http://gateway:8080/v1"}`)
	sent = nil
	transport = watching{o.server.Client().Transport, o.dir + "/backup.json", &sent}
	require.NoError(t, o.applyWith(o.plan(fix.Bearer, fix.DataPlane{}, org), transport, nil))
	client := control.New(o.url(), adminKey, &http.Client{Transport: transport})
	var said strings.Builder
	options := o.options(&said)
	options.AllowPut = true
	backup, err := fix.ReadBackup(options.Backup)
	require.NoError(t, err)
	undos, err := fix.Compare(t.Context(), client, backup, options)
	require.NoError(t, err)
	require.NoError(t, fix.Restore(t.Context(), client, backup, undos, options))
	patch = "PATCH " + org.Path()
	assert.Equal(t, []string{patch, patch, "PUT /v1/ai_secret"}, sent)
}

func TestKindsOfRequestAreAnnounced(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/fix-format.md")
	require.NoError(t, err)
	for _, kind := range slices.Concat(fix.ApplyRequests(), fix.RestoreRequests()) {
		assert.True(t, strings.Contains(string(docs), "\n- "+kind+"\n"), "docs/fix-format.md does not tell: %s", kind)
	}
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	said, err := o.apply(o.plan(fix.Bearer, fix.DataPlane{}, one), nil)
	require.NoError(t, err)
	told := strings.Index(said, strings.Join(fix.ApplyRequests(), "\n  "))
	assert.True(t, 0 <= told && told < strings.Index(said, "wave 1"), "before the first write: %s", said)
	_, said, err = o.restore()
	require.NoError(t, err)
	assert.Contains(t, said, strings.Join(fix.RestoreRequests(), "\n  "))
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	p := o.plan(fix.Bearer, fix.DataPlane{}, o.secret("one", affected("")))
	journal := fix.JournalPath(o.dir + "/backup.json")
	target := filepath.Join(t.TempDir(), "target")
	require.NoError(t, os.WriteFile(target, nil, 0o600))
	require.NoError(t, os.Symlink(target, journal))
	since := len(o.journal())
	_, err := o.apply(p, nil)
	require.ErrorIs(t, err, file.ErrUnusable, "never what a link leads to")
	assert.Empty(t, o.writes(since))
	require.NoError(t, os.Remove(journal))
	require.NoError(t, os.WriteFile(journal, []byte("{}\n"), 0o644))
	_, err = o.apply(p, nil)
	require.NoError(t, err)
	info, err := os.Stat(journal)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode(), "narrowed")
	backup := o.dir + "/backup.json"
	require.NoError(t, os.Chmod(backup, 0o644))
	_, _, err = o.restore()
	require.NoError(t, err)
	info, err = os.Stat(backup)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode(), "narrowed")
}

func TestTwoAppliesLockEachOtherOut(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	release, err := file.Lock(o.dir + "/backup.json")
	require.NoError(t, err)
	since := len(o.journal())
	_, err = o.apply(p, nil)
	require.ErrorIs(t, err, file.ErrLocked)
	assert.Empty(t, o.writes(since))
	require.NoError(t, release())
	_, err = o.apply(p, nil)
	require.NoError(t, err)
	release, err = file.Lock(o.dir + "/backup.json")
	require.NoError(t, err)
	_, _, err = o.restore()
	require.ErrorIs(t, err, file.ErrLocked)
	require.NoError(t, release())
}

// TestOwnerOfASecret: a secret that moved to another project is not the one that the plan saw.
func TestOwnerOfASecret(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	own := o.projectSecret("evals", "own", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, own)
	since := len(o.journal())
	err := o.applyWith(p, moving{o.server.Client().Transport, own.Project.ID}, nil)
	require.ErrorIs(t, err, fix.ErrNotApplied)
	assert.ErrorContains(t, err, "own: it belongs to another project or level")
	assert.Empty(t, o.writes(since))
}

// moving makes another project's what it reads.
type moving struct {
	next    http.RoundTripper
	project string
}

func (m moving) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path, "/v1/env_var/") {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(raw), m.project, projectID)))
	resp.ContentLength = -1
	return resp, err
}

func TestUnknownGenerationsInAPlanAreRefused(t *testing.T) {
	t.Parallel()
	p := propose(fix.Workaround, secret(inventory.Project, legacyKeys), fix.DataPlane{Generation: provider.Legacy202602})
	p.Generation = "legacy-1999"
	path := filepath.Join(t.TempDir(), "plan.json")
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	_, err = fix.ReadPlan(path)
	require.ErrorIs(t, err, file.ErrUnusable)
}
