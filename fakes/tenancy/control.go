package tenancy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/planeproof/planeproof/evidence"
)

// maxControlBody is the largest body the control listener reads, in bytes.
const maxControlBody = 16 << 20

// Journal is the answer of `GET /tenants/{id}/journal`.
type Journal struct {
	Schema  string              `json:"schema"`
	Entries []evidence.Exchange `json:"entries"`
	// Dropped is how many exchanges found the journal full.
	Dropped int `json:"dropped"`
}

// Log is the answer of `GET /tenants/{id}/log`.
type Log struct {
	Schema  string             `json:"schema"`
	Entries []evidence.LogLine `json:"entries"`
	// Dropped is how many lines found the log full.
	Dropped int `json:"dropped"`
}

// Evidence is the answer of `GET /tenants/{id}/evidence`, and of a DELETE, for the last time.
type Evidence struct {
	Schema  string  `json:"schema"`
	Journal Journal `json:"journal"`
	Log     Log     `json:"log"`
}

// Control serves the control listener:
//
//	GET    /health                 200 when the fake serves
//	POST   /lease                  renews the lease
//	PUT    /tenants/{id}           makes a tenant or changes its settings; body: Document
//	DELETE /tenants/{id}           forgets a tenant and answers its Evidence
//	GET    /tenants/{id}/evidence  Evidence: journal and log
//	GET    /tenants/{id}/journal   Journal
//	GET    /tenants/{id}/log       Log
//	PUT    /tenants/{id}/faults    replaces the faults; body: array of Fault
//
// Refusals are text/plain, 400 for a bad body and 404 for an unknown tenant.
func (h *Host[C, F]) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, h.system+"\n") })
	mux.HandleFunc("POST /lease", h.renew)
	mux.HandleFunc("PUT /tenants/{id}", h.putTenant)
	mux.HandleFunc("DELETE /tenants/{id}", func(w http.ResponseWriter, r *http.Request) {
		t := h.Delete(r.PathValue("id"))
		if t == nil {
			http.Error(w, "no such tenant", http.StatusNotFound)
			return
		}
		answer(w, t.Kept())
	})
	mux.HandleFunc("GET /tenants/{id}/evidence", h.with(func(w http.ResponseWriter, _ *http.Request, t *Tenant[F]) {
		answer(w, t.Kept())
	}))
	mux.HandleFunc("GET /tenants/{id}/journal", h.with(func(w http.ResponseWriter, _ *http.Request, t *Tenant[F]) {
		answer(w, t.Kept().Journal)
	}))
	mux.HandleFunc("GET /tenants/{id}/log", h.with(func(w http.ResponseWriter, _ *http.Request, t *Tenant[F]) {
		answer(w, t.Kept().Log)
	}))
	mux.HandleFunc("PUT /tenants/{id}/faults", h.with(putFaults[F]))
	return mux
}

func (h *Host[C, F]) renew(http.ResponseWriter, *http.Request) {
	select {
	case h.renewed <- struct{}{}:
	default: // a renewal that nobody has taken yet is as good
	}
}

func (h *Host[C, F]) putTenant(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil {
		err = h.Put(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (h *Host[C, F]) with(serve func(http.ResponseWriter, *http.Request, *Tenant[F])) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t := h.Tenant(r.PathValue("id"))
		if t == nil {
			http.Error(w, "no such tenant", http.StatusNotFound)
			return
		}
		serve(w, r, t)
	}
}

func putFaults[F http.Handler](w http.ResponseWriter, r *http.Request, t *Tenant[F]) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	var faults []Fault
	if err == nil {
		err = strict(body, &faults)
	}
	if err != nil {
		err = fmt.Errorf("read faults: %w", err)
	}
	if err = cmp.Or(err, checkFaults(faults)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = faults
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a client that left is nobody to tell
}
