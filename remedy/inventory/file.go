package inventory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrFile is that a file is no inventory that can be read here.
var ErrFile = errors.New("read inventory file")

// maxFile is the longest file that is read, in bytes.
const maxFile = 256 << 20

// Redact returns the inventory with every secret as it may be shown or saved.
func (i Inventory) Redact() Inventory {
	secrets := make([]Secret, len(i.Secrets))
	for n, s := range i.Secrets {
		secrets[n] = s.Redact()
	}
	i.Secrets = secrets
	return i
}

// Save writes the redacted inventory to a file that only its owner may read: names and addresses are nobody else's business.
func (i Inventory) Save(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	if err = errors.Join(f.Chmod(0o600), i.write(f), f.Close()); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	return nil
}

// write redacts and writes one secret after the other, as there may be many; each has a line of its own.
func (i Inventory) write(w io.Writer) error {
	head, err := json.MarshalIndent(struct {
		Inventory
		Secrets struct{} `json:"secrets,omitzero"`
	}{Inventory: i}, "", "  ")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(bytes.TrimSuffix(head, []byte("\n}"))) // an error stays until Flush
	_, _ = out.WriteString(",\n  \"secrets\": [\n")
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for n, s := range i.Secrets {
		if n > 0 {
			_, _ = out.WriteString(", ")
		}
		if err := e.Encode(s.Redact()); err != nil {
			return err
		}
	}
	_, _ = out.WriteString("  ]\n}\n")
	return out.Flush()
}

// Load reads a file that Save wrote. Another kind of file, or one of a newer major version, is refused with ErrFile.
func Load(path string) (Inventory, error) {
	f, err := os.Open(path)
	if err != nil {
		return Inventory{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return Inventory{}, fmt.Errorf("%w: %w", ErrFile, err)
	case len(raw) > maxFile:
		return Inventory{}, fmt.Errorf("%w: %s is longer than %d bytes", ErrFile, path, maxFile)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return Inventory{}, fmt.Errorf("%w: %s is not JSON of an inventory: %w", ErrFile, path, err)
	}
	if err := checkSchema(head.Schema); err != nil {
		return Inventory{}, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	var i Inventory
	if err := json.Unmarshal(raw, &i); err != nil {
		return Inventory{}, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	return i, nil
}

func checkSchema(schema string) error {
	kind, _, _ := strings.Cut(strings.TrimPrefix(schema, "planeproof/"), "/")
	switch {
	case schema == Schema:
		return nil
	case kind == "inventory" && strings.HasPrefix(schema, "planeproof/"):
		return fmt.Errorf("it is of another version, %q: this program reads %q", schema, Schema)
	default:
		return fmt.Errorf("it is no inventory: its schema is %q, want %q", schema, Schema)
	}
}
