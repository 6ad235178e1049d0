package tenancy

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/journal"
)

// plain is a fake without settings.
type plain struct{ http.HandlerFunc }

func (plain) Configure(struct{}) error { return nil }

const plainID = "t-0123456789abcdef"

func hostOf(t *testing.T, serve http.HandlerFunc) *Host[struct{}, plain] {
	t.Helper()
	host := NewHost("plain", func(string, struct{}) (plain, error) { return plain{serve}, nil })
	require.NoError(t, host.Set(plainID, nil, struct{}{}, nil))
	return host
}

func TestNothingKeptIsAnEmptyList(t *testing.T) {
	t.Parallel()
	host := hostOf(t, nil)
	raw, err := json.Marshal(host.Tenant(plainID).Kept())
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "null")
	assert.Contains(t, string(raw), `"entries":[]`)
}

// What a caller chose is kept in part only: a journal of 1,024 entries with paths of 1 MB each would be a gigabyte.
func TestJournalEntriesAreClipped(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<16)
	host := hostOf(t, func(_ http.ResponseWriter, r *http.Request) {
		page := journal.Of(r)
		page.Entry.Model, page.Entry.Note, page.Entry.Header = long, long, map[string]string{"x-bt-project-id": long}
		for i := range 1000 {
			page.Entry.Header["x-"+strings.Repeat("y", i)] = ""
		}
		page.Log("warn", long, strings.Repeat(long, 4))
	})
	r := httptest.NewRequest(http.MethodGet, "/"+plainID+"/"+long, nil)
	for range 1000 {
		r.Header.Add("X-Api-Key", long)
	}
	host.ServeHTTP(httptest.NewRecorder(), r)
	kept := host.Tenant(plainID).Kept()
	raw, err := json.Marshal(kept.Journal)
	require.NoError(t, err)
	assert.Less(t, len(raw), 32<<10)
	assert.NotEmpty(t, kept.Journal.Entries[0].Credentials)
	raw, err = json.Marshal(kept.Log)
	require.NoError(t, err)
	assert.Less(t, len(raw), 80<<10)
}

// An answer that no caller was there for proves nothing to anyone.
func TestAnExchangeNobodyGotHasNoStatus(t *testing.T) {
	t.Parallel()
	host := hostOf(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong") })
	ctx, leave := context.WithCancel(t.Context())
	leave()
	host.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/"+plainID+"/", nil))
	entry := host.Tenant(plainID).Kept().Journal.Entries[0]
	assert.Zero(t, entry.Status)
	assert.Equal(t, "the caller had left before the answer", entry.Note)
}

func TestServersDoNotWaitForever(t *testing.T) {
	t.Parallel()
	server := newServer(nil)
	assert.Positive(t, server.ReadHeaderTimeout)
	assert.Positive(t, server.ReadTimeout)
	assert.Positive(t, server.IdleTimeout)
}
