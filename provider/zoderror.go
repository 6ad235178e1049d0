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
	Code       string            `json:"code"`
	Path       []any             `json:"path"`
	Message    string            `json:"message"`
	Keys       []string          `json:"keys"`
	Expected   json.RawMessage   `json:"expected"`
	Received   json.RawMessage   `json:"received"`
	Options    []json.RawMessage `json:"options"`
	Validation json.RawMessage   `json:"validation"`
	Minimum    json.RawMessage   `json:"minimum"`
	Unions     []struct {
		Issues []zodIssue `json:"issues"`
	} `json:"unionErrors"`
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
		i := Issue{
			Code: z.Code, Message: z.Message, Keys: z.Keys,
			Expected: scalar(z.Expected), Received: scalar(z.Received), Validation: scalar(z.Validation),
		}
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
		for _, member := range z.Unions {
			i.Members = append(i.Members, readIssues(member.Issues))
		}
		issues[n] = i
	}
	return issues
}

// scalar is a JSON string's value, or other JSON as it is written.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// Narrow brings issues of a real proxy into the form in which Read reports them: a union over all provider types, which repeats
// what every type finds wrong, gives way to the issues of the secret's own type, and paths begin at the secret. typ is the secret's
// type, empty where the issues do not show it (facts: three generations).
func Narrow(issues []Issue) (narrowed []Issue, typ string) {
	for _, i := range issues {
		i.Path = fromSecret(i.Path)
		member, memberType := i.ownMember()
		typ = cmp.Or(typ, memberType)
		if member == nil {
			narrowed = append(narrowed, i)
			continue
		}
		inner, innerType := Narrow(member)
		narrowed, typ = append(narrowed, inner...), cmp.Or(typ, innerType)
	}
	return narrowed, typ
}

// ownMember returns the issues of the one member of a union that does not refuse the secret's type, nil where there is none or
// more than one.
func (i Issue) ownMember() (own []Issue, typ string) {
	open := 0
	for _, member := range i.Members {
		refused := slices.IndexFunc(member, func(m Issue) bool {
			path := fromSecret(m.Path)
			return len(path) == 1 && path[0] == "type"
		})
		switch {
		case refused >= 0:
			_ = json.Unmarshal([]byte(member[refused].Received), &typ) // else it is not told
		case len(member) > 0:
			own = member
			open++
		}
	}
	if open != 1 {
		return nil, typ
	}
	return own, typ
}

// fromSecret leaves out of a path what stands before the secret, such as its place in a list.
func fromSecret(path []any) []any {
	begin := slices.Index(path, any("metadata"))
	if begin < 0 {
		begin = 0
		for begin < len(path) && isPlace(path[begin]) {
			begin++
		}
	}
	return path[begin:]
}
