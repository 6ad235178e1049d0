package tenancy_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestLeaseRunsOutUnlessRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		start := time.Now()
		out := make(chan time.Duration)
		go func() {
			if h.Lease(t.Context(), time.Minute) {
				out <- time.Since(start)
			}
		}()
		for range 3 {
			time.Sleep(50 * time.Second) // the bubble's clock
			assert.Equal(t, http.StatusOK, send(h.Control(), "POST", "/lease", "").Code)
		}
		assert.Equal(t, 150*time.Second+time.Minute, <-out)
	})
}

func TestLeaseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.False(t, newHost().Lease(ctx, time.Hour))
}

func TestRunEndsWhenTheLeaseDoes(t *testing.T) {
	t.Parallel()
	assert.ErrorIs(t, tenancy.Run(t.Context(), oneTenant(t), listen(t), listen(t), time.Millisecond), tenancy.ErrLease)
}

func TestRunNamesTheListenerThatFails(t *testing.T) {
	t.Parallel()
	data, control := listen(t), listen(t)
	require.NoError(t, control.Close())
	assert.ErrorContains(t, tenancy.Run(t.Context(), oneTenant(t), data, control, 0), "serve "+control.Addr().String())
}

func TestRunServesBothListenersUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	data, control := listen(t), listen(t)
	ended := make(chan error)
	go func() { ended <- tenancy.Run(ctx, oneTenant(t), data, control, 0) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for url, want := range map[string]string{
		"http://" + data.Addr().String() + "/" + id + "/x": "hello 1 /x",
		"http://" + control.Addr().String() + "/health":    "test\n",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer owner")
		response, err := client.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, want, string(body))
	}
	cancel()
	assert.NoError(t, <-ended)
	_, err := client.Get("http://" + data.Addr().String() + "/")
	assert.Error(t, err)
}

func TestRoutesRefuseWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	behind := strings.TrimPrefix(server.URL, "http://")
	client := tenancy.Routes{"gateway:8080": behind}.Client()
	for _, url := range []string{server.URL, "http://gateway/", "http://gateway:8081/", "http://other:8080/"} {
		_, err := client.Get(url)
		assert.ErrorContains(t, err, "not one of the addresses given at start", url)
	}
	response, err := client.Get("http://gateway:8080/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
}

func TestClientFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("http://gateway:8080/login", http.StatusFound))
	defer server.Close()
	client := tenancy.Routes{"gateway:8080": strings.TrimPrefix(server.URL, "http://")}.Client()
	response, err := client.Get("http://gateway:8080/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusFound, response.StatusCode)
}
