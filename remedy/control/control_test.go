package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/control"
)

const key = "canary.braintrust.key"

// answering is an API that gives one answer to everything.
func answering(t *testing.T, status int, header map[string]string, body string) *control.Client {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serving(t *testing.T, h http.HandlerFunc) *control.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return control.New(server.URL, key, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
}

func TestWhatIsWrongIsSaidInOneLine(t *testing.T) {
	t.Parallel()
	const secretPath = "/v1/ai_secret/6d1c1a3e-0c1b-4f0e-9a57-000000000001"
	for name, c := range map[string]struct {
		path   string
		status int
		header map[string]string
		body   string
		kind   control.Kind
		says   []string
	}{
		"wrong key":      {secretPath, 401, nil, "Invalid API key " + key, control.WrongKey, []string{"does not know the key (401)"}},
		"member":         {secretPath, 403, nil, `{"error":"no permission"}`, control.Forbidden, []string{"(403)", "org admin", "no permission"}},
		"vanished":       {secretPath, 404, nil, "", control.NotFound, []string{"no object of this id any more"}},
		"not the API":    {"/v1/organization", 404, nil, "<html>", control.NotFound, []string{"not a path of the API"}},
		"login page":     {secretPath, 200, nil, " <!doctype html><title>Sign in</title>", control.Broken, []string{"HTML, not JSON", "login page"}},
		"redirect":       {secretPath, 302, map[string]string{"Location": "https://sso.example/login?next=canary"}, "", control.Broken, []string{"redirect to sso.example", "not followed"}},
		"truncated":      {secretPath, 200, nil, `{"id":"6d1c`, control.Broken, []string{"truncated", "11 bytes"}},
		"empty":          {secretPath, 200, nil, "", control.Broken, []string{"empty"}},
		"text":           {secretPath, 200, nil, "Hello, World!", control.Broken, []string{"not JSON"}},
		"refused":        {secretPath, 400, nil, "name: required\n", control.Refused, []string{"refused (400): name: required"}},
		"not served":     {secretPath, 501, nil, "", control.Busy, []string{"501"}},
		"escape in text": {secretPath, 400, nil, "a\x1b[2Jb\nc", control.Refused, []string{`a\x1b[2Jb c`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := answering(t, c.status, c.header, c.body).Get(t.Context(), c.path)
			require.Error(t, err)
			assert.Equal(t, c.kind, control.KindOf(err))
			for _, says := range c.says {
				assert.Contains(t, err.Error(), says)
			}
			assert.NotContains(t, err.Error(), "canary")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	for _, base := range []string{
		"", "gateway", "ftp://host", "http://", "https://u:canary@host", "https://host/?canary", "https://host/#canary", "https://h\x00canary", "://canary",
	} {
		client := control.New(base, key, nil)
		_, err := client.Get(t.Context(), "/v1")
		assert.Equal(t, control.Unusable, control.KindOf(err), base)
		assert.NotContains(t, err.Error(), "canary")
		assert.Empty(t, client.BaseURL())
	}
	_, err := control.New("http://127.0.0.1:1", key+"\n"+key, nil).Get(t.Context(), "/v1")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "canary")
	_, err = control.New("http://127.0.0.1:1", key, nil).Get(t.Context(), "@elsewhere/v1")
	assert.Equal(t, control.Unusable, control.KindOf(err), "the key goes to the API's host alone")
}

func TestTheAnswerIsGivenAsItCame(t *testing.T) {
	t.Parallel()
	body := `{"id":"x","name":"acme","type":"openai","ID":"other","metadata":{"b":1,"a":"<"},"preview_secret":null}` + "\n"
	client := answering(t, 200, map[string]string{"x-request-id": "r-1", "X-Bt-Request-Id": "r-2", "X-Other": "no"}, body)
	answer, err := client.Get(t.Context(), "/v1/ai_secret/x")
	require.NoError(t, err)
	assert.Equal(t, body, string(answer.Body))
	assert.Equal(t, map[string]string{"x-request-id": "r-1", "x-bt-request-id": "r-2"}, answer.RequestIDs)
	object, err := answer.Object()
	require.NoError(t, err)
	assert.Equal(t, control.Object{ID: "x", Name: "acme", Type: "openai", Metadata: json.RawMessage(`{"b":1,"a":"<"}`)}, object)

	for _, body := range []string{`[]`, `null`, `{"name":"x"}`, `{"id":7}`} {
		_, err := control.Answer{Body: []byte(body)}.Object()
		assert.Equal(t, control.Broken, control.KindOf(err), body)
	}
}

func TestAWriteIsSentAsItIs(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	client := serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen.Store(r.Method, fmt.Sprint(r.URL.Path, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("Authorization"), " ", string(body)))
		_, _ = io.WriteString(w, `{"id":"x"}`)
	})
	_, err := client.Patch(t.Context(), "/v1/ai_secret/x", []byte(`{"a": 1}`))
	require.NoError(t, err)
	_, err = client.Put(t.Context(), "/v1/ai_secret", []byte(`{}`))
	require.NoError(t, err)
	patched, _ := seen.Load("PATCH")
	assert.Equal(t, `/v1/ai_secret/x application/json Bearer `+key+` {"a": 1}`, patched)
	put, _ := seen.Load("PUT")
	assert.Equal(t, `/v1/ai_secret application/json Bearer `+key+` {}`, put)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := answering(t, 200, nil, "{}").Get(ctx, "/v1")
	assert.Equal(t, control.Interrupted, control.KindOf(err))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestListings(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`[]`, `{}`, `{"objects":null}`, `{"objects":{}}`, `{"objects":[1]}`, `{"objects":[{"name":"x"}]}`, `{"objects":[null]}`} {
		_, err := answering(t, 200, nil, body).Organizations(t.Context())
		assert.Equal(t, control.Broken, control.KindOf(err), body)
		_, _, err = answering(t, 200, nil, body).EnvVars(t.Context(), "project", "p", 10)
		assert.Equal(t, control.Broken, control.KindOf(err), body)
	}
	// A server that knows no cursors answers the first page again and again.
	projects, err := answering(t, 200, nil, `{"objects":[{"id":"p1","name":"one"}]}`).Projects(t.Context(), "acme")
	assert.ErrorContains(t, err, "repeats itself")
	assert.Equal(t, []control.Project{{ID: "p1", Name: "one"}}, projects)
}

func TestPagesAreReadToTheEmptyOne(t *testing.T) {
	t.Parallel()
	client := serving(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "acme & co", r.URL.Query().Get("org_name"))
		assert.Equal(t, "1000", r.URL.Query().Get("limit"))
		switch r.URL.Query().Get("starting_after") {
		case "":
			_, _ = io.WriteString(w, `{"objects":[{"id":"3"},{"id":"2"}]}`) // a server with a smaller limit of its own
		case "2":
			_, _ = io.WriteString(w, `{"objects":[{"id":"1"}]}`)
		default:
			_, _ = io.WriteString(w, `{"objects":[]}`)
		}
	})
	secrets, err := client.AISecrets(t.Context(), "acme & co")
	require.NoError(t, err)
	assert.Len(t, secrets, 3)
}

