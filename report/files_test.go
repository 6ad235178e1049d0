package report_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
)

// canary has characters that JSON, XML, URLs and base64 each write in another way, and a byte that is no UTF-8.
const canary = "sk-\"canary\"&<9f/8+7>\x01'é\xff"

func assertNoCanary(t *testing.T, text string) {
	t.Helper()
	for _, form := range []string{canary, "canary", url.QueryEscape(canary)[:20], base64.StdEncoding.EncodeToString([]byte(canary))[:20]} {
		assert.NotContains(t, text, form)
	}
}

// canaryRun has the canary in each text that comes from a system or an error.
func canaryRun() *report.Run {
	r := mixedRun()
	c := "<" + canary + ">"
	s := failedScenario()
	s.Title, s.Reason, s.Sentence = c, c, "Then "+c
	s.Steps = []report.Step{{Keyword: "Then", Text: c, Verdict: report.Failed}}
	s.Tags = []string{c}
	s.Mismatches = []evidence.Mismatch{{What: c, Expected: url.QueryEscape(canary), Actual: base64.StdEncoding.EncodeToString([]byte(canary))}}
	s.Exchanges = []evidence.Exchange{{
		System: "gateway", Method: "GET", Path: "/?key=" + url.QueryEscape(canary), Note: c, Model: c, Project: c, Harness: c,
		Header: map[string]string{"accept": c}, Credentials: []evidence.Credential{{Header: "authorization", Scheme: canary, Length: 3}},
	}}
	s.Logs = []evidence.LogLine{{Level: "warn", Text: c}}
	other := brokenScenario()
	other.Reason = c
	unsupported := brokenScenario()
	unsupported.Verdict, unsupported.Reason = report.NotSupported, c
	excused := failedScenario()
	excused.Excused, excused.Reason = c, c
	r.Scenarios = []report.Scenario{s, other, unsupported, excused}
	r.Infrastructure, r.Why, r.Tags, r.Proxy = []string{c}, c, c, c
	return r
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(content)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestClearRefusesForeignFiles(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(dir string) error{
		"report.json of another tool": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "report.json"), []byte(`{"schema":"other/report/v1"}`), 0o600)
		},
		"report.json with a late schema": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "report.json"), []byte(`{"a":{"schema":"planeproof/report/v1"}}`), 0o600)
		},
		"report.json not JSON": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "report.json"), []byte("# notes"), 0o600)
		},
		"report.json empty":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "report.json"), nil, 0o600) },
		"report.json a folder": func(dir string) error { return os.Mkdir(filepath.Join(dir, "report.json"), 0o700) },
		"report.json a pipe":   func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "report.json"), 0o600) },
		"report.json a link":   func(dir string) error { return os.Symlink("/nowhere", filepath.Join(dir, "report.json")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, report.WriteFiles(dir, passingRun(), &evidence.Redactor{}))
			require.NoError(t, os.Remove(filepath.Join(dir, "report.json")))
			require.NoError(t, put(dir))

			err := report.Clear(dir)
			require.ErrorIs(t, err, report.ErrForeign)
			assert.ErrorContains(t, err, filepath.Join(dir, "report.json"))
			assert.ErrorIs(t, report.WriteFiles(dir, passingRun(), &evidence.Redactor{}), report.ErrForeign)
			assert.Equal(t, []string{"junit.xml", "report.json"}, names(t, dir), "nothing may be removed, not even ours")
		})
	}
}

func TestClearRefusesForeignJUnit(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"another tool": `<?xml version="1.0"?><testsuites name="planeproof"/>`,
		"ours inside":  `<a><testsuites schema="planeproof/junit/v1"/></a>`,
		"not XML":      "notes",
		"empty":        "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "junit.xml"), []byte(content), 0o600))
			err := report.Clear(dir)
			require.ErrorIs(t, err, report.ErrForeign)
			assert.ErrorContains(t, err, "junit.xml")
			assert.Equal(t, content, read(t, dir, "junit.xml"))
		})
	}
}

func TestClearRemovesOurFilesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, report.Clear(filepath.Join(dir, "missing")))
	require.NoError(t, report.WriteFiles(dir, mixedRun(), &evidence.Redactor{}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	require.NoError(t, report.Clear(dir))
	assert.Equal(t, []string{"notes.txt"}, names(t, dir))
	require.NoError(t, report.Clear(dir))
}

func TestWriteFilesGolden(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "on the way")
	require.NoError(t, report.WriteFiles(dir, passingRun(), &evidence.Redactor{}))
	require.NoError(t, report.WriteFiles(dir, mixedRun(), &evidence.Redactor{}), "replaces ours")
	assert.Equal(t, []string{"junit.xml", "report.json"}, names(t, dir), "no temporary file stays")
	for _, name := range names(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o644), info.Mode(), name)
		golden(t, name, read(t, dir, name))
	}
	assert.True(t, strings.HasPrefix(read(t, dir, "report.json"), "{\n  \"schema\": \"planeproof/report/v1\""))
}

