package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/remedy/fix"
)

const (
	fixOrgID    = "6d1c1a3e-0c1b-4f0e-9a57-000000000001"
	fixAdmin    = "bt-admin-canary-0001"
	fixMember   = "bt-member-canary-0001"
	fixMetadata = `{"api_base":"http://svc:pw-canary-0001@gateway:8080/v1?key=query-canary-0001","auth_type":"api_key","auth_format":"api_key",` +
		`"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}},"additionalHeaders":{"x-acme":"hdr-canary-0001"}}`
)

// fixAPI is a fake data plane that remembers which methods it was asked with.
type fixAPI struct {
	t       *testing.T
	fake    *dataplane.Tenants
	url     string
	dir     string
	mu      sync.Mutex
	methods map[string]int
}

func newFixAPI(t *testing.T, serving, patch string) *fixAPI {
	t.Helper()
	a := &fixAPI{t: t, fake: dataplane.NewTenants(tenancy.Routes{}, "http://legacy-proxy:8080"), dir: t.TempDir()}
	config, err := json.Marshal(dataplane.Config{
		Organization: dataplane.Organization{ID: fixOrgID, Name: "acme"}, Serving: serving, Patch: patch,
		Keys: []dataplane.Key{{Key: fixAdmin, Role: dataplane.RoleAdmin}, {Key: fixMember, Role: dataplane.RoleMember}},
	})
	require.NoError(t, err)
	require.NoError(t, a.fake.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":%s}`, tenancy.Schema, gatewayID, config)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.methods[r.Method]++
		a.mu.Unlock()
		a.fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/" + gatewayID
	a.seen()
	return a
}

// seen returns the methods asked with since it was last called.
func (a *fixAPI) seen() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := a.methods
	a.methods = map[string]int{}
	return seen
}

// send is a request of the test's own, past the counter.
func (a *fixAPI) send(method, path, body string) gjson.Result {
	a.t.Helper()
	r := httptest.NewRequest(method, "/"+gatewayID+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+fixAdmin)
	w := httptest.NewRecorder()
	a.fake.ServeHTTP(w, r)
	require.Equal(a.t, http.StatusOK, w.Code, w.Body)
	return gjson.Parse(w.Body.String())
}

func (a *fixAPI) orgSecret(name string) string {
	a.t.Helper()
	return a.send("POST", "/v1/ai_secret", fmt.Sprintf(`{"name":%q,"type":"openai","secret":"sk-canary-stored","metadata":%s}`, name, fixMetadata)).
		Get("id").String()
}

func (a *fixAPI) projectSecret(name, metadata string) string {
	a.t.Helper()
	project := a.send("POST", "/v1/project", `{"name":"evals"}`).Get("id").String()
	return a.send("POST", "/v1/env_var", fmt.Sprintf(`{"name":%q,"object_type":"project","object_id":%q,"secret_category":"ai_provider",
		"secret_type":"openai","value":"sk-canary-stored","metadata":%s}`, name, project, metadata)).Get("id").String()
}

func (a *fixAPI) file(name string) string { return filepath.Join(a.dir, name) }

// run runs a command line against the API; no credential may be in what it prints.
func (a *fixAPI) run(args ...string) outcome {
	a.t.Helper()
	return a.as(fixAdmin, args...)
}

func (a *fixAPI) as(key string, args ...string) outcome {
	a.t.Helper()
	if args[0] == "restore" || args[1] == "apply" {
		args = append(args, "--wait", "1ms")
	}
	got := command(a.t, append(args, "--api-url", a.url, "--api-key-file", write(a.t, key))...)
	assert.NotContains(a.t, got.out+got.err, "canary")
	return got
}

