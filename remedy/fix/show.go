package fix

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
)

// Change is what an edit does to one key, as it may be shown.
type Change struct {
	Key    string `json:"key"`
	Before string `json:"before"`
	After  string `json:"after"`
}

const absent = "(absent)"

// changes shows what differs between two metadata objects.
func changes(before, after map[string]any) []Change {
	var all []Change
	for _, key := range differing(before, after) {
		all = append(all, Change{key, shown(before, key), shown(after, key)})
	}
	return all
}

func shown(object map[string]any, key string) string {
	value, there := object[key]
	if !there {
		return absent
	}
	return show(key, value)
}

// word is the shape of the values that auth_format and auth_type have.
var word = regexp.MustCompile(`^[a-z_]{1,32}$`)

// show shows a metadata value. Only what is known to be harmless is shown as it is: an unknown key may hold a credential as well as
// additionalHeaders, or as api_base in its user information and query.
func show(key string, value any) string {
	switch v := value.(type) {
	case nil, bool, json.Number:
		return fmt.Sprint(orNull(v))
	case string:
		if (key == "auth_format" || key == "auth_type") && word.MatchString(v) {
			return fmt.Sprintf("%q", v)
		}
		return fmt.Sprintf("‹string of %d bytes›", len(v))
	case []any:
		if names, ok := texts(v); ok && key == "models" {
			return "[" + strings.Join(names, ", ") + "]"
		}
		return fmt.Sprintf("‹array of %d›", len(v))
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if key != "customModels" && key != "additionalHeaders" {
			return fmt.Sprintf("‹object of %d keys›", len(v))
		}
		for i, name := range names {
			names[i] = evidence.Printable(evidence.Mask(name))
			if key == "additionalHeaders" {
				names[i] += ": ‹redacted›"
			}
		}
		return "{" + strings.Join(names, ", ") + "}"
	}
	return "‹redacted›"
}

func orNull(v any) any {
	if v == nil {
		return "null"
	}
	return v
}

func texts(list []any) ([]string, bool) {
	var out []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, false
		}
		out = append(out, evidence.Printable(evidence.Mask(text)))
	}
	return out, true
}
