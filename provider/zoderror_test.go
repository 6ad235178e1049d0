package provider_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/vectors"
	"github.com/planeproof/planeproof/provider"
)

// TestParseZodErrorReadsWhatIsWritten: every error of every recorded secret is read back whole, and every recorded one is read.
func TestParseZodErrorReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	recorded := 0
	for _, row := range vectors.Rows[schemaRow](t, "secret-schema.jsonl") {
		for _, g := range provider.Generations() {
			_, issues := provider.Read(g, row.Secret)
			if len(issues) == 0 {
				continue
			}
			read, err := provider.ParseZodError(provider.ZodError(issues))
			require.NoError(t, err, row.ID)
			require.Equal(t, text(issues), text(read), row.ID)
			var verdict verdict
			require.NoError(t, json.Unmarshal(row.Verdicts[g], &verdict))
			if verdict.ZodError != "" {
				recorded++
				read, err = provider.ParseZodError("ZodError: " + verdict.ZodError)
				require.NoError(t, err, row.ID)
				require.Equal(t, text(issues), text(read), row.ID)
			}
		}
	}
	assert.Positive(t, recorded)
}

func TestParseZodErrorInsideALine(t *testing.T) {
	t.Parallel()
	_, issues := provider.Read(provider.Legacy202602, json.RawMessage(`{"type":"openai","secret":"x","metadata":{"auth_type":"\\n\"","<b>\\":1}}`))
	zod := provider.ZodError(issues)
	line := "[project 1] Failed to load project secrets ZodError: " + zod + "\n    at get error {\n  issues: [\n"
	for name, text := range map[string]string{
		"alone": zod, "in a line": line, "on one line": strings.Join(strings.Fields(line), " "), "CRLF": strings.ReplaceAll(line, "\n", "\r\n"),
		"behind a list": `["a"] [{"b":1}] ` + line, "quoted": text(line), "quoted twice": text(text(line)), "quoted three times": text(text(text(line))),
	} {
		read, err := provider.ParseZodError(text)
		require.NoError(t, err, name)
		assert.Equal(t, issues, read, name)
	}
}

func TestParseZodErrorRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "ZodError", "ZodError: []", "ZodError: [}]", "ZodError: [{}]", `ZodError: [{"code":7}]`, `ZodError: [{"code":"invalid_type"}`, `[{"a":1}]`,
		`{"code":"invalid_type"}`, "[project 1] no error", strings.Repeat(`\\`, 64) + `[`, `ZodError: [\`,
	} {
		issues, err := provider.ParseZodError(text)
		require.ErrorContains(t, err, "parse ZodError", text)
		assert.Empty(t, issues, text)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		generation     provider.Generation
		typ, metadata  string
		want, received string
	}{
		{provider.Legacy202602, "openai", `{"b":1,"auth_type":2}`, "unknown keys in metadata: b, auth_type", ""},
		{provider.Legacy202602, "openai", `{"models":7,"knob":1}`, "metadata.models is a number, but must be an array; unknown keys in metadata: knob", "number"},
		{provider.Legacy202602, "openai", `{"models":["a",null]}`, "metadata.models[1] is null, but must be a string", "null"},
		{provider.Legacy202602, "openai", `7`, "metadata is a number, but must be an object", "number"},
		{provider.Current202608, "databricks", `{}`, "metadata.api_base is missing: it must be a string", "undefined"},
		{provider.Current202608, "openai", `{"auth_format":"canary-4711"}`, "metadata.auth_format must be one of bearer, api_key", ""},
		{provider.Current202608, "openai", `{"auth_format":["canary-4711"]}`, "metadata.auth_format is an array, but must be one of bearer, api_key", "array"},
		{provider.Current202608, "azure_ai_gateway", `{"api_base":"http://a","auth_type":"canary-4711"}`, "metadata.auth_type must be api_key", ""},
		{provider.Current202608, "openai", `{"api_base":"canary-4711"}`, "metadata.api_base is not a valid url", ""},
		{provider.Current202608, "openai", `{"api_base":{"canary-4711":1}}`, "metadata.api_base is an object, which is not accepted there", "object"},
		{provider.Current202608, "bedrock", `{"region":""}`, "metadata.region is too short", ""},
		{provider.Current202608, "vertex", `{"project":"p","authType":"canary-4711"}`, "metadata.authType must be one of access_token, oauth_bearer, service_account_key, workload_identity_federation", ""},
		{provider.Legacy202602, "canary-4711", `{}`, "the provider type is not known", ""},
	} {
		_, issues := provider.Read(c.generation, json.RawMessage(`{"secret":"s","type":"`+c.typ+`","metadata":`+c.metadata+`}`))
		require.NotEmpty(t, issues, c.metadata)
		assert.Equal(t, c.want, provider.Explain(issues))
		assert.Equal(t, c.received, issues[0].ReceivedType(), c.want)
	}
}

// TestExplainQuotesNoValue: whatever a log has where zod puts a value, it is not repeated.
func TestExplainQuotesNoValue(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		provider.CodeInvalidType, provider.CodeInvalidEnum, provider.CodeInvalidLiteral, provider.CodeInvalidUnion, provider.CodeInvalidString,
		provider.CodeTooSmall, provider.CodeTooBig, provider.CodeUnrecognizedKeys, "canary-4711", "custom",
	} {
		issue := provider.Issue{Code: code, Path: []any{"metadata", "a"}, Received: "canary-4711", Message: "Received 'canary-4711'"}
		issue.Members = [][]provider.Issue{{issue}, {issue}}
		assert.NotContains(t, issue.Explain(), "canary", code)
		assert.Contains(t, issue.Explain(), "metadata.a", code)
	}
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	literal := func(want string) provider.Issue {
		return provider.Issue{Code: provider.CodeInvalidLiteral, Expected: `"` + want + `"`, Received: `"openai"`, Path: []any{3, "type"}}
	}
	bad := provider.Issue{Code: provider.CodeInvalidEnum, Options: []string{"bearer"}, Received: "x", Path: []any{3, "secret", "metadata", "auth_format"}}
	union := provider.Issue{Code: provider.CodeInvalidUnion, Path: []any{3}, Members: [][]provider.Issue{{literal("azure"), bad}, {bad}, {literal("vertex")}}}
	found, typ := provider.Narrow([]provider.Issue{union})
	assert.Equal(t, "openai", typ)
	bad.Path = []any{"metadata", "auth_format"}
	assert.Equal(t, []provider.Issue{bad}, found)

	union.Members = [][]provider.Issue{{literal("azure")}, {literal("vertex")}}
	found, typ = provider.Narrow([]provider.Issue{union})
	assert.Equal(t, "openai", typ)
	require.Len(t, found, 1)
	assert.Empty(t, found[0].Path)
	assert.Equal(t, "the provider type is not known", provider.Explain(found))

	for _, g := range provider.Generations() {
		_, issues := provider.Read(g, json.RawMessage(`{"type":"openai","secret":"x","metadata":{"api_base":7,"models":7}}`))
		same, typ := provider.Narrow(issues)
		assert.Equal(t, issues, same, "what Read reports is narrow")
		assert.Empty(t, typ)
	}
}

// TestParseMixedLines: of mixed lines only what one line says alone is read, and nothing that may be another type's.
func TestParseMixedLines(t *testing.T) {
	t.Parallel()
	keys := provider.Issue{Code: provider.CodeUnrecognizedKeys, Path: []any{"metadata"}, Keys: []string{"a", "b\"c"}, Message: `Unrecognized key(s) in object: 'a', 'b"c'`}
	foreign := keys
	foreign.Keys, foreign.Message = []string{"foreign"}, "Unrecognized key(s) in object: 'foreign'"
	union := provider.Issue{Code: provider.CodeInvalidUnion, Message: "Invalid input", Members: [][]provider.Issue{{foreign}, {foreign}}}
	enum := provider.Issue{Code: provider.CodeInvalidEnum, Path: []any{"metadata", "auth_format"}, Received: "x", Message: "Unrecognized"}
	asIs := func(text string) string { return text }
	for name, c := range map[string]struct {
		issues []provider.Issue
		layout func(string) string
		found  []provider.Issue
		others []string
	}{
		"keys alone":        {[]provider.Issue{keys}, asIs, []provider.Issue{keys}, nil},
		"twice":             {[]provider.Issue{keys, keys}, asIs, []provider.Issue{keys, keys}, nil},
		"others, sorted":    {[]provider.Issue{union, keys, enum, enum}, asIs, []provider.Issue{keys}, []string{provider.CodeInvalidEnum, provider.CodeInvalidUnion}},
		"not indented":      {[]provider.Issue{keys}, unindented, []provider.Issue{keys}, nil},
		"union, unindented": {[]provider.Issue{union, keys}, unindented, nil, []string{provider.CodeInvalidUnion}},
	} {
		found, others := provider.ParseMixedLines(c.layout(provider.ZodError(c.issues)))
		assert.Equal(t, c.found, found, name)
		assert.Equal(t, c.others, others, name)
	}
	found, others := provider.ParseMixedLines("")
	assert.Empty(t, found)
	assert.Empty(t, others)
}

func unindented(text string) string { return regexp.MustCompile(`(?m)^ +`).ReplaceAllString(text, "") }
