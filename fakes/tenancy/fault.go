package tenancy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Fault makes a fake misbehave for the next requests that fit it.
type Fault struct {
	// Path is a prefix of the path after the tenant, empty for every path; Method is empty for every method.
	Path   string `json:"path,omitempty"`
	Method string `json:"method,omitempty"`
	// Times is how many requests are hit, 0 for all until the faults are replaced.
	Times int `json:"times,omitempty"`
	// Status, Header and Body are answered instead of the fake's own answer, where Status is not 0.
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// DelayMS is waited before anything else, in milliseconds; a client that leaves ends the wait.
	DelayMS int `json:"delay_ms,omitempty"`
	// Hang gives no answer at all until the client leaves.
	Hang bool `json:"hang,omitempty"`
	// Reset closes the connection without an answer.
	Reset bool `json:"reset,omitempty"`
	// TruncateAfter cuts the connection after that many bytes of the fake's own answer's body, where it is not 0.
	TruncateAfter int `json:"truncate_after,omitempty"`
}

func (f Fault) fits(r *http.Request, path string) bool {
	return strings.HasPrefix(path, f.Path) && (f.Method == "" || f.Method == r.Method)
}

// check refuses a fault that could not be carried out.
func (f Fault) check() error {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is no final HTTP status", f.Status)
	case f.Times < 0 || f.DelayMS < 0 || f.TruncateAfter < 0:
		return errors.New("times, delay_ms and truncate_after are not negative")
	}
	return nil
}

// answers says whether the fault ends the exchange by itself.
func (f Fault) answers() bool { return f.Hang || f.Reset || f.Status != 0 }

// note says in the journal what was done to the exchange.
func (f Fault) note() string {
	switch {
	case f.Hang:
		return "fault: no answer"
	case f.Reset:
		return "fault: connection closed"
	case f.Status != 0:
		return fmt.Sprintf("fault: status %d", f.Status)
	case f.TruncateAfter != 0:
		return fmt.Sprintf("fault: body cut after %d bytes", f.TruncateAfter)
	default:
		return fmt.Sprintf("fault: delayed by %d ms", f.DelayMS)
	}
}

// takeFault returns the first fault that fits the request and counts it down.
func (t *Tenant[C, S]) takeFault(r *http.Request, path string) (Fault, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, f := range t.faults {
		if !f.fits(r, path) {
			continue
		}
		if f.Times == 1 {
			t.faults = append(t.faults[:i:i], t.faults[i+1:]...)
		} else if f.Times > 1 {
			t.faults[i].Times--
		}
		return f, true
	}
	return Fault{}, false
}

// wait holds a request back; it returns early when the client leaves.
func (f Fault) wait(r *http.Request) {
	if !f.Hang && f.DelayMS == 0 {
		return
	}
	readAhead(r)
	if f.Hang {
		<-r.Context().Done()
		return
	}
	timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// readAhead takes the body into memory: net/http notices that a client has left only after the body was read to its end.
func readAhead(r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxControlBody)) // an error comes again when the rest is read
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
}

// serve answers in the fake's place. The journal has the exchange before this is called.
func (f Fault) serve(w http.ResponseWriter) {
	if f.Hang || f.Reset {
		panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
	}
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}
