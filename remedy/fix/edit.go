package fix

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/planeproof/planeproof/internal/jsonvalue"
)

// Entry is one metadata key and its new value.
type Entry struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// Edit changes the keys that it names and no others.
type Edit struct {
	Set    []Entry  `json:"set,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// keys are all keys that the edit names.
func (e Edit) keys() []string {
	keys := slices.Clone(e.Remove)
	for _, entry := range e.Set {
		keys = append(keys, entry.Key)
	}
	return keys
}

// Apply returns the metadata with the edit done; every byte that belongs to no named key is as it was. It refuses metadata that is
// malformed, no object, or has a key twice at any level, because an edit of such metadata could do something else than it says.
func (e Edit) Apply(metadata []byte) ([]byte, error) {
	want, err := jsonvalue.ParseObject(metadata)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	edited := metadata
	for _, entry := range e.Set {
		if want[entry.Key], err = jsonvalue.Canonical(entry.Value); err == nil {
			edited, err = sjson.SetRawBytes(edited, keyPath(entry.Key), entry.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("set metadata key %q: %w", entry.Key, err)
		}
	}
	for _, key := range e.Remove {
		delete(want, key)
		if edited, err = sjson.DeleteBytes(edited, keyPath(key)); err != nil {
			return nil, fmt.Errorf("remove metadata key %q: %w", key, err)
		}
	}
	// sjson does not report every key that it cannot handle, so its work is read again.
	if got, err := jsonvalue.ParseObject(edited); err != nil || len(got.Differing(want)) > 0 {
		return nil, errors.New("edit metadata: the edit would change more than the keys named")
	}
	return edited, nil
}

// keyPath makes a key one step of an sjson path, whatever is in it.
func keyPath(key string) string { return ":" + gjson.Escape(key) }
