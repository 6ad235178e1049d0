package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
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
	eventCall    = "call"     // a model call is about to be sent
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
	Request      string                 `json:"request,omitempty"` // method and path, and what is sent
	Changes      []Change               `json:"changes,omitempty"`
	RequestIDs   map[string]string      `json:"request_ids,omitempty"`
	Said         string                 `json:"said,omitempty"`
}

// JournalPath is where the change journal of a backup lies.
func JournalPath(backup string) string { return backup + ".journal.jsonl" }

// errJournal is that what was done could not be told.
var errJournal = errors.New("the change journal cannot be written")

// journal is a file of JSON lines to which every request that changes something, and every model call, is written before it is sent.
type journal struct {
	file *os.File
	head entry // what all lines have in common
	now  func() time.Time
}

// openJournal opens a journal to add to it: a regular file that only its owner reads, never what a link leads to. A line that a killed
// run left unfinished is ended first.
func openJournal(path string, head entry, now func() time.Time) (*journal, error) {
	if err := file.Narrow(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, file.Mode)
	if err != nil {
		return nil, fmt.Errorf("open change journal: %w", err)
	}
	there, err := os.Lstat(path)
	opened, errOpened := f.Stat()
	switch err = errors.Join(err, errOpened); {
	case err != nil:
	case !opened.Mode().IsRegular() || !os.SameFile(there, opened):
		err = fmt.Errorf("file %s %w: it is no regular file", evidence.Printable(path), file.ErrUnusable)
	case opened.Size() > 0:
		last := make([]byte, 1)
		if _, err = f.ReadAt(last, opened.Size()-1); err == nil && last[0] != '\n' {
			_, err = f.WriteString("\n")
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open change journal: %w", err)
	}
	head.Schema = JournalSchema
	return &journal{f, head, now}, nil
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
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// trace is what a journal tells of one secret under one plan.
type trace struct {
	begun   bool // a write was about to be sent at some time
	pending bool // a write was about to be sent, and what came of it is not told
	written bool // the API accepted the change, and it was not put back
}

// readJournal reads what a journal tells of each secret under a plan; ok is false where there is no journal.
func readJournal(path, plan string) (secrets map[string]trace, ok bool, err error) {
	secrets = map[string]trace{}
	if !file.Exists(path) {
		return secrets, false, nil
	}
	raw, err := file.Read(path)
	if err != nil {
		return nil, false, err
	}
	for line := range bytes.Lines(raw) {
		var e entry
		if json.Unmarshal(line, &e) != nil || e.Plan != plan {
			continue // a run was killed while it wrote, or the line is another plan's
		}
		t := secrets[e.SecretID]
		switch e.Event {
		case eventBegin:
			t.begun, t.pending = true, true
		case eventWritten, eventProven:
			t.pending, t.written = false, true
		case eventFailed:
			t.pending = false
		case eventPutBack:
			t.pending, t.written = false, false
		}
		secrets[e.SecretID] = t
	}
	return secrets, true, nil
}
