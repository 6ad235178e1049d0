package inventory

import (
	"fmt"

	"github.com/planeproof/planeproof/internal/file"
)

// Redact returns the inventory with every secret as it may be shown or saved.
func (i Inventory) Redact() Inventory {
	secrets := make([]Secret, len(i.Secrets))
	for n, s := range i.Secrets {
		secrets[n] = s.Redact()
	}
	i.Secrets = secrets
	return i
}

// Save writes the redacted inventory to a file that only its owner may read: names and addresses are nobody else's business. It is
// written whole or not at all, and never through a link; file.Check tells beforehand whether it can be.
func (i Inventory) Save(path string) error {
	if err := file.WriteJSON(path, i.Redact()); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	return nil
}

// Load reads a file that Save wrote. Another kind of file, or one of a newer version, is refused with file.ErrUnusable.
func Load(path string) (Inventory, error) {
	var i Inventory
	if err := file.ReadJSON(path, Schema, &i); err != nil {
		return Inventory{}, fmt.Errorf("load inventory: %w", err)
	}
	return i, nil
}
