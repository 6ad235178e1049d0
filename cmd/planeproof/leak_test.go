package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/internal/leak"
)

// leakRig is an organization with a minted token in every place where a credential can be. Its API can echo all of them in an error.
type leakRig struct {
	t        *testing.T
	url, dir string
	secrets  []string // all tokens
	stored   []string // stored values and the key, which no backup may hold either
	echoed   []string // what the API says of them in an error
	parts    []string // parts of what the tools know, by which nobody can tell that they are of a token
	secretID string
	metadata string
	key, raw string // files with the API key and with a new token
	// fail says which requests are answered with an error that echoes, and cancel what they interrupt.
	fail   atomic.Pointer[regexp.Regexp]
	cancel atomic.Pointer[context.CancelFunc]
	places map[string]string // what was written, by place
}

// mint makes one more token; one that is known to the tools is echoed in part, too.
func (r *leakRig) mint(known bool) string {
	token := leak.Mint()
	r.secrets = append(r.secrets, token)
	quoted, _ := json.Marshal("a\n" + token)
	r.echoed = append(r.echoed, token, `"Bearer `+token+`"`, string(quoted), base64.StdEncoding.EncodeToString([]byte("u:"+token+"\n")))
	if known {
		r.echoed = append(r.echoed, token[:20]+"…", "…"+token[5:], token[7:17])
		r.parts = append(r.parts, token[4:15])
	}
	return token
}

func newLeakRig(t *testing.T) *leakRig {
	t.Helper()
	r := &leakRig{t: t, dir: t.TempDir(), places: map[string]string{}}
	admin := r.mint(true)
	value, preview, next := r.mint(false), r.mint(false), r.mint(false) // the new one is known to two commands alone
	r.stored, r.key, r.raw = []string{value, next, admin}, write(t, admin), write(t, next)
	known := func() string { return r.mint(true) }
	r.metadata = fmt.Sprintf(`{"auth_type":"api_key","auth_format":"api_key","api_base":"http://svc:%s@gateway:8080/v1?key=%s&k=%s#%s",
		"additionalHeaders":{"Authorization":"Basic %s","X-Team":%q,"x-deep":{"y":[%q]}},"headers":{"x-other":%q},"session_token":%q,
		"knob":{"deep":[%q]},"endpoint_path":"/x?sig=%s","overrideSystemPrompt":"say sk-%s","external_id":%q,
		"customModels":{"acme-chat":{"format":"openai","flavor":"chat","headers":{"x-nested":%q},"additionalHeaders":{"authorization":"Bearer %s"}}}}`,
		known(), known(), known(), known(), known(), known(), known(), known(), known(), known(), known(), r.mint(false), known(), known(), known())

	fake := dataplane.NewTenants(tenancy.Routes{}, "http://legacy-proxy:8080")
	config, err := json.Marshal(dataplane.Config{
		Organization: dataplane.Organization{ID: fixOrgID, Name: "acme"}, Serving: dataplane.ServingV2,
		Keys: []dataplane.Key{{Key: admin, Role: dataplane.RoleAdmin}},
	})
	require.NoError(t, err)
	require.NoError(t, fake.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":%s}`, tenancy.Schema, gatewayID, config)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.serve(w, req, fake, preview) }))
	t.Cleanup(server.Close)
	r.url = server.URL + "/" + gatewayID

	project := httptest.NewRequest(http.MethodPost, "/"+gatewayID+"/v1/project", strings.NewReader(`{"name":"one"}`))
	project.Header.Set("Authorization", "Bearer "+admin)
	fake.ServeHTTP(httptest.NewRecorder(), project)
	post := httptest.NewRequest(http.MethodPost, "/"+gatewayID+"/v1/ai_secret",
		strings.NewReader(fmt.Sprintf(`{"name":"acme","type":"openai","secret":"Bearer %s","metadata":%s}`, value, r.metadata)))
	post.Header.Set("Authorization", "Bearer "+admin)
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, post)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	r.secretID = gjson.Get(w.Body.String(), "id").String()
	return r
}

var previewField = regexp.MustCompile(`"preview_secret":"[^"]*"`)

