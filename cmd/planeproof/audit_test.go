package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"mvdan.cc/sh/v3/shell"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/remedy/audit"
)

const (
	auditKey    = "bt-canary-audit-5d21"
	auditCanary = "canary-audit-9e4b"
)

// auditPlane is a data plane that lets nothing but GET through its server.
type auditPlane struct {
	t       *testing.T
	fake    *dataplane.Tenants
	url     string
	keyFile string
	gets    atomic.Int32
	// instead answers in the fake's place where it returns true.
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func newAuditPlane(t *testing.T) *auditPlane {
	t.Helper()
	p := &auditPlane{t: t, fake: dataplane.NewTenants(tenancy.Routes{}, "http://legacy-proxy:8080"), keyFile: write(t, auditKey+"\n")}
	require.NoError(t, p.fake.Put(fmt.Appendf(nil, `{"schema":%q,"id":"t-0123456789abcdef","fingerprint_key":"cnVu","settings":{
		"organization":{"id":"6d1c1a3e-0c1b-4f0e-9a57-000000000001","name":"acme \u001b[2J"},"serving":"v1","keys":[{"key":%q,"role":"admin"}]}}`,
		tenancy.Schema, auditKey)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method, "only GET leaves an audit")
		p.gets.Add(1)
		if p.instead == nil || !p.instead(w, r) {
			p.fake.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p.url = server.URL + "/t-0123456789abcdef"
	return p
}

// post makes an object without going through the server.
func (p *auditPlane) post(path, body string) string {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/t-0123456789abcdef"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+auditKey)
	w := httptest.NewRecorder()
	p.fake.ServeHTTP(w, r)
	require.Equal(p.t, http.StatusOK, w.Code, w.Body.String())
	return gjson.Get(w.Body.String(), "id").String()
}

// affected makes the first guide's secret at both levels, with a canary in each place where a credential can be.
func (p *auditPlane) affected() (project string) {
	p.t.Helper()
	metadata := `{"auth_format":"api_key","auth_type":"api_key","api_base":"https://svc:` + auditCanary + `@gw.example/v1?k=` + auditCanary + `",
		"additionalHeaders":{"X-Team":"` + auditCanary + `"},"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}}`
	project = p.post("/v1/project", `{"name":"one\u001b[2J"}`)
	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"`+auditCanary+`","metadata":`+metadata+`}`)
	p.post("/v1/env_var", `{"object_type":"project","object_id":"`+project+`","secret_category":"ai_provider","name":"acme\u001b[1m","secret_type":"openai",
		"value":"Bearer `+auditCanary+`","metadata":`+metadata+`}`)
	return project
}

func (p *auditPlane) audit(args ...string) outcome {
	p.t.Helper()
	return command(p.t, append([]string{"audit", "--api-url", p.url, "--api-key-file", p.keyFile}, args...)...)
}

func TestAuditRefusesUsage(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	for _, args := range [][]string{
		{"-o", "xml"}, {"--format", "json"}, {"--fail-on", "fatal"}, {"--model", ""}, {"--model="}, {"--project", ""}, {"--project", "one"}, {"--legacy", ""},
		{"--save", ""}, {"--save", filepath.Join(t.TempDir(), "no", "folder")}, {"--save", t.TempDir()},
		{"--expect-projects", "-1"}, {"--legacy", "v1"}, {"--all-projects", "--project", secretID(1)},
		{"--inventory", "x"}, {"--api-key-file", "/no/such/file"}, {"--org", "other"}, {"extra"}, {"--api-url", "ftp://x"}, {"--api-url", "http://u:" + auditCanary + "@h"},
	} {
		got := p.audit(args...)
		assert.Equal(t, 2, got.code, "%q: %s", args, got.err)
		assertOneLine(t, got, "planeproof: ")
		assert.NotContains(t, got.err+got.out, auditCanary)
	}
	assert.Equal(t, int32(2), p.gets.Load(), "all but the organization's name, which takes its two pages, is refused before the first request")
	for value, valid := range map[string]string{"-o": "table, json", "--fail-on": "error, warning, note", "--legacy": "legacy-2026-03"} {
		assert.Contains(t, p.audit(value, "none").err, valid)
	}
	got := command(t, "audit", "--inventory", write(t, `{"schema":"planeproof/inventory/v9"}`))
	assert.Equal(t, 2, got.code)
	assertOneLine(t, got, "this program knows planeproof/inventory/v1")
}

func TestAuditOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request) bool
		args   []string
		says   string
	}{
		"unreachable": {nil, []string{"--api-url", gone.URL}, "is unreachable"},
		"wrong key":   {nil, []string{"--api-key-file", write(t, "sk-"+auditCanary)}, "does not know the key (401)"},
		"login page":  {page(200, "<!doctype html>"), nil, "HTML, not JSON"},
		"truncated":   {page(200, `{"objects":[`), nil, "truncated"},
		"not the API": {page(404, "<html>"), nil, "is this the API's own URL?"},
		"redirect":    {page(302, ""), nil, "not followed"},
		"forbidden":   {page(403, auditKey), nil, "org admin"},
		"broken":      {page(http.StatusNotImplemented, auditKey), nil, "answered 501"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newAuditPlane(t)
			p.instead = c.answer
			got := p.audit(c.args...)
			assert.Equal(t, 3, got.code, got.err)
			assertOneLine(t, got, c.says)
			assert.Empty(t, got.out)
			assert.NotContains(t, got.err, auditKey)
			assert.NotContains(t, got.err, auditCanary)
		})
	}
}

// TestAuditOfServerErrors: a 5xx of one request is never a verdict, whichever request it is. Without one, the audit is clean.
func TestAuditOfServerErrors(t *testing.T) {
	t.Parallel()
	for request, says := range map[string]string{
		"none": "CLEAN", "/v1/organization": "planeproof: read organization: GET /v1/organization?limit=1000: answered 501", "/v1/project?": "list of projects",
		"/v1/ai_secret": "provider secrets of the organization", "object_type=organization": "environment variables of the organization", "object_type=project": `project "one"`,
	} {
		t.Run(request, func(t *testing.T) {
			t.Parallel()
			p := newAuditPlane(t)
			p.post("/v1/project", `{"name":"one"}`)
			p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"x","metadata":{"api_base":"https://gw.example/v1"}}`)
			p.instead = func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.URL.RequestURI(), request) && page(http.StatusNotImplemented, "")(w, r)
			}
			got := p.audit()
			assert.Contains(t, got.out+got.err, says)
			if request == "none" {
				assert.Equal(t, 0, got.code, got.out+got.err)
				return
			}
			assert.Equal(t, 3, got.code, got.out+got.err)
			assert.Contains(t, got.out+got.err, "answered 501")
		})
	}
}

