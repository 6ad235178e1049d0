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
	"github.com/planeproof/planeproof/fakes/journal"
)

// System is a fake as a tenant has one of its own: a handler, and settings that can be changed while what it stores stays.
type System[C any] interface {
	http.Handler
	Configure(C) error
}

// Host is the tenants of one kind of fake, F, whose settings are C. It serves each under its id as the first path segment, applies its
// faults, and keeps a journal and a log of it. The fakes know nothing of tenants.
type Host[C any, F System[C]] struct {
	system string
	create func(id string, config C) (F, error)
	// Stray answers what names no tenant, in the fake's own error shape.
	Stray http.HandlerFunc

	mu      sync.RWMutex
	tenants map[string]*Tenant[F]
	renewed chan struct{}       // a value for each renewal of the lease
	output  io.Writer           // where log lines are printed too, nil for nowhere
	tamper  func() Tampering[C] // nil for nothing
}

// PrintLog prints the log lines of tenants made from now on, as the real system prints its own.
func (h *Host[C, F]) PrintLog(w io.Writer) { h.output = w }

// NewHost makes a host without tenants. system names the fake in its journals; create makes a tenant's fake and refuses
// settings that make no sense.
func NewHost[C any, F System[C]](system string, create func(id string, config C) (F, error)) *Host[C, F] {
	return &Host[C, F]{
		system: system, create: create, Stray: http.NotFound, tenants: map[string]*Tenant[F]{}, renewed: make(chan struct{}, 1),
	}
}

// Put makes a tenant from a document, or gives an existing one new settings and keeps its state.
func (h *Host[C, F]) Put(raw []byte) error {
	doc, config, err := decode[C](raw)
	if err != nil {
		return err
	}
	return h.Set(doc.ID, doc.FingerprintKey, config, doc.Faults)
}

// Set makes a tenant, or gives an existing one new settings and keeps its state. Its faults are replaced where they are not nil.
func (h *Host[C, F]) Set(id string, key evidence.Key, config C, faults []Fault) error {
	if !tenantID.MatchString(id) {
		return fmt.Errorf("set tenant: id %q is not t- and 16 of [a-z0-9]", id)
	}
	if err := checkFaults(faults); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tenants[id]
	with := h.tamperingOf(t)
	faults = with.settle(&config, faults)
	if t == nil {
		fake, err := h.create(id, config)
		if err != nil {
			return fmt.Errorf("check settings of tenant %s: %w", id, err)
		}
		t = &Tenant[F]{ID: id, Fake: fake, served: with.serve(fake), tamper: with, told: with.Kept, output: h.output}
		h.tenants[id] = t
	} else if err := t.Fake.Configure(config); err != nil {
		return fmt.Errorf("check settings of tenant %s: %w", id, err)
	}
	t.set(key, faults)
	return nil
}

// Find returns the tenant that fits, nil if none does.
func (h *Host[C, F]) Find(fits func(F) bool) *Tenant[F] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, t := range h.tenants {
		if fits(t.Fake) {
			return t
		}
	}
	return nil
}

// Tenant returns the tenant of that id, nil if there is none.
func (h *Host[C, F]) Tenant(id string) *Tenant[F] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.tenants[id]
}

// Delete forgets a tenant and returns it, nil if there is none.
func (h *Host[C, F]) Delete(id string) *Tenant[F] {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tenants[id]
	delete(h.tenants, id)
	return t
}

// ServeHTTP serves the data port: it finds the tenant by the first path segment. The fake gets what follows it, escaped as it came.
func (h *Host[C, F]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, path := cutTenant(r.URL.EscapedPath())
	t := h.Tenant(id)
	if t == nil {
		h.Stray(w, r)
		return
	}
	h.ServeTenant(w, withPath(r, path), t)
}

// ServeTenant serves one request of a tenant that was found by other means than the path. The exchange is journalled before the first
// byte of its answer leaves.
func (h *Host[C, F]) ServeTenant(w http.ResponseWriter, r *http.Request, t *Tenant[F]) {
	path := r.URL.EscapedPath()
	seq, key, fault := t.arrive(r, path)
	entry := &evidence.Exchange{
		System: h.system, Seq: seq, Time: time.Now().UTC(),
		Method: r.Method, Path: path, Credentials: evidence.Credentials(key, r.Header),
	}
	r = journal.With(r, journal.Page{Entry: entry, Log: func(level, project, text string) { t.Log(level, project, seq, text) }})
	jw := &journalWriter{ResponseWriter: w, commit: func(status int) {
		entry.Status = status
		if status != 0 && r.Context().Err() != nil {
			entry.Status, entry.Note = 0, strings.TrimPrefix(entry.Note+"; the caller had left before the answer", "; ")
		}
		t.keep(entry, fault)
	}}
	defer jw.note(0) // a handler that panicked gave no answer
	if fault == nil {
		t.served.ServeHTTP(jw, r)
	} else {
		serveFault(jw, r, t.served, *fault)
	}
	jw.note(http.StatusOK) // what net/http answers for a handler that wrote nothing
}

// serveFault serves one request that a fault hits.
func serveFault(jw *journalWriter, r *http.Request, fake http.Handler, fault Fault) {
	if fault.Hang || fault.Reset {
		jw.note(0)
	}
	wait(fault, r)
	out := &distorter{ResponseWriter: jw, ctx: r.Context(), fault: fault}
	if answers(fault) {
		answerWith(fault, out)
		return
	}
	fake.ServeHTTP(out, r)
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
func (h *Host[C, F]) Lease(ctx context.Context, ttl time.Duration) bool {
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
