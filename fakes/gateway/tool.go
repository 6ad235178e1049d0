package gateway

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/tidwall/gjson"
)

// tool is what may be called. /chat/completions has name and parameters below `function`, /responses beside the type.
type tool struct{ name, parameters string }

func toolOf(v gjson.Result) tool {
	if function := v.Get("function"); function.Get("name").String() != "" {
		v = function
	}
	return tool{v.Get("name").String(), v.Get("parameters").Raw}
}

// wanted reads tool_choice: the name of the tool that must be called, "" with must for any, and whether the choice makes sense.
func (f *fields) wanted() (name string, must, valid bool) {
	choice := f.Get("tool_choice")
	switch word := choice.String(); {
	case choice.Type == gjson.Null:
		return "", false, true
	case choice.Type == gjson.String:
		return "", word == "required", word == "required" || word == "auto" || word == "none" || word == ""
	}
	name = toolOf(choice).name
	return name, true, choice.IsObject() && name != ""
}

func (f *fields) checkTools() {
	f.value("tools", "array")
	name, must, valid := f.wanted()
	_, forced := f.forced()
	switch {
	case !valid:
		f.refuse("", "Invalid value for 'tool_choice'.")
	case must && !forced && name == "":
		f.refuse("", "Invalid value for 'tool_choice': 'tools' has none that could be called.")
	case must && !forced:
		f.refuse("", "Tool choice '"+clip(name)+"' not found in 'tools' parameter.")
	}
}

// forced returns the tool that must be called, if one must.
func (f *fields) forced() (found tool, forced bool) {
	name, must, _ := f.wanted()
	if must {
		f.Get("tools").ForEach(func(_, one gjson.Result) bool {
			found = toolOf(one)
			forced = found.name != "" && (name == "" || found.name == name)
			return !forced
		})
	}
	return found, forced
}

// arguments are JSON that fits the tool's parameters, always the same: the first of what may be chosen, "pong" for texts, 0 for
// numbers.
func (t tool) arguments() string {
	decoder := json.NewDecoder(strings.NewReader(t.parameters))
	decoder.UseNumber()
	var schema any
	_ = decoder.Decode(&schema) // no parameters, no properties
	object, _ := sample(schema, 0).(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	encoded, _ := json.Marshal(object) // made of what was decoded
	return string(encoded)
}

// maxDepth bounds how deep arguments are nested.
const maxDepth = 16

// sample makes a value that fits the common part of JSON Schema; what it does not know is a text.
func sample(schema any, depth int) any {
	s, _ := schema.(map[string]any)
	if value, fixed := s["const"]; fixed {
		return value
	}
	if choices, _ := s["enum"].([]any); len(choices) > 0 {
		return choices[0]
	}
	kind := s["type"]
	if kinds, _ := kind.([]any); len(kinds) > 0 {
		kind = kinds[0]
	}
	properties, isObject := s["properties"].(map[string]any)
	switch {
	case depth > maxDepth || kind == "null":
		return nil
	case isObject || kind == "object":
		object := maps.Clone(properties)
		for name, property := range properties {
			object[name] = sample(property, depth+1)
		}
		return object
	case kind == "array":
		return []any{}
	case kind == "boolean":
		return true
	case kind == "number" || kind == "integer":
		if least, given := s["minimum"].(json.Number); given {
			return least
		}
		return 0
	default:
		return "pong"
	}
}
