package fix_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

func secret(level inventory.Level, metadata string) inventory.Secret {
	s := inventory.Secret{ID: "id-1", Level: level, Name: "acme", Type: "openai", Metadata: json.RawMessage(metadata)}
	if level == inventory.Project {
		s.Project = &inventory.ProjectRef{ID: projectID, Name: "evals"}
	}
	return s
}

// propose plans one remedy for one secret.
func propose(remedy fix.Remedy, s inventory.Secret, in fix.DataPlane) *fix.Plan {
	return fix.NewPlan("planeproof test", inventory.Organization{ID: orgID, Name: "acme"}, "http://api", in,
		[]fix.Wanted{{Secret: s, Remedy: remedy}}, time.Unix(0, 0))
}

// refused is the one refusal of a plan.
func refused(t *testing.T, p *fix.Plan) fix.Refusal {
	t.Helper()
	require.Empty(t, p.Steps)
	require.Len(t, p.Refused, 1)
	return p.Refused[0]
}

func version(text string) json.RawMessage { return json.RawMessage(`{"version":"` + text + `"}`) }

const projectID = "11111111-1111-4111-8111-111111111111"

const legacyKeys = `{"auth_type":"api_key","auth_format":"bearer","api_base":"http://gateway:8080/v1"}`

func TestRemediesAreRefused(t *testing.T) {
	t.Parallel()
	strict := fix.DataPlane{Generation: provider.Legacy202602}
	wrongType := secret(inventory.Org, `{}`)
	wrongType.Type = "azure"
	for _, row := range []struct {
		name   string
		remedy fix.Remedy
		secret inventory.Secret
		in     fix.DataPlane
		reason string
	}{
		{"metadata null", fix.Bearer, secret(inventory.Org, `null`), fix.DataPlane{}, "null, not an object"},
		{"metadata array", fix.Portable, secret(inventory.Org, `[]`), fix.DataPlane{}, "an array, not an object"},
		{"metadata twice", fix.Bearer, secret(inventory.Org, `{"a":{"b":1,"b":2}}`), fix.DataPlane{}, `key "b" twice`},
		{"bearer for another type", fix.Bearer, wrongType, fix.DataPlane{}, `its type is "azure"`},
		{"portable for another type", fix.Portable, wrongType, fix.DataPlane{}, `its type is "azure"`},
		{"MIGRATION-1", fix.Bearer, secret(inventory.Project, `{}`), strict, "legacy-2026-02 could not read the result (unknown keys in metadata: auth_format, auth_type)"},
		{"MIGRATION-1 later", fix.Bearer, secret(inventory.Project, `{}`), fix.DataPlane{Generation: provider.Legacy202603},
			"upgrade first, or use the portable form (--portable)"},
		{"MIGRATION-1 by version", fix.Bearer, secret(inventory.Project, `{}`), fix.DataPlane{Version: version("1.1.32")}, "the data plane says that it is 1.1.32"},
		{"no generation", fix.Workaround, secret(inventory.Project, legacyKeys), fix.DataPlane{}, "name it with --legacy"},
		{"current", fix.Workaround, secret(inventory.Project, legacyKeys), fix.DataPlane{Generation: provider.Current202608}, "not applicable there"},
		{"OVERRIDE-12", fix.Workaround, secret(inventory.Project, legacyKeys), fix.DataPlane{Generation: provider.Legacy202602, Version: version("2.0.0")},
			"not applicable on v2 and on the Gateway"},
		{"org", fix.Workaround, secret(inventory.Org, legacyKeys), strict, "the secret belongs to the org"},
		{"serves nothing", fix.Literal, secret(inventory.Project, `{"auth_type":"api_key","excludeDefaultModels":true}`), strict, "it serves no model"},
		{"readable", fix.Workaround, secret(inventory.Project, `{}`), strict, "legacy-2026-02 can read the project secret"},
		{"OVERRIDE-22 type", fix.Workaround, secret(inventory.Project, `{"auth_type":"api_key","models":"x"}`), strict,
			"another reason: metadata.models is a string, but must be an array; unknown keys in metadata: auth_type"},
		{"OVERRIDE-22 url", fix.Workaround, secret(inventory.Project, `{"api_base":"pw-canary-4711"}`), strict, "metadata.api_base is not a valid url"},
		{"log of nothing", fix.Workaround, secret(inventory.Project, legacyKeys), fix.DataPlane{Generation: provider.Legacy202602, Log: &proxylog.Summary{}},
			"the log given has no failure to load the secrets of this project"},
		{"log of another project", fix.Workaround, secret(inventory.Project, legacyKeys), withLog(t, strings.Replace(projectID, "1111", "2222", 1), "auth_type"),
			"no failure to load the secrets of this project"},
		{"log of other keys", fix.Workaround, secret(inventory.Project, legacyKeys), withLog(t, projectID, "futureKnob"), "names none of the keys"},
	} {
		got := refused(t, propose(row.remedy, row.secret, row.in))
		assert.Contains(t, got.Reason, row.reason, row.name)
		assert.NotContains(t, got.Reason, password, row.name)
		assert.ErrorIs(t, got, fix.ErrNotApplied)
	}
}

