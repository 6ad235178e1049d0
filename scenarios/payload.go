package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// Entry is one key of a provider secret's metadata.
type Entry struct {
	Key   string
	Value any
}

// Removed stands for the value of a key that is taken away.
type Removed struct{}

// Metadata are keys in the order in which they are written: a proxy names unrecognized keys in the order it finds them.
type Metadata []Entry

// set edits keys of a JSON object; every other byte stays as it was.
func (m Metadata) set(object []byte) ([]byte, error) {
	if !gjson.ValidBytes(object) || !gjson.ParseBytes(object).IsObject() {
		return nil, errors.New("metadata is not an object") // sjson would replace it without a word
	}
	for _, entry := range m {
		var err error
		if object, err = sjson.SetBytes(object, ":"+gjson.Escape(entry.Key), entry.Value); err != nil {
			return nil, fmt.Errorf("set %s: %w", entry.Key, err)
		}
	}
	return object, nil
}

// wrap is a JSON object of one key whose value is kept as it is, byte for byte.
func wrap(key string, raw []byte) []byte {
	return fmt.Appendf(nil, "{%q:%s}", key, raw)
}

// sameJSON compares two values as JSON values: numbers by value, objects without regard to order.
func sameJSON(a, b any) bool {
	return reflect.DeepEqual(normal(a), normal(b))
}

func normal(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		return err
	}
	return out
}
