package tenancy_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/tenancy"
)

// TestTamperingIsATenantsOwn counts in each tenant by itself, and tampers with settings, faults, answers and evidence.
func TestTamperingIsATenantsOwn(t *testing.T) {
	t.Parallel()
	h := newHost()
	h.Tamper(func() tenancy.Tampering[settings] {
		served := 0
		return tenancy.Tampering[settings]{
			Settings: func(s *settings) { s.Greeting += "!" },
			Faults:   func([]tenancy.Fault) []tenancy.Fault { return []tenancy.Fault{} },
			Serve: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if served++; served > 1 {
						w.WriteHeader(http.StatusTeapot)
						return
					}
					next.ServeHTTP(w, r)
				})
			},
			Kept: func(e *tenancy.Evidence) { e.Log.Entries = nil },
		}
	})
	const other = "t-fedcba9876543210"
	for _, tenant := range []string{id, other} {
		require.NoError(t, h.Set(tenant, nil, settings{"hello"}, []tenancy.Fault{{Status: 503}}))
		assert.Equal(t, "hello! 1 /x", get(h, "/"+tenant+"/x").Body.String())
		assert.Equal(t, http.StatusTeapot, get(h, "/"+tenant+"/x").Code)
		kept := h.Tenant(tenant).Kept()
		assert.Len(t, kept.Journal.Entries, 2)
		assert.Empty(t, kept.Log.Entries)
	}
	require.NoError(t, h.Set(id, nil, settings{"bye"}, nil))
	assert.Equal(t, "bye!", h.Tenant(id).Fake.Greeting, "later settings too")
}
