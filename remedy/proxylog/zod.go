package proxylog

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

const (
	maxIssues = 16  // of one error; a provider's metadata has no more keys that can be wrong at once
	maxKeys   = 32  // of one issue
	maxRaw    = 256 // bytes of a key, step or value that is kept
	maxUnions = 4   // levels of unions in unions
)

// issue is one issue of a ZodError, with the raw texts that a probe needs and that are not shown as they are.
type issue struct {
	code               string
	path               []any    // strings and ints, without what stands before metadata, such as the place in a list
	keys               []string // sorted
	expected, received string
	options            []string
	validation         string
}

// zodIssue is an issue as zod writes it.
type zodIssue struct {
	Code       string            `json:"code"`
	Path       []any             `json:"path"`
	Keys       []string          `json:"keys"`
	Expected   json.RawMessage   `json:"expected"`
	Received   json.RawMessage   `json:"received"`
	Options    []json.RawMessage `json:"options"`
	Validation json.RawMessage   `json:"validation"`
	Unions     []struct {
		Issues []zodIssue `json:"issues"`
	} `json:"unionErrors"`
}

// decodeIssues reads the array that follows `ZodError: `; typ is the secret's type where the issues show it. It is not ok
// for anything else.
func decodeIssues(text string) (issues []issue, typ string, ok bool) {
	var raw []zodIssue
	if json.Unmarshal([]byte(text), &raw) != nil || len(raw) == 0 || raw[0].Code == "" {
		return nil, "", false
	}
	issues, typ = flatten(raw, 0)
	return issues[:min(len(issues), maxIssues)], typ, true
}

// flatten replaces each union by the issues of the one member that is about a secret of that type.
func flatten(raw []zodIssue, depth int) (issues []issue, typ string) {
	for _, z := range raw {
		if z.Code != provider.CodeInvalidUnion || depth >= maxUnions {
			issues = append(issues, z.plain())
			continue
		}
		member, found := z.member()
		if found.typ != "" {
			typ = found.typ
		}
		if member == nil {
			i := z.plain()
			i.received = found.received
			issues = append(issues, i)
			continue
		}
		inner, innerType := flatten(member, depth+1)
		issues = append(issues, inner...)
		if typ == "" {
			typ = innerType
		}
	}
	return issues, typ
}

// unionTrace is what a union's members say beside the issues: the secret's own type, and the kind of value that none accepts.
type unionTrace struct{ typ, received string }

// member returns the issues of the one member that did not fail on the secret's type, nil where there is none or more than one.
func (z zodIssue) member() (chosen []zodIssue, found unionTrace) {
	var open [][]zodIssue
	for _, m := range z.Unions {
		wrongType := false
		for _, i := range m.Issues {
			if path := i.path(); len(path) == 1 && path[0] == "type" {
				wrongType = true
				found.typ = text(i.Received)
			} else if found.received == "" && i.Code == provider.CodeInvalidType {
				found.received = text(i.Received)
			}
		}
		if !wrongType && len(m.Issues) > 0 {
			open = append(open, m.Issues)
		}
	}
	if len(open) != 1 {
		return nil, found
	}
	return open[0], found
}

func (z zodIssue) plain() issue {
	i := issue{
		code: cut(z.Code), path: z.path(), expected: text(z.Expected), received: text(z.Received), validation: text(z.Validation),
	}
	for _, key := range z.Keys[:min(len(z.Keys), maxKeys)] {
		i.keys = append(i.keys, cut(key))
	}
	slices.Sort(i.keys)
	for _, option := range z.Options[:min(len(z.Options), maxKeys)] {
		i.options = append(i.options, text(option))
	}
	return i
}

// path begins at metadata, or at the secret where metadata is not in it.
func (z zodIssue) path() []any {
	var steps []any
	for _, step := range z.Path[:min(len(z.Path), maxKeys)] {
		switch step := step.(type) {
		case string:
			if step == "metadata" {
				steps = steps[:0]
			}
			steps = append(steps, cut(step))
		case float64:
			steps = append(steps, int(step))
		}
	}
	return steps
}

// text is a JSON string's value, or other JSON as it is written.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return cut(s)
	}
	return cut(string(raw))
}

// cut bounds what is kept of a text; the copy lets go of the line it came from.
func cut(text string) string { return strings.Clone(text[:min(len(text), maxRaw)]) }

// An array follows JSON text to the end of the array with which it begins.
type array struct {
	depth                   int
	inString, escaped, done bool
}

// end returns the number of bytes up to the array's end, or 0 where it goes on.
func (a *array) end(text string) int {
	for i := range len(text) {
		c := text[i]
		switch {
		case a.escaped:
			a.escaped = false
		case a.inString:
			a.escaped = c == '\\'
			a.inString = c != '"'
		case c == '"':
			a.inString = true
		case c == '[' || c == '{':
			a.depth++
		case c == ']' || c == '}':
			if a.depth--; a.depth <= 0 {
				a.done = true
				return i + 1
			}
		}
	}
	return 0
}

// unescape undoes one level of JSON's escapes in a text that was logged inside another one.
func unescape(text string) string {
	head := text[:min(len(text), 64)]
	if !strings.Contains(head, `\n`) && !strings.Contains(head, `\"`) {
		return text
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "", `\t`, " ", `\"`, `"`).Replace(text)
}
