package tenancy_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/tenancy"
)

// TestControlBelongsToWhoeverCameFirst asks as the other users of the machine, and as a page whose name was made to lead here.
func TestControlBelongsToWhoeverCameFirst(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	data, control := listen(t), listen(t)
	ended := make(chan error)
	go func() { ended <- tenancy.Run(ctx, oneTenant(t), data, control, 0) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for i, c := range []struct {
		authorization, host string
		status              int
		says                string
	}{
		{"", "", 401, "no token"},
		{"Bearer ", "", 401, "no token"},
		{"Basic owner", "", 401, "no token"},
		{"Bearer owner", "rebound.example.com:8081", 403, "Host"},
		{"Bearer owner", "", 200, "entries"},
		{"Bearer owner", "gateway:8081", 200, "entries"},
		{"Bearer owner", "[::1]:8081", 200, "entries"},
		{"Bearer other", "", 403, "wrong token"},
		{"", "", 401, "no token"},
		{"Bearer owner", "rebound.example.com", 403, "Host"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+control.Addr().String()+"/tenants/"+id+"/journal", nil)
		require.NoError(t, err)
		r.Host = c.host
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		answer, err := client.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, c.status, answer.StatusCode, i)
		assert.Contains(t, string(body), c.says, i)
	}
	cancel()
	require.NoError(t, <-ended)
}

// TestRunLeavesNoServer: whoever waits for the end of a fake may use its port at once.
func TestRunLeavesNoServer(t *testing.T) {
	t.Parallel()
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		data, control := listen(t), listen(t)
		cancel()
		require.NoError(t, tenancy.Run(ctx, oneTenant(t), data, control, 0))
		for _, listener := range []interface{ Close() error }{data, control} {
			require.Error(t, listener.Close(), "Run has closed it")
		}
	}
}
