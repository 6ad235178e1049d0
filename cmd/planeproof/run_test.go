package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

func TestRunExitCodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		features string
		args     []string
		code     int
		says     string
	}{
		"passed":          {passes, nil, 0, ""},
		"failed":          {passes + fails, nil, 1, "FAIL  1 of 2 required scenarios failed"},
		"broken":          {passes + fails + breaks, nil, 3, "BROKEN: nothing can be said of the system (3 required scenarios: "},
		"nothing":         {passes, []string{"--tags", "@nobody"}, 4, "NOTHING RUN  no scenario was selected"},
		"nothing to list": {passes, []string{"--tags", "@nobody", "--list"}, 4, `no scenario has tags for which "@nobody" holds`},
		"tags leave out":  {passes + fails, []string{"--tags", "not @BEARER-2"}, 0, ""},
		"by id":           {passes + fails, []string{"--id", "BEARER-1"}, 0, ""},
		"unknown id":      {passes + fails, []string{"--id", "BEARER-1/pases"}, 1, `no scenario is called BEARER-1/pases: did you mean BEARER-1/passes or `},
		"id to list":      {passes, []string{"--id", "TOKEN-1", "--list"}, 1, `no scenario is called TOKEN-1: did you mean `},
		"no id":           {passes, []string{"--id", "sk-canary-7Hq2vZpX9mKd4RtB8nLw"}, 1, "no scenario is called ‹redacted›: did you mean "},
		"no features":     {"Scenario: of no behaviour", nil, 3, "read features: "},
		"none to list":    {"Scenario: of no behaviour", []string{"--list"}, 3, "read features: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := conform(t.Context(), c.features, append([]string{"run", "--runtime", "process"}, c.args...)...)
			assert.Equal(t, c.code, o.code, o.out+o.err)
			if c.code == 0 {
				assert.Empty(t, o.err)
				assert.True(t, strings.HasPrefix(o.out, "PASS  "), o.out)
				return
			}
			assertOneLine(t, o, c.says)
		})
	}
}

func TestListRunsNothing(t *testing.T) {
	t.Parallel()
	o := conform(t.Context(), passes+fails+breaks, "run", "--list")
	assert.Equal(t, outcome{0, "BEARER-1/passes\nBEARER-2/fails\nBEARER-3/breaks\n", ""}, o)
}

// TestFeaturesOfAFolder edits a file between two runs.
func TestFeaturesOfAFolder(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "mine.feature")
	for _, c := range []struct {
		scenarios, says string
		code            int
	}{{passes, "PASS  1 of 1 required scenario passed", 0}, {fails, "FAIL  1 of 1 required scenario failed", 1}} {
		require.NoError(t, os.WriteFile(file, []byte("Feature: mine\n"+c.scenarios), 0o600))
		o := conform(t.Context(), passes, "run", "--runtime", "process", "--features", dir, "--report", out)
		assert.Equal(t, c.code, o.code, o.err)
		first, rest, _ := strings.Cut(o.out, "\n")
		assert.Equal(t, "FEATURES of "+dir+", not the built-in ones", first)
		assert.Contains(t, rest, c.says)
		raw, err := os.ReadFile(filepath.Join(out, "report.json"))
		require.NoError(t, err)
		assert.Equal(t, dir, gjson.GetBytes(raw, "features").String())
		assert.Equal(t, file, gjson.GetBytes(raw, "scenarios.0.file").String())
	}
	assert.Equal(t, outcome{0, "BEARER-2/fails\n", ""}, conform(t.Context(), passes, "run", "--list", "--features", dir))
	for what, says := range map[string]string{file: "is not a folder", filepath.Join(dir, "none"): "no such file"} {
		o := conform(t.Context(), passes, "run", "--features", what)
		assert.Equal(t, exitUsage, o.code)
		assertOneLine(t, o, says)
	}
	o := conform(t.Context(), passes, "run", "--features", t.TempDir())
	assert.Equal(t, 4, o.code)
	assertOneLine(t, o, "NOTHING RUN")
}

func TestSeedIsPrintedAndRepeats(t *testing.T) {
	t.Parallel()
	o := conform(t.Context(), passes, "run", "--runtime", "process", "--seed", "4711")
	assert.Contains(t, o.out, "4711")
}

