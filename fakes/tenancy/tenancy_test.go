package tenancy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const id = "t-0123456789abcdef"

type settings struct {
	Greeting string `json:"greeting"`
}

// greeter is the smallest fake, unless a test has it answer otherwise.
type greeter struct {
	settings
	served atomic.Int64
	answer http.HandlerFunc
}

func (g *greeter) Configure(s settings) error {
	if s.Greeting == "" {
		return errors.New("greeting is empty")
	}
	g.settings = s
	return nil
}

func (g *greeter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.answer != nil {
		g.answer(w, r)
		return
	}
	page := journal.Of(r)
	page.Entry.Note = "greeted"
	page.Log("info", "p1", "served "+r.URL.EscapedPath())
	_, _ = fmt.Fprintf(w, "%s %d %s", g.Greeting, g.served.Add(1), r.URL.EscapedPath())
}

type host = tenancy.Host[settings, *greeter]

func newHost() *host {
	h := tenancy.NewHost("test", func(_ string, s settings) (*greeter, error) {
		g := &greeter{}
		return g, g.Configure(s)
	})
	h.Stray = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "stray", http.StatusNotFound) }
	return h
}

func document(tenant, settings string) string {
	return fmt.Sprintf(`{"schema":%q,"id":%q,"fingerprint_key":"dGVzdA==","settings":%s}`, tenancy.Schema, tenant, settings)
}

// oneTenant is a host with a tenant that says hello.
func oneTenant(t *testing.T) *host {
	t.Helper()
	h := newHost()
	require.NoError(t, h.Put([]byte(document(id, `{"greeting":"hello"}`))))
	return h
}

// answering is a host with a tenant that answers as told.
func answering(t *testing.T, answer http.HandlerFunc) *host {
	t.Helper()
	h := oneTenant(t)
	h.Tenant(id).Fake.answer = answer
	return h
}

func get(handler http.Handler, path string) *httptest.ResponseRecorder {
	return send(handler, "GET", path, "")
}

func send(handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func journalOf(t *testing.T, h *host) tenancy.Journal {
	t.Helper()
	var got tenancy.Journal
	w := get(h.Control(), "/tenants/"+id+"/journal")
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	return got
}

func TestBadDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	good := `{"greeting":"hello"}`
	for name, tt := range map[string]struct{ document, want string }{
		"no JSON":              {`{`, "read tenant document"},
		"two values":           {document(id, good) + `{}`, "text after the JSON value"},
		"unknown key":          {`{"schema":"` + tenancy.Schema + `","colour":1}`, `unknown field "colour"`},
		"other schema":         {strings.Replace(document(id, good), "/v1", "/v2", 1), `schema is "planeproof/tenant/v2"`},
		"short id":             {document("t-1", good), `id "t-1"`},
		"upper-case id":        {document("t-0123456789ABCDEF", good), "is not t- and 16"},
		"unknown settings key": {document(id, `{"greeting":"hello","greting":"x"}`), `unknown field "greting"`},
		"wrong settings type":  {document(id, `{"greeting":1}`), "read settings of tenant " + id},
		"refused by the fake":  {document(id, `{}`), "check settings of tenant " + id + ": greeting is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost()
			assert.ErrorContains(t, h.Put([]byte(tt.document)), tt.want)
			w := send(h.Control(), "PUT", "/tenants/"+id, tt.document)
			assert.Equal(t, http.StatusBadRequest, w.Code)
			assert.Contains(t, w.Body.String(), tt.want)
			assert.Nil(t, h.Tenant(id))
		})
	}
}

func TestControlRefusals(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/tenants/t-unknownunknown00/journal", "", 404},
		{"GET", "/tenants/t-unknownunknown00/log", "", 404},
		{"GET", "/tenants/t-unknownunknown00/evidence", "", 404},
		{"PUT", "/tenants/t-unknownunknown00/faults", "[]", 404},
		{"DELETE", "/tenants/t-unknownunknown00", "", 404},
		{"GET", "/nothing", "", 404},
		{"POST", "/tenants/" + id + "/journal", "", 405},
		{"PUT", "/tenants/" + id + "/faults", "{", 400},
		{"PUT", "/tenants/" + id + "/faults", `[{"colour":1}]`, 400},
		{"PUT", "/tenants/" + id + "/faults", `[{"status":99}]`, 400},
		{"PUT", "/tenants/" + id + "/faults", `[{"status":101}]`, 400},
		{"PUT", "/tenants/" + id + "/faults", `[{"status":200},{"status":600}]`, 400},
		{"PUT", "/tenants/" + id + "/faults", `[{"delay_ms":-1}]`, 400},
		{"PUT", "/tenants/" + id, strings.Repeat(" ", 16<<20+1), 400},
	} {
		assert.Equal(t, tt.want, send(h.Control(), tt.method, tt.path, tt.body).Code, "%s %s %.40s", tt.method, tt.path, tt.body)
	}
	assert.Equal(t, "test\n", get(h.Control(), "/health").Body.String())
}

