package proxylog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/planeproof/planeproof/provider"
)

// maxDepth is how deep JSON is followed, in objects and in JSON inside of texts.
const maxDepth = 12

// decodeJSON reads a line that is one JSON object, list or text.
func decodeJSON(line string) (v any, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 3 || !slices.Contains([]string{"{}", "[]", `""`}, line[:1]+line[len(line)-1:]) {
		return nil, false
	}
	return v, json.Unmarshal([]byte(line), &v) == nil
}

// messageFields are where loggers, collectors and clouds put the text, as folded by fold.
func messageFields() []string {
	return []string{"msg", "message", "log", "text", "textpayload", "line", "body", "content", "raw"}
}

func isMessage(field string) bool { return slices.Contains(messageFields(), fold(field)) }

// fold writes a field's name in one way: project_id, projectId and x-bt-project-id differ only in spelling.
func fold(field string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-@. ", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, field)
}

func isIssue(v any) bool {
	object, _ := v.(map[string]any)
	return object["code"] != nil && object["path"] != nil
}

// value reads a decoded value, which may be a line, a record or a list of them; c is the context of what it is in.
func (s *scanner) value(source string, v any, c context, depth int) (known bool) {
	switch v := v.(type) {
	case string:
		return s.text(source, v, c, nil)
	case []any:
		for _, item := range v {
			known = depth < maxDepth && s.value(source, item, c, depth+1) || known
		}
	case map[string]any:
		r := record{context: c, source: []string{source}}
		r.gather(v, depth)
		return s.record(r, depth)
	}
	return known
}

// record is what one logged object says, put together from its fields and the objects in it.
type record struct {
	context         context
	source          []string
	messages, texts []string // the texts of message fields, outer ones first, and all others
	issues          []provider.Issue
	lists           []any
}

func (s *scanner) record(r record, depth int) (known bool) {
	source := strings.Join(r.source, " ")
	known = s.value(source, r.lists, r.context, depth)
	for _, text := range slices.Concat(r.messages, r.texts) {
		if !marked([]byte(text)) {
			continue
		}
		for _, beside := range slices.Concat(r.messages, r.texts) { // such as an error's message or stack
			if found, err := provider.ParseZodError(beside); err == nil && r.issues == nil {
				r.issues = found
			}
		}
		return s.text(source, text, r.context, r.issues) // the first alone: loggers repeat the text in other fields
	}
	for _, message := range r.messages {
		known = s.text(source, message, r.context, nil) || known
	}
	return known
}

// gather reads an object's own fields before those of the objects in it: the outer ones speak for the line.
func (r *record) gather(object map[string]any, depth int) {
	var inside []map[string]any
	for _, key := range slices.Sorted(maps.Keys(object)) {
		switch v := object[key].(type) {
		case string:
			_, bare := undecorate(v)
			inner, _ := decodeJSON(bare)
			if inner, isObject := inner.(map[string]any); isObject {
				inside = append(inside, inner)
			} else if r.field(fold(key), v); isMessage(key) {
				r.messages = append(r.messages, v)
			} else {
				r.texts = append(r.texts, v)
			}
		case map[string]any:
			if fold(key) == "project" {
				id, _ := v["id"].(string)
				name, _ := v["name"].(string)
				r.field("projectid", id)
				r.field("projectname", name)
			}
			inside = append(inside, v)
		case []any:
			if len(v) == 0 || !isIssue(v[0]) {
				r.lists = append(r.lists, v)
			} else if raw, err := json.Marshal(v); err == nil && r.issues == nil {
				r.issues, _ = provider.ParseZodError(string(raw)) // else there are none
			}
		}
	}
	for _, inner := range inside {
		if depth < maxDepth {
			r.gather(inner, depth+1)
		}
	}
}

// field takes what a field says about the context; the first one counts. Ids must be UUIDs: clouds have a project_id of their own.
func (r *record) field(key, v string) {
	c := &r.context
	id := ""
	if uuid.MatchString(v) {
		id = strings.ToLower(v)
	}
	switch key {
	case "project":
		if c.projectID = cmp.Or(c.projectID, id); id == "" {
			c.projectName = cmp.Or(c.projectName, name(v))
		}
	case "projectid", "projectuuid", "xbtprojectid":
		c.projectID = cmp.Or(c.projectID, id)
	case "projectname":
		c.projectName = cmp.Or(c.projectName, name(v))
	case "secretid", "envvarid":
		c.secretID = cmp.Or(c.secretID, id)
	case "secretname":
		c.secretName = cmp.Or(c.secretName, name(v))
	case "secrettype":
		c.secretType = cmp.Or(c.secretType, v[:min(len(v), maxName)])
	case "pod", "podname", "container", "containerid", "containername", "logstream":
		r.source = append(r.source, v[:min(len(v), maxName)])
	}
}
