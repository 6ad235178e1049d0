package fix

import (
	"encoding/json"
	"slices"

	"github.com/planeproof/planeproof/internal/file"
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
	// Generation is the plan's.
	Generation string  `json:"generation,omitempty"`
	Secrets    []Saved `json:"secrets"`
}

// Saved is one secret before its change, and the change.
type Saved struct {
	Step Step `json:"step"`
	// Object is the API's whole answer; it has never held the stored value.
	Object json.RawMessage `json:"object"`
}

const backupWarning = "metadata may hold credentials (additionalHeaders, user information in api_base): keep this file as safe as them; " +
	"stored values are not in it and cannot be restored from it"

// ReadBackup reads a backup and narrows its mode; every error is a file.ErrUnusable.
func ReadBackup(path string) (*Backup, error) {
	b := new(Backup)
	if err := file.Narrow(path); err != nil {
		return nil, err
	}
	if err := file.ReadJSON(path, BackupSchema, b); err != nil {
		return nil, err
	}
	for _, saved := range b.Secrets {
		before, err := newState(saved.Object)
		if err == nil {
			err = saved.Step.checkAgainst(b.Generation, before)
		}
		if err != nil {
			return nil, unusable(path, err)
		}
	}
	return b, nil
}

// before is the secret as it was; ok is false where the backup has none of this id.
func (b *Backup) before(id string) (before state, ok bool) {
	i := slices.IndexFunc(b.Secrets, func(s Saved) bool { return s.Step.SecretID == id })
	if i < 0 {
		return state{}, false
	}
	before, err := newState(b.Secrets[i].Object)
	return before, err == nil
}

// keep takes the state of a secret from before its change.
func (b *Backup) keep(step Step, before state) {
	b.Secrets = slices.DeleteFunc(b.Secrets, func(s Saved) bool { return s.Step.SecretID == step.SecretID })
	b.Secrets = append(b.Secrets, Saved{step, before.raw})
}
