package control_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/remedy/control"
)

const completion = `{"object":"chat.completion","choices":[{"message":{"content":"OK"}}]}`

func TestACallIsSentPastTheCaches(t *testing.T) { // OVERRIDE-15, OVERRIDE-16
	t.Parallel()
	var seen []*http.Request
	var bodies []string
	client := serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen, bodies = append(seen, r), append(bodies, string(body))
		w.Header().Set("x-bt-used-endpoint", "acme \u009b")
		w.Header().Set("x-bt-cached", "HIT")
		w.Header().Set("x-request-id", "r-1")
		_, _ = io.WriteString(w, completion)
	})
	got, err := client.Proxy(t.Context(), control.Call{ProjectID: "p-1", Model: "acme-chat"})
	require.NoError(t, err)
	assert.Equal(t, control.CallResult{
		Status: 200, OK: true, UsedEndpoint: `acme \u009b`, Cached: true, RequestIDs: map[string]string{"x-request-id": "r-1"},
	}, got)
	_, err = client.Proxy(t.Context(), control.Call{Model: "acme-chat", Caches: true})
	require.NoError(t, err)
	require.Len(t, seen, 2)
	first, second := seen[0], seen[1]
	assert.Equal(t, "POST /v1/proxy/chat/completions", first.Method+" "+first.URL.Path)
	assert.Equal(t, "Bearer "+key, first.Header.Get("Authorization"))
	assert.Equal(t, []string{"never", "never", "p-1"}, []string{
		first.Header.Get("x-bt-use-cache"), first.Header.Get("x-bt-use-creds-cache"), first.Header.Get("x-bt-project-id"),
	})
	for _, name := range []string{"x-bt-use-cache", "x-bt-use-creds-cache", "x-bt-project-id"} {
		assert.Empty(t, second.Header.Values(name))
	}
	assert.Equal(t, "acme-chat", gjson.Get(bodies[0], "model").String())
	assert.NotEqual(t, gjson.Get(bodies[0], "messages").Raw, gjson.Get(bodies[1], "messages").Raw, "no two calls are the same")
}

func TestACallThatFailsIsAResult(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"upstream 401":  {401, "AI provider returned 401 error:\n\n{\"error\":{\"message\":\"Incorrect API key provided: sk-canary-123456\"}}", "AI provider returned 401 error:"},
		"no key":        {400, "No API keys found (for acme-chat).", "No API keys found (for acme-chat)."},
		"echoed header": {401, `{"error":{"message":"got Authorization: Bearer canary-x and ` + key + `"}}`, "got Authorization: Bearer ‹redacted› and ‹"},
		"busy":          {503, "", ""},
		"a page":        {200, "<html>", "HTML, not JSON"},
		"no completion": {200, `{"choices":[]}`, "not a completion"},
		"truncated":     {200, `{"choices":[`, "truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			client := serving(t, func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			got, err := client.Proxy(t.Context(), control.Call{Model: "acme-chat"})
			require.NoError(t, err)
			assert.False(t, got.OK)
			assert.Equal(t, c.status, got.Status)
			assert.Contains(t, got.Said, c.says)
			assert.NotContains(t, got.Said, "canary")
			assert.Equal(t, 1, asked, "a failed call is not sent again")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := (&script{steps: []step{{err: lost()}}}).client().Proxy(t.Context(), control.Call{Model: "acme-chat"})
		assert.Equal(t, control.Unreachable, control.KindOf(err))
	})
}

func TestNoOtherHostGetsTheKey(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent to another host", r.Method, r.URL)
	}))
	t.Cleanup(other.Close)
	client := answering(t, 307, map[string]string{"Location": other.URL + "/v1", "Set-Cookie": "a=b"}, "")
	_, err := client.Get(t.Context(), "/v1")
	require.ErrorContains(t, err, "not followed")
	_, err = client.Patch(t.Context(), "/v1/ai_secret/x", []byte(`{}`))
	require.ErrorContains(t, err, "not followed")
	got, err := client.Proxy(t.Context(), control.Call{})
	require.NoError(t, err)
	assert.Equal(t, 307, got.Status)
}

func TestHiddenSecretsStayHidden(t *testing.T) {
	t.Parallel()
	client := answering(t, 400, nil, "metadata.additionalHeaders: teamvalue7 is wrong")
	client.Hide("header value", "teamvalue7")
	_, err := client.Patch(t.Context(), "/v1/ai_secret/x", []byte(`{}`))
	assert.ErrorContains(t, err, "metadata.additionalHeaders: ‹header value› is wrong")
}
