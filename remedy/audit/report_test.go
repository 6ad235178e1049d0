package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	incomplete := take(secret("a", `{"auth_format":"api_key"}`))
	incomplete.Incomplete = []string{"project two: forbidden"}
	for name, c := range map[string]struct {
		inventory inventory.Inventory
		options   audit.Options
		verdict   audit.Verdict
		code      int
		summary   string
	}{
		"clean":       {take(secret("a", `{"api_base":"https://gw/v1"}`)), audit.Options{}, audit.Clean, 0, "clean: nothing of severity warning or worse in 1 provider secret; 0 errors, 0 warnings, 0 notes"},
		"notes":       {take(secret("a", `{"auth_type":"api_key"}`)), audit.Options{}, audit.Clean, 0, "clean: nothing of severity warning or worse in 1 provider secret; 0 errors, 0 warnings, 3 notes"},
		"fail on":     {take(secret("a", `{"auth_type":"api_key"}`)), audit.Options{FailOn: audit.Note}, audit.Findings, 1, "findings: 0 errors, 0 warnings, 3 notes; 1 of 1 provider secret affected"},
		"findings":    {take(secret("a", `{"auth_format":"api_key"}`), secret("b", `{}`)), given(current), audit.Findings, 1, "findings: 1 error, 0 warnings, 2 notes; 1 of 2 provider secrets affected"},
		"error alone": {take(secret("a", `{"api_base":"https://gw/"}`)), audit.Options{FailOn: audit.Error}, audit.Clean, 0, "clean: nothing of severity error or worse in 1 provider secret; 0 errors, 1 warning, 0 notes"},
		"incomplete":  {incomplete, given(current), audit.Incomplete, 3, "incomplete: 1 thing was not read; found so far in 1 provider secret: 1 error, 0 warnings, 2 notes"},
		"nothing":     {take(), audit.Options{}, audit.Incomplete, 3, "incomplete: 1 thing was not read; found so far in 0 provider secrets: 0 errors, 0 warnings, 0 notes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := audit.Run(c.inventory, c.options)
			assert.Equal(t, c.verdict, got.Verdict)
			assert.Equal(t, c.code, got.Verdict.ExitCode())
			assert.Equal(t, c.summary, got.Summary)
		})
	}
}

func TestFindingsAreGroupedByCause(t *testing.T) {
	t.Parallel()
	got := audit.Run(take(
		secret("org", `{"auth_format":"api_key","api_base":"https://gw/v1"}`), of("one", secret("a", `{"auth_type":"x"}`)),
		of("two", secret("b", `{"auth_type":"x"}`)), of("two", secret("c", `{"models":7}`)),
	), given(old))
	var causes []string
	for _, g := range got.Groups {
		if g.Rule == "metadata-unreadable" && g.Severity == audit.Error {
			causes = append(causes, fmt.Sprint(g.Cause, " ", len(g.Findings)))
		}
	}
	assert.Equal(t, []string{"unknown keys in metadata: auth_type 2", "metadata.models: expected array, received number 1"}, causes)
	for n := 1; n < len(got.Groups); n++ {
		assert.LessOrEqual(t, strings.Index("error warning note", string(got.Groups[n-1].Severity)), strings.Index("error warning note", string(got.Groups[n].Severity)))
	}
}

func TestWithoutAGenerationBothAnswersAreGiven(t *testing.T) {
	t.Parallel()
	got := group(t, audit.Run(take(secret("org", `{`+custom+`}`), of("one", secret("a", `{"auth_type":"api_key","auth_format":"bearer",`+custom+`}`))), audit.Options{}), "metadata-unreadable")
	assert.Equal(t, []string{
		"legacy-2026-02 cannot read it: unknown keys in metadata: auth_type, auth_format",
		"legacy-2026-03 cannot read it: unknown keys in metadata: auth_type",
		"current-2026-08 reads it",
		`used instead: the organization's "org"`,
	}, got.Findings[0].Evidence)
	assert.Contains(t, got.Needs, "--legacy GENERATION")
	assert.Equal(t, audit.RemedyWorkaround, got.Findings[0].Remedy.Name)

	got = group(t, audit.Run(take(of("one", secret("a", `{"auth_type":"api_key"}`))), given(mid)), "metadata-unreadable")
	assert.Empty(t, got.Needs)
	assert.Contains(t, got.Findings[0].Evidence[1], "No API keys found") // OVERRIDE-5
}

