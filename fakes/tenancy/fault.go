package tenancy

import (
	"bytes"
	"context"
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
	// TrickleMS is waited before each piece of the body, which is sent in pieces of 16 bytes, in milliseconds.
	TrickleMS int `json:"trickle_ms,omitempty"`
	// TruncateAfter cuts the connection after that many bytes of the fake's own answer's body, where it is not 0.
	TruncateAfter int `json:"truncate_after,omitempty"`
	// Malform is sent instead of the fake's own answer's body, or of what follows its first TruncateAfter bytes; status and header are
	// the fake's own, and the answer ends as if it were whole.
	Malform string `json:"malform,omitempty"`
}

func (f Fault) fits(r *http.Request, path string) bool {
	return strings.HasPrefix(path, f.Path) && (f.Method == "" || f.Method == r.Method)
}

// check refuses a fault that could not be carried out.
func (f Fault) check() error {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is no final HTTP status", f.Status)
	case f.Times < 0 || f.DelayMS < 0 || f.TrickleMS < 0 || f.TruncateAfter < 0:
		return errors.New("times, delay_ms, trickle_ms and truncate_after are not negative")
	case f.note() == "":
		return errors.New("a fault does nothing")
	}
	return nil
}

// answers says whether the fault ends the exchange by itself.
func (f Fault) answers() bool { return f.Hang || f.Reset || f.Status != 0 }

// note says in the journal what was done to the exchange.
func (f Fault) note() string {
	var done []string
	say := func(told bool, format string, args ...any) {
		if told {
			done = append(done, "fault: "+fmt.Sprintf(format, args...))
		}
	}
	say(f.DelayMS != 0, "delayed by %d ms", f.DelayMS)
	say(f.Hang, "no answer")
	say(f.Reset, "connection closed")
	say(f.Status != 0, "status %d", f.Status)
	say(f.TrickleMS != 0, "body slowed, %d ms for each %d bytes", f.TrickleMS, piece)
	say(f.Malform != "", "body malformed after %d bytes", f.TruncateAfter)
	say(f.Malform == "" && f.TruncateAfter != 0, "body cut after %d bytes", f.TruncateAfter)
	return strings.Join(done, "; ")
}

// takeFault returns the first fault that fits the request and counts it down. The caller holds mu.
func (t *Tenant[C, S]) takeFault(r *http.Request, path string) (Fault, bool) {
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
	pause(r.Context(), f.DelayMS)
}

// pause waits some milliseconds, or until the client leaves.
func pause(ctx context.Context, ms int) {
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
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
