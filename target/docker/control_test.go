package docker

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

const id = "t-0123456789abcdef"

// says answers every control request with one status and body, and keeps what it was asked.
type says struct {
	status int
	body   string

	asked []string
	sent  []byte
	token string
}

func (s *says) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.Method+" "+r.URL.String())
	s.token = r.Header.Get("Authorization")
	if r.Body != nil {
		s.sent, _ = io.ReadAll(r.Body)
	}
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

// open is a share on systems that answer as told.
func open(t *testing.T, s *says) target.Share {
	t.Helper()
	on := &Target{client: &http.Client{Transport: s}, token: "of-the-run"}
	share, err := on.Open(t.Context(), target.Scenario{ID: id, Key: evidence.Key("run")})
	require.NoError(t, err)
	return share
}

func TestOneRequestPerSystem(t *testing.T) {
	t.Parallel()
	s := &says{status: 200, body: `{"journal":{"entries":[{"seq":1}]},"log":{"entries":[{"text":"one"},{"text":"two"}],"dropped":1}}`}
	share := open(t, s)
	kept, err := share.Read(t.Context(), target.Gateway)
	require.NoError(t, err)
	assert.Empty(t, kept.Exchanges, "a system that knows nothing of the scenario has kept nothing of it")
	all, err := share.Close(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 3)
	require.Empty(t, s.asked)

	require.NoError(t, share.Apply(t.Context(), target.Gateway, settings.Settings{Faults: []settings.Fault{{Status: 503}}}))
	assert.JSONEq(t, `{"schema":"planeproof/tenant/v1","id":"`+id+`","fingerprint_key":"cnVu","settings":{},"faults":[{"status":503}]}`, string(s.sent))
	require.NoError(t, share.Apply(t.Context(), target.Gateway, settings.Settings{Faults: nil}))
	assert.False(t, json.Valid(s.sent) && strings.Contains(string(s.sent), "faults"), "faults that are set stay: %s", s.sent)
	kept, err = share.Read(t.Context(), target.Gateway)
	require.NoError(t, err)
	assert.Len(t, kept.Exchanges, 1)
	assert.Len(t, kept.Logs, 2)
	require.ErrorIs(t, kept.Whole(), target.ErrIncomplete)
	_, err = share.Close(t.Context())
	require.NoError(t, err)
	tenant := "http://gateway:8081/tenants/" + id
	assert.Equal(t, []string{"PUT " + tenant, "PUT " + tenant, "GET " + tenant + "/evidence", "DELETE " + tenant}, s.asked)
	assert.Equal(t, "Bearer of-the-run", s.token)
}

func TestEvidenceThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says
		want string
	}{
		"refused":      {says{status: 404, body: "no tenant\n"}, "control gateway: GET /tenants/" + id + "/evidence answered 404: no tenant"},
		"no JSON":      {says{status: 200, body: "<html>"}, "control gateway: read /tenants/" + id + "/evidence"},
		"not JSON yet": {says{status: 200}, "unexpected end of JSON input"},
	} {
		share := open(t, &c.says)
		_ = share.Apply(t.Context(), target.Gateway, settings.Settings{})
		_, err := share.Read(t.Context(), target.Gateway)
		require.ErrorContains(t, err, c.want, name)
		_, err = share.Close(t.Context())
		require.ErrorContains(t, err, strings.NewReplacer("GET", "DELETE", "/evidence", "").Replace(c.want), name)
	}
}
