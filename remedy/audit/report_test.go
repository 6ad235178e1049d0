package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/file"
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
		"clean":       {take(secret("a", `{"api_base":"https://gw/v1"}`)), audit.Options{}, audit.Clean, 0, "clean: 1 provider secret in 1 project and the organization; nothing of severity warning or worse; 0 errors, 0 warnings, 0 notes"},
		"notes":       {take(secret("a", `{"auth_type":"api_key"}`)), audit.Options{}, audit.Clean, 0, "clean: 1 provider secret in 1 project and the organization; nothing of severity warning or worse; 0 errors, 0 warnings, 3 notes"},
		"fail on":     {take(secret("a", `{"auth_type":"api_key"}`)), audit.Options{FailOn: audit.Note}, audit.Findings, 1, "findings: 0 errors, 0 warnings, 3 notes; affected: 1 of 1 provider secret in 1 project and the organization"},
		"findings":    {take(secret("a", `{"auth_format":"api_key"}`), secret("b", `{}`)), given(current), audit.Findings, 1, "findings: 1 error, 0 warnings, 2 notes; affected: 1 of 2 provider secrets in 1 project and the organization"},
		"error alone": {take(secret("a", `{"api_base":"https://gw/v1/"}`)), audit.Options{FailOn: audit.Error}, audit.Clean, 0, "clean: 1 provider secret in 1 project and the organization; nothing of severity error or worse; 0 errors, 1 warning, 0 notes"},
		"incomplete":  {incomplete, given(current), audit.Incomplete, 3, "incomplete: 1 thing was not read; found so far in 1 provider secret in 1 project and the organization: 1 error, 0 warnings, 2 notes"},
		"nothing":     {take(), audit.Options{}, audit.Incomplete, 3, "incomplete: 1 thing was not read; found so far in 0 provider secrets in 1 project and the organization: 0 errors, 0 warnings, 0 notes"},
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
	assert.Equal(t, []string{"unknown keys in metadata: auth_type 2", "metadata.models is a number, but must be an array 1"}, causes)
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
		"the fix is for legacy-2026-02, the oldest generation: what that can read, every later one can read too",
	}, got.Findings[0].Evidence)
	assert.Contains(t, got.Needs, "--legacy GENERATION")
	assert.Equal(t, audit.RemedyWorkaround, got.Findings[0].Remedy.Name)

	got = group(t, audit.Run(take(of("one", secret("a", `{"auth_type":"api_key"}`))), given(mid)), "metadata-unreadable")
	assert.Empty(t, got.Needs)
	assert.Contains(t, got.Findings[0].Evidence[1], "No API keys found") // OVERRIDE-5
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
		``: "not JSON of ours", `<html>`: "not JSON of ours", `{}`: "want planeproof/audit/v1", `{"schema":"planeproof/inventory/v1"}`: "want planeproof/audit/v1",
		`{"schema":"planeproof/audit/v2"}`: "this program knows planeproof/audit/v1", `{"schema":"planeproof/audit/v1","groups":7}`: "its content",
	} {
		path := filepath.Join(t.TempDir(), "audit.json")
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		_, err := audit.Load(path)
		require.ErrorIs(t, err, file.ErrUnusable)
		assert.ErrorContains(t, err, says)
	}
	_, err := audit.Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, file.ErrUnusable)
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
		many.Secrets = append(many.Secrets, secret(fmt.Sprint("s", n), `{"api_base":"https://gw/v1/"}`))
	}
	b.Reset()
	require.NoError(t, audit.Run(many, given(current)).Table(&b, false))
	assert.Contains(t, b.String(), "… and 5 more: -o json has them all")
}
