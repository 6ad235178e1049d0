package proxylog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
)

const (
	project = "11111111-1111-4111-8111-111111111111"
	warning = "Failed to load project secrets, continuing with org secrets only"
)

func read(t *testing.T, log string) Summary {
	t.Helper()
	summary, err := Read(strings.NewReader(log))
	require.NoError(t, err)
	return summary
}

// zodError is what a generation logs of a secret.
func zodError(t *testing.T, g provider.Generation, secret string) string {
	t.Helper()
	_, issues := provider.Read(g, json.RawMessage(secret))
	require.NotEmpty(t, issues)
	return "ZodError: " + provider.ZodError(issues)
}

// newUI is a secret as the newer settings page saves it (guide: project-override-on-legacy-proxy).
const newUI = `{"name":"acme","secret":"x","type":"openai","metadata":{"auth_type":"api_key","auth_format":"bearer"}}`

// eachLine puts something around each line of a text.
func eachLine(text string, decorate func(line string) string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(decorate(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}

func quoted(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func TestNothingFound(t *testing.T) {
	t.Parallel()
	for log, headline := range map[string]string{
		"":                         "NOTHING FOUND: the log is empty",
		"\r\n\n \n":                "NOTHING FOUND: the log is empty",
		"GET /v1\n{\"msg\":\"x\"}": "NOTHING FOUND: no warning about provider secrets in 2 lines",
		"\xfe\n[\n]\n{}\n":         "NOTHING FOUND: no warning about provider secrets in 4 lines",
	} {
		summary := read(t, log)
		assert.False(t, summary.Found, log)
		assert.Equal(t, headline, summary.Headline)
		assert.Equal(t, strings.Count(log, "\n")+min(1, len(log)-strings.LastIndex(log, "\n")-1), summary.Lines, "%q", log)
		assert.Equal(t, summary.Lines, summary.Unknown)
		assert.Contains(t, quoted(t, summary), `{"schema":"planeproof/logs/v1","found":false,`)
	}
}

func TestEveryDecoration(t *testing.T) {
	t.Parallel()
	zod := zodError(t, provider.Legacy202602, newUI)
	lines := warning + " " + zod + "\n"
	collapsed := strings.Join(strings.Fields(zod), " ")
	_, array, _ := strings.Cut(zod, "ZodError: ")
	issues := json.RawMessage(array)
	atTime := "2026-03-01T12:00:00.123456789Z "
	for name, log := range map[string]string{
		"plain":     lines,
		"no end":    strings.TrimSuffix(lines, "\n"),
		"CRLF":      strings.ReplaceAll(lines, "\n", "\r\n"),
		"BOM":       "\ufeff" + lines,
		"level":     "[WARN] proxy: " + lines,
		"colors":    eachLine(lines, func(l string) string { return "\x1b[33m" + l + "\x1b[39m\x1b[0K" }),
		"kubectl":   eachLine(lines, func(l string) string { return "[pod/api-7d9f/proxy] " + l }),
		"k8s times": eachLine(lines, func(l string) string { return "[pod/api-7d9f/proxy] " + atTime + l }),
		"CRI":       eachLine(lines, func(l string) string { return atTime + "stderr F " + l }),
		"compose":   eachLine(lines, func(l string) string { return "braintrust-api-1  | " + l }),
		"all of it": eachLine(lines, func(l string) string { return "\x1b[36mapi-1 |\x1b[0m 2026-03-01 12:00:00,123 +0000 " + l + "\r" }),
		"one line":  warning + " " + collapsed + "\n",
		"escaped":   warning + " " + strings.Trim(quoted(t, zod), `"`) + "\n",
		"stack":     lines + "    at get error [as error] (file:///app/node_modules/zod/lib/types.mjs:55:31)\n    at ZodArray.parse {\n  issues: [\n    {\n",
		"next line": warning + "\n" + zod + "\n",
		"interleaved": eachLine(lines, func(l string) string {
			return l + "\nGET /v1/chat/completions 200\n" + `{"level":30,"msg":"served"}` + "\n[proxy] hello"
		}),
		"msg":     `{"level":40,"msg":` + quoted(t, warning+" "+zod) + "}\n",
		"message": `{"message":` + quoted(t, warning+" "+collapsed) + `,"level":"warn"}`,
		"log":     eachLine(lines, func(l string) string { return `{"log":` + quoted(t, l+"\n") + `,"stream":"stderr"}` }),
		"nested":  `{"log":` + quoted(t, `{"msg":`+quoted(t, warning+" "+zod)+"}\n") + `}`,
		"timed":   atTime + `{"msg":` + quoted(t, warning+" "+zod) + "}\n",
		"pino":    `{"err":{"type":"ZodError","message":` + quoted(t, array) + `,"stack":` + quoted(t, zod+"\n    at x") + `},"msg":"` + warning + `"}`,
		"issues":  `{"event":{"error":{"issues":` + quoted(t, issues) + `,"name":"ZodError"},"text":"` + warning + `"}}`,
		"twice":   `{"msg":` + quoted(t, warning+" "+zod) + `,"raw":` + quoted(t, warning+" "+zod) + `}`,
		"in list": `{"schema":"planeproof/log/v1","entries":[{"text":"other"},{"text":` + quoted(t, warning+" "+zod) + `}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			summary := read(t, "before\n"+log+"\nafter\n")
			require.True(t, summary.Found, summary)
			require.Len(t, summary.Projects, 1)
			p := summary.Projects[0]
			assert.Equal(t, 1, p.Unreadable)
			assert.Equal(t, "project not named in the log", p.Label())
			require.Len(t, p.Causes, 1)
			require.Len(t, p.Causes[0].Issues, 1, p.Causes[0].Why)
			issue := p.Causes[0].Issues[0]
			assert.Equal(t, "unrecognized_keys", issue.Code)
			assert.Equal(t, []string{"auth_format", "auth_type"}, issue.Keys)
			assert.Equal(t, "metadata", issue.Path)
			assert.True(t, p.Causes[0].Workaround)
			assert.Positive(t, summary.Unknown)
		})
	}
}

func TestWritersAreToldApart(t *testing.T) {
	t.Parallel()
	first := strings.Split(warning+" "+zodError(t, provider.Legacy202602, newUI), "\n")
	second := strings.Split(warning+" "+zodError(t, provider.Legacy202603, newUI), "\n")
	var plain, fields strings.Builder
	for i := range max(len(first), len(second)) {
		for pod, lines := range [][]string{first, second} {
			if i < len(lines) {
				fmt.Fprintf(&plain, "[pod/api-%d/proxy] %s\n", pod, lines[i])
				fmt.Fprintf(&fields, `{"log":%s,"kubernetes":{"pod_name":"api-%d"}}`+"\n", quoted(t, lines[i]), pod)
			}
		}
	}
	for _, log := range []string{plain.String(), fields.String()} {
		summary := read(t, log)
		require.Len(t, summary.Projects, 1)
		require.Len(t, summary.Projects[0].Causes, 2)
		assert.Equal(t, 0, summary.Unknown)
		keys := [][]string{summary.Projects[0].Causes[0].Issues[0].Keys, summary.Projects[0].Causes[1].Issues[0].Keys}
		assert.ElementsMatch(t, [][]string{{"auth_type"}, {"auth_format", "auth_type"}}, keys)
	}
}

func TestProjectsAreNamed(t *testing.T) {
	t.Parallel()
	zod := strings.Join(strings.Fields(zodError(t, provider.Legacy202602, newUI)), " ")
	for log, label := range map[string]string{
		"project " + project + ": " + warning + " " + zod:                                          "project " + project,
		warning + " " + zod + " { projectId: '" + strings.ToUpper(project) + "' }":                 "project " + project,
		"x-bt-project-id=" + project + " " + warning + " " + zod:                                   "project " + project,
		`{"msg":"` + warning + `","project_id":"` + project + `"}`:                                 "project " + project,
		`{"msg":"` + warning + `","req":{"headers":{"x-bt-project-id":"` + project + `"}}}`:        "project " + project,
		`{"msg":"` + warning + `","project":{"id":"` + project + `","name":"Sales"}}`:              "project " + project + " (Sales)",
		`{"msg":"` + warning + `","resource":{"labels":{"project_id":"my-cloud-1"}}}`:              "project not named in the log",
		`{"msg":"` + warning + `","project_name":"a\u001b[31m\nb"}`:                                `project a\x1b[31m b`,
		`{"entries":[{"text":"` + warning + `","project":"` + project + `"},{"text":"x"}]}`:        "project " + project,
		"secret 22222222-2222-4222-8222-222222222222 " + warning + " " + zod:                       "project not named in the log",
		`{"msg":"` + warning + `","projectUuid":"` + project + `","a":{"project_id":"not an id"}}`: "project " + project,
	} {
		summary := read(t, log+"\n")
		require.Len(t, summary.Projects, 1, log)
		assert.Equal(t, label, summary.Projects[0].Label(), log)
		assert.Equal(t, 1, summary.Projects[0].Unreadable, log)
	}
}

func TestWhichGenerationsFit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		generation provider.Generation
		secret     string
		fits       string // of openai
		workaround bool
		text       string
	}{
		"both keys":      {provider.Legacy202602, newUI, "[legacy-2026-02]", true, "unknown keys in metadata: auth_format, auth_type"},
		"auth_type only": {provider.Legacy202603, newUI, "[legacy-2026-02 legacy-2026-03]", true, "unknown keys in metadata: auth_type"},
		"unknown enum": {
			provider.Legacy202603, `{"type":"openai","secret":"x","metadata":{"auth_format":"Bearer"}}`, "[legacy-2026-03 current-2026-08]", false,
			`metadata.auth_format must be one of bearer, api_key`,
		},
		"enum of current": {
			provider.Current202608, `{"type":"openai","secret":"x","metadata":{"auth_type":"pat"}}`, "[current-2026-08]", false,
			`metadata.auth_type must be one of api_key, oauth_bearer, workload_identity_federation`,
		},
		"bad url": {
			provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"api_base":"gateway"}}`, "[legacy-2026-02 legacy-2026-03 current-2026-08]", false,
			"metadata.api_base is not a valid url",
		},
		"url and keys": {
			provider.Legacy202603, `{"type":"openai","secret":"x","metadata":{"api_base":"gateway","auth_type":"api_key"}}`, "[legacy-2026-02 legacy-2026-03]", false,
			"metadata.api_base is not a valid url",
		},
		"wrong type": {
			provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"models":["a",1]}}`, "[legacy-2026-02 legacy-2026-03 current-2026-08]", false,
			"metadata.models[1] is a number, but must be a string",
		},
		"wrong type in a union": {
			provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"api_base":7}}`, "[legacy-2026-02 legacy-2026-03 current-2026-08]", false,
			"metadata.api_base is a number, which is not accepted there",
		},
		"model": {
			provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"customModels":{"m.1":{"format":"x","flavor":"chat"}}}}`, "[legacy-2026-02 legacy-2026-03 current-2026-08]", false,
			`metadata.customModels.m.1.format must be one of openai, anthropic, google, window, js, converse`,
		},
		"missing key": {
			provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"customModels":{"m":{"format":"openai"}}}}`, "[legacy-2026-02 legacy-2026-03 current-2026-08]", false,
			"metadata.customModels.m.flavor is missing: it must be one of chat, completion, embedding",
		},
		"null value": {
			provider.Legacy202603, `{"type":"openai","secret":null}`, "[legacy-2026-02 legacy-2026-03]", false, "secret is null, but must be a string",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			summary := read(t, warning+" "+zodError(t, tc.generation, tc.secret)+"\n")
			cause := summary.Projects[0].Causes[0]
			require.NotEmpty(t, cause.Issues, cause.Why)
			assert.Equal(t, tc.text, cause.Issues[0].Text)
			assert.Equal(t, tc.workaround, cause.Workaround)
			i := slices.IndexFunc(cause.Fits, func(f Fit) bool { return slices.Contains(f.Types, "openai") })
			require.GreaterOrEqual(t, i, 0, "%+v", cause)
			assert.Equal(t, tc.fits, fmt.Sprint(cause.Fits[i].Generations))
			advice := strings.Join(cause.Advice, "\n")
			if tc.workaround {
				assert.Contains(t, advice, "until then, remove only these keys: the audit prints the command")
				assert.Contains(t, advice, "upgrade the data plane")
			} else {
				assert.Contains(t, advice, "the workaround of removing keys does not apply")
				assert.NotContains(t, advice, "--workaround")
			}
		})
	}
}

