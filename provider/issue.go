package provider

import (
	"bytes"
	"encoding/json"
	"slices"
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
	o := newObject()
	switch i.Code {
	case CodeInvalidString:
		return o.with("validation", i.Validation).with("code", i.Code).with("message", i.Message).with("path", i.path())
	case CodeTooSmall:
		return o.with("code", i.Code).with("minimum", i.Minimum).with("type", "string").with("inclusive", true).
			with("exact", false).with("message", i.Message).with("path", i.path())
	case CodeUnrecognizedKeys:
		o.with("code", i.Code).with("keys", i.Keys)
	case CodeInvalidType:
		if strings.HasPrefix(i.Expected, "'") { // an enum says what it expects before it says the code
			o.with("expected", i.Expected).with("received", i.Received).with("code", i.Code)
		} else {
			o.with("code", i.Code).with("expected", i.Expected).with("received", i.Received)
		}
	case CodeInvalidEnum:
		o.with("received", i.Received).with("code", i.Code).with("options", i.Options)
	case CodeInvalidLiteral:
		if i.Received != "" {
			o.with("received", json.RawMessage(i.Received))
		}
		o.with("code", i.Code).with("expected", json.RawMessage(i.Expected))
	case CodeInvalidUnion:
		members := make([]any, len(i.Members))
		for n, issues := range i.Members {
			members[n] = newObject().with("issues", layouts(issues)).with("name", "ZodError")
		}
		o.with("code", i.Code).with("unionErrors", members)
	default:
		o.with("code", i.Code)
	}
	return o.with("path", i.path()).with("message", i.Message)
}

// message is what zod says of the issue, empty where the schema has words of its own.
func (i Issue) message() string {
	switch i.Code {
	case CodeUnrecognizedKeys:
		return "Unrecognized key(s) in object: " + quoted(i.Keys, ", ")
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

// Coherent says whether the issue's message agrees with its fields, and its path is one of a secret, of which only the metadata is
// strict: where the lines of two errors were mixed, they seldom do.
func (i Issue) Coherent() bool {
	for _, member := range i.Members {
		if slices.ContainsFunc(member, func(m Issue) bool { return !m.Coherent() }) {
			return false
		}
	}
	path := fromSecret(i.Path)
	switch {
	case i.message() != "" && i.message() != i.Message:
		return false
	case i.Code == CodeUnrecognizedKeys:
		return len(path) == 1 && path[0] == "metadata"
	}
	return len(path) == 0 || isSecretField(path[0])
}

// path is never null in JSON.
func (i Issue) path() []any { return append([]any{}, i.Path...) }

func (o *object) with(key string, v any) *object {
	o.set(key, v)
	return o
}