func TestTenantIsTheFirstSegmentAndNothingIsCleaned(t *testing.T) {
	t.Parallel()
	handler := oneTenant(t)
	for path, want := range map[string]string{
		"/" + id:                     "/",
		"/" + id + "/":               "/",
		"/" + id + "//chat":          "//chat",
		"/" + id + "/a%2Fb/../c":     "/a%2Fb/../c",
		"/" + id + "/%2e%2e":         "/%2e%2e",
		"/" + id + "/a/" + id + "/x": "/a/" + id + "/x",
	} {
		w := get(handler, path)
		assert.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, want, strings.Fields(w.Body.String())[2], path)
	}
	for _, path := range []string{"/", "//" + id, "/x/../" + id, "/t-unknownunknown00/x", "/" + id + "%2Fx"} {
		assert.Equal(t, "stray\n", get(handler, path).Body.String(), path)
	}
}

func TestSettingsChangeKeepsStateAndJournal(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	handler := http.Handler(h)
	assert.Equal(t, "hello 1 /x", get(handler, "/"+id+"/x").Body.String())
	assert.Equal(t, http.StatusOK, send(h.Control(), "PUT", "/tenants/"+id, document(id, `{"greeting":"bye"}`)).Code)
	assert.Equal(t, "bye 2 /x", get(handler, "/"+id+"/x").Body.String())
	got := journalOf(t, h)
	require.Len(t, got.Entries, 2)
	assert.Equal(t, []int{1, 2}, []int{got.Entries[0].Seq, got.Entries[1].Seq})
}

func TestRefusedSettingsLeaveTheOldOnesInForce(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	assert.Equal(t, http.StatusBadRequest, send(h.Control(), "PUT", "/tenants/"+id, document(id, `{}`)).Code)
	assert.Equal(t, "hello", h.Tenant(id).Fake.Greeting)
}

func TestDeletedTenantIsForgotten(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	handler := http.Handler(h)
	get(handler, "/"+id+"/x")
	answer := send(h.Control(), "DELETE", "/tenants/"+id, "")
	assert.Equal(t, http.StatusOK, answer.Code)
	var last tenancy.Evidence
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &last))
	assert.Len(t, last.Journal.Entries, 1, "what it was is told once more")
	assert.Len(t, last.Log.Entries, 1)
	assert.Equal(t, http.StatusNotFound, get(handler, "/"+id+"/x").Code)
	require.NoError(t, h.Put([]byte(document(id, `{"greeting":"hello"}`))))
	assert.Empty(t, journalOf(t, h).Entries)
	assert.Equal(t, "hello 1 /x", get(handler, "/"+id+"/x").Body.String())
}

func TestFind(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	assert.Nil(t, h.Find(func(g *greeter) bool { return g.Greeting == "bye" }))
	assert.Equal(t, id, h.Find(func(g *greeter) bool { return g.Greeting == "hello" }).ID)
}

func TestJournalKeepsNoSecret(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	r := httptest.NewRequest("GET", "/"+id+"/x?key=canary", nil)
	r.Header.Set("Authorization", "Bearer canary-token")
	h.ServeHTTP(httptest.NewRecorder(), r)
	raw := get(h.Control(), "/tenants/"+id+"/journal").Body.String()
	assert.NotContains(t, raw, "canary")
	entry := journalOf(t, h).Entries[0]
	assert.Equal(t, "test: GET /x  [Authorization: Bearer ‹"+evidence.Key("test").Fingerprint("canary-token")+"›] → 200  greeted", entry.String())
}

// The journal is complete when the client holds the answer's header, even where the handler goes on writing.
func TestJournalIsWrittenBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(http.ResponseWriter){
		"header": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		},
		"flush": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"body": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			h := answering(t, func(w http.ResponseWriter, r *http.Request) {
				entry := journal.Of(r).Entry
				entry.Note = "began"
				begin(w)
				<-release
				entry.Note = "too late"
			})
			server := httptest.NewServer(h)
			defer server.Close()
			defer close(release)
			response, err := server.Client().Get(server.URL + "/" + id + "/x")
			require.NoError(t, err)
			defer response.Body.Close()
			got := journalOf(t, h)
			require.Len(t, got.Entries, 1)
			assert.Equal(t, http.StatusOK, got.Entries[0].Status)
			assert.Equal(t, "began", got.Entries[0].Note)
		})
	}
}

func TestHandlerThatPanicsGaveNoAnswer(t *testing.T) {
	t.Parallel()
	h := answering(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(h)
	defer server.Close()
	_, err := server.Client().Get(server.URL + "/" + id + "/x")
	require.Error(t, err)
	assert.Equal(t, 0, journalOf(t, h).Entries[0].Status)
}

func TestFullJournalAndLogCountWhatTheyDrop(t *testing.T) {
	t.Parallel()
	h := oneTenant(t)
	handler := http.Handler(h)
	for range tenancy.JournalLimit + 5 {
		get(handler, "/"+id+"/x")
	}
	got := journalOf(t, h)
	assert.Len(t, got.Entries, tenancy.JournalLimit)
	assert.Equal(t, 5, got.Dropped)
	assert.Equal(t, tenancy.JournalLimit, got.Entries[tenancy.JournalLimit-1].Seq, "the first ones are kept")

	var log tenancy.Log
	require.NoError(t, json.Unmarshal(get(h.Control(), "/tenants/"+id+"/log").Body.Bytes(), &log))
	assert.Len(t, log.Entries, tenancy.JournalLimit)
	assert.Equal(t, 5, log.Dropped)
	assert.Equal(t, "served /x", log.Entries[0].Text)
	assert.Equal(t, 1, log.Entries[0].Request)
}