// readReport reads both files, which are whole, and says what they hold.
func readReport(t *testing.T, dir string) (verdict string, code, scenarios, cases int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "report.json"))
	require.NoError(t, err)
	var got struct {
		Schema    string            `json:"schema"`
		Verdict   string            `json:"verdict"`
		ExitCode  int               `json:"exit_code"`
		Scenarios []json.RawMessage `json:"scenarios"`
	}
	require.NoError(t, json.Unmarshal(raw, &got))
	assert.Equal(t, "planeproof/report/v1", got.Schema)
	raw, err = os.ReadFile(filepath.Join(dir, "junit.xml"))
	require.NoError(t, err)
	var suites struct {
		Suites []struct {
			Cases []struct{} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(raw, &suites))
	for _, suite := range suites.Suites {
		cases += len(suite.Cases)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing lies beside the two files")
	return got.Verdict, got.ExitCode, len(got.Scenarios), cases
}

func TestReportTellsWhateverTheRunCameTo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "by", "the run")
	for _, c := range []struct {
		features, verdict string
		code, scenarios   int
	}{
		{passes, "pass", 0, 1},
		{passes + fails, "fail", 1, 2}, // in place of the one before
		{fails + breaks + passes, "broken", 3, 3},
	} {
		o := conform(t.Context(), c.features, "run", "--runtime", "process", "--report", dir)
		assert.Equal(t, c.code, o.code)
		verdict, code, scenarios, cases := readReport(t, dir)
		assert.Equal(t, c.verdict, verdict)
		assert.Equal(t, c.code, code)
		assert.Equal(t, c.scenarios, scenarios)
		assert.Equal(t, c.scenarios, cases)
	}
}

func TestOldReportIsRemovedFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Equal(t, 0, conform(t.Context(), passes, "run", "--runtime", "process", "--report", dir).code)
	readReport(t, dir)
	o := conform(t.Context(), passes, "run", "--runtime", "process", "--report", dir, "--tags", "@a and")
	assert.Equal(t, exitUsage, o.code)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "a run that did not come to a verdict leaves none of an earlier run")
}

func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no folder that refuses files even to root")
	}
	for features, says := range map[string]string{
		passes: "BROKEN: nothing can be said of the system (the infrastructure failed; 1 required scenario: 1 passed): write /proc/self/junit.xml: ",
		fails:  "BROKEN: nothing can be said of the system (the infrastructure failed; 1 required scenario: 1 failed): write /proc/self/junit.xml: ",
	} {
		o := conform(t.Context(), features, "run", "--runtime", "process", "--report", "/proc/self")
		assert.Equal(t, exitInfrastructure, o.code)
		assertOneLine(t, o, says)
	}
	o := conform(t.Context(), passes, "run", "--runtime", "process", "--report", "/proc/self/none")
	assert.Equal(t, exitUsage, o.code)
	assertOneLine(t, o, "make report directory: ")
}

// until is a writer that does something when a text has been written.
type until struct {
	lockedText
	text string
	do   func()
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.lockedText.Write(p)
	if strings.Contains(u.String(), u.text) {
		u.do()
	}
	return n, err
}

func TestInterruptedRunTellsAndReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := &until{text: "BEARER-2/fails", do: cancel}, &lockedText{}
	code := execute(ctx, terminal{out: out, err: errs, features: doctored(passes + fails + lasts)},
		[]string{"run", "--runtime", "process", "--concurrency", "3", "--report", dir})
	assert.Equal(t, 130, code)
	assertOneLine(t, outcome{code, out.String(), errs.String()}, "INTERRUPTED  of 3 required scenarios: ")
	verdict, code, scenarios, _ := readReport(t, dir)
	assert.Equal(t, "interrupted", verdict)
	assert.Equal(t, 130, code)
	assert.Equal(t, 3, scenarios)
}

// gone is a writer that nobody reads any more.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestTerminalThatIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	errs := &lockedText{}
	code := execute(t.Context(), terminal{out: gone{}, err: errs, features: doctored(passes)}, []string{"run", "--runtime", "process", "--report", dir})
	assert.Equal(t, exitInfrastructure, code)
	assertOneLine(t, outcome{err: errs.String()}, "write summary: ")
	verdict, told, _, _ := readReport(t, dir)
	assert.Equal(t, "broken", verdict)
	assert.Equal(t, code, told, "the report and the exit code agree")
}

// What a command could not print, nobody has read: that is no success, whatever the command.
func TestOutputThatIsLost(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"run", "--list", "--tags", "@TOKEN-11"}, {"help"}} {
		errs := &lockedText{}
		assert.Equal(t, exitInfrastructure, execute(t.Context(), terminal{out: gone{}, err: errs}, args), "%v", args)
		assertOneLine(t, outcome{err: errs.String()}, "broken pipe")
	}
}

func TestDockerWithoutAnEngine(t *testing.T) {
	nowhere := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	t.Setenv("DOCKER_HOST", nowhere)
	dir := t.TempDir()
	o := conform(t.Context(), passes, "run", "--runtime", "docker", "--report", dir)
	assert.Equal(t, exitInfrastructure, o.code)
	assertOneLine(t, o, "docker engine does not answer at "+nowhere)
	verdict, _, _, _ := readReport(t, dir)
	assert.Equal(t, "broken", verdict)

	o = conform(t.Context(), passes, "run")
	assert.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "docker engine does not answer at "+nowhere, "auto says why it took the process runtime")

	t.Setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
	o = conform(t.Context(), passes, "run", "--runtime", "docker")
	assert.Equal(t, exitInfrastructure, o.code)
	assertOneLine(t, o, "docker engine at tcp://192.0.2.1:2375 is not on this machine")
}
