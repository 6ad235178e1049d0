// Package file reads and writes the program's own files: JSON with a schema, readable by their owner alone, whole or not at all.
package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/moby/sys/atomicwriter"
)

// Mode is that of every file of ours: names, addresses and what may be a credential are its owner's business.
const Mode fs.FileMode = 0o600

// maxSize is the longest file that is read, in bytes.
const maxSize = 256 << 20

// ErrUnusable marks a file that cannot be used: not readable, another kind, of a newer schema, or no regular file.
var ErrUnusable = errors.New("cannot be used")

// ErrLocked is that another process works with the same file.
var ErrLocked = errors.New("is in use by another process")

func unusable(path string) error { return fmt.Errorf("file %s %w", shown(path), ErrUnusable) }

// shown is a path in one line of a terminal.
func shown(path string) string {
	quoted := strconv.QuoteToGraphic(path)
	return quoted[1 : len(quoted)-1]
}

// Check says whether Write could write to the path, so that a wrong path is refused before any work is done for it.
func Check(path string) error {
	w, err := atomicwriter.New(path, Mode)
	if err != nil {
		return writeError(path, err)
	}
	if err := w.Close(); err != nil { // nothing was written to it, so that the path stays as it is
		return writeError(path, err)
	}
	return nil
}

// Write lets produce write a file in its folder and then puts it in the path's place, with Mode, whatever was there before. A link, a
// device or a folder is refused, and what is there stays where produce fails.
func Write(path string, produce func(io.Writer) error) error {
	var content bytes.Buffer
	if err := produce(&content); err != nil {
		return writeError(path, err)
	}
	if err := atomicwriter.WriteFile(path, content.Bytes(), Mode); err != nil {
		return writeError(path, err)
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// syncFolder makes a rename last where the machine stops, if the file system can.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}

func writeError(path string, err error) error {
	return fmt.Errorf("write file %s: %w", shown(path), err)
}

// WriteJSON writes a document of ours as Write does.
func WriteJSON(path string, document any) error {
	return Write(path, func(w io.Writer) error { return Encode(w, document) })
}

// Encode writes JSON for people: indented, and without escapes for < > and &.
func Encode(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// ReadJSON reads a document of ours, whose first key names its schema, such as `planeproof/plan/v1`. Every error is an ErrUnusable and
// quotes nothing of the file but its schema.
func ReadJSON(path, schema string, into any) error {
	raw, err := Read(path)
	if err != nil {
		return err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if json.Unmarshal(raw, &head) != nil {
		return fmt.Errorf("%w: it is not JSON of ours", unusable(path))
	}
	if err := checkSchema(head.Schema, schema); err != nil {
		return fmt.Errorf("%w: %w", unusable(path), err)
	}
	if json.Unmarshal(raw, into) != nil {
		return fmt.Errorf("%w: its content is not that of %s", unusable(path), schema)
	}
	return nil
}

func checkSchema(got, want string) error {
	kind, _, _ := strings.Cut(want, "/v")
	switch {
	case got == want:
		return nil
	case strings.HasPrefix(got, kind+"/"):
		return fmt.Errorf("its schema is %s and this program knows %s: use the program that wrote it", strconv.QuoteToASCII(got), want)
	}
	return fmt.Errorf("its schema is %s, want %s", strconv.QuoteToASCII(got), want)
}

// Read reads a regular file of at most 256 MiB. Every error is an ErrUnusable.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", unusable(path), cause(err))
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is no regular file", unusable(path))
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", unusable(path), cause(err))
	case len(raw) > maxSize:
		return nil, fmt.Errorf("%w: it is longer than %d bytes", unusable(path), maxSize)
	}
	return raw, nil
}

// cause is a file error without the path that is named already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Exists says whether something is at the path, also a link that leads nowhere.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Narrow gives a file of ours Mode where it has a wider one. What is not there is no error.
func Narrow(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", unusable(path), cause(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: it is no regular file", unusable(path))
	case info.Mode().Perm()&^Mode == 0:
		return nil
	}
	if err := os.Chmod(path, Mode); err != nil {
		return fmt.Errorf("%w: others may read it, and that cannot be changed: %w", unusable(path), cause(err))
	}
	return nil
}

// Lock keeps other processes from working with the path until release is called; it makes a file beside it, which stays. Where another
// process has it, the error is an ErrLocked.
func Lock(path string) (release func() error, err error) {
	lock := flock.New(path+".lock", flock.SetPermissions(Mode))
	locked, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("lock file %s: %w", shown(path), cause(err))
	case !locked:
		return nil, fmt.Errorf("file %s %w", shown(path), ErrLocked)
	}
	return lock.Unlock, nil
}
