package fix

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Backup is the secrets as they were before a plan changed them. It is the only file of ours that holds metadata.
type Backup struct {
	Schema string `json:"schema"`
	// Warning says that metadata may hold credentials.
	Warning      string                 `json:"warning"`
	Tool         string                 `json:"tool"`
	MadeAt       string                 `json:"made_at"` // UTC, RFC 3339
	APIURL       string                 `json:"api_url"`
	Organization inventory.Organization `json:"organization"`
	Plan         string                 `json:"plan"` // its ID
	Secrets      []Saved                `json:"secrets"`
}

// Saved is one secret before its change, and the change.
type Saved struct {
	Step Step `json:"step"`
	// Object is the API's whole answer; it has never held the stored value.
	Object json.RawMessage `json:"object"`
}

const backupWarning = "metadata may hold credentials (additionalHeaders, user information in api_base): keep this file as safe as them; " +
	"stored values are not in it and cannot be restored from it"

// ReadBackup reads a backup; every error is an ErrFile.
func ReadBackup(path string) (*Backup, error) {
	b := new(Backup)
	if err := readFile(path, BackupSchema, b); err != nil {
		return nil, err
	}
	for _, saved := range b.Secrets {
		if err := saved.Step.check(); err != nil {
			return nil, fmt.Errorf("%w: secret %s: %w", unusable(path), evidence.Printable(saved.Step.Name), err)
		}
		if before, err := saved.state(); err != nil || before.ID != saved.Step.SecretID || hash(before.Metadata) != saved.Step.Before {
			return nil, fmt.Errorf("%w: what it holds of %s is not what the plan saw", unusable(path), evidence.Printable(saved.Step.Name))
		}
	}
	return b, nil
}

// state is the secret as it was.
func (s Saved) state() (state, error) {
	o, err := control.Answer{Body: s.Object}.Object()
	return state{Object: o, raw: s.Object}, err
}

// find returns the place of a secret, below 0 where it is not in the backup.
func (b *Backup) find(id string) int {
	return slices.IndexFunc(b.Secrets, func(s Saved) bool { return s.Step.SecretID == id })
}

// keep takes the state of a secret from before its change.
func (b *Backup) keep(step Step, before state) {
	saved := Saved{step, before.raw}
	if i := b.find(step.SecretID); i >= 0 {
		b.Secrets[i] = saved
	} else {
		b.Secrets = append(b.Secrets, saved)
	}
}

func (b *Backup) write(path string) error {
	raw, err := encode(b)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return writeFile(path, raw)
}