func TestAGatewayThatRequiresAPIKeyIsRight(t *testing.T) { // BEARER-13
	t.Parallel()
	got := group(t, audit.Run(take(secret("a", `{"auth_format":"api_key","api_base":"https://gw/v1"}`)), given(current)), "auth-format-api-key")
	assert.Contains(t, got.Needs, "requires Api-Key, in which case the secret is right as it is")
	assert.Contains(t, got.Needs, "planeproof verify-token")
}

func TestTheRemedyMindsTheOrder(t *testing.T) { // MIGRATION-1
	t.Parallel()
	apiKey := `{"auth_format":"api_key","api_base":"https://gw/v1"}`
	for _, c := range []struct {
		secret  inventory.Secret
		options audit.Options
		remedy  string
	}{
		{of("one", secret("a", apiKey)), given(mid), audit.RemedyPortable},
		{of("one", secret("a", apiKey)), given(old), audit.RemedyPortable},
		{of("one", secret("a", apiKey)), given(current), audit.RemedyBearer},
		{secret("a", apiKey), given(mid), audit.RemedyBearer},
	} {
		got := group(t, audit.Run(take(c.secret), c.options), "auth-format-api-key")
		assert.Equal(t, c.remedy, got.Findings[0].Remedy.Name, "%s %s", c.options.Generation, c.secret.Level)
	}
	// Another fault than unknown keys: no workaround (OVERRIDE-22).
	for _, metadata := range []string{`{"models":7}`, `{"models":7,"auth_type":"api_key"}`, `{"auth_type":"magic"}`} {
		got := group(t, audit.Run(take(of("one", secret("a", metadata))), given(old)), "metadata-unreadable")
		assert.Empty(t, got.Findings[0].Remedy, metadata)
	}
	azure := typed("azure", secret("a", `{"api_base":"https://gw","auth_type":"entra_oidc","new_key":1}`))
	got := group(t, audit.Run(take(of("one", azure)), given(old)), "metadata-unreadable")
	assert.Contains(t, got.Cause, "unknown keys")
	assert.Empty(t, got.Findings[0].Remedy, "removing the keys is not enough")
}

func TestThePortableFormSaysWhatIsLeft(t *testing.T) { // MIGRATION-4
	t.Parallel()
	evidence := func(metadata string) string {
		got := group(t, audit.Run(take(of("one", secret("a", metadata))), given(current)), "portable-form")
		return strings.Join(got.Findings[0].Evidence, "\n")
	}
	assert.NotContains(t, evidence(`{"auth_type":"api_key","auth_format":"bearer"}`), "still")
	left := evidence(`{"auth_type":"api_key","auth_format":"bearer","new_key":1}`)
	assert.Contains(t, left, "legacy-2026-02 would still not read it: unknown keys in metadata: new_key")
	assert.NotContains(t, left, "current-2026-08 would")
}

// TestEveryRemedyCanBeRun reads every command as a shell does and runs its jq filter over the metadata.
func TestEveryRemedyCanBeRun(t *testing.T) {
	t.Parallel()
	apiKey := secret("a", `{"auth_format":"api_key","auth_type":"x","api_base":"gw/chat/completions/","it's":1,"excludeDefaultModels":true}`)
	env := apiKey
	env.Level, env.ID = inventory.OrgEnv, "id'; rm -rf $HOME"
	run := 0
	for _, o := range []audit.Options{{}, given(old), given(current)} {
		for _, g := range audit.Run(take(previewed("Bearer x", apiKey), env, of("one", previewed("Bearer x", apiKey))), o).Groups {
			for _, f := range g.Findings {
				remedy := f.Remedy.Written()
				if remedy.Command != "" {
					args := wordsOf(t, remedy.Command)[0]
					assert.Equal(t, []string{"planeproof", "fix", "plan", "--api-url", "https://api.example", "--secret", f.Secret.ID}, args[:7])
				}
				if remedy.Curl != "" {
					runCurl(t, remedy.Curl, f.Secret)
					run++
				}
			}
		}
	}
	assert.Greater(t, run, 30)
}

