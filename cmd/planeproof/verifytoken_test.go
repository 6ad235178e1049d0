package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

const (
	goodToken = "sk-canary-good-7f3a91c2"
	poorToken = "sk-canary-poor-7f3a91c2"
	gatewayID = "t-0123456789abcdef"
)

// startGateway serves the fake gateway and returns its base; methods of everything that arrives must be GET.
func startGateway(t *testing.T, settings string, start func(http.Handler) *httptest.Server) (base string, server *httptest.Server) {
	t.Helper()
	fake := gateway.NewTenants()
	require.NoError(t, fake.Put(fmt.Appendf(nil, `{"schema":%q,"id":%q,"settings":%s}`, tenancy.Schema, gatewayID, settings)))
	server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + gatewayID, server
}

const settings = `{"tokens":["` + goodToken + `"],"forbidden":["` + poorToken + `"],"models":["acme-chat"]`

// write puts a text into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestVerifyTokenVerdicts(t *testing.T) {
	t.Parallel()
	base, _ := startGateway(t, settings+`}`, httptest.NewServer)
	open, _ := startGateway(t, settings+`,"open_models":true}`, httptest.NewServer)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>login</html>")) }))
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	t.Cleanup(busy.Close)
	gone.Close()
	for name, tc := range map[string]struct {
		base, token string
		more        []string
		code        int
		first       string
	}{
		"good":           {base, goodToken, nil, 0, "VERIFIED: /models: verified (200); /v1/models: verified (200)\n"},
		"with v1":        {base + "/v1/", goodToken + "\r", nil, 0, "VERIFIED"},
		"wrong":          {base, "sk-canary-wrong-7f3a91c2", nil, 1, "REFUSED"},
		"not authorized": {base, poorToken, nil, 1, "NOT AUTHORIZED"},
		"open":           {open, goodToken, nil, 1, "OPEN ENDPOINT"},
		"open, not seen": {open, goodToken, []string{"--no-open-check"}, 0, "VERIFIED"},
		"no list":        {page.URL, goodToken, nil, 1, "NOT A MODEL LIST"},
		"no base":        {base + "/elsewhere", goodToken, nil, 1, "NOT AN OPENAI-COMPATIBLE BASE URL"},
		"not raw":        {base, "Bearer " + goodToken, nil, 1, "NOT A RAW TOKEN: the token was not sent\n"},
		"padded":         {base, " " + goodToken, nil, 1, "NOT A RAW TOKEN"},
		"sent anyway":    {base, "Bearer " + goodToken, []string{"--send-anyway"}, 1, "REFUSED"},
		"busy":           {busy.URL, goodToken, nil, 3, "INCONCLUSIVE"},
		"nobody there":   {gone.URL, goodToken, nil, 3, "UNREACHABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []string{"table", "json"} {
				got := command(t, append([]string{"verify-token", "--base", tc.base, "--token-file", write(t, tc.token+"\n"), "-o", format}, tc.more...)...)
				assert.Equal(t, tc.code, got.code, got.err)
				if format == "table" {
					assert.True(t, strings.HasPrefix(got.out, tc.first), got.out)
					assert.Contains(t, got.out, "tried from this machine")
				} else {
					assert.True(t, strings.HasPrefix(got.out, "{\n  \"schema\": \"planeproof/verify-token/v1\",\n  \"verdict\": "), got.out)
					assert.True(t, json.Valid([]byte(got.out)))
				}
				assert.NotContains(t, got.out+got.err, "canary")
				announced := strings.Contains(got.err, "a deliberately wrong token is sent")
				assert.Equal(t, len(tc.more) == 0 || tc.more[0] != "--no-open-check", announced)
			}
		})
	}
}