func page(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

func TestAuditFindsShowsNoSecretAndWorksOffline(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	project := p.affected()
	saved := filepath.Join(t.TempDir(), "inventory.json")
	live := p.audit("--model", "acme-chat", "--notes", "--save", saved)
	assert.Equal(t, 1, live.code, live.err)
	lines := strings.Split(live.out, "\n")
	assert.Equal(t, "API           "+p.url, lines[0])
	assert.Equal(t, `organization  acme \x1b[2J (6d1c1a3e-0c1b-4f0e-9a57-000000000001)`, lines[1])
	assert.Contains(t, lines[2], "Braintrust API key, sees one organization")
	assert.Equal(t, "projects      1 visible, 1 read", lines[3])
	assert.True(t, strings.HasPrefix(lines[7], "FINDINGS: 1 error, "), lines[7])
	for _, said := range []string{`model "acme-chat" is in customModels of 2 secrets`, "auth-format-api-key", "value-scheme-prefix", "api-base-credentials"} {
		assert.Contains(t, live.out, said)
	}

	offline := command(t, "audit", "--inventory", saved, "--api-key-file", p.keyFile, "--model", "acme-chat", "--notes")
	assert.Equal(t, live, offline)
	file, err := os.ReadFile(saved)
	require.NoError(t, err)
	asJSON := p.audit("--project", project, "-o", "json")
	assert.True(t, json.Valid([]byte(asJSON.out)), asJSON.out)
	for _, shown := range []string{live.out, live.err, string(file), asJSON.out, asJSON.err} {
		assert.NotContains(t, shown, auditCanary)
		assert.NotContains(t, shown, auditKey)
		assert.NotContains(t, shown, "\x1b")
	}
}

func TestAuditExitCodes(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	got := p.audit()
	assert.Equal(t, 3, got.code, "no project at all is not clean")
	assert.Contains(t, got.out, "not read: the key sees no project")
	p.post("/v1/project", `{"name":"one"}`)
	got = p.audit()
	assert.Equal(t, 3, got.code, "no secret at all is not clean")
	assert.Contains(t, got.out, "not read: no provider secret is visible")

	p.post("/v1/ai_secret", `{"name":"acme","type":"openai","secret":"sk","metadata":{"api_base":"https://gw/v1/"}}`)
	got = p.audit()
	assert.Equal(t, 1, got.code)
	assertOneLine(t, got, "planeproof: audit findings: 0 errors, 1 warning, 0 notes; affected: 1 of 1 provider secret in 1 project and the organization")
	got = p.audit("--fail-on", "error")
	assert.Equal(t, 0, got.code)
	assert.Empty(t, got.err)
	assert.Contains(t, got.out, "\nCLEAN: 1 provider secret in 1 project and the organization; nothing of severity error or worse")
	got = p.audit("--fail-on", "error", "--expect-projects", "2")
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.out, "not read: projects: the key sees 1, and at least 2 are expected")
	got = p.audit("--fail-on", "error", "--model", "acme-chat")
	assert.Equal(t, 1, got.code, "a model that nothing serves")
	assert.Contains(t, got.out, "model-not-served")
	got = p.audit("--project", secretID(1))
	assert.Equal(t, 1, got.code, "a project that is not there")
	assertOneLine(t, got, "the key sees no project "+secretID(1))
	assert.Empty(t, got.out)
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/env_var") && page(http.StatusNotImplemented, "")(w, r) // which is not asked again
	}
	got = p.audit("--fail-on", "error")
	assert.Equal(t, 3, got.code, "the API's own failure is no finding")
	assert.Contains(t, got.out, "not read: environment variables of the organization")
}