// serve shows too much in its previews and, where it is told to fail, all it has.
func (r *leakRig) serve(w http.ResponseWriter, req *http.Request, fake http.Handler, preview string) {
	if r.fails(req) {
		if cancel := r.cancel.Load(); cancel != nil {
			(*cancel)()
		}
		said := strings.Join(r.echoed, " ") + " " + r.metadata
		if req.Method != http.MethodGet { // by then the metadata was read: parts of it come first, as only the beginning of an error is shown
			said = strings.Join(r.parts, " ") + " " + said
		}
		message, _ := json.Marshal(map[string]string{"error": "refused: " + said})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(message)
		return
	}
	answer := httptest.NewRecorder()
	fake.ServeHTTP(answer, req)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.Code)
	_, _ = w.Write(previewField.ReplaceAll(answer.Body.Bytes(), []byte(`"preview_secret":"Bearer `+preview+`"`)))
}

func (r *leakRig) fails(req *http.Request) bool {
	pattern := r.fail.Load()
	return pattern != nil && pattern.MatchString(req.Method+" "+req.URL.Path)
}

func (r *leakRig) file(name string) string { return filepath.Join(r.dir, name) }

// run runs a command line while the API fails as told, and keeps what was said.
func (r *leakRig) run(fail string, code int, args ...string) outcome {
	r.t.Helper()
	r.fail.Store(nil)
	if fail != "" {
		r.fail.Store(regexp.MustCompile(fail))
	}
	got := command(r.t, append(args, "--api-url", r.url, "--api-key-file", r.key)...)
	r.keep(fmt.Sprintf("%d. %s, failing %q", len(r.places), strings.Join(args[:min(2, len(args))], " "), fail), got)
	assert.Equal(r.t, code, got.code, "%v: %s%s", args, got.out, got.err)
	return got
}

// interrupt ends the command at the first request that matches.
func (r *leakRig) interrupt(at string, args ...string) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	r.fail.Store(regexp.MustCompile(at))
	r.cancel.Store(&cancel)
	defer r.cancel.Store(nil)
	var out, errs bytes.Buffer
	code := execute(ctx, terminal{out: &out, err: &errs}, append(args, "--api-url", r.url, "--api-key-file", r.key))
	r.keep(fmt.Sprintf("%d. interrupted %s", len(r.places), args[0]), outcome{code, out.String(), errs.String()})
	assert.Equal(r.t, exitInterrupted, code, errs.String())
}

func (r *leakRig) keep(place string, got outcome) {
	r.places[place+": standard output"], r.places[place+": standard error"] = got.out, got.err
}

// check looks for all tokens in all that was said and written. Only a backup may hold what the API shows of a secret, and it no stored value.
func (r *leakRig) check() {
	r.t.Helper()
	for place, text := range leak.Files(r.t, r.dir) {
		if strings.HasSuffix(place, ".backup.json") {
			assert.NotEmpty(r.t, leak.Find(text, r.secrets), "a backup holds the metadata as it was")
			assert.Empty(r.t, leak.Find(text, r.stored), "%s holds a stored value", place)
			continue
		}
		r.places[place] = text
	}
	leak.Check(r.t, r.secrets, r.places)
}

// TestNoCommandLeaks drives every command that talks to an API, on success, failure and interrupt.
func TestNoCommandLeaks(t *testing.T) {
	t.Parallel()
	r := newLeakRig(t)
	audit := r.run("", 1, "audit", "-o", "json", "--notes", "--save", r.file("inventory.json"))
	require.NoError(t, os.WriteFile(r.file("audit.json"), []byte(audit.out), 0o600))
	r.run("", 1, "audit", "--notes", "--model", "acme-chat")
	r.keep("audit --inventory", command(t, "audit", "--inventory", r.file("inventory.json"), "--notes", "--model", "acme-chat"))
	for _, at := range []string{"GET .*/organization", "GET .*/ai_secret", "GET .*/env_var", "GET .*/project"} {
		r.run(at, 3, "audit", "--notes")
	}
	r.interrupt("GET .*/env_var", "audit")

	plan, portable, raw := r.file("plan.json"), r.file("portable.json"), r.file("raw.json")
	r.run("", 0, "fix", "plan", "--secret", r.secretID, "--save", plan)
	r.run("", 0, "fix", "plan", "--secret", r.secretID, "--portable", "--save", portable)
	r.run("", 0, "fix", "plan", "--secret", r.secretID, "--token-file", r.raw, "--save", raw)
	r.run("", 1, "fix", "plan", "--audit", r.file("audit.json"), "--save", r.file("of-audit.json"))
	r.run("GET .*/ai_secret/", 3, "fix", "plan", "--secret", r.secretID, "--save", r.file("none.json"))
	r.run("PATCH ", 1, "fix", "apply", plan, "--org", "acme", "--backup", r.file("1.backup.json"), "--wait", "1ms")
	r.interrupt("PATCH ", "fix", "apply", plan, "--org", "acme", "--backup", r.file("3.backup.json"), "--wait", "1ms")
	r.run("", 0, "fix", "apply", plan, "--org", "acme", "--backup", r.file("4.backup.json"), "--wait", "1ms")
	r.run("", 1, "fix", "apply", portable, "--org", "acme", "--backup", r.file("5.backup.json"), "--wait", "1ms")
	r.run("", 0, "restore", "--backup", r.file("4.backup.json"), "--wait", "1ms")
	r.run("PATCH ", 1, "restore", "--backup", r.file("4.backup.json"), "--apply", "--wait", "1ms")
	r.run("", 0, "restore", "--backup", r.file("4.backup.json"), "--apply", "--wait", "1ms")
	r.run("POST ", 1, "fix", "apply", plan, "--org", "acme", "--model", "acme-chat", "--backup", r.file("2.backup.json"), "--wait", "1ms")
	r.run("PATCH ", 1, "fix", "apply", raw, "--org", "acme", "--token-file", r.raw, "--backup", r.file("6.backup.json"), "--wait", "1ms")

	r.run("", 1, "verify-token", "--secret", r.secretID, "--token-file", r.raw)
	r.run("GET .*/ai_secret/", 3, "verify-token", "--secret", r.secretID, "--token-file", r.raw)
	r.check()
}

