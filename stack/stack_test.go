package stack_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/stack"
	"github.com/planeproof/planeproof/stack/process"
)

const id = "t-0123456789abcdef"

// says answers every control request with one status and body.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

func TestEvidenceThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says
		want string
	}{
		"full":         {says{200, `{"entries":[{}],"dropped":2}`}, "gateway: not all was kept: 2 "},
		"refused":      {says{404, "no tenant\n"}, "control gateway: GET /tenants/" + id + "/"},
		"the reason":   {says{404, "no tenant\n"}, "answered 404: no tenant"},
		"no JSON":      {says{200, "<html>"}, "control gateway: read /tenants/" + id + "/"},
		"not JSON yet": {says{200, ""}, "unexpected end of JSON input"},
	} {
		s := &stack.Stack{Client: &http.Client{Transport: c.says}}
		_, err := s.Journal(t.Context(), stack.Gateway(), id)
		require.ErrorContains(t, err, c.want, name)
		_, err = s.Log(t.Context(), stack.Gateway(), id)
		require.ErrorContains(t, err, c.want, name)
	}
	s := &stack.Stack{Client: &http.Client{Transport: says{200, `{"dropped":1}`}}}
	_, err := s.Journal(t.Context(), stack.Gateway(), id)
	require.ErrorIs(t, err, stack.ErrIncomplete)
	_, err = s.Log(t.Context(), stack.Gateway(), id)
	require.ErrorIs(t, err, stack.ErrIncomplete)
}

func TestTenantOnAllSystems(t *testing.T) {
	t.Parallel()
	s, err := process.Start(t.Context(), nil)
	require.NoError(t, err)
	for _, system := range stack.Systems() {
		_, err := s.Journal(t.Context(), system, id)
		require.ErrorContains(t, err, "control "+system.Name+": GET /tenants/"+id+"/journal answered 404")
	}
	tenant := stack.Tenant{
		ID: id, Key: evidence.NewKey(), Gateway: gateway.Config{Auth: gateway.AuthNone, Models: []string{"acme-chat"}},
		DataPlane:   dataplane.Config{Organization: dataplane.Organization{ID: "7f3c1c2e-7d0b-4f0e-9a55-0d5b0a4a5f11", Name: "acme"}, Serving: dataplane.ServingV2},
		LegacyProxy: legacyproxy.Config{Generation: provider.Legacy202602},
	}
	require.NoError(t, s.Put(t.Context(), tenant))
	require.NoError(t, s.SetFaults(t.Context(), stack.Gateway(), id, tenancy.Fault{Status: 503, Times: 1}))
	for _, want := range []int{503, 200} {
		answer, err := s.Client.Get(stack.Gateway().URL + "/" + id + "/v1/models")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, want, answer.StatusCode)
	}
	seen, err := s.Journal(t.Context(), stack.Gateway(), id)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	assert.Equal(t, "fault: status 503", seen[0].Note)
	require.NoError(t, s.Renew(t.Context()))

	require.NoError(t, s.Delete(t.Context(), id))
	_, err = s.Journal(t.Context(), stack.Gateway(), id)
	require.ErrorContains(t, err, "answered 404")

	tenant.Gateway.Auth = "basic"
	require.ErrorContains(t, s.Put(t.Context(), tenant), `control gateway: PUT /tenants/`+id+` answered 400: `)
	require.NoError(t, s.Close(t.Context()))
	require.ErrorContains(t, s.Renew(t.Context()), "control ")
	require.ErrorContains(t, s.Put(t.Context(), tenant), "connection refused")
}
