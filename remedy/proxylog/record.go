package proxylog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// decodeJSON reads a line that is one JSON object, list or text.
func decodeJSON(line string) (v any, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) < 3 || !slices.Contains([]string{"{}", "[]", `""`}, line[:1]+line[len(line)-1:]) {
		return nil, false
	}
	return v, json.Unmarshal([]byte(line), &v) == nil
}

// isMessage says whether a field is where loggers, collectors and clouds put the text.
func isMessage(field string) bool {
	return slices.Contains([]string{"msg", "message", "log", "text", "textpayload", "line", "body", "content", "raw"}, fold(field))
}

// fold writes a field's name in one way: project_id, projectId and x-bt-project-id differ only in spelling.
func fold(field string) string {
	return strings.NewReplacer("_", "", "-", "", "@", "", ".", "", " ", "").Replace(strings.ToLower(field))
}

// value reads decoded JSON, which may be a line, a record or a list of them; c is the context of what it is in.
func (s *scanner) value(c context, v any) (known bool) {
	switch v := v.(type) {
	case string:
		return s.text(c, v)
	case map[string]any:
		return s.record(c, v)
	case []any:
		for _, item := range v {
			known = s.value(c, item) || known
		}
	}
	return known
}

// field is a text in a logged object.
type field struct{ name, text string }

// record reads one logged object: its first text with a warning, as loggers repeat it in other fields, and the error beside it.
func (s *scanner) record(c context, object map[string]any) (known bool) {
	fields, lists := flatten(object)
	for _, f := range fields {
		c.set(f)
	}
	known = s.value(c, lists)
	messages := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return !isMessage(f.name) })
	warns := func(f field) bool { return marked([]byte(f.text)) }
	fields = slices.Concat(messages, fields)
	i := slices.IndexFunc(fields, warns)
	if i < 0 {
		for _, f := range messages {
			known = s.text(c, f.text) || known
		}
		return known
	}
	text := fields[i].text
	for _, f := range fields { // such as an error's message or stack
		if _, err := provider.ParseZodError(f.text); err == nil && !warns(f) {
			text += "\nZodError: " + f.text
			break
		}
	}
	return s.text(c, text)
}

// flatten lists the texts of an object, its own before those of the objects in it: the outer ones speak for the line. The issues of
// a ZodError are a text too; other lists are records of their own. The id of an object "project" is the field projectid.
func flatten(object map[string]any) (fields []field, lists []any) {
	parents, objects := []string{""}, []map[string]any{object}
	for n := 0; n < len(objects); n++ {
		for _, key := range slices.Sorted(maps.Keys(objects[n])) {
			v := objects[n][key]
			if text, isText := v.(string); isText {
				_, bare := undecorate(text)
				if decoded, _ := decodeJSON(bare); isObject(decoded) {
					v = decoded
				}
			}
			switch v := v.(type) {
			case string:
				fields = append(fields, field{parents[n] + fold(key), v})
			case map[string]any:
				parent := ""
				if fold(key) == "project" {
					parent = "project"
				}
				parents, objects = append(parents, parent), append(objects, v)
			case []any:
				if raw, err := json.Marshal(v); err == nil && len(v) > 0 && isIssue(v[0]) {
					fields = append(fields, field{"issues", string(raw)})
				} else {
					lists = append(lists, v)
				}
			}
		}
	}
	return fields, lists
}

func isObject(v any) bool { _, is := v.(map[string]any); return is }

func isIssue(v any) bool {
	object, _ := v.(map[string]any)
	return object["code"] != nil && object["path"] != nil
}

// set takes what a field says about the context; the first one counts. Ids must be UUIDs: clouds have a project_id of their own.
func (c *context) set(f field) {
	id := ""
	if uuid.MatchString(f.text) {
		id = strings.ToLower(f.text)
	}
	switch f.name {
	case "project":
		if c.projectID = cmp.Or(c.projectID, id); id == "" {
			c.projectName = cmp.Or(c.projectName, name(f.text))
		}
	case "projectid", "projectuuid", "xbtprojectid":
		c.projectID = cmp.Or(c.projectID, id)
	case "projectname":
		c.projectName = cmp.Or(c.projectName, name(f.text))
	case "secretid", "envvarid":
		c.secretID = cmp.Or(c.secretID, id)
	case "secretname":
		c.secretName = cmp.Or(c.secretName, name(f.text))
	case "secrettype":
		c.secretType = cmp.Or(c.secretType, f.text[:min(len(f.text), maxName)])
	case "pod", "podname", "container", "containerid", "containername", "logstream":
		c.source += " " + f.text[:min(len(f.text), maxName)]
	}
}
