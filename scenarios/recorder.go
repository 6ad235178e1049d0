package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// keepBody is how much of an answer's body is kept as evidence, in bytes.
const keepBody = 64 << 10

// Recorded is one exchange as the client of the scenario saw it, with the beginning of the answer's body.
type Recorded struct {
	Exchange evidence.Exchange
	header   http.Header
	body     bytes.Buffer
}

// Body is the beginning of the answer's body; it may hold secrets until it passes the redactor.
func (r *Recorded) Body() string { return r.body.String() }

// recorder keeps each exchange of a scenario, and notices when a system under test gives no answer at all.
type recorder struct {
	world *World
	next  http.RoundTripper
}

func (t *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	w := t.world
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/"+w.scenario.ID)
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	kept := &Recorded{Exchange: evidence.Exchange{
		System: "client", Time: time.Now().UTC(), Method: r.Method, Path: r.URL.Hostname() + path,
		Credentials: evidence.Credentials(w.scenario.Key, r.Header),
	}}
	if err := w.Settle(r.Context(), w.needs(r.URL)...); err != nil {
		return nil, err
	}
	w.mu.Lock()
	kept.Exchange.Seq = len(w.recorded) + 1
	w.recorded = append(w.recorded, kept)
	w.sent++
	w.mu.Unlock()
	answer, err := t.next.RoundTrip(r)
	if err != nil {
		kept.Exchange.Note = err.Error()
		if !mayFail(r.Context()) {
			w.breakDown(fmt.Errorf("no answer from %s: %w", r.URL.Host, err))
		}
		return nil, err
	}
	kept.Exchange.Status, kept.header = answer.StatusCode, answer.Header
	answer.Body = &recordedBody{ReadCloser: answer.Body, kept: kept, overdue: func(err error) {
		if !mayFail(r.Context()) {
			w.breakDown(fmt.Errorf("no end of the answer from %s: %w", r.URL.Host, err))
		}
	}}
	return answer, nil
}

// recordedBody copies what is read into the record.
type recordedBody struct {
	io.ReadCloser
	kept    *Recorded
	overdue func(error) // told where the answer does not end in time
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if room := keepBody - b.kept.body.Len(); room > 0 {
		b.kept.body.Write(p[:min(n, room)])
	}
	if errors.Is(err, context.DeadlineExceeded) {
		b.overdue(err)
	}
	return n, err
}

type mayFailKey struct{}

// MayFail marks requests whose failure to connect is what the scenario is about, not a breakdown of the harness.
func MayFail(ctx context.Context) context.Context { return context.WithValue(ctx, mayFailKey{}, true) }

func mayFail(ctx context.Context) bool { return ctx.Value(mayFailKey{}) != nil }

// Client is the scenario's HTTP client: it reaches the systems under test, and every exchange is kept.
func (w *World) Client() *http.Client { return w.client }

// Exchanges returns what the scenario's client sent and got, in order; answers that refuse are quoted.
func (w *World) Exchanges() []evidence.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]evidence.Exchange, 0, len(w.recorded))
	for _, kept := range w.recorded {
		e := kept.Exchange
		if e.Status >= http.StatusBadRequest {
			e.Note = w.Redactor.Foreign(kept.body.String(), maxExcerpt)
		}
		all = append(all, e)
	}
	return all
}

// Recorded returns the kept exchanges with what was read of their answers.
func (w *World) Recorded() []*Recorded {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.recorded)
}

// last returns the latest exchange of the scenario's client.
func (w *World) last() *Recorded {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.recorded) == 0 {
		return &Recorded{}
	}
	return w.recorded[len(w.recorded)-1]
}

// maxExcerpt is the longest quotation of an answer, in characters.
const maxExcerpt = 300

// Answer is an answer of the control API.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// redactor knows what may not be quoted.
	redactor *evidence.Redactor
}

// Excerpt shows the beginning of the body on one line, without credentials.
func (a Answer) Excerpt() string { return a.redactor.Foreign(string(a.Body), maxExcerpt) }

// API sends one request to the control API with a Braintrust key. Refusals are answers; an error means that there was none.
func (w *World) API(ctx context.Context, key, method, path string, body []byte) (Answer, error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, w.APIURL()+path, payload)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return w.send(r)
}

func (w *World) send(r *http.Request) (Answer, error) {
	answer, err := w.client.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("send request: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil && !errors.Is(err, io.EOF) {
		w.breakDown(fmt.Errorf("read answer of %s: %w", r.URL.Host, err))
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: text, redactor: w.Redactor}, nil
}
