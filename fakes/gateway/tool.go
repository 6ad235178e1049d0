package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
)

// toolbox is the tools of a request. /chat/completions has name and parameters below `function`, /responses beside the type.
type toolbox struct {
	tools  []offered
	choice json.RawMessage
}

type offered struct {
	tool
	Function tool `json:"function"`
}

type tool struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

func (o offered) either() tool {
	if o.Function.Name != "" {
		return o.Function
	}
	return o.tool
}

// wanted reads tool_choice: the name of the tool that must be called, "" with must for any, and whether the choice makes sense.
func (b toolbox) wanted() (name string, must, valid bool) {
	if len(b.choice) == 0 {
		return "", false, true
	}
	var word string
	if json.Unmarshal(b.choice, &word) == nil { // null is no word, and no choice
		return "", word == "required", word == "required" || word == "auto" || word == "none" || word == ""
	}
	var one offered
	err := json.Unmarshal(b.choice, &one)
	name = one.either().Name
	return name, true, err == nil && name != ""
}

func (b toolbox) check() string {
	name, must, valid := b.wanted()
	_, forced := b.forced()
	switch {
	case !valid:
		return "Invalid value for 'tool_choice'."
	case must && !forced && name == "":
		return "Invalid value for 'tool_choice': 'tools' has none that could be called."
	case must && !forced:
		return "Tool choice '" + clip(name) + "' not found in 'tools' parameter."
	}
	return ""
}

// forced returns the tool that must be called, if one must.
func (b toolbox) forced() (tool, bool) {
	name, must, _ := b.wanted()
	for _, o := range b.tools {
		if t := o.either(); must && t.Name != "" && (name == "" || t.Name == name) {
			return t, true
		}
	}
	return tool{}, false
}

// arguments are JSON that fits the tool's parameters, always the same: the first of what may be chosen, "pong" for texts, 0 for
// numbers.
func (t tool) arguments() string {
	decoder := json.NewDecoder(bytes.NewReader(t.Parameters))
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