func TestFixUsage(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	plan := a.file("plan.json")
	foreign := write(t, `{"schema":"planeproof/plan/v2"}`)
	for _, row := range []struct {
		says string
		args []string
	}{
		{"fix plan or fix apply", []string{"fix"}},
		{"give either --secret or --audit", []string{"fix", "plan", "--save", plan}},
		{"give either --secret or --audit", []string{"fix", "plan", "--secret", "x", "--audit", "y", "--save", plan}},
		{"--output \"yaml\" is not one of table, json", []string{"fix", "plan", "--secret", "x", "-o", "yaml"}},
		{"--model is empty", []string{"fix", "apply", plan, "--model", ""}},
		{"--wait is not negative", []string{"restore", "--backup", plan, "--wait", "-1s"}},
		{"--wait is not negative", []string{"fix", "apply", plan, "--wait", "-1s"}},
		{"make a plan for each", []string{"fix", "plan", "--secret", "x", "--portable", "--workaround", "--save", plan}},
		{"go with --secret", []string{"fix", "plan", "--audit", "x", "--portable", "--save", plan}},
		{"parse generation", []string{"fix", "plan", "--secret", "x", "--legacy", "2026", "--save", plan}},
		{"read --log", []string{"fix", "plan", "--secret", "x", "--log", a.file("none"), "--save", plan}},
		{"want planeproof/audit/v1", []string{"fix", "plan", "--audit", foreign, "--save", plan}},
		{"read --token-file", []string{"fix", "plan", "--secret", "x", "--token-file", a.file("none"), "--save", plan}},
		{"accepts 1 arg", []string{"fix", "apply"}},
		{"--wave is not negative", []string{"fix", "apply", plan, "--wave", "-1"}},
		{"cannot be used", []string{"fix", "apply", a.file("none"), "--org", "acme"}},
		{"use the program that wrote it", []string{"fix", "apply", foreign, "--org", "acme"}},
		{"--backup is needed", []string{"restore"}},
		{"cannot be used", []string{"restore", "--backup", a.file("none")}},
		{`want planeproof/backup/v1`, []string{"restore", "--backup", foreign}},
	} {
		got := command(t, append(row.args, "--api-url", a.url, "--api-key-file", write(t, fixAdmin))...)
		if len(row.args) == 1 && row.args[0] == "fix" {
			got = command(t, "fix")
		}
		assert.Equal(t, 2, got.code, "%v: %s", row.args, got.err)
		assert.Contains(t, got.err, row.says, row.args)
		assert.Equal(t, 1, strings.Count(got.err, "\n"), "one line: %q", got.err)
	}
	assert.Empty(t, a.seen(), "usage errors send nothing")
}

func TestFixRefusals(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	own := a.projectSecret("own", `{"auth_type":"api_key"}`)
	plain := a.send("POST", "/v1/env_var", `{"name":"plain","object_type":"organization","object_id":"`+fixOrgID+`","value":"sk-canary-x"}`).Get("id").String()
	for i, row := range []struct {
		code int
		says string
		args []string
	}{
		{1, "neither ai_secret nor env_var has this id (404)", []string{"--secret", "6d1c1a3e-0c1b-4f0e-9a57-0000000000ff"}},
		{2, "--secret is no id, such as", []string{"--secret", "../x"}},
		{1, "plain is an environment variable and no AI provider", []string{"--secret", plain}},
		{1, "not applicable on v2 and on the Gateway", []string{"--secret", own, "--legacy", "legacy-2026-02", "--workaround"}},
		{1, "the portable form (--portable)", []string{"--secret", own, "--legacy", "legacy-2026-03"}},
		{1, "begins with the word Bearer", []string{"--secret", own, "--token-file", write(t, "Bearer sk-canary-0001")}},
	} {
		file := a.file(fmt.Sprintf("plan%d.json", i))
		got := a.run(append([]string{"fix", "plan", "--save", file}, row.args...)...)
		assert.Equal(t, row.code, got.code, "%v: %s", row.args, got.err)
		assert.Contains(t, got.out+got.err, row.says)
		assert.Equal(t, 1, strings.Count(got.err, "\n"), "one line: %q", got.err)
		assert.NoFileExists(t, file)
	}
	got := a.as("bt-canary-nobody", "fix", "plan", "--secret", own, "--save", a.file("plan.json"))
	assert.Equal(t, 3, got.code, got.err)
	assert.Contains(t, got.err, "the API does not know the key (401)")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()), "only GET leaves fix plan")
}

