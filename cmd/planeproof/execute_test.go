package main

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// doctored is a feature file of the given scenarios.
func doctored(scenarios string) fs.FS {
	return fstest.MapFS{"bearer/doctored.feature": {Data: []byte("Feature: doctored\n" + scenarios)}}
}

const (
	passes = `
  @BEARER-1
  Scenario: passes
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run
    Then the scorer succeeds
`
	fails = `
  @BEARER-2
  Scenario: fails
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When the scorer is run
    Then the scorer succeeds
`
	breaks = `
  @BEARER-3
  Scenario: breaks
    Given nobody knows this phrase
`
	lasts = `
  @BEARER-4
  Scenario: lasts
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run 2000 times
`
)

// conform runs a command line with features of the test's own.
func conform(ctx context.Context, features string, args ...string) outcome {
	var out, errs bytes.Buffer
	code := execute(ctx, terminal{out: &out, err: &errs, features: doctored(features)}, args)
	return outcome{code, out.String(), errs.String()}
}

// assertOneLine asks for exactly one line on standard error, with the words.
func assertOneLine(t *testing.T, o outcome, words string) {
	t.Helper()
	assert.Equal(t, 1, strings.Count(o.err, "\n"), "standard error is not one line: %q", o.err)
	assert.True(t, strings.HasPrefix(o.err, "planeproof: ") && strings.HasSuffix(o.err, "\n"), "%q", o.err)
	assert.Contains(t, o.err, words)
}

func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	file := write(t, "text")
	foreign := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "report.json"), []byte(`{"mine":true}`), 0o600))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no command":          {nil, "a command is needed"},
		"unknown command":     {[]string{"runn"}, `unknown command "runn" for "planeproof": did you mean run?`},
		"unknown below":       {[]string{"fix", "plann"}, `unknown command "plann" for "planeproof fix": did you mean plan?`},
		"nothing near":        {[]string{"xylophone"}, `unknown command "xylophone" for "planeproof"`},
		"two lines of it":     {[]string{"fake", "gateway", "--tenant", "none\nplaneproof: PASS"}, "open none; planeproof: PASS: no such file"},
		"unknown flag":        {[]string{"run", "--tag", "@bearer"}, "unknown flag: --tag: did you mean --tags?"},
		"unknown flag of one": {[]string{"audit", "--api-ulr", "http://127.0.0.1:1"}, "unknown flag: --api-ulr: did you mean --api-url?"},
		"argument":            {[]string{"run", "@bearer"}, `unknown command "@bearer"`},
		"no number":           {[]string{"run", "--concurrency", "many"}, `invalid argument "many" for "--concurrency"`},
		"concurrency":         {[]string{"run", "--concurrency", "0"}, "--concurrency 0 is less than 1"},
		"seed":                {[]string{"run", "--seed=-1"}, "--seed -1 is less than 0"},
		"runtime":             {[]string{"run", "--runtime", "podman"}, `--runtime "podman" is not auto, docker or process`},
		"tags":                {[]string{"run", "--runtime", "process", "--tags", "@a and ("}, `tag expression "@a and ("`},
		"tags of a list":      {[]string{"run", "--list", "--tags", "@a and"}, `tag expression "@a and"`},
		"report in a file":    {[]string{"run", "--runtime", "process", "--report", file}, "not a directory"},
		"report below a file": {[]string{"run", "--runtime", "process", "--report", filepath.Join(file, "out")}, "not a directory"},
		"foreign report":      {[]string{"run", "--runtime", "process", "--report", foreign}, "report.json alone: not a report of planeproof"},
		"proxy alone":         {[]string{"run", "--proxy-url", "http://127.0.0.1:1/v1"}, "go together"},
		"proxy with password": {[]string{"run", "--proxy-url", "http://svc:hunter2hunter2@127.0.0.1:1/v1", "--data-plane-addr", "127.0.0.1:1"}, "the proxy's URL has a user"},
		"proxy no URL":        {[]string{"run", "--proxy-url", "svc:hunter2hunter2@proxy", "--data-plane-addr", "127.0.0.1:1"}, "the proxy's URL is not http://HOST:PORT/"},
		"proxy that is one":   {[]string{"run", "--proxy-url", "http://127.0.0.1:1/v1", "--data-plane-addr", "8083"}, `the data plane's address "8083" is not HOST:PORT`},
		"generation alone":    {[]string{"run", "--proxy-generation", "legacy-2026-02"}, "--proxy-generation needs --proxy-url"},
		"no generation":       {[]string{"run", "--proxy-url", "http://127.0.0.1:1/v1", "--data-plane-addr", "127.0.0.1:1", "--proxy-generation", "v1"}, "legacy-2026-02"},
		"no fake":             {[]string{"fake"}, "accepts 1 arg(s), received 0"},
		"unknown fake":        {[]string{"fake", "gatewey"}, `invalid argument "gatewey"`},
		"dial":                {[]string{"fake", "data-plane", "--dial", "gateway"}, `--dial "gateway" is not HOST:PORT`},
		"no tenant file":      {[]string{"fake", "gateway", "--tenant", filepath.Join(t.TempDir(), "none.json")}, "no such file"},
		"tenant no JSON":      {[]string{"fake", "gateway", "--tenant", write(t, "{\n")}, "read tenant document"},
		"tenant of another":   {[]string{"fake", "gateway", "--tenant", write(t, `{"schema":"planeproof/tenant/v2"}`)}, `schema is "planeproof/tenant/v2"`},
		"tenant setting":      {[]string{"fake", "gateway", "--tenant", write(t, `{"schema":"planeproof/tenant/v1","id":"t-0123456789abcdef","settings":{"auth":"basic"}}`)}, `auth "basic" is unknown`},
		"version of what":     {[]string{"version", "1"}, `unknown command "1"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := conform(t.Context(), passes, c.args...)
			assert.Equal(t, exitUsage, o.code)
			assertOneLine(t, o, c.says)
			assert.NotContains(t, o.err, "hunter2")
			if len(c.args) > 0 { // whoever gives no command is shown what there is
				assert.Empty(t, o.out)
			}
		})
	}
	raw, err := os.ReadFile(filepath.Join(foreign, "report.json"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"mine":true}`, string(raw), "what is not ours is left alone")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"version", "--version"} {
		o := conform(t.Context(), passes, word)
		assert.Equal(t, 0, o.code)
		assert.Regexp(t, `^planeproof \S+.*\n$`, o.out)
		assert.Empty(t, o.err)
	}
}

