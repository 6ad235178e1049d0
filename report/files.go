package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/planeproof/planeproof/evidence"
)

const (
	jsonFile   = "report.json"
	junitFile  = "junit.xml"
	jsonKind   = "planeproof/report/"
	junitKind  = "planeproof/junit/"
	jsonSchema = jsonKind + "v1"
	xmlSchema  = junitKind + "v1"
)

// ErrForeign says that a file of a report's name is not one of ours, so it is left alone.
var ErrForeign = errors.New("not a report of planeproof")

// Clear removes report.json and junit.xml of an earlier run from dir. A file of that name that is not ours is an
// error that wraps ErrForeign and names it; then nothing is removed. A missing directory is none.
func Clear(dir string) error {
	if err := refuseForeign(dir); err != nil {
		return err
	}
	for _, name := range []string{jsonFile, junitFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove old report: %w", err)
		}
	}
	return nil
}

// WriteFiles writes report.json and junit.xml into dir, which is made where it is missing. Each file appears whole or not
// at all; secrets are hidden in both. Like Clear it refuses to replace a file that is not ours.
func WriteFiles(dir string, r *Run, redact *evidence.Redactor) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make report directory: %w", err)
	}
	if err := refuseForeign(dir); err != nil {
		return err
	}
	// Before any encoding: an encoder may change a secret so that it is no longer found.
	safe := redacted(*r, redact)
	jsonBytes, err := encodeJSON(&safe)
	if err != nil {
		return fmt.Errorf("encode %s: %w", jsonFile, err)
	}
	junitBytes, err := encodeJUnit(&safe)
	if err != nil {
		return fmt.Errorf("encode %s: %w", junitFile, err)
	}
	// report.json comes last: where it is there, all of the report is, and its exit code is the run's.
	if err := writeWhole(filepath.Join(dir, junitFile), junitBytes); err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, jsonFile), jsonBytes)
}

// writeWhole writes a file beside its place and moves it there, so that nobody ever sees a part of it.
func writeWhole(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	// CreateTemp makes files that only their owner may read; a pipeline often reads as someone else.
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// refuseForeign fails where a file of a report's name is there and is not ours.
func refuseForeign(dir string) error {
	return errors.Join(
		refuseUnless(filepath.Join(dir, jsonFile), isOurJSON),
		refuseUnless(filepath.Join(dir, junitFile), isOurJUnit),
	)
}

func refuseUnless(path string, ours func(io.Reader) bool) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at old report: %w", err)
	}
	if !info.Mode().IsRegular() { // we never write a link, and opening a pipe would wait for ever
		return fmt.Errorf("leave %s alone: %w", path, ErrForeign)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("look at old report: %w", err)
	}
	defer func() { _ = f.Close() }()
	if !ours(f) {
		return fmt.Errorf("leave %s alone: %w", path, ErrForeign)
	}
	return nil
}

// isOurJSON reads no further than the first member, which in our files is the schema.
func isOurJSON(r io.Reader) bool {
	d := json.NewDecoder(r)
	for _, want := range []json.Token{json.Delim('{'), "schema"} {
		if token, err := d.Token(); err != nil || token != want {
			return false
		}
	}
	token, err := d.Token()
	schema, isString := token.(string)
	return err == nil && isString && strings.HasPrefix(schema, jsonKind)
}

// isOurJUnit reads no further than the root element.
func isOurJUnit(r io.Reader) bool {
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		root, isElement := token.(xml.StartElement)
		if !isElement {
			continue
		}
		for _, a := range root.Attr {
			if a.Name.Local == "schema" && strings.HasPrefix(a.Value, junitKind) {
				return true
			}
		}
		return false
	}
}
