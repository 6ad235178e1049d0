package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
)

// outcome is what one command line came to.
type outcome struct {
	code     int
	out, err string
}

// command runs a command line as the program does.
func command(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := execute(t.Context(), terminal{out: &out, err: &errs}, args)
	return outcome{code, out.String(), errs.String()}
}

// logOf writes a log that the legacy proxy of that generation writes of a secret.
func logOf(t *testing.T, g provider.Generation, secret string) string {
	t.Helper()
	_, issues := provider.Read(g, json.RawMessage(secret))
	require.NotEmpty(t, issues)
	path := filepath.Join(t.TempDir(), "proxy.log")
	text := "GET /v1/chat/completions 200 sk-canary-7Hq2vZpX9mKd4RtB8nLw\n" +
		"[project 11111111-1111-4111-8111-111111111111] Failed to load project secrets, continuing with org secrets only ZodError: " +
		provider.ZodError(issues) + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLogsExitCodes(t *testing.T) {
	t.Parallel()
	found := logOf(t, provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"auth_format":"bearer"}}`)
	folder, missing := t.TempDir(), filepath.Join(t.TempDir(), "none.log")
	var zipped bytes.Buffer
	archive := zip.NewWriter(&zipped)
	_, err := archive.Create("proxy.log")
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	quiet := write(t, "GET /v1/chat/completions 200\n")
	for name, tc := range map[string]struct {
		args     []string
		code     int
		out, err string
	}{
		"nothing":        {[]string{"logs", quiet}, 0, "NOTHING FOUND: no warning about provider secrets in 1 line\n", ""},
		"found":          {[]string{"logs", found}, 1, "FOUND: the secrets of 1 project could not be read (1 warning); the organization's credentials were used instead\n", ""},
		"json":           {[]string{"logs", found, "--output", "json"}, 1, "{\n  \"schema\": \"planeproof/logs/v1\",\n  \"found\": true,", ""},
		"-o":             {[]string{"logs", quiet, "-o", "json"}, 0, "{\n  \"schema\": \"planeproof/logs/v1\",\n  \"found\": false,", ""},
		"symptom":        {[]string{"logs", write(t, "AI provider returned 401 error:\n")}, 1, "FOUND: no project's secrets failed to load, but providers refused", ""},
		"missing file":   {[]string{"logs", missing}, 2, "", missing + ": no such file"},
		"two files":      {[]string{"logs", quiet, found}, 2, "", "at most 1 arg"},
		"unknown format": {[]string{"logs", quiet, "--output", "xml"}, 2, "", `--output "xml" is not one of table, json`},
		"old flag":       {[]string{"logs", quiet, "--format", "json"}, 2, "", "unknown flag: --format"},
		"a folder":       {[]string{"logs", folder}, 3, "", folder + ": is a directory"},
		"empty":          {[]string{"logs", write(t, "")}, 3, "", "it is empty, so nothing can be said"},
		"blank":          {[]string{"logs", write(t, "\n \r\n"), "-o", "json"}, 3, "", "it is empty, so nothing can be said"},
		"zip":            {[]string{"logs", write(t, zipped.String())}, 3, "", "this is no log"},
		"refusal":        {[]string{"logs", write(t, "Error from server (NotFound): pods \"x\" not found\n")}, 3, "", "this is no log, but a tool's refusal to give it"},
		"cut off":        {[]string{"logs", write(t, "[\n\"a\",\n\"b")}, 3, "CANNOT TELL: the log was not read to its end", "unexpected EOF; above is what was read before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := command(t, tc.args...)
			assert.Equal(t, tc.code, got.code, got.err)
			assert.True(t, strings.HasPrefix(got.out, tc.out), got.out)
			assert.True(t, got.code != exitInfrastructure || !strings.Contains(got.out, "NOTHING FOUND"), got.out)
			assert.True(t, tc.out != "" || got.out == "", got.out)
			assert.Contains(t, got.err, tc.err)
			assert.NotContains(t, got.out+got.err, "canary")
		})
	}
}

func TestLogsTable(t *testing.T) {
	t.Parallel()
	got := command(t, "logs", logOf(t, provider.Legacy202602, `{"type":"openai","secret":"x","metadata":{"auth_type":"api_key","auth_format":"bearer"}}`))
	assert.Equal(t, `FOUND: the secrets of 1 project could not be read (1 warning); the organization's credentials were used instead

project 11111111-1111-4111-8111-111111111111
  secrets not read   once
  used instead       the organization's credentials, for every secret of the project
  cause              once
    unrecognized_keys: unknown keys in metadata: auth_format, auth_type
    fits legacy-2026-02, for openai
    fits legacy-2026-02 and legacy-2026-03, for anthropic, baseten, cerebras, fireworks, google, groq, js, lepton, mistral, ollama, perplexity, replicate, together, vertex, xAI
    fits legacy-2026-03, for braintrust
    → the log does not name the secret; find it: planeproof audit --project 11111111-1111-4111-8111-111111111111 --legacy legacy-2026-02
    → upgrade the data plane and its proxy, or use the Gateway: current versions keep keys that they do not know
    → until then, remove only these keys: the audit prints the command

lines read: 14; without a word about provider secrets: 1
`, got.out)
}

func TestLogsFromStandardInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"logs", "-"}, {"logs"}} {
		var out bytes.Buffer
		root := newRoot(terminal{out: &out, err: io.Discard}, &evidence.Redactor{})
		root.SetIn(strings.NewReader("No API keys found (for acme-chat). You can configure"))
		root.SetArgs(args)
		require.ErrorIs(t, root.ExecuteContext(t.Context()), exitCode(1))
		assert.Contains(t, out.String(), "no API keys found  once, model acme-chat\n")
	}
}
