// Package fix plans, applies and undoes the few changes that repair a provider secret, and proves each by reading it back.
package fix

import (
	"errors"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/evidence"
)

// Schemas of the files.
const (
	PlanSchema    = "planeproof/plan/v1"
	BackupSchema  = "planeproof/backup/v1"
	JournalSchema = "planeproof/change-journal/v1"
)

// Remedy is one of the changes that are ever made.
type Remedy string

// The remedies.
const (
	// Bearer sets auth_format bearer and auth_type api_key (guide: bearer-after-v2-migration, step 2).
	Bearer Remedy = "bearer"
	// Workaround removes the metadata keys that a strict legacy proxy rejects (guide: project-override-on-legacy-proxy).
	Workaround Remedy = "workaround"
	// Literal leaves the three keys that the second guide's own command sends, whatever else is lost.
	Literal Remedy = "literal"
	// Portable removes auth_type and auth_format where Bearer is meant: every generation and v2 read that as Bearer.
	Portable Remedy = "portable"
	// RawToken replaces the stored value by a raw token.
	RawToken Remedy = "raw-token"
)

// Remedies returns all remedies.
func Remedies() []Remedy { return []Remedy{Bearer, Workaround, Literal, Portable, RawToken} }

// ParseRemedy returns the remedy of that exact name.
func ParseRemedy(name string) (Remedy, error) {
	if r := Remedy(name); slices.Contains(Remedies(), r) {
		return r, nil
	}
	return "", fmt.Errorf("parse remedy %q: known are %q", evidence.Printable(name), Remedies())
}

// ErrFile marks a file of ours that cannot be used: not readable, another kind, or of a newer schema.
var ErrFile = errors.New("cannot be used")

// ErrNotApplied says that something that was asked is not so: refused, not applied, or not proven.
var ErrNotApplied = errors.New("not applied")

// Condition is something that must hold before a remedy is offered, and how it was judged.
type Condition struct {
	Name   string `json:"condition"`
	Holds  bool   `json:"holds"`
	Judged string `json:"judged"`
}

// Refusal is why a remedy is not offered for a secret.
type Refusal struct {
	SecretID   string      `json:"secret_id"`
	Name       string      `json:"name"`
	Remedy     Remedy      `json:"remedy"`
	Reason     string      `json:"reason"`
	Conditions []Condition `json:"conditions,omitempty"`
}

func (r Refusal) Error() string {
	return fmt.Sprintf("refuse remedy %s for %s: %s", r.Remedy, evidence.Printable(r.Name), r.Reason)
}

// Is makes a Refusal an ErrNotApplied.
func (r Refusal) Is(target error) bool { return target == ErrNotApplied }
