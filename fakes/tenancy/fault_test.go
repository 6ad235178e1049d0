package tenancy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func setFaults(t *testing.T, h *host, faults string) {
	t.Helper()
	require.Equal(t, http.StatusOK, send(h.Control(), "PUT", "/tenants/"+id+"/faults", faults).Code)
}

func TestFaultAnswersInPlaceOfTheFake(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	handler := http.Handler(h)
	setFaults(t, h, `[{"status":503,"times":2,"header":{"Retry-After":"1"},"body":"busy"}]`)
	for range 2 {
		w := get(handler, "/"+id+"/x")
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Equal(t, "busy", w.Body.String())
	}
	assert.Equal(t, "hello 1 /x", get(handler, "/"+id+"/x").Body.String(), "the fake has not seen the two")
	entry := journalOf(t, h).Entries[0]
	assert.Equal(t, 503, entry.Status)
	assert.Equal(t, "fault: status 503", entry.Note)
}

func TestFaultFitsByPathAndMethod(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	handler := http.Handler(h)
	setFaults(t, h, `[{"path":"/a","method":"POST","status":500},{"path":"/a/b","status":501,"times":1}]`)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/a", 200}, {"POST", "/b", 200}, {"POST", "/a", 500}, {"POST", "/a/b", 500}, {"POST", "/a", 500},
		{"GET", "/a/b", 501}, {"GET", "/a/b", 200},
	} {
		assert.Equal(t, tt.want, send(handler, tt.method, "/"+id+tt.path, "").Code, tt)
	}
	setFaults(t, h, `[]`)
	assert.Equal(t, 200, send(handler, "POST", "/"+id+"/a", "").Code, "faults are replaced, not added")
}

func TestFaultOfOneTenantIsNotAnothers(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	require.NoError(t, h.Put([]byte(document("t-anotheranother00", `{"greeting":"hi"}`))))
	setFaults(t, h, `[{"status":500}]`)
	assert.Equal(t, 200, get(h, "/t-anotheranother00/x").Code)
}

// served is a server of the host that says when a request has come and when its handler is done. What still waits at the end of the
// test is let go, so that a failure is no hanging test.
func served(t *testing.T, h *host) (server *httptest.Server, came, done chan struct{}) {
	t.Helper()
	came, done = make(chan struct{}, 8), make(chan struct{}, 8)
	handler := h
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		defer func() { done <- struct{}{} }()
		ctx, cancel := context.WithCancel(r.Context())
		defer context.AfterFunc(t.Context(), cancel)()
		handler.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(server.Close)
	return server, came, done
}

// A client that leaves ends the wait, with and without a body; nothing here waits for the hour.
func TestWaitEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{`[{"hang":true}]`, `[{"delay_ms":3600000}]`, `[{"delay_ms":3600000,"status":500}]`} {
		for _, body := range []string{"", "some body", strings.Repeat("long ", 1<<20)} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				h := oneTenant(t)
				setFaults(t, h, fault)
				server, came, done := served(t, h)
				ctx, leave := context.WithCancel(t.Context())
				go func() { <-came; leave() }()
				r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/"+id+"/x", strings.NewReader(body))
				require.NoError(t, err)
				_, err = server.Client().Do(r)
				require.ErrorIs(t, err, context.Canceled)
				select {
				case <-done:
				case <-time.After(20 * time.Second):
					require.Fail(t, "the handler still waits for a client that left")
				}
				assert.Len(t, journalOf(t, h).Entries, 1)
			})
		}
	}
}

func TestHangIsJournalledAsNoAnswer(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	setFaults(t, h, `[{"hang":true}]`)
	server, came, done := served(t, h)
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-came; leave() }()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/"+id+"/x", nil)
	require.NoError(t, err)
	_, err = server.Client().Do(r)
	require.Error(t, err)
	<-done
	entry := journalOf(t, h).Entries[0]
	assert.Equal(t, 0, entry.Status)
	assert.Equal(t, "fault: no answer", entry.Note)
}

func TestDelayedRequestIsServedWithItsBody(t *testing.T) {
	t.Parallel()
	h := answering(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	setFaults(t, h, `[{"delay_ms":1}]`)
	w := send(h, "POST", "/"+id+"/x", "echo me")
	assert.Equal(t, "echo me", w.Body.String())
	assert.Equal(t, "fault: delayed by 1 ms", journalOf(t, h).Entries[0].Note)
}

func TestResetClosesTheConnection(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	setFaults(t, h, `[{"reset":true}]`)
	server, _, _ := served(t, h)
	_, err := server.Client().Post(server.URL+"/"+id+"/x", "text/plain", strings.NewReader("body"))
	require.ErrorIs(t, err, io.EOF)
	entry := journalOf(t, h).Entries[0]
	assert.Equal(t, 0, entry.Status)
	assert.Equal(t, "fault: connection closed", entry.Note)
	assert.Zero(t, h.Tenant(id).Fake.served.Load(), "the fake has not seen it")
}

func TestTruncateCutsTheBody(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	setFaults(t, h, `[{"truncate_after":4}]`)
	server, _, _ := served(t, h)
	response, err := server.Client().Get(server.URL + "/" + id + "/x")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, "hell", string(body))
	assert.Equal(t, 200, journalOf(t, h).Entries[0].Status)
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	for faults, says := range map[string]string{
		`[{}]`:                                 "does nothing",
		`[{"path":"/x","times":3}]`:            "does nothing",
		`[{"status":302,"header":"x"}]`:        "header",
		`[{"trickle_ms":-1}]`:                  "not negative",
		`[{"truncate_after":-1,"reset":true}]`: "not negative",
		`[{"reset":true},{"malformed":"x"}]`:   `unknown field "malformed"`,
	} {
		w := send(h.Control(), "PUT", "/tenants/"+id+"/faults", faults)
		assert.Equal(t, http.StatusBadRequest, w.Code, faults)
		assert.Contains(t, w.Body.String(), says, faults)
	}
}