func TestFixFromSymptomToProof(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	id := a.orgSecret("acme")
	plan := a.file("plan.json")
	got := a.run("fix", "plan", "--secret", id, "--save", plan)
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, `auth_format: "api_key" → "bearer"`)
	assert.Contains(t, got.out, "it cannot be known from here whether the gateway wants Bearer")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()), "only GET leaves fix plan")
	raw, err := os.ReadFile(plan)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "canary", "a plan can be shown to anyone")

	got = a.run("fix", "plan", "--secret", id, "--save", plan)
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "a plan is never overwritten")

	got = a.run("fix", "apply", plan)
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "--org is needed")
	got = a.run("fix", "apply", plan, "--org", "other")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, `the plan is about "acme", not "other"`)
	got = a.run("fix", "apply", plan, "--org", fixAdmin)
	assert.Equal(t, 2, got.code, "and the redactor has the last word: run looks for canaries")
	got = a.as(fixMember, "fix", "apply", plan, "--org", "acme", "--backup", a.file("member.json"))
	assert.Equal(t, 3, got.code, "the wrong key, as for an audit")
	assert.Contains(t, got.err, "it needs the role of an org admin")
	assert.Equal(t, fixMetadata, a.send("GET", "/v1/ai_secret/"+id, "").Get("metadata").Raw)

	got = a.run("fix", "apply", plan, "--org", "acme")
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "acme (org): changed, read back and proven\ndone: 1 of 1 changes are in place, 1 of them written now\n")
	assert.Equal(t, strings.Replace(fixMetadata, `format":"api_key"`, `format":"bearer"`, 1), a.send("GET", "/v1/ai_secret/"+id, "").Get("metadata").Raw)
	journal, err := os.ReadFile(plan + ".backup.json.journal.jsonl")
	require.NoError(t, err)
	assert.NotContains(t, string(journal), "canary")
	assert.Contains(t, string(journal), `"key":"Braintrust API key from file `)

	a.seen()
	got = a.run("restore", "--backup", plan+".backup.json")
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, `auth_format: "bearer" → "api_key"`)
	assert.Contains(t, got.out, "nothing was written: --apply does it")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()), "only GET leaves restore without --apply")
	got = a.run("restore", "--backup", plan+".backup.json", "--apply")
	assert.Equal(t, 0, got.code, got.err)
	assert.Equal(t, fixMetadata, a.send("GET", "/v1/ai_secret/"+id, "").Get("metadata").Raw)
}

func methodsOf(seen map[string]int) []string {
	var all []string
	for method := range seen {
		all = append(all, method)
	}
	return all
}

func TestFixWorkaroundWithItsLog(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV1, "")
	id := a.projectSecret("own", fixMetadata)
	log := write(t, "Failed to load project secrets, continuing with org secrets only ZodError: "+
		`[{"code":"unrecognized_keys","keys":["auth_type","auth_format"],"path":["metadata"],"message":"m"}]`+"\n")
	common := []string{"fix", "plan", "--secret", id, "--legacy", "legacy-2026-02", "--log", log}
	got := a.run(append(common, "--workaround", "--save", a.file("plan.json"))...)
	require.Equal(t, 0, got.code, got.out+got.err)
	for _, text := range []string{
		`condition "the legacy AI proxy on an older data plane" holds`, `condition "project-level credentials are not used" holds`,
		`condition "unrecognized_keys in the proxy's log" holds: the log given tells 1 times`,
		"the guide's literal form (--literal) instead: additionalHeaders is lost", `auth_type: "api_key" → (absent)`,
	} {
		assert.Contains(t, got.out, text)
	}
	got = a.run(append(common, "--literal", "--save", a.file("literal.json"))...)
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "costs: customModels is lost: acme-chat no longer route to the project")
	got = a.run("fix", "apply", a.file("literal.json"), "--org", "acme")
	require.Equal(t, 0, got.code, got.err)
	assert.JSONEq(t, `{"api_base":"http://svc:pw-canary-0001@gateway:8080/v1?key=query-canary-0001","excludeDefaultModels":false,"supportsStreaming":true}`,
		a.send("GET", "/v1/env_var/"+id, "").Get("metadata").Raw)
	got = a.run("fix", "apply", a.file("plan.json"), "--org", "acme")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "own: its metadata is another: make a new plan")
}