// wordsOf are those of each command of a pipeline.
func wordsOf(t *testing.T, line string) [][]string {
	t.Helper()
	file, err := syntax.NewParser().Parse(strings.NewReader(line), "")
	require.NoError(t, err, line)
	var all [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok {
			fields, err := expand.Fields(&expand.Config{Env: expand.ListEnviron("BRAINTRUST_API_KEY=bt-key", "BRAINTRUST_API_URL=x"), NoUnset: true}, call.Args...)
			require.NoError(t, err, line)
			all = append(all, fields)
		}
		return true
	})
	return all
}

func runCurl(t *testing.T, line string, secret *audit.SecretRef) {
	t.Helper()
	url := "https://api.example" + secret.Path
	for _, command := range wordsOf(t, line) {
		switch command[0] {
		case "curl":
			assert.Contains(t, command, url)
			assert.Contains(t, command, "Authorization: Bearer bt-key")
		case "jq":
			query, err := gojq.Parse(command[len(command)-1])
			require.NoError(t, err, line)
			code, err := gojq.Compile(query, gojq.WithVariables([]string{"$token"}))
			require.NoError(t, err, line)
			var stored any
			require.NoError(t, json.Unmarshal([]byte(`{"metadata":{"auth_format":"api_key","auth_type":"x","api_base":"gw/chat/completions/"}}`), &stored))
			value, more := code.Run(stored, " raw\n").Next()
			require.True(t, more)
			require.NotImplements(t, (*error)(nil), value, line)
			assert.Len(t, value, 1, "one field is patched: %s", line)
		default:
			t.Errorf("unexpected command %q", command[0])
		}
	}
}

func TestTheFiltersDoWhatTheyShould(t *testing.T) {
	t.Parallel()
	stored := `{"auth_format":"api_key","auth_type":"x","api_base":"https://gw/v1/chat/completions//","excludeDefaultModels":true}`
	for rule, c := range map[string]struct {
		secret inventory.Secret
		key    string
		want   any
	}{
		"auth-format-api-key":       {secret("a", stored), "auth_format", "bearer"},
		"portable-form":             {secret("a", `{"auth_type":"api_key"}`), "auth_format", nil},
		"api-base-chat-completions": {secret("a", stored), "api_base", "https://gw/v1"},
		"api-base-trailing-slash":   {secret("a", stored), "api_base", "https://gw/v1/chat/completions"},
		"api-base-no-scheme":        {secret("a", `{"api_base":"gw"}`), "api_base", "https://https://gw/v1/chat/completions//"},
		"serves-nothing":            {secret("a", stored), "excludeDefaultModels", false},
	} {
		curl := group(t, audit.Run(take(c.secret), given(current)), rule).Findings[0].Remedy.Written().Curl
		for _, command := range wordsOf(t, curl) {
			if command[0] != "jq" {
				continue
			}
			query, err := gojq.Parse(command[1])
			require.NoError(t, err)
			var in any
			require.NoError(t, json.Unmarshal([]byte(`{"metadata":`+stored+`}`), &in))
			value, _ := query.Run(in).Next()
			patched, isObject := value.(map[string]any)
			require.True(t, isObject, "%v", value)
			metadata, isObject := patched["metadata"].(map[string]any)
			require.True(t, isObject)
			assert.Equal(t, c.want, metadata[c.key], rule)
		}
	}
}

const canary = "canary-7f3a91c2"

func withCanaries() inventory.Inventory {
	return take(
		previewed("Bearer "+canary, secret("a", `{"api_base":"https://svc:`+canary+`@gw/v1/?k=`+canary+`","auth_format":"api_key","additionalHeaders":{"X":"`+canary+`"},`+custom+`}`)),
		of("one", previewed(canary, secret("b\x1b[2J", `{"api_base":"svc:`+canary+`@gw","additionalHeaders":["`+canary+`"],"access_key":"`+canary+`",`+custom+`}`))),
		of("one", secret("c", `["Bearer `+canary+`"]`)), of("two", secret("d", `{"auth_type":"Bearer `+canary+`","customModels":"sk-`+canary+`"}`)),
	)
}

