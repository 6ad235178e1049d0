package proxylog

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// columnName is the name of a column as exports have it: @timestamp, Log group, resource.labels.pod_name.
var columnName = regexp.MustCompile(`^[@\w][@\w. ()/-]{0,63}$`)

// errLong ends a log with an entry that is not kept whole.
var errLong = fmt.Errorf("an entry is longer than %d MiB", maxEntry>>20)

// csvComma is what separates the cells of an export that begins with a row of names, one of which is that of a message; else 0.
func csvComma(head []byte) rune {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	for _, comma := range ",;\t" {
		rows := csv.NewReader(bytes.NewReader(first))
		rows.Comma = comma
		columns, err := rows.Read()
		odd := func(name string) bool { return !columnName.MatchString(name) }
		if err == nil && slices.ContainsFunc(columns, isMessage) && !slices.ContainsFunc(columns, odd) {
			return comma
		}
	}
	return 0
}

// readCSV reads an export of CloudWatch, Datadog or the like, whose columns are the fields of a logged object.
func (s *scanner) readCSV(in io.Reader, comma rune) error {
	limited := &io.LimitedReader{R: in, N: maxEntry}
	rows := csv.NewReader(limited)
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord = comma, true, -1
	columns, err := rows.Read()
	for err == nil {
		limited.N = maxEntry
		var row []string
		row, err = rows.Read()
		switch {
		case limited.N == 0:
			return errLong
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		object := map[string]any{}
		for i, cell := range row[:min(len(row), len(columns))] {
			object[columns[i]] = cell
		}
		known := len(s.open) > 0 || slices.ContainsFunc(row, func(cell string) bool { return marked([]byte(cell)) })
		s.count(known && s.record(context{}, object), false)
	}
	return err
}

// newDecoder reads JSON as loggers write it.
func newDecoder(in io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// isDocument says whether a log begins with JSON that is longer than a line.
func isDocument(head []byte) bool {
	d := newDecoder(bytes.NewReader(head))
	if kind := d.PeekKind(); kind != '[' && kind != '{' {
		return false
	}
	value, err := d.ReadValue()
	return errors.Is(err, io.ErrUnexpectedEOF) || err == nil && bytes.IndexByte(value, '\n') >= 0
}

// readDocument reads JSON documents, one after another: objects, and lists of lines or of objects. It returns what comes after them.
func (s *scanner) readDocument(in io.Reader) (rest io.Reader, err error) {
	limited := &io.LimitedReader{R: in, N: maxEntry}
	d := newDecoder(limited)
	for err == nil {
		limited.N = maxEntry
		inList, kind := d.StackDepth() > 0, d.PeekKind()
		switch {
		case !inList && kind == '[' || inList && kind == ']':
			_, err = d.ReadToken()
		case inList || kind == '{':
			var entry jsontext.Value
			if entry, err = d.ReadValue(); err == nil {
				s.count(s.line(entry), false)
			}
		default:
			err = io.EOF
		}
	}
	switch syntax := (*jsontext.SyntacticError)(nil); {
	case limited.N == 0:
		return nil, errLong
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, io.ErrUnexpectedEOF // err quotes keys
	case !errors.Is(err, io.EOF) && !errors.As(err, &syntax):
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(bytes.Clone(d.UnreadBuffer())), in), nil
}
