// Package jsonvalue compares JSON by what it means: key order, white space and the spelling of strings and fractions do not count;
// every digit of an integer does. An object with a key twice has no defined meaning and is an error everywhere (RFC 8259, section 4).
package jsonvalue

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Object is a JSON object by its keys, each value in its canonical form, so that equal values are equal bytes.
type Object map[string]json.RawMessage

// Canonical returns the one form that equal JSON values share: that of RFC 8785, but for integers, which keep every digit, as a proof
// must see it if an API rounds one.
func Canonical(raw []byte) (json.RawMessage, error) {
	value := jsontext.Value(bytes.Clone(raw))
	if err := value.Canonicalize(jsontext.CanonicalizeRawInts(false)); err != nil {
		return nil, describe(err)
	}
	return json.RawMessage(value), nil
}

// ParseObject reads an object. Its error says what is wrong and quotes no value.
func ParseObject(raw []byte) (Object, error) {
	canonical, err := Canonical(raw)
	if err != nil {
		return nil, err
	}
	if kind := Kind(canonical); kind != "an object" {
		return nil, fmt.Errorf("it is %s, not an object", kind)
	}
	var keys map[string]jsontext.Value
	if err := jsonv2.Unmarshal(canonical, &keys); err != nil {
		return nil, describe(err)
	}
	object := Object{}
	for key, value := range keys {
		object[key] = json.RawMessage(value)
	}
	return object, nil
}

// describe puts an error into words that quote nothing of the document.
func describe(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) {
			return fmt.Errorf("it has the key %q twice", syntax.JSONPointer.LastToken())
		}
		return errors.New("it has a key twice")
	}
	return errors.New("it is not valid JSON")
}

// Equal says whether two texts are the same JSON value; what is no JSON is equal to nothing but its own bytes.
func Equal(a, b []byte) bool {
	x, errX := Canonical(a)
	y, errY := Canonical(b)
	if errX != nil || errY != nil {
		return bytes.Equal(a, b)
	}
	return bytes.Equal(x, y)
}

// Hash names a JSON value without showing it: `sha256:` and 64 hex digits. What is no JSON is named by its bytes.
func Hash(raw []byte) string {
	text, err := Canonical(raw)
	if err != nil {
		text = raw
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Differing lists the keys, sorted, that have another value in the other object, or are in one alone.
func (o Object) Differing(other Object) []string {
	var keys []string
	for key, value := range o {
		if theirs, there := other[key]; !there || !bytes.Equal(value, theirs) {
			keys = append(keys, key)
		}
	}
	for key := range other {
		if _, there := o[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Keys are the object's keys, sorted.
func (o Object) Keys() []string { return slices.Sorted(maps.Keys(o)) }

// Text is a key's value where it is a string; ok says that it is.
func (o Object) Text(key string) (text string, ok bool) {
	value, there := o[key]
	if !there || Kind(value) != "a string" {
		return "", false
	}
	return text, json.Unmarshal(value, &text) == nil
}

// Text is a JSON string.
func Text(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return raw
}

// Kind names the type of a JSON value with its article, such as `an object`; `nothing that can be read` where it has none.
func Kind(raw []byte) string {
	switch jsontext.Value(raw).Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "nothing that can be read"
}
