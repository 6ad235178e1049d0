package provider

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

// status is how a check ended. Zod goes on after a dirty value (right type, wrong content) but not after an aborted one, and
// a union reports its first dirty member alone.
type status int

const (
	valid status = iota
	dirty
	aborted
)

// check is one value under test: where it is, and where its issues go.
type check struct {
	path   []any
	issues *[]Issue
}

func (c check) at(step any) check {
	return check{append(slices.Clone(c.path), step), c.issues}
}

func (c check) report(i Issue) {
	i.Path = c.path
	if i.Message == "" {
		i.Message = i.message()
	}
	*c.issues = append(*c.issues, i)
}

// rule checks a value and returns it with defaults filled in. Rules have zod's meaning, and are named after it.
type rule func(c check, v any) (any, status)

func (c check) wrongType(expected string, v any) (any, status) {
	c.report(Issue{Code: CodeInvalidType, Expected: expected, Received: typeName(v)})
	return nil, aborted
}

// ofType accepts values of one JSON type.
func ofType(name string) rule {
	return func(c check, v any) (any, status) {
		if typeName(v) != name {
			return c.wrongType(name, v)
		}
		return v, valid
	}
}

func text() rule    { return ofType("string") }
func boolean() rule { return ofType("boolean") }
func number() rule  { return ofType("number") }
func null() rule    { return ofType("null") }

// matching accepts strings that ok accepts; another string is dirty, and reported as the issue says.
func matching(ok func(string) bool, issue Issue) rule {
	return func(c check, v any) (any, status) {
		s, isString := v.(string)
		if !isString {
			return c.wrongType("string", v)
		}
		if !ok(s) {
			c.report(issue)
			return v, dirty
		}
		return v, valid
	}
}

// webURL accepts what the WHATWG URL parser accepts without a base, as the URL constructor does.
func webURL() rule {
	parses := func(s string) bool {
		_, err := url.Parse(s)
		return err == nil
	}
	return matching(parses, Issue{Code: CodeInvalidString, Validation: "url", Message: "Invalid url"})
}

var uuidPattern = regexp.MustCompile(`^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func uuid() rule {
	return matching(uuidPattern.MatchString, Issue{Code: CodeInvalidString, Validation: "uuid", Message: "Invalid uuid"})
}

// nonEmpty accepts strings of at least one character; message is the schema's own.
func nonEmpty(message string) rule {
	ok := func(s string) bool { return s != "" }
	return matching(ok, Issue{Code: CodeTooSmall, Minimum: 1, Message: message})
}

// empty accepts the empty string.
func empty() rule {
	ok := func(s string) bool { return s == "" }
	return matching(ok, Issue{Code: CodeTooBig, Message: "String must contain exactly 0 character(s)"})
}

// oneOf accepts the strings listed.
func oneOf(options ...string) rule {
	return func(c check, v any) (any, status) {
		s, isString := v.(string)
		switch {
		case !isString:
			return c.wrongType(quoted(options, " | "), v)
		case !slices.Contains(options, s):
			c.report(Issue{Code: CodeInvalidEnum, Options: options, Received: s})
			return nil, aborted
		}
		return v, valid
	}
}

// literal accepts one string.
func literal(want string) rule {
	return func(c check, v any) (any, status) {
		if v == want {
			return v, valid
		}
		issue := Issue{Code: CodeInvalidLiteral, Expected: string(encode(want))}
		if _, missing := v.(absent); !missing {
			issue.Received = string(encode(v))
		}
		c.report(issue)
		return nil, aborted
	}
}

// optional accepts an absent value beside what r accepts.
func optional(r rule) rule { return or(absent{}, r) }

// nullable accepts null beside what r accepts.
func nullable(r rule) rule { return or(nil, r) }

// nullish accepts null and an absent value beside what r accepts.
func nullish(r rule) rule { return optional(nullable(r)) }

// or accepts one value beside what r accepts.
func or(accepted any, r rule) rule {
	return func(c check, v any) (any, status) {
		if v == accepted {
			return v, valid
		}
		return r(c, v)
	}
}

// orDefault puts the default, which r accepts, where the value is absent; null is not absent.
func orDefault(r rule, def any) rule {
	return func(c check, v any) (any, status) {
		if v == (absent{}) {
			v = def
		}
		return r(c, v)
	}
}

// blankAsAbsent reads a string of blanks alone, or of nothing, as an absent value.
func blankAsAbsent(r rule) rule {
	return func(c check, v any) (any, status) {
		if s, isText := v.(string); isText && strings.TrimSpace(s) == "" {
			v = absent{}
		}
		return r(c, v)
	}
}

// orDrop drops a value that r does not accept, without an issue.
func orDrop(r rule) rule {
	return func(c check, v any) (any, status) {
		out, s := r(check{c.path, new([]Issue)}, v)
		if s != valid {
			return absent{}, valid
		}
		return out, valid
	}
}
