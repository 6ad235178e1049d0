package proxylog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is how much of a line is read at once, in bytes; a longer one is read in pieces.
const maxLine = 1 << 20

// Read reads a proxy's log to its end and says what it found. Lines that it does not know are counted; what it keeps does not
// grow with the log. After an error the summary is that of what was read.
func Read(r io.Reader) (Summary, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	s := newScanner()
	summary := Summary{Schema: Schema}
	var buffer []byte
	continued, known := false, false
	for {
		piece, goesOn, err := readPiece(in, buffer[:0])
		buffer = piece
		if len(piece) > 0 {
			known = s.line(strings.ToValidUTF8(string(piece), "\ufffd")) || continued && known
			if goesOn && !continued {
				summary.Long++
			}
		}
		ended := !goesOn && (len(piece) > 0 || continued)
		if ended {
			summary.Lines++
			if !known {
				summary.Unknown++
			}
		}
		continued = goesOn
		if err == nil {
			continue
		}
		s.closeAll()
		summary.Left, summary.Projects = s.left, s.summarize()
		summary.conclude()
		if errors.Is(err, io.EOF) {
			return summary, nil
		}
		return summary, fmt.Errorf("read log: %w", err)
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
