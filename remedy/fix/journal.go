package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

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

// head is what all entries of a run have in common, but for the time.
type head struct {
	Schema       string                 `json:"schema"`
	At           string                 `json:"at"` // UTC, RFC 3339
	Tool         string                 `json:"tool"`
	Who          Who                    `json:"who"`
	Organization inventory.Organization `json:"organization"`
	Plan         string                 `json:"plan,omitempty"` // its ID
}

// entry is one line of the change journal.
type entry struct {
	head
	Event      string            `json:"event"`
	Action     string            `json:"action"` // a remedy, or restore
	SecretID   string            `json:"secret_id"`
	Name       string            `json:"name"`
	Request    string            `json:"request,omitempty"` // method and path, and what is sent
	Changes    []Change          `json:"changes,omitempty"`
	RequestIDs map[string]string `json:"request_ids,omitempty"`
	Said       string            `json:"said,omitempty"`
}

// JournalPath is where the change journal of a backup lies.
func JournalPath(backup string) string { return backup + ".journal.jsonl" }

// errJournal is that what was done could not be told.
var errJournal = errors.New("the change journal cannot be written")

// openJournal opens a journal to add to it: a regular file that only its owner reads, never what a link leads to. A line that a killed
// run left unfinished is ended first.
func openJournal(path string) (*os.File, error) {
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
		err = unusable(path, errors.New("it is no regular file"))
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
	return f, nil
}

// tell writes one line about a step into the journal, and waits until it is on the disk.
func (s *session) tell(step Step, e entry) error {
	e.head, e.SecretID, e.Name, e.Action = s.head, step.SecretID, step.Name, s.action
	if e.Action == "" {
		e.Action = string(step.Remedy)
	}
	e.At = s.Now().UTC().Format(time.RFC3339Nano)
	raw, err := json.Marshal(e)
	if err == nil {
		_, err = s.journal.Write(append(raw, '\n'))
	}
	if err = errors.Join(err, s.journal.Sync()); err != nil {
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	return nil
}

// failed tells the journal the reason, and returns it.
func (s *session) failed(step Step, reason error) error {
	if err := s.tell(step, entry{Event: eventFailed, Said: reason.Error()}); err != nil {
		return fmt.Errorf("%w; %w", reason, err)
	}
	return reason
}

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
	return secrets, true, err
}