func withLog(t *testing.T, project, key string) fix.DataPlane {
	t.Helper()
	summary, err := proxylog.Read(strings.NewReader("project " + project + ": Failed to load project secrets, " +
		`continuing with org secrets only ZodError: [{"code":"unrecognized_keys","keys":["` + key + `"],"path":["metadata"],"message":"m"}]` + "\n"))
	require.NoError(t, err)
	require.Len(t, summary.Projects, 1)
	require.Equal(t, project, summary.Projects[0].ID)
	return fix.DataPlane{Generation: provider.Legacy202602, Log: &summary}
}

func TestWorkaroundRemovesOnlyWhatIsRejected(t *testing.T) {
	t.Parallel()
	metadata := `{"auth_type":"api_key","auth_format":"api_key","customModels":{"acme-chat":{"format":"openai","flavor":"chat"}},"models":["acme-chat"],
		"additionalHeaders":{"x":"` + headerValue + `"},"supportsStreaming":false,"excludeDefaultModels":true}`
	project := secret(inventory.Project, metadata)
	in := withLog(t, projectID, "auth_type")
	sibling := secret(inventory.Project, legacyKeys)
	sibling.ID, sibling.Name = "id-2", "sibling"
	in.Projects = []inventory.Secret{project, sibling}
	in.Org = []inventory.Secret{{Name: "other", Type: "openai"}, {Name: "acme", Type: "openai"}}
	p := propose(fix.Workaround, project, in)
	require.Len(t, p.Steps, 1, "%v", p.Refused)
	step := p.Steps[0]
	assert.Equal(t, fix.Edit{Remove: []string{"auth_type", "auth_format"}}, step.Edit)
	for _, c := range step.Conditions {
		assert.True(t, c.Holds, c.Name)
	}
	judged := step.Conditions[0].Judged + "\n" + step.Conditions[1].Judged + "\n" + step.Conditions[2].Judged
	assert.Contains(t, judged, "--legacy legacy-2026-02 was given")
	assert.Contains(t, judged, `the org's secret of the same name "acme" is used`)
	assert.Contains(t, judged, "the log given tells 1 times")
	assert.Contains(t, step.Alternative, "customModels is lost: acme-chat no longer route to the project")
	assert.Contains(t, step.Alternative, "models is lost")
	assert.NotContains(t, step.Alternative, "auth_type", "that is lost in both forms")
	assert.Contains(t, strings.Join(step.Notes, "\n"), "sibling of the same project cannot be read either", "OVERRIDE-6")
	assert.NotContains(t, strings.Join(step.Notes, "\n"), "acme of the same")
	assert.Contains(t, strings.Join(step.Notes, "\n"), "needs auth_format api_key back")

	in.Generation, in.Log = provider.Legacy202603, nil
	p = propose(fix.Workaround, project, in)
	assert.Equal(t, fix.Edit{Remove: []string{"auth_type"}}, p.Steps[0].Edit, "OVERRIDE-2: only auth_type is unknown")
	assert.Contains(t, p.Steps[0].Conditions[2].Judged, "no log was given; derived from the schema")

	in.Org = nil
	step = propose(fix.Literal, project, in).Steps[0]
	assert.ElementsMatch(t, []string{"auth_type", "auth_format", "customModels", "models", "additionalHeaders"}, step.Edit.Remove)
	assert.Contains(t, step.Conditions[1].Judged, "nothing to fall back on")
	assert.Contains(t, strings.Join(step.Costs, "\n"), "additionalHeaders is lost")
	assert.Contains(t, strings.Join(step.Costs, "\n"), "supportsStreaming becomes true")
}

func TestBearerSaysWhatItCannotKnow(t *testing.T) {
	t.Parallel()
	s := secret(inventory.Org, `{"auth_format":"api_key","auth_type":"oauth_bearer"}`)
	s.Preview = "Bearer sk***"
	notes := strings.Join(propose(fix.Bearer, s, fix.DataPlane{}).Steps[0].Notes, "\n")
	assert.Contains(t, notes, "where it requires Api-Key, auth_format api_key is right")
	assert.Contains(t, notes, "the gateway would see Bearer twice")
	assert.Contains(t, notes, `auth_type is "oauth_bearer"`)
	assert.NotContains(t, notes, "sk***", "a preview is a secret")

	already := propose(fix.Bearer, secret(inventory.Org, `{"auth_format":"bearer","auth_type":"api_key"}`), fix.DataPlane{})
	assert.Equal(t, []string{"acme"}, already.Already)
	assert.Empty(t, already.Steps)
	assert.Equal(t, []string{"acme"}, propose(fix.Portable, secret(inventory.Org, `{}`), fix.DataPlane{}).Already)

	current := fix.DataPlane{Generation: provider.Current202608, Version: version("1.9.0")}
	assert.Len(t, propose(fix.Bearer, secret(inventory.Project, `{}`), current).Steps, 1)
	assert.Len(t, propose(fix.Bearer, secret(inventory.Project, `{}`), fix.DataPlane{Version: version("2.0.0")}).Steps, 1)
	unknown := propose(fix.Bearer, secret(inventory.Project, `{}`), fix.DataPlane{Version: json.RawMessage(`{"commit":"x"}`)})
	assert.Contains(t, unknown.Steps[0].Notes[0], "does not tell its version")
	portable := propose(fix.Portable, secret(inventory.Project, `{"auth_type":"api_key","knob":1}`), fix.DataPlane{Generation: provider.Legacy202602})
	assert.Contains(t, portable.Steps[0].Notes[0], "legacy-2026-02 cannot read the result (unknown keys in metadata: knob)")
}

