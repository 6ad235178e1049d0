package platform_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/fakes/gateway"
)

// TestConformance runs every scenario, each as a subtest, on fakes in this process.
func TestConformance(t *testing.T) {
	conformance.RunT(t, conformance.Options{})
}

// TestWrongOption is told from a failure of what is tested.
func TestWrongOption(t *testing.T) {
	_, err := conformance.Run(t.Context(), conformance.Options{Runtime: "podman"})
	if !errors.Is(err, conformance.ErrUsage) {
		t.Errorf("got %v", err)
	}
}

// TestGateway has one fake stand in for an upstream, without tenants and without a run.
func TestGateway(t *testing.T) {
	fake, err := gateway.New(gateway.Config{Tokens: []string{"my-raw-token"}, Models: []string{"acme-chat"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	defer server.Close()
	for authorization, want := range map[string]int{"Bearer my-raw-token": http.StatusOK, "Api-Key my-raw-token": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: answered %d, want %d", authorization, answer.StatusCode, want)
		}
	}
}
