// Package proxylog finds in an AI proxy's log what it says about provider secrets, and says what that means and what to do.
//
// What a log came through is taken off first: what is left is a stream of texts, each with what is known about where it belongs. One
// scanner looks for the proxy's warnings in them and adds them up. A log may hold credentials: nothing of it is repeated but keys,
// paths, ids, names and settings, and these masked (package evidence).
package proxylog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	maxLine  = 1 << 20  // bytes of a line that are read at once; a longer one is read in pieces
	maxHead  = 64 << 10 // bytes that are looked at to tell the format
	maxEntry = 8 << 20  // bytes of one row of CSV, or of one entry of a JSON document
)

// ErrNoLog says that what was read is something else: an archive, binary data, or the refusal of a tool to give the log.
var ErrNoLog = errors.New("this is no log")

// refusal is what kubectl, docker and aws write where they have no log to give.
var refusal = regexp.MustCompile(`^(?:Error from server\b|error: |Unable to connect to the server\b|The connection to the server |` +
	`No resources found\b|Error response from daemon: |An error occurred \()`)

// Read reads a proxy's log to its end and says what it found. The log may be lines, JSON or CSV, compressed by gzip, and in UTF-8
// or, with its mark, UTF-16. Lines that it does not know are counted; what it keeps does not grow with the log. After an error
// the summary is that of what was read before. An empty log is no error: see Summary.Empty.
func Read(r io.Reader) (Summary, error) {
	s := &scanner{Summary: Summary{Schema: Schema, Projects: []Project{}}, projects: map[[2]string]*Project{}, open: map[string]*group{}}
	err := s.read(r)
	s.closeAll()
	if err == nil && s.refusals > 0 && s.refusals == s.Lines-s.blank {
		err = fmt.Errorf("%w, but a tool's refusal to give it", ErrNoLog)
	}
	if err != nil {
		err = fmt.Errorf("read log: %w", err)
	}
	s.conclude(err)
	return s.Summary, err
}

func (s *scanner) read(r io.Reader) error {
	in, err := decoded(r)
	if err != nil {
		return err
	}
	head, _ := in.Peek(maxHead) // an error comes again when it is read
	if comma := csvComma(head); comma != 0 {
		return s.readCSV(in, comma)
	}
	var rest io.Reader = in
	if isDocument(head) {
		if rest, err = s.readDocument(in); err != nil {
			return err
		}
	}
	return s.readLines(rest)
}

// decoded is the log's text: decompressed, and in UTF-8.
func decoded(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, maxHead)
	head, err := in.Peek(512) // as much as DetectContentType looks at
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(unzipped, maxHead)
		head, _ = in.Peek(512)
	}
	kind := http.DetectContentType(head)
	switch {
	case len(head) == 0 && err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case strings.HasPrefix(kind, "text/plain; charset=utf-16"):
	case kind == "application/octet-stream" && (bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(head)):
		return nil, fmt.Errorf("%w, but binary data", ErrNoLog)
	case kind != "application/octet-stream" && !strings.HasPrefix(kind, "text/"):
		return nil, fmt.Errorf("%w, but %s: unpack or convert it first", ErrNoLog, kind)
	}
	return bufio.NewReaderSize(transform.NewReader(in, unicode.BOMOverride(transform.Nop)), maxHead), nil
}

// count counts a line or another entry.
func (s *scanner) count(known, blank bool) {
	s.Lines++
	if !known {
		s.Unknown++
	}
	if blank {
		s.blank++
	}
}

func (s *scanner) readLines(in io.Reader) error {
	pieces := bufio.NewScanner(in)
	pieces.Buffer(nil, 2*maxLine)
	pieces.Split(splitLine)
	known, inside := false, false
	for pieces.Scan() {
		piece := pieces.Bytes()
		if !inside {
			s.count(false, len(bytes.TrimSpace(piece)) == 0)
			if known = false; refusal.Match(piece) {
				s.refusals++
			}
		}
		if s.line(piece) && !known {
			known = true
			s.Unknown--
		}
		goesOn := len(piece) == maxLine && piece[maxLine-1] != '\n'
		if goesOn && !inside {
			s.Long++
		}
		inside = goesOn
	}
	return pieces.Err()
}

// splitLine is a bufio.SplitFunc. A piece is a line with its end, LF, CRLF or CR, or as much of it as is read at once.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	window := data[:min(len(data), maxLine)]
	line, _, ended := bytes.Cut(window, []byte("\n"))
	n := len(line)
	if cr := bytes.IndexByte(line, '\r'); cr >= 0 && cr < n-1 {
		n = cr + 1
	} else if ended {
		n++
	} else if n < maxLine && !atEOF || n == 0 {
		return 0, nil, nil
	}
	return n, data[:n], nil
}