// greetLoud is a fake that says how long its answer is, and sends it in two pieces.
func greetLoud(w http.ResponseWriter, r *http.Request) {
	journal.Of(r).Entry.Note = "greeted"
	w.Header().Set("X-Own", "yes")
	w.Header().Set("Content-Length", "10")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "hello")
	_, _ = io.WriteString(w, "world")
}

func TestFaultsOfTheBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, fault, body, note string }{
		{"malformed", `{"malform":"data: {"}`, "data: {", "fault: body malformed after 0 bytes; greeted"},
		{"malformed in the first piece", `{"malform":"!","truncate_after":3}`, "hel!", "fault: body malformed after 3 bytes; greeted"},
		{"malformed between the pieces", `{"malform":"!","truncate_after":5}`, "hello!", "fault: body malformed after 5 bytes; greeted"},
		{"malformed in the second piece", `{"malform":"much longer","truncate_after":7}`, "hellowomuch longer", "fault: body malformed after 7 bytes; greeted"},
		{"malformed too late", `{"malform":"!","truncate_after":10}`, "helloworld", "fault: body malformed after 10 bytes; greeted"},
		{"slow", `{"trickle_ms":1}`, "helloworld", "fault: body slowed, 1 ms for each 16 bytes; greeted"},
		{"late and slow", `{"delay_ms":1,"trickle_ms":1,"malform":"a text of more than 16 bytes"}`, "a text of more than 16 bytes",
			"fault: delayed by 1 ms; fault: body slowed, 1 ms for each 16 bytes; fault: body malformed after 0 bytes; greeted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := answering(t, greetLoud)
			setFaults(t, h, `[`+tt.fault+`]`)
			server := httptest.NewServer(h)
			defer server.Close()
			response, err := server.Client().Get(server.URL + "/" + id + "/x")
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err, "the answer ends as if it were whole")
			assert.Equal(t, tt.body, string(body))
			assert.Equal(t, http.StatusAccepted, response.StatusCode, "status and header are the fake's own")
			assert.Equal(t, "yes", response.Header.Get("X-Own"))
			assert.Equal(t, tt.note, journalOf(t, h).Entries[0].Note)
		})
	}
}

// A body may be shorter than the one whose length the fake told, with and without a status of its own.
func TestMalformedBodyHasItsOwnLength(t *testing.T) {
	t.Parallel()
	h := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	})
	setFaults(t, h, `[{"malform":"!"}]`)
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/" + id + "/x")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "!", string(body))
}

func TestSlowBodyComesInPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := oneTenant(t)
		setFaults(t, h, `[{"trickle_ms":1000,"status":200,"body":"`+strings.Repeat("x", 40)+`"}]`)
		began := time.Now()
		assert.Len(t, get(h, "/"+id+"/x").Body.String(), 40)
		assert.Equal(t, 3*time.Second, time.Since(began), "the bubble's clock: 16, 16 and 8 bytes")
	})
}

func TestLateHeaderComesAfterTheDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := oneTenant(t)
		setFaults(t, h, `[{"delay_ms":1000}]`)
		began := time.Now()
		assert.Equal(t, http.StatusOK, get(h, "/"+id+"/x").Code)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// A client that leaves in the middle of a slow body ends it; nothing here waits for the hour.
func TestSlowBodyEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	setFaults(t, h, `[{"trickle_ms":3600000}]`)
	server, _, done := served(t, h)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/"+id+"/x", nil)
	require.NoError(t, err)
	go func() { _, _ = server.Client().Do(r) }()
	require.Eventually(t, func() bool { return len(journalOf(t, h).Entries) == 0 && h.Tenant(id).Fake.served.Load() == 1 },
		20*time.Second, time.Millisecond)
	leave()
	<-done
}

func TestLoginPagesAreStatusHeaderAndBody(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	setFaults(t, h, `[{"status":302,"times":1,"header":{"Location":"https://login.example.com/"}},
		{"status":200,"header":{"Content-Type":"text/html"},"body":"<html>"}]`)
	handler := h
	w := get(handler, "/"+id+"/x")
	assert.Equal(t, http.StatusFound, w.Code)
	assert.Equal(t, "https://login.example.com/", w.Header().Get("Location"))
	w = get(handler, "/"+id+"/x")
	assert.Equal(t, "<html>", w.Body.String())
	assert.Equal(t, "text/html", w.Header().Get("Content-Type"))
	assert.Equal(t, "fault: status 302", journalOf(t, h).Entries[0].Note)
}
