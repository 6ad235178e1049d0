// Package vectors reads recorded behaviour for tests: JSON Lines files in one folder.
package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder that holds the vectors: the environment's VECTORS_DIR, or testdata/vectors of the package under test.
func Dir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("VECTORS_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("testdata", "vectors")
}

// Rows reads every row of the named file; it fails the test where the file cannot be read, holds a malformed row, or holds none.
func Rows[T any](tb testing.TB, name string) []T {
	tb.Helper()
	path := filepath.Join(Dir(tb), name)
	file, err := os.Open(path)
	if err != nil {
		tb.Fatalf("open vectors: %v", err)
	}
	defer file.Close()
	var rows []T
	for d := json.NewDecoder(file); d.More(); {
		var row T
		if err := d.Decode(&row); err != nil {
			tb.Fatalf("read row %d of %s: %v", len(rows)+1, path, err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		tb.Fatalf("read %s: no rows", path)
	}
	return rows
}
