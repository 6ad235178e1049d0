package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/planeproof/planeproof/remedy/inventory"
)

// Who is said to have made a change.
type Who struct {
	// Key says what kind of key was used and where it came from, never the key; OSUser is the account of the operating system.
	Key    string `json:"key"`
	OSUser string `json:"os_user"`
}

// What an entry of the change journal tells.
const (
	eventBegin   = "begin"    // a write is about to be sent
	eventWritten = "written"  // the API accepted it
	eventFailed  = "failed"   // it was refused, or the proof failed
	eventProven  = "proven"   // read back, and as it should be
	eventPutBack = "put-back" // the state before was written again and read back
)

// entry is one line of the change journal.
type entry struct {
	Schema       string                 `json:"schema"`
	At           string                 `json:"at"` // UTC, RFC 3339
	Tool         string                 `json:"tool"`
	Who          Who                    `json:"who"`
	Organization inventory.Organization `json:"organization"`
	Plan         string                 `json:"plan,omitempty"` // its ID
	Event        string                 `json:"event"`
	Action       string                 `json:"action"` // a remedy, or restore
	SecretID     string                 `json:"secret_id"`
	Name         string                 `json:"name"`
	Request      string                 `json:"request,omitempty"` // method and path
	Changes      []Change               `json:"changes,omitempty"`
	RequestIDs   map[string]string      `json:"request_ids,omitempty"`
	Said         string                 `json:"said,omitempty"`
}

// JournalPath is where the change journal of a backup lies.
func JournalPath(backup string) string { return backup + ".journal.jsonl" }

// journal is a file of JSON lines to which every change is written before it is made.
type journal struct {
	file *os.File
	head entry // what all lines have in common
	now  func() time.Time
}

// openJournal opens a journal to add to it. A line that a killed run left unfinished is ended first.
func openJournal(path string, head entry, now func() time.Time) (*journal, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open change journal: %w", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open change journal: %w", err)
	}
	head.Schema = JournalSchema
	return &journal{file, head, now}, nil
}

// add writes one line and waits until it is on the disk.
func (j *journal) add(e entry) error {
	e.Schema, e.Tool, e.Who, e.Organization, e.Plan = j.head.Schema, j.head.Tool, j.head.Who, j.head.Organization, j.head.Plan
	e.At = j.now().UTC().Format(time.RFC3339Nano)
	raw, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(raw, '\n'))
	}
	if err = errors.Join(err, j.file.Sync()); err != nil {
		return fmt.Errorf("write change journal: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// begun reads which secrets a journal says a write was begun for by the plan; ok is false where there is no journal.
func begun(path, plan string) (secrets map[string]bool, ok bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read change journal: %w", err)
	}
	secrets = map[string]bool{}
	for line := range bytes.Lines(raw) {
		var e entry
		if json.Unmarshal(line, &e) != nil {
			continue // a run was killed while it wrote
		}
		if e.Event == eventBegin && e.Plan == plan {
			secrets[e.SecretID] = true
		}
	}
	return secrets, true, nil
}
