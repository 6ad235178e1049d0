package routing

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/planeproof/planeproof/provider"
)

// repeat answers from the answer cache, where the request may be and the answer is there.
func (s *State) repeat(w http.ResponseWriter, req *request, call Call, now time.Time) bool {
	if !req.answers.read {
		return false
	}
	cached, ok := s.answer(req.answerKey(), now)
	age := int(now.Sub(cached.at).Seconds())
	if !ok || req.answers.maxAge > 0 && age > req.answers.maxAge {
		return false
	}
	call.note("answered from the answer cache")
	h := w.Header()
	h["Content-Type"] = nil // net/http must not guess one
	maps.Copy(h, cached.header)
	h.Set("x-bt-cached", "HIT")
	h.Set("Cache-Control", cached.control)
	h.Set("Age", strconv.Itoa(age))
	_, _ = w.Write(cached.body) // a caller that left is nobody to tell
	return true
}

// write answers with what the upstream said, and keeps it where the request allows and it was a success.
func (r *round) write(w http.ResponseWriter, got *answer) {
	kept := passed(got.header)
	legacy := r.call.Rules.Sends != provider.Current202608
	if length := got.header.Get("Content-Length"); r.contentType != "" && legacy && length != "" {
		kept.Set("Content-Length", length) // whoever serves this cuts the longer stream there (facts: fake-stream)
	}
	if r.contentType != "" {
		kept.Del("Content-Type") // one that was replaced is not kept with the answer either
	}
	if got.endpoint != "" {
		kept.Set("x-bt-used-endpoint", got.endpoint)
	}
	h := w.Header()
	h["Content-Type"] = nil // net/http must not guess one
	maps.Copy(h, kept)
	if r.contentType != "" {
		h.Set("Content-Type", r.contentType)
	}
	h.Set("x-bt-cached", "MISS")
	var control []string
	if r.req.answers.write {
		control = append(control, "max-age="+strconv.Itoa(r.req.answers.ttl))
		h.Set("Age", "0")
	}
	if r.req.stream && !legacy {
		control = append(control, "no-transform") // recorded: proxy-routing stream; facts: no-transform
	}
	if control != nil {
		h.Set("Cache-Control", strings.Join(control, ", "))
	}
	w.WriteHeader(got.status)
	if !r.req.answers.write || got.status < 200 || got.status > 299 {
		copyFlushing(w, got.body)
		return
	}
	var body bytes.Buffer
	copyFlushing(w, io.TeeReader(got.body, &body))
	r.call.State.keepAnswer(r.req.answerKey(),
		cachedAnswer{header: kept, body: body.Bytes(), at: r.proxy.now(), ttl: r.req.answers.ttl, control: strings.Join(control, ", ")})
}

// copyFlushing passes a body on as it comes. It cuts the answer off where the upstream's ends too early.
func copyFlushing(w http.ResponseWriter, from io.Reader) {
	flush := http.NewResponseController(w).Flush
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		if n > 0 {
			if _, failed := w.Write(chunk[:n]); failed != nil {
				panic(http.ErrAbortHandler) // the caller left
			}
			_ = flush() // a writer that cannot flush has sent it by the end
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}