func TestAuditInterrupted(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	p.affected()
	ctx, cancel := context.WithCancel(t.Context())
	p.instead = func(http.ResponseWriter, *http.Request) bool {
		cancel()
		return false
	}
	var out, errs bytes.Buffer
	code := execute(ctx, terminal{out: &out, err: &errs}, []string{"audit", "--api-url", p.url, "--api-key-file", p.keyFile})
	assert.Equal(t, outcome{130, "", "planeproof: interrupted\n"}, outcome{code, out.String(), errs.String()})
}

func TestAuditGeneration(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	project := p.post("/v1/project", `{"name":"one"}`)
	p.post("/v1/env_var", `{"object_type":"project","object_id":"`+project+`","secret_category":"ai_provider","name":"acme","secret_type":"openai",
		"value":"sk","metadata":{"auth_type":"api_key","auth_format":"bearer","api_base":"https://gw/v1"}}`)
	for generation, code := range map[string]int{"": 1, "legacy-2026-02": 1, "legacy-2026-03": 1, "current-2026-08": 0} {
		args := []string{"--legacy", generation}
		if generation == "" {
			args = nil
		}
		got := p.audit(args...)
		assert.Equal(t, code, got.code, "%s: %s", generation, got.out)
		assert.Equal(t, code == 1, strings.Contains(got.out, "metadata-unreadable"), generation)
	}
}