func TestNoSecretIsShownAndNoNameMovesTheCursor(t *testing.T) {
	t.Parallel()
	for _, o := range []audit.Options{{Model: "acme-chat"}, {Generation: old}, {Generation: current}} {
		report := audit.Run(withCanaries(), o)
		var table, asJSON bytes.Buffer
		require.NoError(t, report.Table(&table, true))
		require.NoError(t, report.JSON(&asJSON))
		for _, shown := range []string{table.String(), asJSON.String()} {
			assert.NotContains(t, shown, canary)
			assert.NotContains(t, shown, "\x1b")
			assert.Contains(t, shown, "redacted")
		}
	}
}

func TestASavedInventoryGivesTheSame(t *testing.T) {
	t.Parallel()
	for _, o := range []audit.Options{{Model: "acme-chat"}, {Generation: mid}} {
		live := withCanaries()
		live.Secrets = append(live.Secrets, inventory.Secret{ID: "x", Level: inventory.Org, Type: "openai"})
		path := filepath.Join(t.TempDir(), "inventory.json")
		require.NoError(t, live.Save(path))
		saved, err := inventory.Load(path)
		require.NoError(t, err)
		var a, b bytes.Buffer
		require.NoError(t, audit.Run(live, o).JSON(&a))
		require.NoError(t, audit.Run(saved, o).JSON(&b))
		assert.Equal(t, a.String(), b.String())
	}
}

func TestJSONIsTheReport(t *testing.T) {
	t.Parallel()
	report := audit.Run(withCanaries(), audit.Options{Model: "acme-chat"})
	var streamed bytes.Buffer
	require.NoError(t, report.JSON(&streamed))
	whole, err := json.Marshal(report)
	require.NoError(t, err)
	assert.JSONEq(t, string(whole), streamed.String())

	path := filepath.Join(t.TempDir(), "audit.json")
	require.NoError(t, os.WriteFile(path, streamed.Bytes(), 0o600))
	loaded, err := audit.Load(path)
	require.NoError(t, err)
	assert.Equal(t, rules(report), rules(loaded))
	again, err := json.Marshal(loaded)
	require.NoError(t, err)
	assert.JSONEq(t, string(whole), string(again))

	var empty bytes.Buffer
	require.NoError(t, audit.Run(take(), audit.Options{}).JSON(&empty))
	assert.True(t, json.Valid(empty.Bytes()), empty.String())
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for body, says := range map[string]string{
		``: "unexpected end", `<html>`: "invalid character", `{}`: "it is no audit", `{"schema":"planeproof/inventory/v1"}`: "it is no audit",
		`{"schema":"planeproof/audit/v2"}`: "another version", `{"schema":"planeproof/audit/v1","groups":7}`: "cannot unmarshal",
	} {
		path := filepath.Join(t.TempDir(), "audit.json")
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		_, err := audit.Load(path)
		require.ErrorIs(t, err, audit.ErrFile)
		assert.ErrorContains(t, err, says)
	}
	_, err := audit.Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, audit.ErrFile)
}

func TestTable(t *testing.T) {
	t.Parallel()
	report := audit.Run(take(
		secret("acme", `{"auth_format":"api_key","auth_type":"api_key","api_base":"https://gw.example/v1",`+custom+`}`),
	), audit.Options{Generation: current, Model: "acme-chat"})
	var b bytes.Buffer
	require.NoError(t, report.Table(&b, false))
	golden(t, "testdata/table.txt", b.String())
	b.Reset()
	require.NoError(t, report.Table(&b, true))
	assert.Contains(t, b.String(), "NOTE  migration-gateway")
	assert.NotContains(t, b.String(), "notes are hidden")

	many := take()
	for n := range 25 {
		many.Secrets = append(many.Secrets, secret(fmt.Sprint("s", n), `{"api_base":"https://gw/"}`))
	}
	b.Reset()
	require.NoError(t, audit.Run(many, given(current)).Table(&b, false))
	assert.Contains(t, b.String(), "… and 5 more: --format json has them all")
}
