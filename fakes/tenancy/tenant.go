// Package tenancy is what the three fakes share: tenants with settings of their own, a journal, a log and faults for each,
// the control listener that shapes and reads them, and the lease that ends an abandoned fake.
package tenancy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// Schema is the format of a tenant document: the body of `PUT /tenants/{id}` and the file behind `--tenant`.
const Schema = "planeproof/tenant/v1"

// JournalLimit is how many exchanges, and how many log lines, a tenant keeps; later ones are counted as dropped.
const JournalLimit = 1024

// tenantID is the form of a tenant's id, the first path segment of every base URL.
var tenantID = regexp.MustCompile(`^t-[a-z0-9]{16}$`)

// Document sets up one tenant of one fake.
type Document struct {
	Schema string `json:"schema"`
	ID     string `json:"id"`
	// FingerprintKey is the run's key, base64 in JSON; credentials in the journal are fingerprinted under it.
	FingerprintKey evidence.Key `json:"fingerprint_key"`
	// Settings are the fake's own.
	Settings json.RawMessage `json:"settings"`
	// Faults replace the tenant's; left out or null, those that are set stay.
	Faults []Fault `json:"faults,omitempty"`
}

// Tenant is one scenario's share of a host: a fake of its own, and what was kept of it.
type Tenant[F http.Handler] struct {
	ID   string
	Fake F

	served http.Handler // the fake, with what tampers with it
	tamper any          // the Tampering, whose settings are the host's matter
	told   func(*Evidence)

	mu      sync.Mutex
	key     evidence.Key
	journal []evidence.Exchange
	arrived int // exchanges that began
	dropped int // exchanges that found the journal full
	log     []evidence.LogLine
	logged  int
	faults  []Fault
	output  io.Writer // where log lines are printed too, nil for nowhere
}

// Log adds a line to the tenant's log. request is the Seq of the exchange it belongs to, 0 for none.
func (t *Tenant[F]) Log(level, project string, request int, text string) {
	line := evidence.LogLine{
		Time: time.Now().UTC(), Level: level, Project: clip(project, maxText), Request: request, Text: clip(text, maxLogText),
	}
	t.print(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logged++
	if len(t.log) < JournalLimit {
		t.log = append(t.log, line)
	}
}

// print writes a log line as one line of JSON, the form in which log collectors hand lines on.
func (t *Tenant[F]) print(line evidence.LogLine) {
	if t.output == nil {
		return
	}
	raw, err := json.Marshal(map[string]any{
		"time": line.Time, "level": line.Level, "tenant": t.ID, "project_id": line.Project, "msg": line.Text,
	})
	if err == nil { // strings and a time always encode
		_, _ = fmt.Fprintf(t.output, "%s\n", raw)
	}
}

// arrive begins an exchange: it numbers it, and tells the key for its fingerprints and the fault that hits it, if one does.
func (t *Tenant[F]) arrive(r *http.Request, path string) (seq int, key evidence.Key, hit *Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arrived++
	if fault, fits := t.takeFault(r, path); fits {
		hit = &fault
	}
	return t.arrived, t.key, hit
}

// What is kept of texts that a caller chose: in bytes, but for maxNames, which counts headers and credentials.
const (
	maxText    = 1 << 10
	maxLogText = 64 << 10
	maxNames   = 64
)

// clip copies, as a text may be part of a body, which would be kept with it.
func clip(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.Clone(text)
}

// clipped bounds an entry.
func clipped(e evidence.Exchange) evidence.Exchange {
	for _, text := range []*string{&e.Method, &e.Path, &e.Model, &e.Note} {
		*text = clip(*text, maxText)
	}
	e.Credentials = e.Credentials[:min(len(e.Credentials), maxNames)]
	if len(e.Header) == 0 {
		return e
	}
	header := make(map[string]string, min(len(e.Header), maxNames))
	for _, name := range slices.Sorted(maps.Keys(e.Header))[:min(len(e.Header), maxNames)] {
		header[clip(name, maxText)] = clip(e.Header[name], maxText)
	}
	e.Header = header
	return e
}

// keep journals an exchange while there is room.
func (t *Tenant[F]) keep(e *evidence.Exchange, hit *Fault) {
	kept := clipped(*e)
	if hit != nil {
		kept.Note = strings.TrimSuffix(note(*hit)+"; "+e.Note, "; ")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.journal) < JournalLimit {
		t.journal = append(t.journal, kept)
	} else {
		t.dropped++
	}
}

// Kept is what a tenant's journal and log hold, copied so that a client that reads slowly holds up nobody.
func (t *Tenant[F]) Kept() Evidence {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := Evidence{
		Schema:  "planeproof/tenant-evidence/v1",
		Journal: Journal{Schema: "planeproof/journal/v1", Entries: append([]evidence.Exchange{}, t.journal...), Dropped: t.dropped},
		Log:     Log{Schema: "planeproof/log/v1", Entries: append([]evidence.LogLine{}, t.log...), Dropped: t.logged - len(t.log)},
	}
	if t.told != nil {
		t.told(&kept)
	}
	return kept
}

// set takes the key of a document, and its faults where it has some; what is journalled and logged stays.
func (t *Tenant[F]) set(key evidence.Key, faults []Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = key
	if faults != nil {
		t.faults = slices.Clone(faults)
	}
}

// decode reads a tenant document and its settings strictly: an unknown key is an error, not a setting that silently does nothing.
func decode[C any](raw []byte) (Document, C, error) {
	var doc Document
	var config C
	if err := strict(raw, &doc); err != nil {
		return doc, config, fmt.Errorf("read tenant document: %w", err)
	}
	if doc.Schema != Schema {
		return doc, config, fmt.Errorf("read tenant document: schema is %q, want %q", doc.Schema, Schema)
	}
	if len(doc.Settings) > 0 {
		if err := strict(doc.Settings, &config); err != nil {
			return doc, config, fmt.Errorf("read settings of tenant %s: %w", doc.ID, err)
		}
	}
	return doc, config, nil
}
