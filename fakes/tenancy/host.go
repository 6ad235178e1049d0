package tenancy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// Host is the tenants of one fake. C is the fake's settings, S its state.
type Host[C, S any] struct {
	system   string
	newState func() S
	check    func(C) error

	mu      sync.RWMutex
	tenants map[string]*Tenant[C, S]
	renewed chan struct{} // a value for each renewal of the lease
	output  io.Writer     // where log lines are printed too, nil for nowhere
}

// PrintLog prints the log lines of tenants made from now on, as the real system prints its own.
func (h *Host[C, S]) PrintLog(w io.Writer) { h.output = w }

// NewHost makes a host without tenants. system names the fake in its journals; newState makes a tenant's state; check refuses
// settings that make no sense.
func NewHost[C, S any](system string, newState func() S, check func(C) error) *Host[C, S] {
	return &Host[C, S]{
		system: system, newState: newState, check: check,
		tenants: map[string]*Tenant[C, S]{}, renewed: make(chan struct{}, 1),
	}
}

// Put makes a tenant from a document, or gives an existing one new settings and keeps its state.
func (h *Host[C, S]) Put(raw []byte) error {
	doc, config, err := decode[C](raw)
	if err != nil {
		return err
	}
	if err := h.check(config); err != nil {
		return fmt.Errorf("check settings of tenant %s: %w", doc.ID, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tenants[doc.ID]
	if t == nil {
		t = &Tenant[C, S]{ID: doc.ID, State: h.newState(), output: h.output}
		h.tenants[doc.ID] = t
	}
	t.configure(doc, config)
	return nil
}

// Find returns the tenant that fits, nil if none does.
func (h *Host[C, S]) Find(fits func(*Tenant[C, S]) bool) *Tenant[C, S] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, t := range h.tenants {
		if fits(t) {
			return t
		}
	}
	return nil
}

// Tenant returns the tenant of that id, nil if there is none.
func (h *Host[C, S]) Tenant(id string) *Tenant[C, S] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.tenants[id]
}

func (h *Host[C, S]) delete(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, known := h.tenants[id]
	delete(h.tenants, id)
	return known
}

// Serve answers a request of one tenant. The request's URL is what follows the tenant in the path, escaped as it came;
// entry is the exchange as it will be journalled, to be completed before the answer begins; it leaves the query out, which may
// hold a secret.
type Serve[C, S any] func(w http.ResponseWriter, r *http.Request, t *Tenant[C, S], entry *evidence.Exchange)

// Handler serves the data port: it finds the tenant by the first path segment, applies its faults, and journals each exchange
// before the first byte of its answer leaves. What has no tenant goes to stray, which answers in the fake's own error shape.
func (h *Host[C, S]) Handler(serve Serve[C, S], stray http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, path := cutTenant(r.URL.EscapedPath())
		t := h.Tenant(id)
		if t == nil {
			stray(w, r)
			return
		}
		h.ServeTenant(w, withPath(r, path), t, serve)
	})
}

// ServeTenant serves one request of a tenant that was found by other means than the path.
func (h *Host[C, S]) ServeTenant(w http.ResponseWriter, r *http.Request, t *Tenant[C, S], serve Serve[C, S]) {
	path := r.URL.EscapedPath()
	seq, key, fault := t.arrive(r, path)
	entry := &evidence.Exchange{
		System: h.system, Seq: seq, Time: time.Now().UTC(),
		Method: r.Method, Path: path, Credentials: evidence.Credentials(key, r.Header),
	}
	jw := &journalWriter{ResponseWriter: w, commit: func(status int) {
		entry.Status = status
		t.keep(entry, fault)
	}}
	defer jw.note(0) // a handler that panicked gave no answer
	if fault == nil {
		serve(jw, r, t, entry)
	} else {
		serveFault(jw, r, t, entry, *fault, serve)
	}
	jw.note(http.StatusOK) // what net/http answers for a handler that wrote nothing
}

// serveFault serves one request that a fault hits.
func serveFault[C, S any](jw *journalWriter, r *http.Request, t *Tenant[C, S], entry *evidence.Exchange, fault Fault, serve Serve[C, S]) {
	if fault.Hang || fault.Reset {
		jw.note(0)
	}
	fault.wait(r)
	out := &distorter{ResponseWriter: jw, ctx: r.Context(), fault: fault}
	if fault.answers() {
		fault.serve(out)
		return
	}
	serve(out, r, t, entry)
}

// cutTenant splits an escaped path into its first segment and the rest, without cleaning: `//` stays `//`.
func cutTenant(escaped string) (id, rest string) {
	id, rest, found := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
	if !found {
		return id, "/"
	}
	return id, "/" + rest
}

// withPath gives the request another escaped path.
func withPath(r *http.Request, escaped string) *http.Request {
	u := *r.URL
	u.RawPath = escaped
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path = plain
	} else {
		u.Path = escaped
	}
	out := r.WithContext(r.Context())
	out.URL = &u
	return out
}

// journalWriter journals the exchange when its answer begins, or when it ends without one.
type journalWriter struct {
	http.ResponseWriter
	commit    func(status int)
	committed bool
}

// Unwrap lets http.ResponseController reach the connection behind.
func (w *journalWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError journals first, as a flush sends the header of a handler that has written nothing yet.
func (w *journalWriter) FlushError() error {
	w.note(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *journalWriter) WriteHeader(status int) {
	w.note(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *journalWriter) Write(p []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// note journals the exchange, once.
func (w *journalWriter) note(status int) {
	if !w.committed {
		w.committed = true
		w.commit(status)
	}
}

// strict decodes exactly one JSON value and refuses unknown keys.
func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON value")
	}
	return nil
}

// Lease waits until the control listener has not renewed the lease for the given time, or ctx ends.
// It reports whether the lease ran out.
func (h *Host[C, S]) Lease(ctx context.Context, ttl time.Duration) bool {
	timer := time.NewTimer(ttl)
	defer timer.Stop()
	for {
		select {
		case <-h.renewed:
			timer.Reset(ttl)
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
