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

	"github.com/planeproof/planeproof/target/settings"
)

// Fault makes a tenant's fake misbehave for the next requests that fit it.
type Fault = settings.Fault

func fits(f Fault, r *http.Request, path string) bool {
	return strings.HasPrefix(path, f.Path) && (f.Method == "" || f.Method == r.Method)
}

// check refuses a fault that could not be carried out.
func check(f Fault) error {
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is no final HTTP status", f.Status)
	case f.Times < 0 || f.DelayMS < 0 || f.TrickleMS < 0 || f.TruncateAfter < 0:
		return errors.New("times, delay_ms, trickle_ms and truncate_after are not negative")
	case note(f) == "":
		return errors.New("a fault does nothing")
	}
	return nil
}

func checkFaults(faults []Fault) error {
	for _, f := range faults {
		if err := check(f); err != nil {
			return fmt.Errorf("read faults: %w", err)
		}
	}
	return nil
}

// answers says whether the fault ends the exchange by itself.
func answers(f Fault) bool { return f.Hang || f.Reset || f.Status != 0 }

// note says in the journal what was done to the exchange.
func note(f Fault) string {
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
func (t *Tenant[F]) takeFault(r *http.Request, path string) (Fault, bool) {
	for i, f := range t.faults {
		if !fits(f, r, path) {
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
func wait(f Fault, r *http.Request) {
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

// answerWith answers in the fake's place. The journal has the exchange before this is called.
func answerWith(f Fault, w http.ResponseWriter) {
	if f.Hang || f.Reset {
		panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
	}
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}
