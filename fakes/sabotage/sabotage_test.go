package sabotage_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/sabotage"
)

func TestCatalogueIsWellFormed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, s := range sabotage.Catalogue() {
		assert.Regexp(t, regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`), s.Name)
		assert.False(t, names[s.Name], "%s stands twice", s.Name)
		names[s.Name] = true
		assert.NotEmpty(t, s.Says, s.Name)
		assert.NotContains(t, strings.TrimSuffix(s.Says, "."), "\n", s.Name)
		assert.False(t, strings.HasSuffix(s.Says, "."), s.Name)
		assert.NotEmpty(t, s.Where(), "%s breaks nothing", s.Name)
	}
	_, err := sabotage.Find("no-such-thing")
	require.ErrorContains(t, err, `"no-such-thing"`)
}

// TestASabotageBreaksItsOwnTenants asks a gateway that takes any scheme, and a sound one.
func TestASabotageBreaksItsOwnTenants(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"": http.StatusUnauthorized, "gateway-any-scheme": http.StatusOK, "gateway-bearer-too": http.StatusUnauthorized} {
		host := gateway.NewTenants()
		if name != "" {
			broken, err := sabotage.Find(name)
			require.NoError(t, err)
			host.Tamper(broken.Gateway)
		}
		const id = "t-0123456789abcdef"
		require.NoError(t, host.Set(id, nil, gateway.Config{Tokens: []string{"sk-acme"}, Models: []string{"acme-chat"}}, nil))
		r := httptest.NewRequest(http.MethodGet, "/"+id+"/v1/models", nil)
		r.Header.Set("Authorization", "Api-Key sk-acme")
		w := httptest.NewRecorder()
		host.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, name)
		kept := host.Tenant(id).Kept().Journal.Entries
		require.Len(t, kept, 1)
		assert.Equal(t, "Api-Key", kept[0].Credentials[0].Scheme, "the journal tells what came")
	}
}