func TestFixFromAnAudit(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	a.send("POST", "/v1/project", `{"name":"one"}`)
	var ids []string
	for i := range 3 {
		ids = append(ids, a.orgSecret(fmt.Sprintf("affected-%d", i)))
	}
	fine := a.send("POST", "/v1/ai_secret", `{"name":"fine","type":"openai","secret":"sk-canary-stored","metadata":{"api_base":"http://gateway:8080/v1"}}`)
	a.send("POST", "/v1/ai_secret", `{"name":"prefixed","type":"openai","secret":"Bearer sk-canary-stored-with-a-prefix","metadata":{"api_base":"http://gateway:8080/v1"}}`)
	got := command(t, "audit", "--api-url", a.url, "--api-key-file", write(t, fixMember), "-o", "json")
	require.Equal(t, 1, got.code, got.err)
	report := write(t, got.out)

	a.seen()
	plan := a.file("plan.json")
	got = a.run("fix", "plan", "--audit", report, "--save", plan)
	assert.Equal(t, 1, got.code, "the raw token of one is not planned")
	assert.Contains(t, got.out, "not mended: error value-scheme-prefix on prefixed: a token belongs to one secret")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()))
	raw, err := os.ReadFile(plan)
	require.NoError(t, err)
	for _, id := range ids {
		assert.Equal(t, "bearer", gjson.GetBytes(raw, `steps.#(secret_id=="`+id+`").remedy`).String())
	}
	assert.EqualValues(t, 3, gjson.GetBytes(raw, "steps.#").Int(), "only those affected (behaviours: MIGRATION-7)")

	got = a.run("fix", "apply", plan, "--org", "acme", "--wave", "2")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "waves before wave 2 are not done")
	got = a.run("fix", "apply", plan, "--org", "acme", "--wave", "1")
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "1 wave is left: planeproof fix apply "+plan+" --org acme --wave 2 --api-url "+a.url+" --api-key-file ")
	assert.NotContains(t, got.out, "done")
	assert.Equal(t, 1, a.seen()["PATCH"])
	got = a.run("fix", "apply", plan, "--org", "acme")
	require.Equal(t, 0, got.code, got.err)
	assert.Equal(t, 2, a.seen()["PATCH"])
	assert.Equal(t, fine.Raw, a.send("GET", "/v1/ai_secret/"+fine.Get("id").String(), "").Raw, "the others are the same to the byte")

	other := strings.ReplaceAll(string(mustRead(t, report)), fixOrgID, strings.Replace(fixOrgID, "6d1c", "7d1c", 1))
	got = a.run("fix", "plan", "--audit", write(t, other), "--save", a.file("other.json"))
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, `the audit is of "acme"`)
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return raw
}

