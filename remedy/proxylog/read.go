// Package proxylog finds in an AI proxy's log what it says about provider secrets, and says what that means and what to do.
//
// What a log came through is taken off first: what is left is a stream of texts, each with its source where that is known. One
// scanner looks for the proxy's warnings in them, and one tally adds them up. A log may hold credentials: nothing of it is repeated
// but keys, paths, ids, names and settings, and these masked (package evidence).
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
	s := newScanner()
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
	if columns, comma := csvHeader(head); columns != nil {
		return s.readCSV(in, comma)
	}
	if isDocument(head) {
		rest, err := s.readDocument(in)
		if err != nil {
			return err
		}
		in = bufio.NewReaderSize(rest, maxHead)
	}
	return s.readLines(in)
}

// decoded is the log's text: decompressed, in UTF-8, with a newline at the end of each line.
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
	return bufio.NewReaderSize(transform.NewReader(in, transform.Chain(unicode.BOMOverride(transform.Nop), newlines{})), maxHead), nil
}

// newlines makes a carriage return a newline, unless one follows.
type newlines struct{ transform.NopResetter }

// Transform implements transform.Transformer.
func (newlines) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	n := copy(dst, src)
	switch {
	case n < len(src):
		err = transform.ErrShortDst
	case n > 0 && src[n-1] == '\r' && !atEOF:
		n, err = n-1, transform.ErrShortSrc // what follows decides
	}
	for i := 0; i < n; i++ {
		next := bytes.IndexByte(dst[i:n], '\r')
		if next < 0 {
			break
		}
		if i += next; i+1 == len(src) || src[i+1] != '\n' {
			dst[i] = '\n'
		}
	}
	return n, n, err
}

func (s *scanner) readLines(in *bufio.Reader) error {
	var piece []byte
	known, continued := false, false
	for {
		goesOn, err := false, error(nil)
		piece, goesOn, err = readPiece(in, piece[:0])
		if len(piece) > 0 {
			known = s.line(piece) || continued && known
			if goesOn && !continued {
				s.Long++
			}
		}
		if !goesOn && (len(piece) > 0 || continued) {
			s.count(known, !continued && len(bytes.TrimSpace(piece)) == 0)
			if s.refusals == s.Lines-s.blank-1 && refusal.Match(piece) {
				s.refusals++
			}
		}
		if continued = goesOn; errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// readPiece appends to buffer the rest of a line, or as much of it as is read at once: then it goes on.
func readPiece(in *bufio.Reader, buffer []byte) (piece []byte, goesOn bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		buffer = append(buffer, part...)
		switch {
		case !errors.Is(err, bufio.ErrBufferFull):
			return buffer, false, err
		case len(buffer) >= maxLine:
			return buffer, true, nil
		}
	}
}