// TestVerifyTokenLeaksNothing asks a gateway that echoes the token whole, cut and encoded.
func TestVerifyTokenLeaksNothing(t *testing.T) {
	t.Parallel()
	token := leak.Mint()
	for _, status := range []int{200, 401, 403, 404, 429, 500} {
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0"+token)
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "%s refused %s %s… …%s %s", strings.Repeat("x", 120), token, token[:20], token[9:], base64.StdEncoding.EncodeToString([]byte("x"+token)))
		}))
		places := map[string]string{}
		for _, args := range [][]string{nil, {"-o", "json"}} {
			got := command(t, append([]string{"verify-token", "--base", gateway.URL, "--token-file", write(t, token), "--no-open-check"}, args...)...)
			assert.Contains(t, []int{1, 3}, got.code, got.err)
			places["standard output"], places["standard error"] = got.out, got.err
			leak.Check(t, []string{token}, places)
		}
		gateway.Close()
	}
}

// TestRunLeaksNothing knows the tokens of a run by their form.
func TestRunLeaksNothing(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{passes, fails} {
		dir := t.TempDir()
		got := conform(t.Context(), scenario, "run", "--runtime", "process", "--report", dir)
		places := leak.Files(t, dir)
		require.Len(t, places, 2)
		places["standard output"], places["standard error"] = got.out, got.err
		for place, text := range places {
			assert.Empty(t, leak.Minted.FindString(text), "%s shows a secret", place)
		}
	}
}

// TestLogsLeakNothing reads a log with tokens of known forms in it, which is all that can be known there.
func TestLogsLeakNothing(t *testing.T) {
	t.Parallel()
	token := leak.Mint()
	text := "GET /v1 sk-" + token + "\nReceived retryable error 401. Bearer " + token + "\n" + "Failed to load project secrets, continuing with org secrets only ZodError: " +
		`[{"code":"invalid_enum_value","received":"sk-` + token + `","options":["bearer"],"path":["metadata","sk-` + token + `"],"message":"m ` + token + `"}]` + "\n"
	places := map[string]string{}
	for _, format := range []string{"table", "json"} {
		got := command(t, "logs", write(t, text), "-o", format)
		assert.Equal(t, 1, got.code, got.err)
		places[format+": standard output"], places[format+": standard error"] = got.out, got.err
	}
	leak.Check(t, []string{token}, places)
}

