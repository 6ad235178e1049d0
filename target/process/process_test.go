package process_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/process"
	"github.com/planeproof/planeproof/target/settings"
)

const id = "t-0123456789abcdef"

// status is what an address answers.
func status(t *testing.T, on target.Share, url string) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := on.Reach().Client.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func start(t *testing.T) (*process.Target, target.Share) {
	t.Helper()
	on, err := process.Start(t.Context(), nil)
	require.NoError(t, err)
	share, err := on.Open(t.Context(), target.Scenario{ID: id, Key: evidence.NewKey()})
	require.NoError(t, err)
	return on, share
}

// addresses are the data ports inside the network.
func addresses() []string {
	return []string{"http://gateway:8080/", "http://data-plane:8080/", "http://legacy-proxy:8080/"}
}

func TestTheAddressesInsideTheNetworkAndNoOthers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	on, err := process.Start(ctx, nil)
	require.NoError(t, err)
	cancel() // the systems end with Close only: evidence is read after an interrupt
	share, err := on.Open(t.Context(), target.Scenario{ID: id})
	require.NoError(t, err)
	for _, url := range addresses() {
		code, err := status(t, share, url+id+"/")
		require.NoError(t, err, url)
		assert.GreaterOrEqual(t, code, 400, url)
	}
	_, err = status(t, share, share.Reach().Closed+"/")
	require.ErrorContains(t, err, "connection refused")
	for _, url := range []string{"http://127.0.0.1:8080/", "http://gateway/", "http://braintrust.example/", "http://gateway:8081/health"} {
		_, err = status(t, share, url)
		require.ErrorContains(t, err, "not one of the addresses given at start", url)
	}
	require.NoError(t, on.Close(t.Context()))
}

func TestCloseEndsOneTargetOnly(t *testing.T) {
	t.Parallel()
	one, of := start(t)
	other, ofOther := start(t)
	require.NoError(t, one.Close(t.Context()))
	require.NoError(t, one.Close(t.Context()), "closing again finds nothing to do")
	for _, url := range addresses() {
		_, err := status(t, of, url)
		require.ErrorContains(t, err, "connection refused", url)
		_, err = status(t, ofOther, url)
		require.NoError(t, err, url)
	}
	require.NoError(t, other.Close(t.Context()))
}

func TestShareOfAllSystems(t *testing.T) {
	t.Parallel()
	on, share := start(t)
	all := settings.Settings{
		Gateway:     settings.Gateway{Auth: provider.ShapeNone, Models: []string{"acme-chat"}},
		DataPlane:   settings.DataPlane{Organization: settings.Organization{ID: "7f3c1c2e-7d0b-4f0e-9a55-0d5b0a4a5f11", Name: "acme"}, Serving: settings.ServingV2},
		LegacyProxy: settings.LegacyProxy{Generation: provider.Legacy202602},
		Faults:      []settings.Fault{{Status: 503, Times: 2}},
	}
	for _, system := range target.Systems() {
		kept, err := share.Read(t.Context(), system)
		require.NoError(t, err)
		assert.Equal(t, target.Kept{System: system}, kept, "nothing was applied to it")
		require.NoError(t, share.Apply(t.Context(), system, all))
	}
	code, err := status(t, share, share.Reach().Upstream+"/v1/models")
	require.NoError(t, err)
	assert.Equal(t, 503, code)
	all.Faults = nil
	require.NoError(t, share.Apply(t.Context(), target.Gateway, all))
	for _, want := range []int{503, 200} {
		code, err = status(t, share, share.Reach().Upstream+"/v1/models")
		require.NoError(t, err)
		assert.Equal(t, want, code, "what is left of a fault stays, and it is not armed again")
	}
	kept, err := share.Read(t.Context(), target.Gateway)
	require.NoError(t, err)
	require.Len(t, kept.Exchanges, 3)
	assert.Equal(t, "fault: status 503", kept.Exchanges[0].Note)
	require.NoError(t, on.Renew(t.Context()))

	all.Gateway.Auth = "basic"
	require.ErrorContains(t, share.Apply(t.Context(), target.Gateway, all), `auth "basic" is unknown`)
	last, err := share.Close(t.Context())
	require.NoError(t, err)
	require.Len(t, last, 3)
	assert.Equal(t, kept, last[0], "for the last time")
	kept, err = share.Read(t.Context(), target.Gateway)
	require.NoError(t, err)
	assert.Empty(t, kept.Exchanges)
	require.NoError(t, on.Close(t.Context()))
}
