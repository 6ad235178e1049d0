package provider

// arrayOf accepts arrays whose items r accepts.
func arrayOf(r rule) rule {
	return func(c check, v any) (any, status) {
		items, ok := v.([]any)
		if !ok {
			return c.wrongType("array", v)
		}
		out, worst := make([]any, len(items)), valid
		for i, item := range items {
			var s status
			out[i], s = r(c.at(i), item)
			worst = max(worst, s)
		}
		return out, worst
	}
}

// recordOf accepts objects whose values r accepts.
func recordOf(r rule) rule {
	return func(c check, v any) (any, status) {
		in, ok := v.(*object)
		if !ok {
			return c.wrongType("object", v)
		}
		out, worst := newObject(), valid
		for _, key := range in.keys {
			item, s := r(c.at(key), in.values[key])
			out.set(key, item)
			worst = max(worst, s)
		}
		return out, worst
	}
}

// union accepts what one of its members accepts. Where none does, the first dirty member speaks alone; where all abort, the
// union reports itself.
func union(members ...rule) rule {
	return func(c check, v any) (any, status) {
		var all [][]Issue
		var dirtyValue any
		var dirtyIssues []Issue
		for _, member := range members {
			var issues []Issue
			out, s := member(check{c.path, &issues}, v)
			if s == valid {
				return out, valid
			}
			if s == dirty && dirtyIssues == nil {
				dirtyValue, dirtyIssues = out, issues
			}
			all = append(all, issues)
		}
		if dirtyIssues != nil {
			*c.issues = append(*c.issues, dirtyIssues...)
			return dirtyValue, dirty
		}
		c.report(Issue{Code: CodeInvalidUnion, Members: all})
		return nil, aborted
	}
}

// unknownKeys says what an object does with keys that it does not know.
type unknownKeys int

const (
	dropUnknown unknownKeys = iota
	refuseUnknown
	keepUnknown
)

// field is a key that a schema knows from a generation on. A later field of the same name takes the earlier one's place.
type field struct {
	since Generation
	name  string
	rule  rule
}

// objectOf accepts objects by their fields, in the fields' order; then it treats the keys that are left.
func objectOf(unknown unknownKeys, fields []field) rule {
	return func(c check, v any) (any, status) {
		in, ok := v.(*object)
		if !ok {
			return c.wrongType("object", v)
		}
		out, worst := newObject(), valid
		declared := make(map[string]bool, len(fields))
		for _, f := range fields {
			declared[f.name] = true
			item, s := f.rule(c.at(f.name), in.get(f.name))
			worst = max(worst, s)
			if _, missing := item.(absent); !missing {
				out.set(f.name, item)
			}
		}
		var extra []string
		for _, key := range in.keys {
			if !declared[key] {
				extra = append(extra, key)
			}
		}
		switch {
		case unknown == keepUnknown:
			for _, key := range extra {
				out.set(key, in.values[key])
			}
		case unknown == refuseUnknown && len(extra) > 0:
			c.report(Issue{Code: CodeUnrecognizedKeys, Keys: extra})
			worst = max(worst, dirty)
		}
		return out, worst
	}
}
