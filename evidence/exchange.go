package evidence

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Exchange is one request and its answer, as the system that answered it or the client that sent it kept it.
type Exchange struct {
	// System is who kept the exchange: `gateway`, `data-plane`, `legacy-proxy`, or `client`.
	System string `json:"system"`
	// Seq counts the exchanges of one tenant on one system from 1, in order of arrival.
	Seq  int       `json:"seq"`
	Time time.Time `json:"time"`
	// Method and Path are the request's; the path is escaped, without the tenant, with the query where it is no secret.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Credentials are all credential headers of the request, as fingerprints.
	Credentials []Credential `json:"credentials,omitempty"`
	// Header is a selection of request headers that are no secrets, names in lower case.
	Header map[string]string `json:"header,omitempty"`
	// Model and Stream are those of the request body, where it had them.
	Model  string `json:"model,omitempty"`
	Stream *bool  `json:"stream,omitempty"`
	// Nonce is the probe's nonce, found in the request body.
	Nonce string `json:"nonce,omitempty"`
	// Project is the name of the project whose context the request had, where the scenario knows it.
	Project string `json:"project,omitempty"`
	// Harness says why the harness sent a call that the scenario does not tell of.
	Harness string `json:"harness,omitempty"`
	// Status is the HTTP status answered; 0 where there was no answer.
	Status int `json:"status"`
	// Note says in words what the system made of the request, or how the answer read; never a credential.
	Note string `json:"note,omitempty"`
}

// String shows the exchange in one line, fit for a terminal.
func (e Exchange) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s", e.System, Printable(e.Method), Printable(e.Path))
	for _, c := range e.Credentials {
		b.WriteString("  [" + c.String() + "]")
	}
	if e.Model != "" {
		b.WriteString("  model " + Printable(e.Model))
	}
	if e.Project != "" {
		b.WriteString("  for project " + Printable(e.Project))
	}
	if e.Harness != "" {
		b.WriteString("  (by the harness: " + Printable(e.Harness) + ")")
	}
	if e.Status == 0 {
		b.WriteString(" → no answer")
	} else {
		b.WriteString(" → " + strconv.Itoa(e.Status))
	}
	if e.Note != "" {
		b.WriteString("  " + Printable(e.Note))
	}
	return b.String()
}

// LogLine is one entry of a system's log, with the context that the printed text lacks.
type LogLine struct {
	Time time.Time `json:"time"`
	// Level is `info`, `warn` or `error`.
	Level string `json:"level"`
	// Project is the project id the entry is about, empty without project context.
	Project string `json:"project,omitempty"`
	// Request is the Seq of the exchange in which the entry was written, 0 outside one.
	Request int    `json:"request,omitempty"`
	Text    string `json:"text"`
}