// TestWrongTokenIsAnnouncedFirst looks at what was said when the wrong token arrives.
func TestWrongTokenIsAnnouncedFirst(t *testing.T) {
	t.Parallel()
	var said lockedText
	wrong := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+goodToken {
			wrong++
			assert.Contains(t, said.String(), "deliberately wrong token")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"object":"list","data":[]}`))
	}))
	defer server.Close()
	code := execute(t.Context(), terminal{out: new(lockedText), err: &said}, []string{"verify-token", "--base", server.URL, "--token-file", write(t, goodToken)})
	assert.Equal(t, 0, code)
	assert.Equal(t, 2, wrong, "once per path")
}

// lockedText is written by the program while a server reads it.
type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestVerifyTokenUsage(t *testing.T) {
	t.Parallel()
	file := write(t, goodToken)
	for name, tc := range map[string]struct {
		args []string
		err  string
	}{
		"no base":         {[]string{"--token-file", file}, "give either --base or --secret"},
		"two bases":       {[]string{"--token-file", file, "--base", "http://x", "--secret", secretID(1)}, "give either --base or --secret"},
		"no token":        {[]string{"--base", "http://x"}, "no token: give --token-env or --token-file"},
		"two tokens":      {[]string{"--base", "http://x", "--token-file", file, "--token-env", "X"}, "give either --token-env or --token-file"},
		"bad base":        {[]string{"--base", "ftp://" + goodToken, "--token-file", file}, "does not begin with http:// or https://"},
		"base with user":  {[]string{"--base", "http://u:" + goodToken + "@x", "--token-file", file}, "user information"},
		"argument":        {[]string{"--base", "http://x", goodToken}, "a token never is one"},
		"flag":            {[]string{"--base", "http://x", "--token=" + goodToken}, "unknown flag: --token"},
		"not set":         {[]string{"--base", "http://x", "--token-env", goodToken}, "empty or not set"},
		"no such file":    {[]string{"--base", "http://x", "--token-file", goodToken}, "no such file"},
		"empty file":      {[]string{"--base", "http://x", "--token-file", write(t, " \n")}, "empty or not set"},
		"no time":         {[]string{"--base", "http://x", "--token-file", file, "--timeout", "0s"}, "--timeout"},
		"no certificate":  {[]string{"--base", "http://x", "--token-file", file, "--ca-file", file}, "no certificate in PEM"},
		"no CA file":      {[]string{"--base", "http://x", "--token-file", file, "--ca-file", goodToken}, "read --ca-file: no such file"},
		"unknown format":  {[]string{"--base", "http://x", "--token-file", file, "-o", "xml"}, `--output "xml" is not one of table, json`},
		"no id":           {[]string{"--secret", goodToken, "--token-file", file}, "--secret is no id, such as 22222222-"},
		"an id in braces": {[]string{"--secret", "{" + secretID(1) + "}", "--token-file", file}, "--secret is no id"},
		"no generation":   {[]string{"--secret", secretID(1), "--legacy", "v1", "--token-file", file}, "legacy-2026-03"},
		"empty legacy":    {[]string{"--secret", secretID(1), "--legacy", "", "--token-file", file}, "--legacy is empty"},
		"legacy of what":  {[]string{"--base", "http://x", "--legacy", "legacy-2026-03", "--token-file", file}, "--legacy goes with --secret"},
		"bad API URL":     {[]string{"--secret", secretID(1), "--token-file", file, "--api-url", "ftp://x", "--api-key-file", file}, "http:// or https://"},
		"no key":          {[]string{"--secret", secretID(1), "--token-file", file, "--api-url", "http://x", "--api-key-env", "PLANEPROOF_TEST_NOT_SET"}, "no key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := command(t, append([]string{"verify-token"}, tc.args...)...)
			assert.Equal(t, exitUsage, got.code)
			assert.Contains(t, got.err, tc.err)
			assert.Empty(t, got.out)
			assert.NotContains(t, got.err, "canary")
		})
	}
}

func TestVerifyTokenFromEnvironmentAndStandardInput(t *testing.T) {
	base, _ := startGateway(t, settings+`}`, httptest.NewServer)
	t.Setenv("PLANEPROOF_TEST_TOKEN", goodToken)
	assert.Equal(t, 0, command(t, "verify-token", "--base", base, "--token-env", "PLANEPROOF_TEST_TOKEN").code)
	in := write(t, goodToken+"\n")
	f := tokenFlags{file: "-"}
	file, err := os.Open(in)
	require.NoError(t, err)
	defer file.Close()
	token, err := f.token(file)
	require.NoError(t, err)
	assert.Equal(t, goodToken, token)
}

func TestVerifyTokenTLS(t *testing.T) {
	t.Parallel()
	quiet := func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails is wanted
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		server.StartTLS()
		return server
	}
	base, server := startGateway(t, settings+`}`, quiet)
	file := write(t, goodToken)
	got := command(t, "verify-token", "--base", base, "--token-file", file)
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.out, "UNREACHABLE")
	assert.Contains(t, got.out, "--ca-file")
	ca := write(t, pemOf(server.Certificate()))
	got = command(t, "verify-token", "--base", base, "--token-file", file, "--ca-file", ca)
	assert.Equal(t, 0, got.code, got.out+got.err)
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// secretID is an id of a provider secret.
func secretID(n int) string { return fmt.Sprintf("22222222-2222-4222-8222-%012d", n) }

// controlAPI answers GET of the given paths with their objects, or with a status alone where the object is a number.
func controlAPI(t *testing.T, objects map[string]any) string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		object, known := objects[r.URL.Path]
		status, isStatus := object.(int)
		switch {
		case r.Header.Get("Authorization") != "Bearer bt-canary-key-01":
			w.WriteHeader(http.StatusUnauthorized)
		case !known:
			w.WriteHeader(http.StatusNotFound)
		case isStatus:
			w.WriteHeader(status)
		default:
			assert.NoError(t, json.NewEncoder(w).Encode(object))
		}
	}))
	t.Cleanup(api.Close)
	return api.URL
}

func stored(metadata map[string]any) map[string]any {
	return map[string]any{"id": "x", "name": "acme", "type": "openai", "metadata": metadata}
}

func TestVerifyTokenOfASecret(t *testing.T) {
	t.Parallel()
	base, _ := startGateway(t, settings+`}`, httptest.NewServer)
	vllm, _ := startGateway(t, settings+`,"personality":"vllm"}`, httptest.NewServer)
	of := func(base string) map[string]any { return stored(map[string]any{"api_base": base}) }
	api := controlAPI(t, map[string]any{
		"/v1/ai_secret/" + secretID(1): of(base + "/v1"), "/v1/env_var/" + secretID(2): of(base), "/v1/ai_secret/" + secretID(3): of(""),
		"/v1/ai_secret/" + secretID(4): of("http://u:" + goodToken + "@x/v1"), "/v1/ai_secret/" + secretID(5): of(goodToken),
		"/v1/ai_secret/" + secretID(11): http.StatusNotImplemented, "/v1/ai_secret/" + secretID(6): http.StatusForbidden, "/v1/ai_secret/" + secretID(8): of(vllm),
		"/v1/env_var/" + secretID(12):   http.StatusNotImplemented,
		"/v1/ai_secret/" + secretID(9):  stored(map[string]any{"api_base": base + "/v1", "endpoint_path": "/generate"}),
		"/v1/ai_secret/" + secretID(10): stored(map[string]any{"api_base": base + "/v1", "additionalHeaders": map[string]string{"Authorization": "Basic canary-extra"}}),
	})
	file, key, wrong := write(t, goodToken), write(t, "bt-canary-key-01"), write(t, "bt-canary-key-02")
	for name, tc := range map[string]struct {
		id   int
		more []string
		code int
		says string
	}{
		"of the organization": {1, nil, 0, "VERIFIED"},
		"of a project":        {2, nil, 0, "  the proxy calls: " + base + "/chat/completions\n    the model list beside it is served\n"},
		"no base":             {3, nil, 2, "its calls go to https://api.openai.com/v1: name the base to try with --base"},
		"a user in the base":  {4, nil, 1, "NOT AN OPENAI-COMPATIBLE BASE URL"},
		"no URL":              {5, nil, 1, "NOT AN OPENAI-COMPATIBLE BASE URL"},
		"forbidden":           {6, nil, 3, "read provider secret: GET /v1/ai_secret/" + secretID(6)},
		"a broken API":        {11, nil, 3, "answered 501"},
		"broken env_vars":     {12, nil, 3, "GET /v1/env_var/" + secretID(12) + ": answered 501"},
		"not there":           {7, nil, 1, "planeproof: read provider secret: GET /v1/env_var/" + secretID(7) + ": not found (404)"},
		"elsewhere":           {8, nil, 1, "THE CALL GOES ELSEWHERE: /models: not served (404); /v1/models: verified (200); the proxy calls " + vllm + "/chat/completions\n"},
		"a path of its own":   {9, nil, 3, "THE CALL CANNOT BE JUDGED"},
		"an older proxy":      {9, []string{"--legacy", "legacy-2026-02"}, 0, "VERIFIED"},
		"two credentials":     {10, nil, 1, "  stored: additionalHeaders has an Authorization of its own"},
		"wrong key":           {1, []string{"--api-key-file", wrong}, 3, "does not know the key (401)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := command(t, append([]string{"verify-token", "--api-url", api + "/", "--api-key-file", key, "--secret", secretID(tc.id),
				"--token-file", file, "--timeout", (20 * time.Second).String()}, tc.more...)...)
			assert.Equal(t, tc.code, got.code, got.out+got.err)
			assert.Contains(t, got.out+got.err, tc.says)
			assert.NotContains(t, got.out+got.err, "canary")
		})
	}
}