// TestCompletionKnowsValues asks as a shell does: the hidden command that cobra's scripts call.
func TestCompletionKnowsValues(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                        {"run", "audit", "fix", "completion"},
		"fix ":                    {"plan", "apply"},
		"run --runtime ":          {"auto", "docker", "process"},
		"run --id ":               {"BEARER-1"},
		"run --id BEARER-1/":      {"BEARER-1/passes"},
		"run --features ":         {":16"}, // folders alone
		"audit --legacy ":         {"legacy-2026-02", "legacy-2026-03", "current-2026-08"},
		"fix plan --legacy ":      {"legacy-2026-02"},
		"audit --fail-on ":        {"error", "warning", "note"},
		"fake ":                   {"gateway", "data-plane", "legacy-proxy"},
		"completion ":             {"bash", "zsh", "fish"},
		"audit --inventory a --s": {"--save"},
	} {
		o := conform(t.Context(), passes, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		require.Equal(t, 0, o.code, o.err)
		var offered []string
		for entry := range strings.Lines(o.out) {
			word, _, _ := strings.Cut(strings.TrimSpace(entry), "\t")
			offered = append(offered, word)
		}
		assert.Subset(t, offered, want, "after %q", line)
	}
	o := conform(t.Context(), passes, "completion", "bash")
	assert.Equal(t, 0, o.code)
	assert.Contains(t, o.out, "planeproof")
}

func TestFakeOnAPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	for _, args := range [][]string{
		{"--addr", taken.Addr().String(), "--control", "127.0.0.1:0"},
		{"--addr", "127.0.0.1:0", "--control", taken.Addr().String()},
		{"--addr", "127.0.0.1:0", "--control", "nowhere"},
	} {
		o := conform(t.Context(), passes, append([]string{"fake", "gateway"}, args...)...)
		assert.Equal(t, exitInfrastructure, o.code)
		assertOneLine(t, o, "gateway: listen tcp")
	}
}
