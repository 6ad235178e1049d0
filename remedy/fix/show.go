package fix

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/jsonvalue"
)

// Change is what an edit does to one key, as it may be shown.
type Change struct {
	Key    string `json:"key"`
	Before string `json:"before"`
	After  string `json:"after"`
}

const absent = "(absent)"

// hidden stands for what may be a credential.
const hidden = "‹redacted›"

// changes shows what differs between two metadata documents.
func changes(before, after []byte) []Change {
	all := []Change{}
	old, new := keysOf(before), keysOf(after)
	for _, key := range old.Differing(new) {
		all = append(all, Change{key, shown(old, key), shown(new, key)})
	}
	return all
}

// Text is the change in one line.
func (c Change) text() string { return evidence.Printable(c.Key) + ": " + c.Before + " → " + c.After }

// word is the shape of the values that auth_format and auth_type have.
var word = regexp.MustCompile(`^[a-z_]{1,32}$`)

// shown shows a metadata value. Only what is known to be harmless is shown as it is: an unknown key may hold a credential as well as
// additionalHeaders, or as api_base in its user information and query.
func shown(object jsonvalue.Object, key string) string {
	value, there := object[key]
	if !there {
		return absent
	}
	switch kind := jsonvalue.Kind(value); kind {
	case "null", "a boolean", "a number":
		return string(value)
	case "a string":
		text, _ := object.Text(key)
		if (key == "auth_format" || key == "auth_type") && word.MatchString(text) {
			return string(value)
		}
		return fmt.Sprintf("‹string of %d bytes›", len(text))
	case "an array":
		var list []json.RawMessage
		_ = json.Unmarshal(value, &list) // it is an array
		var names []string
		if key == "models" && json.Unmarshal(value, &names) == nil {
			return "[" + strings.Join(masked(names, ""), ", ") + "]"
		}
		return fmt.Sprintf("‹array of %d›", len(list))
	}
	inner, err := jsonvalue.ParseObject(value)
	switch {
	case err != nil:
		return hidden
	case key == "customModels":
		return "{" + strings.Join(masked(inner.Keys(), ""), ", ") + "}"
	case key == "additionalHeaders":
		return "{" + strings.Join(masked(inner.Keys(), ": "+hidden), ", ") + "}"
	}
	return fmt.Sprintf("‹object of %d keys›", len(inner))
}

// masked are names as they may be shown, each with what stands after it.
func masked(names []string, after string) []string {
	for i, name := range names {
		names[i] = evidence.Printable(evidence.Mask(name)) + after
	}
	return names
}
