package proxylog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// maxDepth is how deep JSON is followed, in objects and in JSON inside of texts.
const maxDepth = 12

// decodeObject reads a line that is one JSON object.
func decodeObject(line string) (object map[string]any, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return nil, false
	}
	return object, json.Unmarshal([]byte(line), &object) == nil
}

// A record is what one logged object says, put together from its fields and the objects in it.
type record struct {
	context  context
	writer   []string
	messages []string // in the order of messageFields, outer ones first
	texts    []string // all other texts
	issues   []issue
	typ      string
	inner    []map[string]any // the objects of its lists: records of their own
}

// messageFields are where loggers, collectors and clouds put the text, as folded by fold.
func messageFields() []string {
	return []string{"msg", "message", "log", "text", "textpayload", "line", "body"}
}

// object reads a logged object and the objects in its lists; c is the context of what it is in.
func (s *scanner) object(stream string, object map[string]any, c context, depth int) (known bool) {
	r := record{context: c}
	r.gather(object, depth)
	if len(r.writer) > 0 {
		stream += strings.Join(r.writer, " ")
	}
	if r.context.secretType == "" {
		r.context.secretType = r.typ
	}
	for _, inner := range r.inner {
		if depth < maxDepth {
			known = s.object(stream, inner, r.context, depth+1) || known
		}
	}
	for _, text := range slices.Concat(r.messages, r.texts) {
		if marked(text) { // once: loggers repeat the text in other fields
			if len(r.issues) == 0 {
				r.issues = r.issuesInTexts()
			}
			return s.text(stream, text, r.context, r.issues)
		}
	}
	for _, message := range r.messages {
		for line := range strings.Lines(message) {
			_, line = undecorate(line)
			known = s.goOn(stream, line) || known
		}
	}
	return known
}

// issuesInTexts finds a ZodError in the texts beside the message, such as an error's `message` or `stack`.
func (r *record) issuesInTexts() []issue {
	for _, text := range slices.Concat(r.messages, r.texts) {
		text = text[max(0, strings.Index(text, "ZodError")):]
		begin := strings.IndexByte(text, '[')
		if begin < 0 || !strings.Contains(text, `"code"`) {
			continue
		}
		if issues, typ, ok := decodeIssues(text[begin : begin+new(array).end(text[begin:])]); ok {
			r.context.secretType = cmp.Or(r.context.secretType, typ)
			return issues
		}
	}
	return nil
}

// gather reads an object's own fields before those of the objects in it: the outer ones speak for the line.
func (r *record) gather(object map[string]any, depth int) {
	keys := slices.SortedFunc(maps.Keys(object), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(fold(a)), rank(fold(b))), cmp.Compare(a, b))
	})
	var inside []map[string]any
	for _, key := range keys {
		switch v := object[key].(type) {
		case string:
			_, bare := undecorate(v)
			if inner, ok := decodeObject(bare); ok {
				inside = append(inside, inner)
				continue
			}
			r.field(fold(key), v)
			if rank(fold(key)) < len(messageFields()) {
				r.messages = append(r.messages, v)
			} else {
				r.texts = append(r.texts, v)
			}
		case map[string]any:
			if fold(key) == "project" {
				r.project(v)
			}
			inside = append(inside, v)
		case []any:
			r.list(v)
		}
	}
	for _, inner := range inside {
		if depth < maxDepth {
			r.gather(inner, depth+1)
		}
	}
}

// list reads a list of issues, or keeps its objects as records of their own.
func (r *record) list(items []any) {
	if len(items) == 0 {
		return
	}
	if first, ok := items[0].(map[string]any); ok && first["code"] != nil && first["path"] != nil {
		if len(r.issues) == 0 {
			raw, _ := json.Marshal(items) // what was decoded encodes again
			r.issues, r.typ, _ = decodeIssues(string(raw))
		}
		return
	}
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			r.inner = append(r.inner, object)
		}
	}
}

// project reads a nested `"project": {"id": …, "name": …}`.
func (r *record) project(object map[string]any) {
	id, _ := object["id"].(string)
	label, _ := object["name"].(string)
	r.field("projectid", id)
	r.field("projectname", label)
}

// field takes what a field says about the context; the first one counts. Ids must be UUIDs: clouds have a project_id of their own.
func (r *record) field(key, v string) {
	c := &r.context
	switch key {
	case "projectid", "projectuuid", "xbtprojectid", "project":
		if uuid.MatchString(v) {
			c.projectID = cmp.Or(c.projectID, strings.ToLower(v))
		} else if key == "project" {
			c.projectName = cmp.Or(c.projectName, label(v))
		}
	case "projectname":
		c.projectName = cmp.Or(c.projectName, label(v))
	case "secretid", "envvarid":
		if uuid.MatchString(v) {
			c.secretID = cmp.Or(c.secretID, strings.ToLower(v))
		}
	case "secretname":
		c.secretName = cmp.Or(c.secretName, label(v))
	case "secrettype":
		c.secretType = cmp.Or(c.secretType, cut(v))
	case "pod", "podname", "container", "containerid", "containername":
		r.writer = append(r.writer, cut(v))
	}
}

// label is a name as it is shown, empty for none.
func label(v string) string {
	if v == "" {
		return ""
	}
	return name(v)
}

// fold writes a field's name in one way: project_id, projectId and x-bt-project-id differ only in spelling.
func fold(key string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-@.", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, key)
}

// rank orders message fields before all others.
func rank(folded string) int {
	if i := slices.Index(messageFields(), folded); i >= 0 {
		return i
	}
	return len(messageFields())
}
