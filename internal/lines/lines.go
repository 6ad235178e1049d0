// Package lines writes text for people, line by line: every line is made fit for a terminal in the one place where it is written.
package lines

import (
	"fmt"
	"io"
	"strings"
)

// Text collects lines.
type Text struct {
	clean func(string) string
	b     strings.Builder
}

// New makes a text whose every line passes clean, which must leave no line break in it.
func New(clean func(string) string) *Text { return &Text{clean: clean} }

// Line adds one line; blanks at its end are cut.
func (t *Text) Line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(t.clean(fmt.Sprintf(format, args...)), " ") + "\n")
}

// Field adds a line with a value behind its name; no line where the value is empty.
func (t *Text) Field(indent int, name, value string) {
	if value != "" {
		t.Line("%*s%-12s  %s", indent, "", name, value)
	}
}

// Block adds the lines of a text of our own making.
func (t *Text) Block(indent int, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		t.Line("%*s%s", indent, "", line)
	}
}

// String is the text so far.
func (t *Text) String() string { return t.b.String() }

// Write writes the text so far.
func (t *Text) Write(w io.Writer) error {
	_, err := io.WriteString(w, t.b.String())
	return err
}