func TestFixTokenAndPrompt(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	id := a.orgSecret("acme")
	plan, key := a.file("plan.json"), write(t, fixAdmin)
	token := write(t, "sk-canary-new-0001\n")
	require.Equal(t, 0, a.run("fix", "plan", "--secret", id, "--token-file", token, "--save", plan).code)
	assert.NotContains(t, string(mustRead(t, plan)), "canary")
	got := a.run("fix", "apply", plan, "--org", "acme")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "give it with --token-file")
	assert.NoFileExists(t, plan+".backup.json")

	for _, row := range []struct {
		typed string
		code  error
	}{{"other\n", fix.ErrOrganization}, {"acme\n", nil}} {
		var out, errs bytes.Buffer
		root := newRoot(terminal{out: &out, err: &errs, tty: true}, &evidence.Redactor{})
		root.SetIn(strings.NewReader(row.typed))
		root.SetArgs([]string{"fix", "apply", plan, "--token-file", token, "--wait", "1ms", "--api-url", a.url, "--api-key-file", key})
		err := root.ExecuteContext(t.Context())
		if row.code == nil {
			require.NoError(t, err, errs.String())
		} else {
			require.ErrorIs(t, err, row.code)
		}
		assert.Contains(t, out.String(), "Type the organization's name to do this:\n")
		assert.NotContains(t, out.String()+errs.String(), "canary")
	}
	assert.Equal(t, "sk-canary-new-0001", a.send("POST", "/api/secret", `{"mode":"full"}`).Get("0.secret").String())

	var out, errs bytes.Buffer
	root := newRoot(terminal{out: &out, err: &errs}, &evidence.Redactor{})
	root.SetIn(strings.NewReader("sk-canary-new-0002\n"))
	root.SetArgs([]string{"fix", "plan", "--secret", id, "--token-file", "-", "--save", a.file("2.json"), "--api-url", a.url, "--api-key-file", key})
	require.NoError(t, root.ExecuteContext(t.Context()), errs.String())
}

func TestFixNotAppliedAndUnreachable(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, dataplane.PatchIgnore)
	id := a.orgSecret("acme")
	plan := a.file("plan.json")
	require.Equal(t, 0, a.run("fix", "plan", "--secret", id, "--save", plan).code)
	got := a.run("fix", "apply", plan, "--org", "acme")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, `auth_format is "api_key", not "bearer"; the secret is as it was`)
	assert.Equal(t, 1, strings.Count(got.err, "\n"))

	const gone = "http://127.0.0.1:1" // a port that no parallel test is given
	key := write(t, fixAdmin)
	for _, args := range [][]string{
		{"fix", "plan", "--secret", id, "--save", a.file("2.json")},
		{"fix", "apply", plan, "--org", "acme"},
		{"restore", "--backup", plan + ".backup.json"},
	} {
		got := command(t, append(args, "--api-url", gone, "--api-key-file", key)...)
		assert.Equal(t, 3, got.code, args)
		assert.Contains(t, got.err, "unreachable")
		assert.Equal(t, 1, strings.Count(got.err, "\n"), got.err)
	}
}

func TestFixPlanShowsOrSaves(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	id := a.orgSecret("acme")
	got := a.run("fix", "plan", "--secret", id)
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "no plan was saved: --save FILE keeps it for fix apply")
	got = a.run("fix", "plan", "--secret", id, "-o", "json", "--org", "acme")
	require.Equal(t, 0, got.code, got.err)
	assert.Equal(t, "bearer", gjson.Get(got.out, "steps.0.remedy").String(), "JSON alone is on standard output")
	assert.True(t, gjson.Valid(got.out))
	piped := write(t, got.out)
	got = a.run("fix", "plan", "--secret", id, "--org", "other")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, `"other" is not what the key sees: acme`)
	got = a.run("fix", "plan", "--secret", id, "--save", a.file("no/such/folder.json"))
	assert.Equal(t, 2, got.code)
	got = a.run("fix", "apply", piped, "--org", "acme", "--model", "nobody-chat")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "no secret of the plan serves the model nobody-chat; their custom models are acme-chat")

	require.Equal(t, 0, a.run("fix", "apply", piped, "--org", "acme").code)
	got = a.run("fix", "plan", "--secret", id, "--save", a.file("none.json"))
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "acme: is so already\n")
	assert.Contains(t, got.out, "nothing to change: no plan was saved")
	assert.NoFileExists(t, a.file("none.json"))
	empty := write(t, `{"schema":"planeproof/plan/v1","organization":{"id":"`+fixOrgID+`","name":"acme"},"steps":[]}`)
	got = a.run("fix", "apply", empty, "--org", "acme")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "there is nothing to do in this plan: it has no step")
}

