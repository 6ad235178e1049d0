package provider

import (
	"cmp"
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
	at, typ := cmp.Or(i.Where(), "the secret"), i.ReceivedType()
	switch {
	case i.Code == CodeUnrecognizedKeys:
		return "unknown keys in " + at + ": " + strings.Join(i.Keys, ", ")
	case i.Code == CodeInvalidType && typ == "undefined":
		return at + " is missing: it must be " + wanted(i.Expected)
	case i.Code == CodeInvalidType:
		return at + " is " + received(typ) + ", but must be " + wanted(i.Expected)
	case i.Code == CodeInvalidEnum:
		return at + " must be one of " + strings.Join(i.Options, ", ")
	case i.Code == CodeInvalidLiteral:
		return at + " must be " + scalar([]byte(i.Expected))
	case i.Code == CodeInvalidString:
		return at + " is not a valid " + i.Validation
	case i.Code == CodeTooSmall:
		return at + " is too short"
	case i.Code == CodeTooBig:
		return at + " is too long"
	case i.Code == CodeInvalidUnion && i.Where() == "metadata" && len(i.Members) > 0:
		return Explain(nearest(i.Members))
	case i.Code == CodeInvalidUnion && len(i.Path) == 0:
		return "the provider type is not known"
	case i.Code == CodeInvalidUnion && typ != "":
		return at + " is " + received(typ) + ", which is not accepted there"
	}
	return at + " is not valid"
}

// nearest are the issues of the member that has fewest: the way to authenticate that was meant. Where none was, it has the options of all.
func nearest(members [][]Issue) []Issue {
	least := slices.Clone(slices.MinFunc(members, func(a, b []Issue) int { return len(a) - len(b) }))
	for _, m := range slices.Concat(members...) {
		if at := len(least) - 1; at >= 0 && m.Code == CodeInvalidLiteral && least[at].Code == CodeInvalidEnum && m.Where() == least[at].Where() {
			least[at].Options = append(slices.Clone(least[at].Options), scalar([]byte(m.Expected)))
		}
	}
	return least
}

// ReceivedType is the type name of the value that was there, of an invalid_type or of a union whose members say it; else empty.
func (i Issue) ReceivedType() string {
	for _, m := range append([]Issue{i}, slices.Concat(i.Members...)...) {
		if m.Code == CodeInvalidType {
			return m.Received
		}
	}
	return ""
}

// Where writes the issue's path as people do: metadata.models[0].
func (i Issue) Where() string {
	var b strings.Builder
	for n, step := range i.Path {
		if place, isPlace := step.(int); isPlace {
			fmt.Fprintf(&b, "[%d]", place)
			continue
		}
		if n > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, step)
	}
	return b.String()
}

// received names a type; what is no type of JSON's is not repeated.
func received(typ string) string {
	if slices.Contains([]string{"null", "boolean", "string", "number", "array", "object"}, typ) {
		return wanted(typ)
	}
	return "of another type"
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
