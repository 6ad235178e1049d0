package audit_test

import (
	"encoding/json"
	"slices"
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

func TestAGatewayThatRequiresAPIKeyIsRight(t *testing.T) { // BEARER-13
	t.Parallel()
	got := group(t, audit.Run(take(secret("a", `{"auth_format":"api_key","api_base":"https://gw/v1"}`)), given(current)), "auth-format-api-key")
	assert.Contains(t, got.Needs, "requires Api-Key, in which case the secret is right as it is")
	assert.Equal(t, "planeproof verify-token --api-url https://api.example --secret id-a --token-file -", got.Findings[0].Remedy.Decide)
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
	assert.Contains(t, evidence(`{"auth_type":"api_key","models":7}`), "metadata.models is a number, but must be an array")
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
				remedy := f.Remedy
				if remedy.Command != "" {
					args := wordsOf(t, remedy.Command)[0]
					assert.Equal(t, []string{"planeproof", "fix", "plan", "--api-url", "https://api.example", "--secret", f.Secret.ID}, args[:7])
				}
				if remedy.Decide != "" {
					args := wordsOf(t, remedy.Decide)[0]
					assert.Equal(t, []string{"planeproof", "verify-token", "--api-url", "https://api.example", "--secret", f.Secret.ID, "--token-file", "-"}, args)
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
			code, err := gojq.Compile(query)
			require.NoError(t, err, line)
			var stored any
			require.NoError(t, json.Unmarshal([]byte(`{"metadata":{"auth_format":"api_key","auth_type":"x","api_base":"gw/chat/completions/","additionalHeaders":{}}}`), &stored))
			var in any = stored
			if slices.Contains(command, "-Rs") {
				in = " raw\n"
			}
			value, more := code.Run(in).Next()
			require.True(t, more)
			require.NotImplements(t, (*error)(nil), value, line)
			assert.Len(t, value, 1, "one field is patched: %s", line)
		default:
			t.Errorf("unexpected command %q", command[0])
		}
	}
}

// TestCommandsRunAsPrinted: the program as it was called, where its key is, the organization, and files that are there or are made.
func TestCommandsRunAsPrinted(t *testing.T) {
	t.Parallel()
	found := take(secret("a", `{"auth_format":"api_key","api_base":"https://gw/v1"}`), previewed("Bearer x", secret("b", `{"api_base":"https://gw/v1"}`)),
		of("one", secret("c", `{"auth_type":"api_key"}`)))
	report := audit.Run(found, audit.Options{Generation: old, Commands: audit.Commands{
		Program: "./bin/plane proof", KeyFlags: []string{"--api-key-file", "my key"}, Org: []string{"--org", "acme inc"},
		Key: `$(cat 'my key')`, Again: []string{"--inventory", "saved.json", "--legacy", "legacy-2026-02"},
	}})
	var all []string
	for _, g := range report.Groups {
		for _, f := range g.Findings {
			for _, line := range []string{f.Remedy.Decide, f.Remedy.Command} {
				if line != "" {
					all = append(all, line)
				}
			}
			if f.Remedy.Curl != "" {
				assert.Contains(t, f.Remedy.Curl, `"Authorization: Bearer $(cat 'my key')"`)
			}
		}
	}
	const program, access = `'./bin/plane proof' `, `--api-url https://api.example --api-key-file 'my key' `
	assert.Contains(t, all, program+"verify-token "+access+"--secret id-a --token-file -")
	assert.Contains(t, all, program+"fix plan "+access+"--org 'acme inc' --secret id-a --legacy legacy-2026-02 --save plan-bearer-ida.json")
	assert.Contains(t, all, program+"fix plan "+access+"--org 'acme inc' --secret id-b --legacy legacy-2026-02 --token-file - --save plan-raw-token-idb.json")
	assert.Contains(t, all, program+"fix plan "+access+"--org 'acme inc' --secret id-c-one --legacy legacy-2026-02 --workaround --save plan-workaround-idcone.json")
	assert.Equal(t, []string{
		program + "audit --inventory saved.json --legacy legacy-2026-02 -o json > audit.json",
		program + "fix plan " + access + "--org 'acme inc' --audit audit.json --save plan.json",
	}, report.Next)
	raw, err := json.Marshal(report)
	require.NoError(t, err)
	for _, placeholder := range []string{"GENERATION>", "<VALUE>", " ID ", "token.txt", "proxy.log"} {
		assert.NotContains(t, string(raw), placeholder)
	}
	assert.Nil(t, audit.Run(take(secret("a", `{"api_base":"https://gw/v1"}`)), audit.Options{Commands: audit.Commands{Again: []string{}}}).Next, "nothing to plan")
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
		"api-base-blank":            {secret("a", `{"api_base":"https://gw/v1 "}`), "api_base", "https://gw/v1/chat/completions//"},
		"api-base-no-version":       {secret("a", `{"api_base":"https://gw/"}`), "api_base", "https://gw/v1/chat/completions/v1"},
		"serves-nothing":            {secret("a", stored), "excludeDefaultModels", false},
	} {
		curl := group(t, audit.Run(take(c.secret), given(current)), rule).Findings[0].Remedy.Curl
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
