package fix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// decode reads one JSON value, numbers as they are written, and refuses an object that has a key twice.
func decode(raw []byte) (any, error) {
	if !json.Valid(raw) {
		return nil, errors.New("it is not valid JSON")
	}
	if key, twice := duplicate(json.NewDecoder(bytes.NewReader(raw))); twice {
		return nil, fmt.Errorf("it has the key %q twice", key)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	err := d.Decode(&value)
	return value, err
}

// object reads metadata that can be edited.
func object(metadata []byte) (map[string]any, error) {
	value, err := decode(metadata)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	keys, isObject := value.(map[string]any)
	if !isObject {
		return nil, fmt.Errorf("read metadata: it is %s, not an object", kindOf(value))
	}
	return keys, nil
}

// duplicate looks through valid JSON for an object with a key twice, compared as read: `a` and `\u0061` are one key.
func duplicate(d *json.Decoder) (key string, twice bool) {
	var open []map[string]bool // nil for an array
	isKey := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return "", false
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch {
		case token == json.Delim('{'):
			open, isKey = append(open, map[string]bool{}), true
			continue
		case token == json.Delim('['):
			open, isKey = append(open, nil), false
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
		case inObject && isKey:
			name := token.(string)
			if open[len(open)-1][name] {
				return name, true
			}
			open[len(open)-1][name] = true
			isKey = false
			continue
		}
		isKey = len(open) > 0 && open[len(open)-1] != nil
	}
}

// canonical writes a decoded value so that equal JSON values are equal bytes: keys sorted, numbers by value.
func canonical(value any) []byte {
	raw, err := json.Marshal(normal(value))
	if err != nil {
		panic(err) // decoded JSON can always be encoded
	}
	return raw
}

func normal(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = normal(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = normal(item)
		}
		return out
	}
	return value
}

// number writes 1, 1.0 and 1e0 alike. An integer keeps all its digits, as a proof must see it if an API rounds one.
func number(n json.Number) json.Number {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return json.Number(strconv.FormatInt(i, 10))
	}
	f, err := n.Float64()
	switch {
	case err != nil:
		return n
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func equalValues(a, b any) bool { return bytes.Equal(canonical(a), canonical(b)) }

// sameJSON compares two texts as JSON values; what cannot be read is equal to nothing but its own bytes.
func sameJSON(a, b []byte) bool {
	x, errX := decode(a)
	y, errY := decode(b)
	if errX != nil || errY != nil {
		return bytes.Equal(a, b)
	}
	return equalValues(x, y)
}

// hash names metadata by its JSON value, so that a plan can recognize it without holding it.
func hash(metadata []byte) string {
	var text bytes.Buffer
	if value, err := decode(metadata); err == nil {
		text.Write(canonical(value))
	} else if json.Compact(&text, metadata) != nil { // a key twice: its value is not defined, its text is
		text.Write(metadata)
	}
	sum := sha256.Sum256(text.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// differing lists the keys, sorted, of which two objects have different values, or only one has any.
func differing(a, b map[string]any) []string {
	var keys []string
	for key, value := range a {
		if other, there := b[key]; !there || !equalValues(value, other) {
			keys = append(keys, key)
		}
	}
	for key := range b {
		if _, there := a[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "a number"
}
