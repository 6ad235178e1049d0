package dataplane

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// refusal is an error that the caller is told.
type refusal struct {
	status int
	text   string // holds no value of a secret
	allow  string // header Allow, on a 405
	body   string // what the caller is told instead of the text, empty for the text; no journal has it
}

func (r refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return refusal{status: status, text: fmt.Sprintf(format, args...)}
}

func wrongMethod(allowed []string) error {
	allow := strings.Join(allowed, ", ")
	return refusal{status: http.StatusMethodNotAllowed, text: "method not allowed, allowed are " + allow, allow: allow}
}

// note says a refusal in the journal.
func note(err error) string {
	r := asRefusal(err)
	return fmt.Sprintf("%d: %s", r.status, r.text)
}

// asRefusal makes a bad request of any other error.
func asRefusal(err error) refusal {
	r := refusal{status: http.StatusBadRequest, text: err.Error()}
	errors.As(err, &r)
	return r
}

// answer writes a value, a string as text and all else as JSON, or a refusal, which is text (facts: api-errors).
func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		r := asRefusal(err)
		if r.allow != "" {
			w.Header().Set("Allow", r.allow)
		}
		http.Error(w, cmp.Or(r.body, r.text), r.status)
		return
	}
	if text, isText := value.(string); isText {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text) // a client that left is nobody to tell
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(value))
}

// preflight answers a browser that asks whether it may send a request. It asks for no key, and has the five headers that the spec
// lists; what they say is not told anywhere: whatever was asked for (spec: OPTIONS).
func preflight(w http.ResponseWriter, r *http.Request, methods ...string) {
	for name, value := range map[string]string{
		"Access-Control-Allow-Headers": r.Header.Get("Access-Control-Request-Headers"),
		"Access-Control-Allow-Methods": strings.Join(methods, ", "),
		"Access-Control-Max-Age":       "86400",
	} {
		w.Header().Set(name, value)
	}
	w.WriteHeader(http.StatusOK)
}

// allowOrigin lets a browser's page read the answer, a preflight's or any other.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	w.Header().Set("Access-Control-Allow-Origin", cmp.Or(r.Header.Get("Origin"), "*"))
}

// encode is json.Marshal, but for `<`, `>` and `&`, which it leaves as they were stored.
func encode(value any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("encode %T: %v", value, err)) // our own types hold only JSON that was read as JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
