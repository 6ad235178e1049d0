package verify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/verify"
)

// TestTokenNeverShows lets gateways echo the token in every way they have, and looks for it in the result.
func TestTokenNeverShows(t *testing.T) {
	t.Parallel()
	echo := func(status int, header, format string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if header != "" {
				w.Header().Set(header, strings.ReplaceAll(format, "%s", said))
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(format, "%s", said))
		})
	}
	long := strings.Repeat("x", 190) // so that the cut falls into the token
	for name, h := range map[string]http.Handler{
		"openai":   echo(401, "", `{"error":{"message":"Incorrect API key provided: %s"}}`),
		"text":     echo(401, "", "bad key %s"),
		"cut":      echo(401, "", long+"%s"),
		"403":      echo(403, "", `{"detail":"%s may not"}`),
		"404":      echo(404, "", `{"error":"no %s"}`),
		"redirect": echo(302, "Location", "http://%s.example/%s?key=%s"),
		"retry":    echo(429, "Retry-After", "%s"),
		"no list":  echo(200, "", `{"key":"%s"}`),
		"malformed": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, r.Header.Get("Authorization")+"\r\n\r\n")
				_ = conn.Close()
			}
		}),
	} {
		for _, secret := range []string{token, "Bearer " + token, "k-42%"} {
			verifier := verify.Options{Client: ownClient(), SendAnyway: true, From: "host of " + token}
			got := verify.Token(t.Context(), verifier, serve(t, h)+"/"+token+"/v1", secret)
			shown, err := json.Marshal(got)
			require.NoError(t, err)
			canary := strings.TrimPrefix(secret, "Bearer ")
			assert.NotContains(t, string(shown), canary[:5], "%s: %q", name, secret)
		}
	}
}