func TestWavesGrowInReach(t *testing.T) {
	t.Parallel()
	var wanted []fix.Wanted
	want := func(id string, level inventory.Level, metadata string, remedy fix.Remedy) {
		s := secret(level, metadata)
		s.ID = id
		wanted = append(wanted, fix.Wanted{Secret: s, Remedy: remedy})
	}
	for i, level := range []inventory.Level{inventory.Org, inventory.Project, inventory.OrgEnv, inventory.Project, inventory.Project} {
		want(string(rune('a'+i)), level, `{}`, fix.Bearer)
		want(string(rune('a'+i)), level, `{}`, fix.Bearer) // two findings of one cause
	}
	want("a", inventory.Org, `{"auth_type":"x"}`, fix.Portable)
	want("x", inventory.Org, `{}`, fix.RawToken)
	want("y", inventory.Org, `{}`, fix.RawToken)
	p := fix.NewPlan("", inventory.Organization{}, "", fix.DataPlane{}, wanted, time.Unix(0, 0))
	var order string
	for _, s := range p.Steps {
		order += s.SecretID + string(rune('0'+s.Wave))
	}
	assert.Equal(t, "b1d2e2a3c3x3", order)
	assert.Contains(t, strings.Join(p.Steps[3].Notes, "\n"), "remedy portable was asked for too")
	require.Len(t, p.Refused, 1)
	assert.Contains(t, p.Refused[0].Reason, "a token belongs to one secret")
}

func TestPlanFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := propose(fix.Bearer, secret(inventory.Org, `{"auth_format":"api_key"}`), fix.DataPlane{})
	path := filepath.Join(dir, "plan.json")
	require.NoError(t, good.Write(path))
	require.ErrorIs(t, good.Write(path), file.ErrUnusable, "a plan is never overwritten")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	read, err := fix.ReadPlan(path)
	require.NoError(t, err)
	assert.Equal(t, good.ID(), read.ID())

	for _, row := range []struct{ old, new, reason string }{
		{`"planeproof/plan/v1"`, `"planeproof/plan/v2"`, "use the program that wrote it"},
		{`"planeproof/plan/v1"`, `"planeproof/backup/v1"`, `want planeproof/plan/v1`},
		{`/v1/ai_secret/id-1`, `/v1/project/id-1`, "is not that of its secret"},
		{`"id-1"`, `"../project/1"`, "is not that of its secret"},
		{`"level": "org"`, `"level": "project"`, "is not that of its secret"},
		{`{`, ``, "not JSON of ours"},
		{`"wave": 1`, `"wave": "1"`, "its content is not that of"},
	} {
		broken := filepath.Join(dir, "broken.json")
		text := strings.Replace(string(raw), row.old, row.new, 1)
		require.NotEqual(t, string(raw), text, row.old)
		require.NoError(t, os.WriteFile(broken, []byte(text), 0o600))
		_, err := fix.ReadPlan(broken)
		require.ErrorIs(t, err, file.ErrUnusable, row.new)
		assert.ErrorContains(t, err, row.reason)
	}
	_, err = fix.ReadPlan(filepath.Join(dir, "none.json"))
	require.ErrorIs(t, err, file.ErrUnusable)
}

func TestShownValuesHoldNoCredentials(t *testing.T) {
	t.Parallel()
	metadata := `{"api_base":"https://svc:pw-canary-4711@gw.example/v1?key=query-canary-4711#f","auth_type":"sk-canary-4711 x","auth_format":"api_key",
		"additionalHeaders":{"x-acme":"hdr-canary-4711"},"endpoint_path":"/x?k=path-canary-4711","session_token":"tok-canary-4711",
		"knob":{"deep":["deep-canary-4711"]},"customModels":{"m":{"format":"openai","flavor":"chat","description":"desc-canary-4711"}}}`
	s := secret(inventory.Project, metadata)
	in := fix.DataPlane{Generation: provider.Legacy202602}
	p := propose(fix.Literal, s, in)
	if len(p.Steps) == 0 { // the workaround proper does not apply: a key of an unknown type is no obstacle to it
		t.Fatal(p.Refused)
	}
	q := propose(fix.Portable, s, in)
	for _, plan := range []*fix.Plan{p, q} {
		raw, err := json.Marshal(plan)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), "canary")
	}
	odd := `{"auth_format":["odd-canary-4711"],"auth_type":{"a":"odd-canary-4711"}}`
	raw, err := json.Marshal(propose(fix.Portable, secret(inventory.Org, odd), fix.DataPlane{}))
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "canary")
	assert.Contains(t, string(raw), "array of 1")
}
