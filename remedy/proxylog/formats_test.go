package proxylog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"

	"github.com/planeproof/planeproof/provider"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func utf16(t *testing.T, order unicode.Endianness, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func cell(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// TestEveryFormat: the cause is found in whatever an on-call user exports or redirects a log to.
func TestEveryFormat(t *testing.T) {
	t.Parallel()
	zod := zodError(t, provider.Legacy202602, newUI)
	lines := "before\n[project " + project + "] " + warning + " " + zod + "\nafter\n"
	message := "[project " + project + "] " + warning + " " + zod
	onePerLine := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	indented, err := json.MarshalIndent(onePerLine, "", "  ")
	require.NoError(t, err)
	events, err := json.MarshalIndent([]any{map[string]any{"message": "before"}, map[string]any{"message": message, "timestamp": 1}}, "", "  ")
	require.NoError(t, err)
	var objects []any
	for _, line := range onePerLine {
		objects = append(objects, map[string]any{"timestamp": 1, "message": line})
	}
	stern := func(l string) string { return "braintrust-api-7d9f-x2x4q proxy " + l }
	sternTimed := func(l string) string { return "braintrust-api-7d9f-x2x4q proxy 2026-03-01T12:00:00.1Z " + l }
	for name, log := range map[string]string{
		"gzip":              gzipped(t, lines),
		"gzip in two":       gzipped(t, lines[:200]) + gzipped(t, lines[200:]),
		"UTF-16 LE":         utf16(t, unicode.LittleEndian, lines),
		"UTF-16 BE":         utf16(t, unicode.BigEndian, lines),
		"UTF-16 gzip":       gzipped(t, utf16(t, unicode.LittleEndian, lines)),
		"CR":                strings.ReplaceAll(lines, "\n", "\r"),
		"CRLF":              strings.ReplaceAll(lines, "\n", "\r\n"),
		"stern":             eachLine(lines, stern),
		"stern, namespaces": eachLine(lines, func(l string) string { return "braintrust " + stern(l) }),
		"stern, colors":     eachLine(lines, func(l string) string { return "\x1b[36mapi-7d9f-x2x4q\x1b[0m \x1b[36mproxy\x1b[0m " + l }),
		"stern, times":      eachLine(lines, sternTimed),
		"stern, level":      eachLine(strings.Replace(lines, "[project", "WARN [project", 1), stern),
		"first line marked": strings.Replace(lines, "[project", "Mar 01 12:00:00 host proxy-1 | [project", 1),
		"array of lines":    quoted(t, onePerLine),
		"array, indented":   string(indented),
		"array of texts":    quoted(t, []string{"before", message, "after"}),
		"array of objects":  quoted(t, objects),
		"array of events":   string(events),
		"array in object":   `{"nextToken":"x","events":` + string(events) + `}`,
		"array, then lines": string(events) + "\nmore\n",
		"values":            `{"data":{"result":[{"stream":{"pod":"api-1"},"values":[["1700000000","before"],["1700000001",` + quoted(t, message) + `]]}]}}`,
		"jq":                "{\n  \"msg\": \"before\"\n}\n{\n  \"msg\": " + quoted(t, message) + "\n}\n",
		"CSV":               "@timestamp,@message\n2026-03-01,before\n2026-03-01," + cell(message) + "\n",
		"CSV, CRLF":         "Date,Host,Service,Message\r\n\"2026\",h,proxy," + cell(message) + "\r\n\"2026\",h,proxy,after\r\n",
		"CSV, semicolons":   "time;message\n1;before\n2;" + cell(message) + "\n",
		"CSV of JSON":       "Date,Content\n1,before\n2," + cell(`{"msg":`+quoted(t, message)+`}`) + "\n",
		"CSV of lines":      "timestamp,message\n" + eachLine(lines, func(l string) string { return "1," + cell(l) }),
		"CSV, one column":   "message\nbefore\n" + cell(message) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			summary := read(t, log)
			require.Len(t, summary.Projects, 1, summary.Headline)
			p := summary.Projects[0]
			assert.Equal(t, project, p.ID)
			assert.Equal(t, 1, p.Unreadable)
			require.Len(t, p.Causes, 1)
			require.Len(t, p.Causes[0].Issues, 1, p.Causes[0].Why)
			assert.Equal(t, []string{"auth_format", "auth_type"}, p.Causes[0].Issues[0].Keys)
			assert.Less(t, summary.Unknown, summary.Lines)
		})
	}
}