func TestUnionOfAllTypes(t *testing.T) {
	t.Parallel()
	member := func(typ, more string) string {
		return `{"issues":[{"received":"openai","code":"invalid_literal","expected":"` + typ + `","path":["type"],"message":"m"}` + more + `],"name":"ZodError"}`
	}
	bad := `{"received":"Bearer","code":"invalid_enum_value","options":["bearer","api_key"],"path":["metadata","auth_format"],"message":"m"}`
	log := warning + ` ZodError: [{"code":"invalid_union","unionErrors":[` + member("azure", ","+bad) + `,{"issues":[` + bad + `]},` + member("vertex", "") + `],"path":[],"message":"Invalid input"}]`
	cause := read(t, log).Projects[0].Causes[0]
	require.Len(t, cause.Issues, 1)
	assert.Equal(t, "metadata.auth_format", cause.Issues[0].Path)
	assert.Equal(t, "openai", cause.Type)
	assert.Equal(t, []Fit{{Types: []string{"openai"}, Generations: []provider.Generation{provider.Legacy202603, provider.Current202608}}}, cause.Fits)

	log = warning + ` ZodError: [{"code":"invalid_union","unionErrors":[` + strings.ReplaceAll(member("azure", "")+","+member("vertex", ""), "openai", "cohere") + `],"path":[],"message":"Invalid input"}]`
	cause = read(t, log).Projects[0].Causes[0]
	assert.Equal(t, "cohere", cause.Type)
	assert.Equal(t, []Fit{{Types: []string{"cohere"}, Generations: []provider.Generation{provider.Legacy202602, provider.Legacy202603}}}, cause.Fits)
	assert.Contains(t, strings.Join(cause.Advice, "\n"), "a younger generation can read it as it is")
}