func TestFixEditedPlanAndNamesake(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	id := a.orgSecret("acme")
	plan := a.file("plan.json")
	require.Equal(t, 0, a.run("fix", "plan", "--secret", id, "--save", plan).code)
	edited := write(t, strings.Replace(string(mustRead(t, plan)), `"set": [`, `"set": [{"key":"api_base","value":"http://evil"},`, 1))
	a.seen()
	got := a.run("fix", "apply", edited, "--org", "acme")
	assert.Equal(t, 2, got.code)
	assert.Contains(t, got.err, "was edited, or is of another program")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()))

	own := a.projectSecret("acme", fixMetadata)
	got = a.run("fix", "plan", "--secret", id)
	assert.Contains(t, got.out, `not mended by this, and with auth_format "api_key" too: acme (project evals)`)
	got = a.run("fix", "plan", "--secret", own)
	assert.Contains(t, got.out, `not mended by this, and with auth_format "api_key" too: acme (org)`)
}

func TestFixHelpTellsWhatIsSent(t *testing.T) {
	t.Parallel()
	for _, kind := range fix.ApplyRequests() {
		assert.Contains(t, command(t, "fix", "apply", "--help").out, kind)
	}
	for _, kind := range fix.RestoreRequests() {
		assert.Contains(t, command(t, "restore", "--help").out, kind)
	}
}

func TestFixExitCodesOfFailures(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	id := a.orgSecret("acme")
	plan := a.file("plan.json")
	require.Equal(t, 0, a.run("fix", "plan", "--secret", id, "--save", plan).code)
	fault := func(body string) {
		w := httptest.NewRecorder()
		a.fake.Control().ServeHTTP(w, httptest.NewRequest("PUT", "/tenants/"+gatewayID+"/faults", strings.NewReader(body)))
		require.Equal(t, http.StatusOK, w.Code)
	}
	fault(`[{"path":"/v1/ai_secret","status":501,"body":"later"}]`)
	assert.Equal(t, 3, a.run("fix", "plan", "--secret", id).code, "a 5xx is no refusal")
	assert.Equal(t, 3, a.run("fix", "apply", plan, "--org", "acme").code)
	fault(`[{"path":"/v1/ai_secret","method":"PATCH","status":502,"body":"later"}]`)
	assert.Equal(t, 3, a.run("fix", "apply", plan, "--org", "acme").code)
	fault(`[{"path":"/v1/ai_secret","method":"PATCH","status":422,"body":"no"}]`)
	assert.Equal(t, 1, a.run("fix", "apply", plan, "--org", "acme").code, "the API refused the change")
	for _, status := range []int{403, 422} {
		fault(fmt.Sprintf(`[{"path":"/v1/ai_secret","method":"GET","status":%d,"body":"no"}]`, status))
		assert.Equal(t, 3, a.run("fix", "plan", "--secret", id).code, "a question that is refused says nothing: %d", status)
		assert.Equal(t, 3, command(t, "verify-token", "--secret", id, "--token-file", write(t, "sk-one"), "--api-url", a.url, "--api-key-file", write(t, fixAdmin)).code, status)
	}
	fault(`[]`)
	release, err := file.Lock(plan + ".backup.json")
	require.NoError(t, err)
	got := a.run("fix", "apply", plan, "--org", "acme")
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.err, "is in use by another process")
	require.NoError(t, release())
	require.Equal(t, 0, a.run("fix", "apply", plan, "--org", "acme").code)
	a.send("PATCH", "/v1/ai_secret/"+id, `{"metadata":{"api_base":"http://other"}}`)
	a.seen()
	got = a.run("restore", "--backup", plan+".backup.json")
	assert.Equal(t, 1, got.code, "a dry run that cannot undo")
	assert.Contains(t, got.err, "1 of 1 secrets cannot be restored wholly; nothing was written")
	assert.Equal(t, []string{"GET"}, methodsOf(a.seen()))
}
