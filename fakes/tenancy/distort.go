package tenancy

import (
	"context"
	"net/http"
)

// piece is how much of a body a slow answer sends at once, in bytes.
const piece = 16

// distorter does to an answer's body what a fault says.
type distorter struct {
	http.ResponseWriter
	ctx     context.Context // the request's
	fault   Fault
	written int  // bytes of the fake's own body that were sent
	ended   bool // what follows is thrown away
}

// Unwrap lets http.ResponseController reach the writer behind.
func (d *distorter) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d *distorter) WriteHeader(status int) {
	if d.fault.Malform != "" {
		d.Header().Del("Content-Length") // it was that of the fake's own body
	}
	d.ResponseWriter.WriteHeader(status)
}

func (d *distorter) Write(p []byte) (int, error) {
	if d.ended {
		return len(p), nil
	}
	if d.fault.Malform != "" {
		d.Header().Del("Content-Length")
	}
	room := d.fault.TruncateAfter - d.written
	if whole := d.fault.TruncateAfter == 0 && d.fault.Malform == ""; whole || len(p) <= room {
		return d.pass(p)
	}
	if n, err := d.pass(p[:room]); err != nil {
		return n, err
	}
	if d.fault.Malform == "" {
		_ = http.NewResponseController(d.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	d.ended = true
	if _, err := d.pass([]byte(d.fault.Malform)); err != nil {
		return room, err
	}
	return len(p), nil
}

// pass sends bytes, slowly where the fault says so.
func (d *distorter) pass(p []byte) (sent int, err error) {
	size := len(p)
	if d.fault.TrickleMS > 0 {
		size = piece
	}
	for len(p) > 0 && err == nil {
		if d.fault.TrickleMS > 0 {
			pause(d.ctx, d.fault.TrickleMS)
			if err = d.ctx.Err(); err != nil {
				return sent, err
			}
		}
		var n int
		n, err = d.ResponseWriter.Write(p[:min(size, len(p))])
		sent, d.written, p = sent+n, d.written+n, p[n:]
		if d.fault.TrickleMS > 0 {
			_ = http.NewResponseController(d.ResponseWriter).Flush()
		}
	}
	return sent, err
}
