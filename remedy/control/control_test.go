package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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
}

// paging answers each starting_after with the ids given for it; "" is the first page.
func paging(t *testing.T, pages map[string]string) *control.Client {
	t.Helper()
	return serving(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "acme & co", r.URL.Query().Get("org_name"))
		assert.Equal(t, "1000", r.URL.Query().Get("limit"))
		page, known := pages[r.URL.Query().Get("starting_after")]
		if !known {
			http.Error(w, "cursor: no such object", http.StatusBadRequest)
			return
		}
		var objects []string
		for id := range strings.FieldsSeq(page) {
			objects = append(objects, fmt.Sprintf(`{"id":%q,"metadata":null}`, id))
		}
		_, _ = io.WriteString(w, `{"objects":[`+strings.Join(objects, ",")+`]}`)
	})
}

// TestPagesAreReadToTheEnd is the same listing, newest first, on servers that page it differently.
func TestPagesAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	var ten []string
	for n := range 10 {
		ten = append(ten, strconv.Itoa(n))
	}
	whole := strings.Join(ten, " ")
	for name, c := range map[string]struct {
		pages map[string]string // by cursor
		want  string
		says  string
	}{
		"none":                 {map[string]string{"": ""}, "", ""},
		"one":                  {map[string]string{"": "1", "1": ""}, "1", ""},
		"one page":             {map[string]string{"": "3 2 1", "2": "1"}, "3 2 1", ""},
		"pages of two":         {map[string]string{"": "3 2", "3": "2 1", "2": "1"}, "3 2 1", ""},
		"pages of one":         {map[string]string{"": "3", "3": "2", "2": "1", "1": ""}, "3 2 1", ""},
		"cursor not heeded":    {map[string]string{"": "3 2 1", "2": "3 2 1"}, "3 2 1", ""},
		"nor that of one":      {map[string]string{"": "1", "1": "1"}, "1", ""},
		"nor at a usual limit": {map[string]string{"": whole, "8": whole}, whole, "repeats itself after 10 objects"},
		"cursor gone, refused": {map[string]string{"": "3 2"}, "3 2", "refused (400); the object that this page begins after may have been deleted meanwhile: cursor"},
		"cursor gone, the end": {map[string]string{"": "3 2", "3": ""}, "3 2", "changed while it was read"},
		"last gone":            {map[string]string{"": "3 2", "3": "1"}, "3 2", "changed while it was read"},
		"begins again":         {map[string]string{"": "3 2", "3": "2 1", "2": "3 1"}, "3 2 1", "changed while it was read"},
		"repeats a part":       {map[string]string{"": "4 3 2", "3": "2 4"}, "4 3 2", "changed while it was read"},
		"repeats itself later": {map[string]string{"": "3 2", "3": "2 1", "2": "3 2"}, "3 2 1", "changed while it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := paging(t, c.pages).AISecrets(t.Context(), "acme & co")
			var ids []string
			for _, o := range list {
				ids = append(ids, o.ID)
			}
			assert.Equal(t, c.want, strings.Join(ids, " "), "what was read is returned with an error too")
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestEnvVarsFilterTheAnswerToo(t *testing.T) { // BEARER-5; facts: secret-category
	t.Parallel()
	env := func(id, object, owner, category, typ string) string {
		return fmt.Sprintf(`{"id":%q,"object_type":%q,"object_id":%q,"secret_category":%q,"secret_type":%q,"type":"no","metadata":null}`, id, object, owner, category, typ)
	}
	body := `{"objects":[` + strings.Join([]string{
		env("1", "project", "p", "ai_provider", "openai"), env("2", "project", "p", "env_var", "openai"),
		env("3", "project", "other", "ai_provider", "openai"), env("4", "organization", "p", "ai_provider", "openai"),
		env("5", "project", "P", "", "azure"), env("6", "project", "p", "", ""),
	}, ",") + `]}`
	list, listed, err := answering(t, 200, nil, body).EnvVars(t.Context(), "project", "p", 7)
	require.NoError(t, err)
	assert.Equal(t, 6, listed, "the length is the server's")
	require.Len(t, list, 2)
	assert.Equal(t, "1", list[0].ID)
	assert.Equal(t, "openai", list[0].Type)
	assert.Equal(t, "5", list[1].ID)
}

func TestEnvVarsThatDoNotTell(t *testing.T) {
	t.Parallel()
	for body, says := range map[string]string{
		`"object_id":"p","secret_category":"ai_provider","metadata":{}`:                           "without object_type",
		`"object_type":"project","object_id":null,"secret_category":"ai_provider","metadata":{}`:  "without object_id",
		`"object_type":"project","object_id":"p","secret_category":"ai_provider"`:                 "without metadata",
		`"object_type":"project","object_id":"p","metadata":{}`:                                   "without secret_category and secret_type",
		`"object_type":"project","object_id":"p","secret_category":"ai_provider","metadata":null`: "",
		`"object_type":"project","object_id":"p","secret_category":null,"metadata":null`:          "",
		`"secret_category":"env_var"`: "",
	} {
		_, _, err := answering(t, 200, nil, `{"objects":[{"id":"1",`+body+`}]}`).EnvVars(t.Context(), "project", "p", 7)
		if says == "" {
			assert.NoError(t, err, body)
		} else {
			assert.ErrorContains(t, err, says, body)
		}
	}
	list, err := answering(t, 200, nil, `{"objects":[{"id":"1"}]}`).AISecrets(t.Context(), "")
	assert.ErrorContains(t, err, "without metadata")
	assert.Len(t, list, 1)
}

func TestMayBeCut(t *testing.T) {
	t.Parallel()
	for n := range 1300 {
		usual := slices.Contains([]int{7, 10, 20, 25, 50, 100, 200, 250, 500, 1000}, n)
		assert.Equal(t, usual, control.MayBeCut(n, 7), n)
	}
}