// TestNoLog: what is no log is never taken for one in which nothing was found.
func TestNoLog(t *testing.T) {
	t.Parallel()
	for log, why := range map[string]string{
		"PK\x03\x04\x14\x00\x00\x00\x08\x00proxy.log":             "this is no log, but application/zip: unpack or convert it first",
		gzipped(t, "PK\x03\x04\x14\x00\x00\x00\x08\x00proxy.log"): "application/zip",
		"%PDF-1.7\n":                       "application/pdf",
		"\x7fELF\x02\x01\x01\x00\x00":      "this is no log, but binary data",
		"\x28\xb5\x2f\xfd\x04\x58\x91\x01": "this is no log, but binary data",
		"F\x00a\x00i\x00l\x00e\x00d\x00":   "this is no log, but binary data",
		`Error from server (Forbidden): pods "api" is forbidden` + "\n":          "this is no log, but a tool's refusal to give it",
		"Error from server (NotFound): a\r\n\r\nError from server (NotFound): b": "this is no log, but a tool's refusal to give it",
		"error: a container name must be specified for pod api\n":                "this is no log, but a tool's refusal to give it",
		"Unable to connect to the server: dial tcp: i/o timeout":                 "this is no log, but a tool's refusal to give it",
	} {
		summary, err := Read(strings.NewReader(log))
		require.ErrorIs(t, err, ErrNoLog, "%q", log)
		assert.ErrorContains(t, err, why)
		assert.False(t, summary.Found)
		assert.Contains(t, summary.Headline, "CANNOT TELL", "%q", log)
	}
	for _, log := range []string{"a\nError from server (NotFound): b\n", "Error from server (NotFound): b\na\n", "f\xfcr\n", "a\x01\n"} {
		summary, err := Read(strings.NewReader(log))
		require.NoError(t, err, "%q", log)
		assert.Contains(t, summary.Headline, "NOTHING FOUND: no warning")
	}
}

// TestBrokenInput: what was read before is told, and that it was not all.
func TestBrokenInput(t *testing.T) {
	t.Parallel()
	events := `[{"message":` + quoted(t, warning) + `},` + "\n"
	for name, log := range map[string]string{
		"gzip cut off":     gzipped(t, strings.Repeat(warning+" TypeError\n", 10_000)+fmt.Sprint(rand.Perm(10_000)))[:3000],
		"JSON cut off":     events + `{"message":"`,
		"an endless entry": events + `{"message":"` + strings.Repeat("x", 2*maxEntry) + `"}]`,
		"an endless cell":  "a,message\n1," + warning + "\n2,\"" + strings.Repeat("x", 2*maxEntry),
	} {
		summary, err := Read(strings.NewReader(log))
		require.Error(t, err, name)
		assert.True(t, summary.Found, name)
		assert.NotErrorIs(t, err, ErrNoLog)
	}
	summary, err := Read(strings.NewReader("[\n\"a\",\n\"b"))
	require.Error(t, err)
	assert.Equal(t, "CANNOT TELL: the log was not read to its end; nothing was found in the 1 line before", summary.Headline)
	_, err = Read(strings.NewReader("\x1f\x8b no gzip"))
	require.ErrorIs(t, err, gzip.ErrHeader)
}

func TestEmptyLogs(t *testing.T) {
	t.Parallel()
	for _, log := range []string{"", "\n", " \r\n\t\n", "\ufeff", "timestamp,message\n", "[\n]\n", utf16(t, unicode.BigEndian, "\n")} {
		assert.True(t, read(t, log).Empty(), "%q", log)
	}
	for _, log := range []string{"a", "timestamp,message\n1,a\n", "[\n\"a\"\n]\n"} {
		assert.False(t, read(t, log).Empty(), "%q", log)
	}
}

// TestLineEnds: each way to end a line ends one, also where it is a piece's first or last byte.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	for log, lines := range map[string]int{
		"a\rb\r\nc\nd": 4, "a\r": 1, "a\r\r\n\n": 3, "\r\n\r\n": 2, strings.Repeat("x", maxLine) + "\r\na\rb": 3,
	} {
		assert.Equal(t, lines, read(t, log).Lines, "%.20q", log)
		if len(log) > maxLine {
			continue
		}
		summary, err := Read(iotest.OneByteReader(strings.NewReader(log)))
		require.NoError(t, err)
		assert.Equal(t, lines, summary.Lines, "%.20q, byte by byte", log)
	}
}

// interleave writes the lines of several pods as they come, each pod's in order.
func interleave(random *rand.Rand, pods ...[]string) string {
	var b strings.Builder
	for len(pods) > 0 {
		i := random.IntN(len(pods))
		b.WriteString(pods[i][0] + "\n")
		if pods[i] = pods[i][1:]; len(pods[i]) == 0 {
			pods = append(pods[:i:i], pods[i+1:]...)
		}
	}
	return b.String()
}

