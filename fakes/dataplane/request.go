package dataplane

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// maxBody is the largest body that is read, in bytes; drained is how much more is thrown away so that a client that is still
// sending gets to read the refusal.
const (
	maxBody = 8 << 20
	drained = 32 << 20
	// maxFields is how many keys a body may have: a million of them would take many times their bytes.
	maxFields = 1000
)

// fields is a JSON body by its exact keys, which encoding/json would match in any case. The first error stays.
type fields struct {
	raw map[string]json.RawMessage
	err error
}

// fields reads the body; an empty one counts as no fields, as the spec requires no body.
func (c *call) fields() *fields {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	switch {
	case err != nil:
		return &fields{err: refuse(http.StatusBadRequest, "body could not be read")}
	case len(body) > maxBody:
		_, _ = io.CopyN(io.Discard, c.r.Body, drained)
		return &fields{err: refuse(http.StatusRequestEntityTooLarge, "body is over %d bytes", maxBody)}
	case len(body) == 0:
		return &fields{}
	}
	f := &fields{}
	keys := 0
	if json.Valid(body) {
		gjson.ParseBytes(body).ForEach(func(_, _ gjson.Result) bool { keys++; return keys <= maxFields })
	}
	if keys > maxFields {
		return &fields{err: refuse(http.StatusBadRequest, "body has more than %d keys", maxFields)}
	}
	err = json.Unmarshal(body, &f.raw)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		f.err = refuse(http.StatusBadRequest, "body is not JSON, see byte %d", syntax.Offset)
	} else if err != nil || f.raw == nil {
		f.err = refuse(http.StatusBadRequest, "body is not a JSON object")
	}
	return f
}

func (f *fields) refuse(format string, args ...any) {
	if f.err == nil {
		f.err = refuse(http.StatusBadRequest, format, args...)
	}
}

// has says whether the key is there with a value other than null.
func (f *fields) has(key string) bool {
	raw, there := f.raw[key]
	return there && string(raw) != "null"
}

// text returns a string, nil where it is absent or null.
func (f *fields) text(key string) *string {
	var s *string
	if raw, there := f.raw[key]; there && json.Unmarshal(raw, &s) != nil {
		f.refuse("%s: not a string", key)
	}
	return s
}

// need returns a string that must be there.
func (f *fields) need(key string) string {
	if !f.has(key) {
		f.refuse("%s: required", key)
	}
	if s := f.text(key); s != nil {
		return *s
	}
	return ""
}

// oneOf refuses any other value.
func (f *fields) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		f.refuse("%s: want one of %s", key, strings.Join(allowed, ", "))
	}
}

// object returns a JSON object as it was written, nil where it is absent or null.
func (f *fields) object(key string) json.RawMessage {
	if !f.has(key) {
		return nil
	}
	raw := f.raw[key]
	if raw[0] != '{' {
		f.refuse("%s: not an object", key)
	}
	return raw
}

// org refuses a body that names another org than the key's.
func (f *fields) org(o Organization) {
	if name := f.text("org_name"); name != nil && *name != o.Name {
		f.refuse("org_name: the API key is of another organization")
	}
}

// query is the parameters of a listing; the ones that nobody asks for are ignored (behaviours: API 2). The first error stays.
type query struct {
	values url.Values
	err    error
}

func readQuery(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &query{err: refuse(http.StatusBadRequest, "query is malformed")}
	}
	return &query{values: values}
}

func (q *query) refuse(format string, args ...any) {
	if q.err == nil {
		q.err = refuse(http.StatusBadRequest, format, args...)
	}
}

// one returns a parameter that may stand once.
func (q *query) one(name string) (value string, given bool) {
	if len(q.values[name]) > 1 {
		q.refuse("%s: given more than once", name)
	}
	return q.values.Get(name), q.values.Has(name)
}

// id returns a parameter that is a uuid, in lower case.
func (q *query) id(name string) (value string, given bool) {
	value, given = q.one(name)
	if given && !isUUID(value) {
		q.refuse("%s: not a uuid", name)
	}
	return strings.ToLower(value), given
}

// page reads limit and ids, and the cursors where the listing has them.
func (q *query) page(cursors bool) page {
	p := page{limit: -1}
	if limit, given := q.one("limit"); given {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 0 {
			q.refuse("limit: not a number from 0 on")
		}
		p.limit = n
	}
	for id := range strings.SplitSeq(strings.Join(q.values["ids"], ","), ",") { // the official libraries join with commas
		if !q.values.Has("ids") {
			break
		}
		if !isUUID(id) {
			q.refuse("ids: not a uuid")
		}
		p.ids = append(p.ids, strings.ToLower(id))
	}
	if cursors {
		p.after, _ = q.id("starting_after")
		p.before, _ = q.id("ending_before")
		if p.after != "" && p.before != "" {
			q.refuse("starting_after and ending_before exclude each other")
		}
	}
	return p
}