func TestAuditShowsProgressOnATerminalOnly(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	p.affected()
	p.post("/v1/project", `{"name":"two"}`)
	var out, errs bytes.Buffer
	args := []string{"audit", "--api-url", p.url, "--api-key-file", p.keyFile}
	execute(t.Context(), terminal{out: &out, err: &errs, tty: true}, args)
	assert.True(t, strings.HasPrefix(errs.String(), "reading projects: 1 of 2\r\x1b[K\r"), errs.String())
	assert.True(t, strings.HasPrefix(out.String(), "API "), out.String()[:60])
	assert.NotContains(t, p.audit().out, "\r")
	out.Reset()
	execute(t.Context(), terminal{out: &out, err: &errs, tty: true}, append(args, "-o", "json"))
	assert.True(t, json.Valid(out.Bytes()))
}

// TestAuditHeedsTheVersion follows the first guide to its end on a data plane that says that it is v2: a project's secret with both keys,
// which a strict legacy proxy could not read, is clean, and no workaround is printed.
func TestAuditHeedsTheVersion(t *testing.T) {
	t.Parallel()
	p := newAuditPlane(t)
	project := p.post("/v1/project", `{"name":"one"}`)
	p.post("/v1/env_var", `{"object_type":"project","object_id":"`+project+`","secret_category":"ai_provider","name":"acme","secret_type":"openai",
		"value":"sk","metadata":{"auth_type":"api_key","auth_format":"bearer","api_base":"https://gw/v1"}}`)
	got := p.audit()
	assert.Equal(t, 1, got.code, "v1 may have any legacy proxy")
	assert.Contains(t, got.out, "--workaround")
	p.instead = func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/version") && page(200, `{"version":"2.0.0"}`)(w, r)
	}
	saved := filepath.Join(t.TempDir(), "inventory.json")
	got = p.audit("--notes", "--save", saved)
	assert.Equal(t, 0, got.code, got.out)
	assert.Contains(t, got.out, "\nCLEAN: 1 provider secret in 1 project and the organization; ")
	assert.NotContains(t, got.out, "--workaround")
	assert.Equal(t, 0, command(t, "audit", "--inventory", saved).code, "offline too")
}

// TestPrintedCommandsRun runs each command of ours that an audit prints: none is refused as it is written.
func TestPrintedCommandsRun(t *testing.T) {
	p := newAuditPlane(t)
	p.affected()
	t.Chdir(t.TempDir())
	ran := 0
	for _, more := range [][]string{{"--org", "acme \x1b[2J"}, {"--save", "saved.json", "--legacy", "legacy-2026-02"}} {
		got := p.audit(append(more, "-o", "json")...)
		require.Equal(t, 1, got.code, got.err)
		require.NoError(t, os.WriteFile("audit.json", []byte(got.out), 0o600))
		var report audit.Report
		require.NoError(t, json.Unmarshal([]byte(got.out), &report))
		commands := slices.Clone(report.Next)
		for _, g := range report.Groups {
			for _, f := range g.Findings {
				commands = append(commands, f.Remedy.Decide, f.Remedy.Command)
			}
		}
		slices.Sort(commands)
		for _, line := range slices.Compact(commands) {
			if line == "" {
				continue
			}
			words, err := shell.Fields(strings.TrimSuffix(line, " > audit.json"), nil)
			require.NoError(t, err)
			require.Equal(t, "planeproof", words[0])
			root := newRoot(terminal{out: io.Discard, err: io.Discard}, &evidence.Redactor{})
			root.SetIn(strings.NewReader("sk-canary-raw-7f3a91c2\n"))
			root.SetArgs(words[1:])
			err = root.ExecuteContext(t.Context())
			assert.NotErrorIs(t, err, conformance.ErrUsage, line)
			ran++
		}
	}
	assert.Greater(t, ran, 10)
}
