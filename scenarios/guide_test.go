package scenarios

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseCommandReadsAsAShellDoes(t *testing.T) {
	t.Parallel()
	curl, jq, err := parseCommand("curl -s -H \"X: $NAME\" \\\n  '$NAME' | jq --arg m \"a b\" '.x | .y'", map[string]string{"NAME": "va lue"})
	require.NoError(t, err)
	assert.Equal(t, []string{"-s", "-H", "X: va lue", "$NAME"}, curl)
	assert.Equal(t, []string{"--arg", "m", "a b", ".x | .y"}, jq)
	for command, want := range map[string]string{
		"curl $UNKNOWN":       "UNKNOWN",
		"curl a; curl b":      "not one command",
		"wget a":              "curl expected",
		"curl a | grep b":     "jq expected",
		"curl 'a":             "parse command",
		"if true; then a; fi": "not a plain call",
	} {
		_, _, err := parseCommand(command, nil)
		require.ErrorContains(t, err, want, command)
	}
}

func TestCurlRequest(t *testing.T) {
	t.Parallel()
	r, err := curlRequest(t.Context(), []string{"-sS", "-i", "-X", "PATCH", "http://data-plane:8080/t-1/v1", "-H", "authorization:  Bearer x ", "-d", `{"a": 1}`})
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	assert.Equal(t, "PATCH", r.Method)
	assert.Equal(t, "http://data-plane:8080/t-1/v1", r.URL.String())
	assert.Equal(t, http.Header{"Accept": {"*/*"}, "Authorization": {"Bearer x"}}, r.Header)
	assert.Equal(t, `{"a": 1}`, string(body))
	for _, args := range [][]string{{"-k", "http://a"}, {"http://a", "http://b"}, {"http://a", "-H"}, {"%zz://"}} {
		_, err := curlRequest(t.Context(), args)
		require.ErrorContains(t, err, "read curl command", "%q", args)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	shown, err := filter([]string{"--arg", "m", "b", ".[] | select(has($m)) | .b"}, []byte(`[{"a":1},{"b":2}]`))
	require.NoError(t, err)
	assert.Equal(t, []any{2.0}, shown)
	shown, err = filter([]string{".[] | .b"}, []byte(`[{"b":1}, 2]`))
	require.Error(t, err, "a filter that fails half way")
	assert.Equal(t, []any{1.0}, shown)
	for _, args := range [][]string{{}, {"-r", "."}, {".["}, {"$unknown"}} {
		_, err := filter(args, []byte("1"))
		require.Error(t, err, "%q", args)
	}
	_, err = filter([]string{"."}, []byte("no JSON"))
	require.ErrorContains(t, err, "read jq input")
}