func TestBrokenErrors(t *testing.T) {
	t.Parallel()
	zod := zodError(t, provider.Legacy202602, newUI)
	for log, why := range map[string]string{
		warning + " ZodError: [\n  {\n" + warning + " ZodError: [\n  {\n":                                         "the log's ZodError is cut off or not in one piece",
		warning + "\n" + warning + "\n":                                                                           "the log has no ZodError with the warning",
		warning + " TypeError: sk-x is not a function\n" + warning + " TypeError: a\n":                            "the log has an error of another kind: TypeError",
		strings.Repeat(warning+" ZodError: [\n  {\n"+strings.Repeat("other\n", maxBetween+1)+"    \"a\": 1\n", 2): "the log's ZodError is cut off or not in one piece",
		strings.Repeat(warning+" ZodError: [\n"+strings.Repeat(`"`+strings.Repeat("x", 1000)+"\",\n", 300), 2):    "the log's ZodError is cut off or not in one piece",
		warning + " ZodError: []\n" + warning + " ZodError: [}]\n":                                                "the log's ZodError is cut off or not in one piece",
	} {
		summary := read(t, log)
		require.Len(t, summary.Projects, 1)
		assert.Equal(t, 2, summary.Projects[0].Unreadable, log)
		require.Len(t, summary.Projects[0].Causes, 1, "%+v", summary)
		assert.Equal(t, why, summary.Projects[0].Causes[0].Why)
		assert.False(t, summary.Projects[0].Causes[0].Workaround)
	}
	summary := read(t, "project "+project+" "+warning+" ZodError: [\n"+warning+" "+zod)
	require.Len(t, summary.Projects, 1)
	assert.Equal(t, "project not named in the log", summary.Projects[0].Label(), "whose the keys are, is not told")
	require.Len(t, summary.Projects[0].Causes, 1)
	cause := summary.Projects[0].Causes[0]
	assert.Equal(t, []string{"auth_format", "auth_type"}, cause.Issues[0].Keys)
	assert.Contains(t, cause.Why, "mixed")
	assert.False(t, cause.Workaround)
	assert.NotContains(t, strings.Join(cause.Advice, "\n"), "--workaround")
}

