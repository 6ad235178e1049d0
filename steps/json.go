package steps

import (
	"encoding/json"
	"slices"
)

// decoded reads a JSON object; what is none has no fields.
func decoded(raw []byte) map[string]any {
	object := map[string]any{}
	_ = json.Unmarshal(raw, &object)
	return object
}

// keysOf lists the keys of both objects, sorted.
func keysOf(a, b map[string]any) []string {
	var keys []string
	for _, object := range []map[string]any{a, b} {
		for key := range object {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}
