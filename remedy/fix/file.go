package fix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/planeproof/planeproof/evidence"
)

// encode writes a value as JSON for people: indented, and without escapes for < > and &.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return b.Bytes(), err
}

// writeFile writes a file that only its owner can read, whole or not at all, also when the machine stops.
func writeFile(path string, content []byte) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = folder.Close() }()
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// readFile reads one of our files into value and refuses another kind and another major version.
func readFile(path, schema string, value any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: %w", unusable(path), err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("%w: it is not JSON of ours", unusable(path)) // the decoder's error may quote the file
	}
	if head.Schema != schema {
		kind, _, _ := strings.Cut(schema, "/v")
		if strings.HasPrefix(head.Schema, kind+"/") {
			return fmt.Errorf("%w: its schema is %q and this program knows %q: use the program that wrote it",
				unusable(path), evidence.Printable(head.Schema), schema)
		}
		return fmt.Errorf("%w: its schema is %q, want %q", unusable(path), evidence.Printable(head.Schema), schema)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("%w: its content is not that of %s", unusable(path), schema)
	}
	return nil
}

func unusable(path string) error {
	return fmt.Errorf("file %s %w", evidence.Printable(path), ErrFile)
}

// exists says whether something is at the path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Write writes the plan to a file that is not there yet: a plan that was applied in part must not be replaced.
func (p *Plan) Write(path string) error {
	if exists(path) {
		return fmt.Errorf("%w: it exists already, and a plan is never overwritten", unusable(path))
	}
	raw, err := encode(p)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return writeFile(path, raw)
}

// ReadPlan reads a plan; every error is an ErrFile.
func ReadPlan(path string) (*Plan, error) {
	p := new(Plan)
	if err := readFile(path, PlanSchema, p); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, s := range p.Steps {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%w: step for %s: %w", unusable(path), evidence.Printable(s.Name), err)
		}
		if seen[s.SecretID] {
			return nil, fmt.Errorf("%w: two steps change %s", unusable(path), evidence.Printable(s.Name))
		}
		seen[s.SecretID] = true
	}
	return p, nil
}

// ID names the plan by its content.
func (p *Plan) ID() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // a plan holds nothing that cannot be encoded
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