func TestWriteFilesWhereItCannot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	require.ErrorContains(t, report.WriteFiles(file, passingRun(), &evidence.Redactor{}), file)
	require.ErrorContains(t, report.WriteFiles(filepath.Join(file, "sub"), passingRun(), &evidence.Redactor{}), file)
	assert.Equal(t, "mine", read(t, dir, "file"))
	assert.Equal(t, []string{"file"}, names(t, dir))
}

func TestWriteFilesIntoUnwritableFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	require.ErrorIs(t, report.WriteFiles(dir, passingRun(), &evidence.Redactor{}), os.ErrPermission)
	assert.Empty(t, names(t, dir))
}

func TestWriteFilesHidesSecrets(t *testing.T) {
	t.Parallel()
	var redactor evidence.Redactor
	redactor.Add("acme", canary)
	dir := t.TempDir()
	run := canaryRun()
	require.NoError(t, report.WriteFiles(dir, run, &redactor))
	assert.Equal(t, canaryRun(), run, "the caller's run stays as it was")
	for _, name := range names(t, dir) {
		text := read(t, dir, name)
		assertNoCanary(t, text)
		assert.Contains(t, text, "‹acme›", name)
	}
}

func TestJSONAgreesWithRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		run := randomRun(seed)
		dir := t.TempDir()
		require.NoError(t, report.WriteFiles(dir, run, &evidence.Redactor{}))
		var d struct {
			ExitCode  int          `json:"exit_code"`
			Headline  string       `json:"headline"`
			Counts    report.Tally `json:"counts"`
			Scenarios []struct {
				Verdict, Family, Excused string
			} `json:"scenarios"`
		}
		require.NoError(t, json.Unmarshal([]byte(read(t, dir, "report.json")), &d), "seed %d", seed)
		assert.Equal(t, run.ExitCode(), d.ExitCode, "seed %d", seed)
		assert.Equal(t, run.Headline(), d.Headline, "seed %d", seed)
		require.Len(t, d.Scenarios, len(run.Scenarios), "seed %d", seed)
		classes := d.Counts.Requirements.Total() + d.Counts.Reproductions.Total() + d.Counts.Excused.Total()
		assert.Equal(t, len(run.Scenarios), classes, "seed %d", seed)
		failed := 0
		for _, s := range d.Scenarios {
			if s.Verdict == "failed" && s.Excused == "" {
				failed++
			}
		}
		assert.Equal(t, failed, d.Counts.Required.Failed, "seed %d", seed)
	}
}

// TestJSONKeepsTheLastExchangesOfEveryScenario has one that passed: what it is worth is in what was seen.
func TestJSONKeepsTheLastExchangesOfEveryScenario(t *testing.T) {
	t.Parallel()
	s := passed("TOKEN-1/good-token", "token", "features/token/t.feature", 3)
	for i := range 60 {
		s.Exchanges = append(s.Exchanges, evidence.Exchange{System: "gateway", Seq: i + 1, Path: "/v1/models"})
	}
	s.Exchanges[58].Note = strings.Repeat("é", 3000)
	s.Exchanges[58].Header = map[string]string{"accept": "*/*"}
	s.Exchanges[59].Header = map[string]string{"accept": "*/*"}
	dir := t.TempDir()
	require.NoError(t, report.WriteFiles(dir, &report.Run{Scenarios: []report.Scenario{s}}, &evidence.Redactor{}))
	var d struct {
		Scenarios []struct {
			Exchanges []json.RawMessage
			LeftOut   int `json:"exchanges_left_out"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, dir, "report.json")), &d))
	kept := d.Scenarios[0].Exchanges
	require.Len(t, kept, 50)
	assert.Equal(t, 10, d.Scenarios[0].LeftOut)
	var first, long, last evidence.Exchange
	for i, into := range map[int]*evidence.Exchange{0: &first, 48: &long, 49: &last} {
		require.NoError(t, json.Unmarshal(kept[i], into))
		assert.Less(t, len(kept[i]), 2<<10)
	}
	assert.Equal(t, 11, first.Seq)
	assert.Regexp(t, `^é{204}… \(5591 bytes left out\)$`, long.Note)
	assert.NotEmpty(t, last.Header, "what is short stays whole")
	assert.Len(t, s.Exchanges[58].Note, 6000, "the caller's run stays as it was")
}

func TestFilesKeepTheOrderOfTheFeatures(t *testing.T) {
	t.Parallel()
	run := &report.Run{Scenarios: []report.Scenario{
		passed("API-9/third", "api", "features/b.feature", 3),
		passed("API-1/second", "api", "features/a.feature", 20),
		passed("API-2/first[n=2]", "api", "features/a.feature", 9),
		passed("API-2/first[n=1]", "api", "features/a.feature", 9),
	}}
	dir := t.TempDir()
	require.NoError(t, report.WriteFiles(dir, run, &evidence.Redactor{}))
	for _, name := range names(t, dir) {
		order := regexp.MustCompile(`(?:"id": |api" name=)"([^"]*)"`).FindAllStringSubmatch(read(t, dir, name), -1)
		require.Len(t, order, 4, name)
		for i, id := range []string{"API-2/first[n=1]", "API-2/first[n=2]", "API-1/second", "API-9/third"} {
			assert.Equal(t, id, order[i][1], name)
		}
	}
}
