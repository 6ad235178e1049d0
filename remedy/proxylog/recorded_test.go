package proxylog

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
)

// TestRecordedErrors reads every error that the real proxies logged in the recording, and every one that the schemas of ours
// raise on the recorded secrets: the generation that raised it is among those that fit.
func TestRecordedErrors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../provider/testdata/vectors/secret-schema.jsonl")
	require.NoError(t, err)
	recorded, raised, undecided := 0, 0, 0
	seen := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		var row struct {
			ID       string
			Secret   json.RawMessage
			Verdicts map[provider.Generation]struct{ ZodError string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		var secret struct{ Type any }
		require.NoError(t, json.Unmarshal(row.Secret, &secret))
		typ, _ := secret.Type.(string)
		for g, verdict := range row.Verdicts {
			zod := verdict.ZodError
			if zod != "" {
				recorded++
			} else if _, issues := provider.Read(g, row.Secret); len(issues) > 0 {
				zod = provider.ZodError(issues)
			} else {
				continue
			}
			if seen[string(g)+typ+zod] {
				continue
			}
			seen[string(g)+typ+zod] = true
			raised++
			log := warning + " ZodError: " + zod + "\nend\n"
			if raised%10 != 0 { // most with their type: to try every type takes its time
				log = `{"msg":` + quoted(t, log) + `,"secret_type":` + quoted(t, typ) + `}`
			}
			summary := read(t, log)
			cause := summary.Projects[0].Causes[0]
			require.NotEmpty(t, cause.Issues, row.ID)
			if len(cause.Fits) == 0 {
				undecided++
				continue
			}
			fits := func(f Fit) bool { return slices.Contains(f.Types, typ) && slices.Contains(f.Generations, g) }
			if slices.Contains(provider.Types(), typ) {
				assert.True(t, slices.ContainsFunc(cause.Fits, fits), "%s %s %s: %+v", row.ID, g, zod, cause.Fits)
			}
		}
	}
	assert.Positive(t, recorded)
	t.Logf("%d recorded, %d in all, %d not decided", recorded, raised, undecided)
	assert.Less(t, undecided*50, raised, "hardly any is left undecided")
}

const tenant = "t-0123456789abcdef"

// TestLogOfTheFakeProxy reads what a legacy proxy writes while it falls back, as its texts and as its log's own document.
func TestLogOfTheFakeProxy(t *testing.T) {
	t.Parallel()
	for g, keys := range map[provider.Generation][]string{
		provider.Legacy202602: {"auth_format", "auth_type"}, provider.Legacy202603: {"auth_type"},
	} {
		t.Run(string(g), func(t *testing.T) {
			t.Parallel()
			document := fakeLog(t, g)
			var log tenancy.Log
			require.NoError(t, json.Unmarshal(document, &log))
			require.NotEmpty(t, log.Entries)
			var texts strings.Builder
			for _, entry := range log.Entries {
				texts.WriteString(entry.Text + "\n")
			}
			for label, text := range map[string]string{"project " + project: string(document), "project not named in the log": texts.String()} {
				summary := read(t, text)
				require.Len(t, summary.Projects, 1, text)
				p := summary.Projects[0]
				assert.Equal(t, label, p.Label())
				assert.Equal(t, 2, p.Unreadable)
				require.Len(t, p.Causes, 1)
				assert.Equal(t, 2, p.Causes[0].Times)
				assert.Equal(t, keys, p.Causes[0].Issues[0].Keys)
				assert.Equal(t, []Count{{"none", 2}}, p.Retried, "the org's gateway does not answer")
			}
		})
	}
}

// fakeLog makes two calls with project context through the fake legacy proxy and returns its log.
func fakeLog(t *testing.T, g provider.Generation) []byte {
	t.Helper()
	secret := `{"name":"acme","type":"openai","secret":"sk-canary-7Hq2vZpX9mKd4RtB8nLw","metadata":{"api_base":"http://gateway:8080/v1",` +
		`"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}`
	dataPlane := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"org":[` + secret + `}}],"project":[` + secret + `,"auth_type":"api_key","auth_format":"bearer"}}]}`))
	}))
	t.Cleanup(dataPlane.Close)
	proxy := legacyproxy.NewTenants(tenancy.Routes{"data-plane:8000": dataPlane.Listener.Addr().String()}, "http://data-plane:8000")
	require.NoError(t, proxy.Put([]byte(`{"schema":"`+tenancy.Schema+`","id":"`+tenant+`","settings":{"generation":"`+string(g)+`"}}`)))
	for range 2 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/"+tenant+"/v1/chat/completions", strings.NewReader(`{"model":"acme-chat","messages":[]}`))
		r.Header.Set("Authorization", "Bearer bt-key-1")
		r.Header.Set("x-bt-project-id", project)
		proxy.ServeHTTP(httptest.NewRecorder(), r)
	}
	answer := httptest.NewRecorder()
	proxy.Control().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/tenants/"+tenant+"/log", nil))
	return answer.Body.Bytes()
}
