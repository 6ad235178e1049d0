package provider

import (
	"fmt"
	"slices"
	"strings"
)

// Explain says the issues in one line, in plain English.
func Explain(issues []Issue) string {
	all := make([]string, len(issues))
	for n, i := range issues {
		all[n] = i.Explain()
	}
	return strings.Join(all, "; ")
}

// Explain says in plain English what is wrong, as the end of "the proxy cannot read it: …". It names keys and what the schema
// knows, and quotes no value: a value may be a credential, and zod's own messages have it.
func (i Issue) Explain() string {
	at := i.Where()
	if at == "" {
		at = "the secret"
	}
	switch i.Code {
	case CodeUnrecognizedKeys:
		return "unknown keys in " + at + ": " + strings.Join(i.Keys, ", ")
	case CodeInvalidType:
		if i.Received == "undefined" {
			return at + " is missing: it must be " + wanted(i.Expected)
		}
		return at + " is " + received(i.Received) + ", but must be " + wanted(i.Expected)
	case CodeInvalidEnum:
		return at + " must be one of " + strings.Join(i.Options, ", ")
	case CodeInvalidLiteral:
		return at + " must be " + scalar([]byte(i.Expected))
	case CodeInvalidString:
		return at + " is not a valid " + i.Validation
	case CodeTooSmall:
		return at + " is too short"
	case CodeTooBig:
		return at + " is too long"
	case CodeInvalidUnion:
		return i.explainUnion(at)
	}
	return at + " is not valid"
}

func (i Issue) explainUnion(at string) string {
	if own, _ := i.ownMember(); own != nil {
		return Explain(own)
	}
	if len(i.Path) == 0 {
		return "the provider type is not known"
	}
	if typ := i.ReceivedType(); typ != "" {
		return at + " is " + received(typ) + ", which is not accepted there"
	}
	return at + " is not accepted"
}

// ReceivedType is the type name of the value that was there, of an invalid_type or of a union whose members say it; else empty.
func (i Issue) ReceivedType() string {
	if i.Code == CodeInvalidType {
		return i.Received
	}
	for _, member := range i.Members {
		for _, m := range member {
			if m.Code == CodeInvalidType {
				return m.Received
			}
		}
	}
	return ""
}

// Where writes the issue's path as people do: metadata.models[0].
func (i Issue) Where() string {
	var b strings.Builder
	for n, step := range i.Path {
		switch {
		case isPlace(step):
			fmt.Fprintf(&b, "[%d]", step)
		case n > 0:
			fmt.Fprintf(&b, ".%v", step)
		default:
			fmt.Fprint(&b, step)
		}
	}
	return b.String()
}

// isPlace says whether a step of a path is a place in an array.
func isPlace(step any) bool {
	_, is := step.(int)
	return is
}

// received names a type; what is no type of JSON's is not repeated.
func received(typ string) string {
	if !slices.Contains([]string{"null", "boolean", "string", "number", "array", "object"}, typ) {
		return "of another type"
	}
	return wanted(typ)
}

// wanted names what a schema expects: a type, or one of some settings.
func wanted(expected string) string {
	switch {
	case strings.HasPrefix(expected, "'"):
		return "one of " + strings.ReplaceAll(strings.Trim(expected, "'"), "' | '", ", ")
	case expected == "null":
		return expected
	case expected == "array" || expected == "object":
		return "an " + expected
	}
	return "a " + expected
}
