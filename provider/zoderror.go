package provider

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxEscapes is how often a log line may have been quoted as JSON by what it passed through.
const maxEscapes = 4

// issueArray begins an array of objects, whose white space may be quoted.
var issueArray = regexp.MustCompile(`\[(?:\s|\\+[nrt])*\{`)

// zodIssue is an issue as zod writes it. Members that are of different types by the kind of check are read later.
type zodIssue struct {
	Issue
	Expected, Received, Validation, Minimum json.RawMessage
	Options                                 []json.RawMessage
	UnionErrors                             []struct{ Issues []zodIssue }
}

// ParseZodError reads the issues from a text that a proxy logged: what ZodError writes, alone or behind the word `ZodError`
// in a longer text, and quoted as JSON up to four times. It fails where the text has no ZodError, or not the whole of it.
func ParseZodError(text string) ([]Issue, error) {
	begin := issueArray.FindStringIndex(text)
	if word := strings.Index(text, "ZodError"); begin == nil || word >= 0 && strings.TrimSpace(text[:begin[0]]) != "" {
		text = text[max(0, word):]
		begin = issueArray.FindStringIndex(text)
	}
	if begin == nil {
		return nil, errors.New("parse ZodError: the text has none")
	}
	text = text[begin[0]:]
	for range maxEscapes {
		var raw []zodIssue
		err := json.NewDecoder(strings.NewReader(text)).Decode(&raw) // stops where the array ends
		switch {
		case err == nil && len(raw) > 0 && raw[0].Code != "":
			return readIssues(raw), nil
		case err == nil:
			return nil, errors.New("parse ZodError: it has no issues")
		case !strings.Contains(text, `\`):
			return nil, fmt.Errorf("parse ZodError: %w", err)
		}
		text = unquote(text)
	}
	return nil, errors.New("parse ZodError: it is no JSON, or quoted too often")
}

// unquote undoes one level of JSON's escapes, of a text whose own quotes may be missing.
func unquote(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\"`, `"`).Replace(text)
}

func readIssues(raw []zodIssue) []Issue {
	issues := make([]Issue, len(raw))
	for n, z := range raw {
		i := z.Issue
		i.Path, i.Members, i.Expected, i.Received, i.Validation = nil, nil, scalar(z.Expected), scalar(z.Received), scalar(z.Validation)
		if z.Code == CodeInvalidLiteral {
			i.Expected, i.Received = string(z.Expected), string(z.Received)
		}
		_ = json.Unmarshal(z.Minimum, &i.Minimum) // a date's minimum is none of ours
		for _, step := range z.Path {
			if place, isPlace := step.(float64); isPlace {
				step = int(place)
			}
			i.Path = append(i.Path, step)
		}
		for _, option := range z.Options {
			i.Options = append(i.Options, scalar(option))
		}
		for _, member := range z.UnionErrors {
			i.Members = append(i.Members, readIssues(member.Issues))
		}
		issues[n] = i
	}
	return issues
}

// scalar is a JSON string's value, or other JSON as it is written.
func scalar(raw json.RawMessage) string {
	var s *string
	if json.Unmarshal(raw, &s) == nil && s != nil {
		return *s
	}
	return string(raw)
}

// memberLine is a line of a ZodError with the code or the message of an issue. Those of a union's members are indented further.
var memberLine = regexp.MustCompile(`(?m)^( {0,4})"(code|message)": ("(?:[^"\\]|\\.)*"),?$`)

// ParseMixedLines reads what the single lines of ZodErrors say where they are mixed or not all there: each issue of
// unrecognized keys, as zod's message has the keys in one line, and the codes of all other issues.
func ParseMixedLines(text string) (unrecognized []Issue, otherCodes []string) {
	for _, line := range memberLine.FindAllStringSubmatch(text, -1) {
		value := scalar([]byte(line[3]))
		keys, areKeys := strings.CutPrefix(value, unrecognizedMessage+"'")
		switch {
		case line[2] == "code" && value != CodeUnrecognizedKeys:
			otherCodes = append(otherCodes, value)
		case line[2] == "message" && areKeys: // the metadata alone is strict
			keys := strings.Split(strings.TrimSuffix(keys, "'"), "', '")
			unrecognized = append(unrecognized, Issue{Code: CodeUnrecognizedKeys, Path: []any{"metadata"}, Keys: keys, Message: value})
		}
	}
	if slices.Contains(otherCodes, CodeInvalidUnion) && !strings.Contains(text, "\n    \"") {
		unrecognized = nil // without indentation, these may be what the schemas of other types would say
	}
	slices.Sort(otherCodes)
	return unrecognized, slices.Compact(otherCodes)
}

// Narrow brings issues of a real proxy into the form in which Read reports them: a union over all provider types, which repeats
// what every type finds wrong, gives way to the issues of the one member that does not refuse the secret's type, and paths begin at
// the secret. typ is the secret's type, empty where the issues do not show it (facts: strict-schema).
func Narrow(issues []Issue) (narrowed []Issue, typ string) {
	for _, i := range issues {
		i.Path = fromSecret(i.Path)
		var accepting [][]Issue
		for _, member := range i.Members {
			inner, innerType := Narrow(member)
			refused := slices.IndexFunc(inner, func(m Issue) bool { return len(m.Path) == 1 && m.Path[0] == "type" })
			if refused >= 0 {
				_ = json.Unmarshal([]byte(inner[refused].Received), &typ) // else it is not told
			} else if typ = cmp.Or(typ, innerType); len(inner) > 0 {
				accepting = append(accepting, inner)
			}
		}
		if len(accepting) == 1 {
			narrowed = append(narrowed, accepting[0]...)
		} else {
			narrowed = append(narrowed, i)
		}
	}
	return narrowed, typ
}

// fromSecret leaves out of a path what stands before the secret, such as its place in a list.
func fromSecret(path []any) []any {
	begin := slices.Index(path, any("metadata"))
	if begin < 0 {
		begin = slices.IndexFunc(path, func(step any) bool { _, isKey := step.(string); return isKey })
	}
	if begin < 0 {
		return nil
	}
	return path[begin:]
}