// TestCutOffTogether: two errors that are mixed and cut off behind their messages may have had more issues.
func TestCutOffTogether(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(zodError(t, provider.Legacy202602, newUI), "\n  }\n]"), "\n")
	both := warning + " " + lines[0] + "\n" + warning + " " + lines[0] + "\n"
	cause := read(t, both+strings.Repeat(strings.Join(lines[1:], "\n")+"\n", 2)).Projects[0].Causes
	require.Len(t, cause, 1)
	assert.Equal(t, []string{"auth_format", "auth_type"}, cause[0].Issues[0].Keys)
	assert.False(t, cause[0].Workaround)
	assert.Empty(t, cause[0].Fits)
}

// TestErrorOfAnotherWarning: a ZodError long after a warning that has none is not that warning's.
func TestErrorOfAnotherWarning(t *testing.T) {
	t.Parallel()
	zod := zodError(t, provider.Legacy202602, newUI)
	for log, issues := range map[string]int{
		warning + "\n" + strings.Repeat("other\n", maxBefore) + zod:                1,
		warning + "\n" + strings.Repeat("other\n", maxBefore+1) + zod:              0,
		warning + "\nother\nproject " + project + " " + warning + " " + zod + "\n": 0, // it has one on its own line
	} {
		projects := read(t, log+"\n").Projects
		unnamed := slices.IndexFunc(projects, func(p Project) bool { return p.ID == "" })
		assert.Len(t, projects[unnamed].Causes[0].Issues, issues, "%s", log)
	}
}

