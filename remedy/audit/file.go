package audit

import (
	"io"

	"github.com/planeproof/planeproof/internal/file"
)

// JSON writes the report in the documented format (docs/audit-format.md).
func (r Report) JSON(w io.Writer) error { return file.Encode(w, r) }

// Load reads a report that JSON wrote. Every error is a file.ErrUnusable: another kind of file, or one of another version.
func Load(path string) (Report, error) {
	var r Report
	err := file.ReadJSON(path, Schema, &r)
	return r, err
}
