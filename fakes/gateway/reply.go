package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// reply is what a route answers: one body, or a stream of events.
type reply struct {
	status int
	header map[string]string
	// body is sent as JSON; where there is none, raw is sent as it is, which is JSON unless the header says otherwise.
	body any
	raw  string
	// events are sent one by one; done sends `[DONE]` after the last.
	events []event
	done   bool
	// note is what the journal says of it.
	note string
}

// event is one of a stream; data is sent as JSON, the name only where there is one.
type event struct {
	name string
	data any
}

type failure struct {
	Error problem `json:"error"`
}

// problem is OpenAI's error object (facts: openai-errors); the keys without a value are null.
type problem struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func accept(body any) reply {
	return reply{status: http.StatusOK, body: body, note: "accepted"}
}

// refuse makes an error; an empty code becomes null.
func refuse(status int, code, message string) reply {
	p := problem{Message: message, Type: "invalid_request_error"}
	if code != "" {
		p.Code = &code
	}
	return reply{status: status, body: failure{p}, note: message}
}

func (a reply) noting(note string) reply {
	a.note = note
	return a
}

func (a reply) with(name, value string) reply {
	a.header = map[string]string{name: value}
	return a
}

// write is the only place that writes HTTP.
func (a reply) write(w http.ResponseWriter) {
	header := w.Header()
	header["Content-Type"] = []string{"application/json"}
	for name, value := range a.header {
		header.Set(name, value)
	}
	if a.events != nil {
		a.stream(w)
		return
	}
	body := []byte(a.raw)
	if a.body != nil {
		body, _ = json.Marshal(a.body) // of our own types, which have nothing that cannot be encoded
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that left is nobody to tell
}

// stream sends each event as it would come from a model: on its own.
func (a reply) stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(a.status)
	connection := http.NewResponseController(w)
	for _, event := range a.events {
		data, _ := json.Marshal(event.data)
		if !send(w, connection, event.name, data) {
			return
		}
	}
	if a.done {
		send(w, connection, "", []byte("[DONE]"))
	}
}

// send reports whether the client is still there.
func send(w http.ResponseWriter, connection *http.ResponseController, name string, data []byte) bool {
	text := "data: " + string(data) + "\n\n"
	if name != "" {
		text = "event: " + name + "\n" + text
	}
	_, err := w.Write([]byte(text))
	return err == nil && connection.Flush() == nil
}