func TestRetriesAndMissingKeys(t *testing.T) {
	t.Parallel()
	summary := read(t, `Received retryable error. Will try the next endpoint 401
2026-03-01T00:00:00Z Received retryable error. Will try the next endpoint undefined
{"msg":"Received retryable error. Will try the next endpoint 401","project_id":"`+project+`"}
Error: No API keys found (for gpt-4o-mini). You can configure API secrets at https://www.braintrust.dev/app/settings?subroute=secrets
No API keys found (for null). You can
Received retryable error. Will try the next endpoint sk-canary-secret
`)
	assert.Equal(t, "FOUND: no project's secrets failed to load, but providers refused or were missing (6 warnings)", summary.Headline)
	require.Len(t, summary.Projects, 2)
	unnamed, named := summary.Projects[0], summary.Projects[1]
	assert.Equal(t, []Count{{"none", 2}, {"401", 1}}, unnamed.Retried)
	assert.Equal(t, []Count{{"gpt-4o-mini", 1}, {"not named", 1}}, unnamed.NoKeys)
	assert.Len(t, unnamed.Advice, 2)
	assert.Equal(t, []Count{{"401", 1}}, named.Retried)
	assert.Contains(t, named.Advice[0], "planeproof verify-token tries one")
	assert.Zero(t, summary.Unknown)
}