// TestPodsWithoutPrefix: several pods wrote at the same time, and nothing says which line is whose. The cause is found; what cannot
// be told apart is said to be so, and is no reason to offer the workaround.
func TestPodsWithoutPrefix(t *testing.T) {
	t.Parallel()
	pod := func(g provider.Generation, secret string) []string {
		return strings.Split("GET /\n"+warning+" "+zodError(t, g, secret)+"\nserved", "\n")
	}
	keys, key := pod(provider.Legacy202602, newUI), pod(provider.Legacy202603, newUI)
	enum := pod(provider.Current202608, `{"type":"openai","secret":"x","metadata":{"auth_format":"Bearer"}}`)
	union := pod(provider.Current202608, `{"type":"openai","secret":"x","metadata":{"api_base":7}}`)
	more := pod(provider.Legacy202603, `{"type":"openai","secret":"x","metadata":{"api_base":"no url","auth_type":"api_key"}}`)
	both := "unknown keys in metadata: auth_format, auth_type"
	const mixed = "the lines of several ZodErrors are mixed, and not all of them can be read; other codes: "
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		for name, c := range map[string]struct {
			log           string
			apart, causes []string // where the errors do not overlap, and where they do
		}{
			"the same":   {interleave(random, keys, keys, keys), nil, []string{"3 true " + both}},
			"two":        {interleave(random, keys, key), nil, []string{"1 true " + both, "1 true unknown keys in metadata: auth_type"}},
			"two codes":  {interleave(random, enum, keys), []string{"1 false metadata.auth_format must be one of bearer, api_key", "1 true " + both}, []string{"2 false " + both + mixed + "invalid_enum_value"}},
			"a union":    {interleave(random, union, keys), []string{"1 false metadata.api_base is a number, which is not accepted there", "1 true " + both}, []string{"2 false " + both + mixed + "invalid_union"}},
			"two issues": {interleave(random, more, more), []string{"2 false metadata.api_base is not a valid url; unknown keys in metadata: auth_type"}, []string{"2 false unknown keys in metadata: auth_type" + mixed + "invalid_string"}},
		} {
			summary := read(t, c.log)
			require.Len(t, summary.Projects, 1, c.log)
			var causes []string
			for _, cause := range summary.Projects[0].Causes {
				var texts []string
				for _, issue := range cause.Issues {
					texts = append(texts, issue.Text)
				}
				causes = append(causes, fmt.Sprint(cause.Times, " ", cause.Workaround, " ", strings.Join(texts, "; "), cause.Why))
			}
			want := c.causes
			if end := strings.Index(c.log, "\n]"); c.apart != nil && strings.Count(c.log[:end], warning) == 1 {
				want = c.apart
			}
			assert.ElementsMatch(t, want, causes, "%s, seed %d:\n%s", name, seed, c.log)
		}
	}
}

// TestMixedProjectsAreNotGuessed: which of two mixed errors is whose project's, such a log does not tell.
func TestMixedProjectsAreNotGuessed(t *testing.T) {
	t.Parallel()
	other := strings.Replace(project, "1", "2", 1)
	write := func(id string, g provider.Generation) []string {
		return strings.Split("[project "+id+"] "+warning+" "+zodError(t, g, newUI), "\n")
	}
	random := rand.New(rand.NewPCG(1, 0))
	mixed := interleave(random, write(project, provider.Legacy202602), write(other, provider.Legacy202603))
	summary := read(t, mixed)
	require.Len(t, summary.Projects, 1)
	assert.Equal(t, "project not named in the log", summary.Projects[0].Label())
	assert.Len(t, summary.Projects[0].Causes, 2)

	summary = read(t, interleave(random, write(project, provider.Legacy202602), write(other, provider.Legacy202602)))
	require.Len(t, summary.Projects, 2, "one cause is both projects'")
	assert.Len(t, summary.Projects[0].Causes, 1)
}

// TestRefusedCredential: the first guide's symptom is a finding (guide: bearer-after-v2-migration; facts: wrapped-errors).
func TestRefusedCredential(t *testing.T) {
	t.Parallel()
	const refused = "AI provider returned 401 error:\n\n{\"error\":{\"message\":\"Incorrect API key provided: sk-canary-7Hq2vZpX9mKd4RtB8nLw\"}}\n\nHeaders:\nserver: x"
	summary := read(t, refused+"\n"+`{"level":50,"msg":`+quoted(t, refused)+`,"project_id":"`+project+`"}`+"\nError: AI provider returned 418 error:\nAI provider returned an error\n")
	assert.Equal(t, "FOUND: no project's secrets failed to load, but providers refused or were missing (3 warnings)", summary.Headline)
	require.Len(t, summary.Projects, 2)
	unnamed, named := summary.Projects[0], summary.Projects[1]
	assert.Equal(t, []Count{{"401", 1}, {"418", 1}}, unnamed.Refused)
	assert.Contains(t, unnamed.Advice[0], "auth_format api_key is the usual cause; find it: planeproof audit --all-projects")
	assert.Equal(t, []Count{{"401", 1}}, named.Refused)
	assert.Contains(t, named.Advice[0], "planeproof audit --project "+project)
	assert.Contains(t, named.Advice[1], "planeproof verify-token tries one")
	assert.NotRegexp(t, `planeproof [^"]*\b[A-Z]{2,}\b`, quoted(t, summary), "what is printed as a command has no placeholder")
	assert.NotContains(t, quoted(t, summary), "canary")
	assert.Empty(t, read(t, "AI provider returned 418 error").Projects[0].Advice)
}
