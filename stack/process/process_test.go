package process_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/stack"
	"github.com/planeproof/planeproof/stack/process"
)

func status(t *testing.T, s *stack.Stack, url string) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := s.Client.Do(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func TestTheAddressesInsideTheNetworkAndNoOthers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := process.Start(ctx, nil)
	require.NoError(t, err)
	cancel() // the systems end with Close only: evidence is read after an interrupt
	for _, system := range stack.Systems() {
		code, err := status(t, s, system.Control+"/health")
		require.NoError(t, err, system.Name)
		assert.Equal(t, http.StatusOK, code, system.Name)
		code, err = status(t, s, system.URL+"/t-0123456789abcdef/")
		require.NoError(t, err, system.Name)
		assert.GreaterOrEqual(t, code, 400, system.Name)
	}
	_, err = status(t, s, stack.ClosedURL+"/")
	require.ErrorContains(t, err, "connection refused")
	for _, url := range []string{"http://127.0.0.1:8080/", "http://gateway/", "http://braintrust.example/"} {
		_, err = status(t, s, url)
		require.ErrorContains(t, err, "not one of the addresses given at start", url)
	}
	require.NoError(t, s.Close(t.Context()))
}

func TestCloseEndsOneStackOnly(t *testing.T) {
	t.Parallel()
	one, err := process.Start(t.Context(), nil)
	require.NoError(t, err)
	other, err := process.Start(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, one.Close(t.Context()))
	require.NoError(t, one.Close(t.Context()), "closing again finds nothing to do")
	for _, system := range stack.Systems() {
		for _, url := range []string{system.URL, system.Control} {
			_, err := status(t, one, url)
			require.ErrorContains(t, err, "connection refused", url)
			_, err = status(t, other, url)
			require.NoError(t, err, url)
		}
	}
	require.NoError(t, other.Close(t.Context()))
}