func TestNamedSecret(t *testing.T) {
	t.Parallel()
	id := "22222222-2222-4222-8222-222222222222"
	_, array, _ := strings.Cut(zodError(t, provider.Legacy202603, newUI), "ZodError: ")
	line := `{"msg":"` + warning + `","env_var_id":"` + id + `","secret_name":"acme","secret_type":"openai","issues":` + array + `}`
	p := read(t, strings.ReplaceAll(line, "\n", "")+"\n").Projects[0]
	assert.Equal(t, []string{"acme"}, p.Causes[0].Secrets)
	assert.Equal(t, "openai", p.Causes[0].Type)
	assert.Contains(t, strings.Join(p.Causes[0].Advice, "\n"), "planeproof fix plan --secret "+id+" --legacy legacy-2026-02 --workaround")
	assert.NotContains(t, strings.Join(p.Causes[0].Advice, "\n"), "find it")
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	zod := strings.Join(strings.Fields(zodError(t, provider.Legacy202602, newUI)), " ")
	log := strings.Repeat("x", 3*maxLine+17) + " " + warning + " " + zod + "\nshort\n" + strings.Repeat("y", maxLine) + "\n"
	summary := read(t, log)
	assert.Equal(t, 3, summary.Lines)
	assert.Equal(t, 2, summary.Unknown)
	assert.Equal(t, 2, summary.Long)
	require.Len(t, summary.Projects, 1)
	assert.Len(t, summary.Projects[0].Causes[0].Issues, 1)

	summary = read(t, warning+" TypeError\t"+strings.Repeat("x", 3*maxLine)+warning+" TypeError\nshort\n")
	assert.Equal(t, 2, summary.Projects[0].Unreadable)
	assert.Equal(t, 1, summary.Unknown, "a line is known once")
}

func TestReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	summary, err := Read(io.MultiReader(strings.NewReader(warning+"\nhalf"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	assert.True(t, summary.Found)
	assert.Equal(t, 2, summary.Lines)
}

// TestEndlessError: a ZodError that does not end is given up, and what follows is unknown again.
func TestEndlessError(t *testing.T) {
	t.Parallel()
	item := `"` + strings.Repeat("x", 1022) + "\",\n"
	summary := read(t, warning+" ZodError: [\n"+strings.Repeat(item, 2*maxError/len(item)))
	assert.InDelta(t, maxError/len(item), summary.Unknown, 2)
}

// TestValuesAreShownWhereTheyAreSettings: half a credential is one too, so a value is shown whole, as a word, or not at all.
func TestValuesAreShownWhereTheyAreSettings(t *testing.T) {
	t.Parallel()
	for value, shown := range map[string]string{
		"Bearer": "Bearer", "oauth_bearer": "oauth_bearer", "sk-1": "", "two words": "", strings.Repeat("x", 33): "", "": "",
	} {
		log := warning + ` ZodError: [{"code":"invalid_enum_value","options":["bearer"],"received":"` + value + `","path":["metadata","auth_format"]}]`
		assert.Equal(t, shown, read(t, log).Projects[0].Causes[0].Issues[0].Received)
	}
	assert.Equal(t, strings.Repeat("key_", 16)+"…", name(strings.Repeat("key_", 17)))
}

// TestBounds: what is kept does not grow with the log.
func TestBounds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range maxProjects + 10 {
		fmt.Fprintf(&b, `{"msg":"%s","project_id":"11111111-1111-4111-8111-%012d"}`+"\n", warning, i)
	}
	for i := range maxCauses + 10 {
		fmt.Fprintf(&b, `{"msg":"%s","project_id":"11111111-1111-4111-8111-%012d","issues":[{"code":"unrecognized_keys","path":["metadata"],"keys":["k%d"]}]}`+"\n", warning, i%7, i)
		fmt.Fprintf(&b, `{"msg":"No API keys found (for m-%d)","project_id":"11111111-1111-4111-8111-000000000000"}`+"\n", i)
	}
	summary := read(t, b.String())
	assert.Len(t, summary.Projects, maxProjects)
	causes := 0
	for _, p := range summary.Projects {
		causes += len(p.Causes)
		assert.LessOrEqual(t, len(p.NoKeys), maxCounts+1)
	}
	assert.Equal(t, maxCauses, causes)
	assert.Positive(t, summary.Left)
}
