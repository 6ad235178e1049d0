package provider

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Codes of the issues that the schema can raise, in zod's words.
const (
	CodeUnrecognizedKeys = "unrecognized_keys"
	CodeInvalidType      = "invalid_type"
	CodeInvalidEnum      = "invalid_enum_value"
	CodeInvalidLiteral   = "invalid_literal"
	CodeInvalidString    = "invalid_string"
	CodeInvalidUnion     = "invalid_union"
	CodeTooSmall         = "too_small"
	CodeTooBig           = "too_big"
)

// Issue is one entry of a ZodError.
type Issue struct {
	Code    string
	Path    []any // strings, and ints for places in an array
	Message string
	// Keys are those that the generation does not know (unrecognized_keys).
	Keys []string
	// Expected and Received are type names for invalid_type (an enum expects "'a' | 'b'"); for invalid_literal both are
	// JSON text, and for invalid_enum_value Received is the string that was there.
	Expected, Received string
	// Options are the values that an enum knows (invalid_enum_value).
	Options []string
	// Validation is the format that a string misses: "url" or "uuid" (invalid_string).
	Validation string
	// Minimum is the least length in characters (too_small).
	Minimum int
	// Members holds, for invalid_union, the issues of each member of the union; empty where the type is unknown.
	Members [][]Issue
}

// ZodError renders the issues as the proxy's log shows them after "ZodError: ": zod's JSON layout, indented by two spaces
// (recorded: secret-schema, zodError of v0001 to v0004).
func ZodError(issues []Issue) string {
	var b bytes.Buffer
	if err := json.Indent(&b, encode(layouts(issues)), "", "  "); err != nil {
		panic(err) // encode writes valid JSON
	}
	return b.String()
}

func layouts(issues []Issue) []any {
	list := make([]any, len(issues))
	for i, issue := range issues {
		list[i] = issue.layout()
	}
	return list
}

// layout gives the keys in zod's order, which differs by the kind of check.
func (i Issue) layout() *object {
	order := "code path message"
	values := map[string]any{"code": i.Code, "path": append([]any{}, i.Path...), "message": i.Message, "expected": i.Expected, "received": i.Received}
	switch i.Code {
	case CodeInvalidString:
		order, values["validation"] = "validation code message path", i.Validation
	case CodeTooSmall:
		order = "code minimum type inclusive exact message path"
		values["minimum"], values["type"], values["inclusive"], values["exact"] = i.Minimum, "string", true, false
	case CodeUnrecognizedKeys:
		order, values["keys"] = "code keys path message", i.Keys
	case CodeInvalidType:
		if order = "code expected received path message"; strings.HasPrefix(i.Expected, "'") {
			order = "expected received code path message" // of an enum
		}
	case CodeInvalidEnum:
		order, values["options"] = "received code options path message", i.Options
	case CodeInvalidLiteral:
		values["expected"], values["received"] = json.RawMessage(i.Expected), json.RawMessage(i.Received)
		if order = "code expected path message"; i.Received != "" {
			order = "received " + order
		}
	case CodeInvalidUnion:
		members := make([]any, len(i.Members))
		for n, issues := range i.Members {
			members[n] = map[string]any{"issues": layouts(issues), "name": "ZodError"}
		}
		order, values["unionErrors"] = "code unionErrors path message", members
	}
	o := newObject()
	for _, key := range strings.Fields(order) {
		o.set(key, values[key])
	}
	return o
}

const unrecognizedMessage = "Unrecognized key(s) in object: "

// message is what zod says of the issue, empty where the schema has words of its own.
func (i Issue) message() string {
	switch i.Code {
	case CodeUnrecognizedKeys:
		return unrecognizedMessage + quoted(i.Keys, ", ")
	case CodeInvalidType:
		if i.Received == "undefined" {
			return "Required"
		}
		return "Expected " + i.Expected + ", received " + i.Received
	case CodeInvalidEnum:
		return "Invalid enum value. Expected " + quoted(i.Options, " | ") + ", received '" + i.Received + "'"
	case CodeInvalidLiteral:
		return "Invalid literal value, expected " + i.Expected
	case CodeInvalidUnion:
		return "Invalid input"
	}
	return ""
}

// quoted lists texts as zod does.
func quoted(texts []string, separator string) string {
	return "'" + strings.Join(texts, "'"+separator+"'") + "'"
}
