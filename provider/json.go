package provider

import (
	"bytes"
	"encoding/json"
	"slices"
)

// object is a JSON object that keeps the order of its keys, because issues and log lines follow it.
type object struct {
	keys   []string
	values map[string]any
}

// absent stands for JavaScript's undefined: the key is not there.
type absent struct{}

func newObject() *object { return &object{values: map[string]any{}} }

func (o *object) set(key string, v any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

func (o *object) get(key string) any {
	if v, ok := o.values[key]; ok {
		return v
	}
	return absent{}
}

// decode turns JSON text into nil, bool, json.Number, string, []any or *object; anything but one JSON value is absent.
// Of a repeated key the last value counts, at the place of the first, as in JavaScript.
func decode(raw []byte) any {
	if !json.Valid(raw) {
		return absent{}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return decodeNext(d)
}

// decodeNext reads one value of text that is known to be valid.
func decodeNext(d *json.Decoder) any {
	token, _ := d.Token()
	switch token {
	case json.Delim('{'):
		o := newObject()
		for d.More() {
			key, _ := d.Token()
			o.set(key.(string), decodeNext(d))
		}
		_, _ = d.Token()
		return o
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, decodeNext(d))
		}
		_, _ = d.Token()
		return list
	}
	return token
}

// encode writes a decoded value as JSON, without HTML escapes.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only what decode and layout made comes here, and that can always be written
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// MarshalJSON implements json.Marshaler.
func (o *object) MarshalJSON() ([]byte, error) {
	parts := make([][]byte, len(o.keys))
	for n, key := range o.keys {
		parts[n] = slices.Concat(encode(key), []byte(":"), encode(o.values[key]))
	}
	return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}")), nil
}

// typeName names the type of a value as zod does in expected and received.
func typeName(v any) string {
	switch v.(type) {
	case absent:
		return "undefined"
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case *object:
		return "object"
	}
	return "number"
}
