package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrFile is that a file is no report that can be read here.
var ErrFile = errors.New("read audit file")

// maxFile is the longest file that is read, in bytes.
const maxFile = 256 << 20

// JSON writes the report in the documented format, one line for each group's head and for each finding, as there may be many.
func (r Report) JSON(w io.Writer) error {
	out := &stream{w: bufio.NewWriter(w)}
	out.open(struct {
		Report
		Groups struct{} `json:"groups,omitzero"`
	}{Report: r}, "groups")
	for n, g := range r.Groups {
		out.separate(n)
		out.open(struct {
			Group
			Findings struct{} `json:"findings,omitzero"`
		}{Group: g}, "findings")
		for n, f := range g.Findings {
			out.separate(n)
			out.value(f)
		}
		out.text("\n]}")
	}
	out.text("\n]}\n")
	if out.err == nil {
		out.err = out.w.Flush()
	}
	return out.err
}

// stream writes JSON piece by piece; the first error stays.
type stream struct {
	w   *bufio.Writer
	err error
}

func (s *stream) text(text string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(text)
	}
}

func (s *stream) separate(n int) {
	if n > 0 {
		s.text(",")
	}
	s.text("\n")
}

func (s *stream) value(v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && s.err == nil {
		s.err = err
	}
	s.text(strings.TrimSuffix(b.String(), "\n"))
}

// open writes an object but for its end, and begins a list under a last key.
func (s *stream) open(head any, list string) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(head); err != nil && s.err == nil {
		s.err = err
	}
	s.text(strings.TrimSuffix(b.String(), "}\n") + `,"` + list + `":[`)
}

// Load reads a report that JSON wrote. Another kind of file, or one of another major version, is refused with ErrFile.
func Load(path string) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	var r Report
	err = json.Unmarshal(raw, &r)
	switch {
	case len(raw) > maxFile:
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	case r.Schema == Schema:
	case strings.HasPrefix(r.Schema, "planeproof/audit/"):
		err = fmt.Errorf("it is of another version, %q: this program reads %q", r.Schema, Schema)
	case err == nil:
		err = fmt.Errorf("it is no audit: its schema is %q, want %q", r.Schema, Schema)
	}
	if err != nil {
		return Report{}, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	return r, nil
}