func TestFakeLeaksNothing(t *testing.T) {
	t.Parallel()
	token := leak.Mint()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tenant := write(t, `{"schema":"planeproof/tenant/v1","id":"`+gatewayID+`","settings":{"tokens":["`+token+`"],"models":["acme-chat"]}}`)
	data, _, ended := serveFake(ctx, t, "gateway", "--tenant", tenant)
	for _, header := range append(evidence.CredentialHeaders(), "x-secret", "cookie") {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, data+"/"+gatewayID+"/v1/models?key="+token, nil)
		require.NoError(t, err)
		r.Header.Set(header, "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
	cancel()
	got := <-ended
	leak.Check(t, []string{token}, map[string]string{"standard output": got.out, "standard error": got.err})
}

// TestGivenURLsAreMasked has user information, query and fragment in every URL that a command takes.
func TestGivenURLsAreMasked(t *testing.T) {
	key := write(t, "bt-some-key")
	for _, command := range [][]string{
		{"audit", "--api-url"}, {"fix", "plan", "--secret", "x", "--save", "plan.json", "--api-url"}, {"verify-token", "--token-file", key, "--secret", "x", "--api-url"},
		{"verify-token", "--token-file", key, "--base"}, {"run", "--runtime", "process", "--data-plane-addr", "127.0.0.1:0", "--proxy-url"},
		{"fake", "gateway", "--addr", "127.0.0.1:0", "--dial"}, {"fake", "data-plane", "--tenant"}, {"fix", "apply"}, {"restore", "--backup"}, {"logs"}, {"audit", "--inventory"},
	} {
		for _, form := range []string{"http://svc:%s@127.0.0.1:1/v1", "http://%s@127.0.0.1:1/v1", "http://127.0.0.1:1/v1?key=%s", "http://127.0.0.1:1/v1#%s",
			"http://svc:%s@no port:x", "ftp://svc:%s@h", "svc:%s@127.0.0.1:1//", "http://svc:pw%s@127.0.0.1:1/%%zz"} {
			for _, joined := range []bool{false, true} {
				token := leak.Mint()
				args := append([]string{}, command...)
				if given := fmt.Sprintf(form, token); joined && strings.HasPrefix(command[len(command)-1], "-") {
					args[len(args)-1] += "=" + given
				} else {
					args = append(args, given)
				}
				if strings.Contains(strings.Join(args, " "), "api-url") {
					args = append(args, "--api-key-file", key)
				}
				got := conform(t.Context(), passes, args...)
				assert.NotZero(t, got.code, args)
				leak.Check(t, []string{token}, map[string]string{"standard output": got.out, "standard error": got.err})
			}
		}
	}
	short := command(t, "audit", "--api-url", "http://u:pw1@127.0.0.1:1", "--api-key-file", key)
	assert.NotContains(t, short.err, "pw1")
	token := leak.Mint()
	t.Setenv("BRAINTRUST_API_URL", "http://svc:"+token+"@127.0.0.1:1/?k="+token)
	for _, args := range [][]string{{"audit"}, {"fix", "plan", "--secret", "x", "--save", "p.json"}} {
		got := command(t, append(args, "--api-key-file", key)...)
		assert.Equal(t, 2, got.code)
		leak.Check(t, []string{token}, map[string]string{"standard output": got.out, "standard error": got.err})
	}
}

// TestGoLogPassesTheRedactor: net/http logs what a server sends on an idle connection.
func TestGoLogPassesTheRedactor(t *testing.T) {
	known := leak.Mint()
	spoken := make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() {
			log.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=<nil>", "HTTP/1.1 400\r\n\r\n"+known[:20]+" sk-unknown-4711")
			close(spoken)
		})
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	got := command(t, "verify-token", "--base", server.URL, "--token-file", write(t, known), "--no-open-check")
	<-spoken
	assert.Contains(t, got.err, "Unsolicited response received on idle HTTP channel", "the line is shown")
	assert.NotContains(t, got.err, "unknown-4711")
	leak.Check(t, []string{known}, map[string]string{"standard error": got.err})
}

// TestTheLastWriterRedacts has the API key, which is known, where nothing looks for it: in names that the API gives and that the user chose.
func TestTheLastWriterRedacts(t *testing.T) {
	t.Parallel()
	r := newLeakRig(t)
	key, err := os.ReadFile(r.key)
	require.NoError(t, err)
	got := r.run("", 0, "fix", "plan", "--secret", r.secretID, "--save", r.file(string(key)+".json"), "-o", "json")
	assert.Contains(t, got.err, "‹Braintrust API key›.json")
	p := newAuditPlane(t)
	p.post("/v1/ai_secret", `{"name":"`+auditKey+`","type":"openai","secret":"x","metadata":{"auth_format":"api_key","api_base":"https://gw.example/v1"}}`)
	got = p.audit()
	assert.Contains(t, got.out, `"‹Braintrust API key›", type openai`)
	assert.NotContains(t, got.out, auditKey)
	leak.Check(t, []string{string(key)}, r.places)
}