func TestEnvVarsFilterTheAnswerToo(t *testing.T) { // BEARER-5; facts: secret_category is not documented
	t.Parallel()
	env := func(id, object, owner, category, typ string) string {
		return fmt.Sprintf(`{"id":%q,"object_type":%q,"object_id":%q,"secret_category":%q,"secret_type":%q,"type":"no"}`, id, object, owner, category, typ)
	}
	body := `{"objects":[` + strings.Join([]string{
		env("1", "project", "p", "ai_provider", "openai"), env("2", "project", "p", "env_var", "openai"),
		env("3", "project", "other", "ai_provider", "openai"), env("4", "organization", "p", "ai_provider", "openai"),
		env("5", "project", "P", "", "azure"), env("6", "project", "p", "", ""),
	}, ",") + `]}`
	list, cut, err := answering(t, 200, nil, body).EnvVars(t.Context(), "project", "p", 7)
	require.NoError(t, err)
	assert.False(t, cut)
	require.Len(t, list, 2)
	assert.Equal(t, "1", list[0].ID)
	assert.Equal(t, "openai", list[0].Type)
	assert.Equal(t, "5", list[1].ID)

	_, cut, err = answering(t, 200, nil, body).EnvVars(t.Context(), "project", "p", 6)
	require.NoError(t, err)
	assert.True(t, cut, "a listing of exactly its limit may be cut")
}
