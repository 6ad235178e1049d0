package sabotage

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/target/settings"
)

// middleware stands before one tenant's system.
type middleware = func(http.Handler) http.Handler

// gatewayServes, planeServes and the like are a sabotage of which nothing is remembered.
func gatewayServes(m middleware) func() onGateway {
	return func() onGateway { return onGateway{Serve: m} }
}

func gatewaySet(set func(*settings.Gateway)) func() onGateway {
	return func() onGateway { return onGateway{Settings: set} }
}

func planeServes(m middleware) func() onDataPlane {
	return func() onDataPlane { return onDataPlane{Serve: m} }
}

func planeSet(set func(*settings.DataPlane)) func() onDataPlane {
	return func() onDataPlane { return onDataPlane{Settings: set} }
}

func legacySet(set func(*settings.LegacyProxy)) func() onLegacyProxy {
	return func() onLegacyProxy { return onLegacyProxy{Settings: set} }
}

// match says which requests are meant.
type match func(*http.Request) bool

// on means requests of a method, empty for any, below a path.
func on(method, path string) match {
	return func(r *http.Request) bool {
		return (method == "" || r.Method == method) && strings.HasPrefix(r.URL.EscapedPath(), path)
	}
}

// at means requests of a method to one path.
func at(method, path string) match {
	return func(r *http.Request) bool { return r.Method == method && r.URL.EscapedPath() == path }
}

// either means what one of several means.
func either(all ...match) match {
	return func(r *http.Request) bool {
		for _, m := range all {
			if m(r) {
				return true
			}
		}
		return false
	}
}

// asking means requests whose query has a parameter.
func asking(path, parameter string) match {
	return func(r *http.Request) bool { return on(http.MethodGet, path)(r) && r.URL.Query().Has(parameter) }
}

// request changes what the system gets.
func request(which match, edit func(*http.Request)) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if which(r) {
				r = r.Clone(r.Context())
				edit(r)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// sent changes the body that the system gets.
func sent(which match, edit func([]byte) []byte) middleware {
	return request(which, func(r *http.Request) { replace(r, edit(read(r))) })
}

// read takes a request's body and leaves it in place.
func read(r *http.Request) []byte {
	body, _ := io.ReadAll(r.Body) // what cannot be read is missing to the system too
	replace(r, body)
	return body
}

func replace(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// reply is an answer that is not yet sent.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// answer changes what the system answers.
func answer(which match, edit func(*reply)) middleware {
	return told(which, func(_ *http.Request, a *reply) { edit(a) })
}

// told changes what the system answers to a request.
func told(which match, edit func(*http.Request, *reply)) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !which(r) {
				next.ServeHTTP(w, r)
				return
			}
			body := read(r)
			a := ask(next, r)
			replace(r, body)
			edit(r, a)
			a.write(w)
		})
	}
}

// ask lets the system answer without sending it.
func ask(system http.Handler, r *http.Request) *reply {
	w := &catcher{reply{status: http.StatusOK, header: http.Header{}}}
	system.ServeHTTP(w, r)
	return &w.reply
}

// catcher takes an answer in.
type catcher struct{ reply }

// Flush has nothing to send on: a stream is caught whole.
func (c *catcher) Flush()                 {}
func (c *catcher) Header() http.Header    { return c.header }
func (c *catcher) WriteHeader(status int) { c.status = status }
func (c *catcher) Write(p []byte) (int, error) {
	c.body = append(c.body, p...)
	return len(p), nil
}

func (a *reply) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Del("Content-Length") // it was that of the body as it was
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that left is nobody to tell
}

// another is a further request to the same system, as whoever sent the first could send it.
func another(r *http.Request, method, path, body string) *http.Request {
	out := r.Clone(r.Context())
	out.Method = method
	out.URL.Path, out.URL.RawPath, out.URL.RawQuery = path, "", ""
	replace(out, []byte(body))
	return out
}

// noted changes what the journal says of a request that was answered.
func noted(which match, edit func(note string) string) middleware {
	return told(which, func(r *http.Request, _ *reply) {
		entry := journal.Of(r).Entry
		entry.Note = edit(entry.Note)
	})
}

// set and drop edit one key of a JSON object; what is no object stays as it is.
func set(body []byte, key string, value any) []byte {
	if !gjson.ParseBytes(body).IsObject() {
		return body
	}
	edited, err := sjson.SetBytes(body, key, value)
	if err != nil {
		return body
	}
	return edited
}

func drop(body []byte, key string) []byte {
	if !gjson.GetBytes(body, key).Exists() {
		return body
	}
	edited, err := sjson.DeleteBytes(body, key)
	if err != nil {
		return body
	}
	return edited
}

// has says whether a key of a JSON object is there.
func has(body []byte, key string) bool { return gjson.GetBytes(body, key).Exists() }

// object changes each object of the control API that an answer shows, alone or in a listing.
func object(which match, edit func([]byte) []byte) middleware {
	return answer(which, func(a *reply) { a.objects(edit) })
}

func (a *reply) objects(edit func([]byte) []byte) {
	if a.status != http.StatusOK {
		return
	}
	list := gjson.GetBytes(a.body, "objects")
	if !list.IsArray() {
		a.body = edit(a.body)
		return
	}
	a.list(list.Array(), edit)
}

// list makes the answer a listing of these objects, each edited; edit is nil for as they are.
func (a *reply) list(all []gjson.Result, edit func([]byte) []byte) {
	shown := []byte(`{"objects":[]}`)
	for _, one := range all {
		raw := []byte(one.Raw)
		if edit != nil {
			raw = edit(raw)
		}
		shown, _ = sjson.SetRawBytes(shown, "objects.-1", raw) // of an object that is ours
	}
	a.body = shown
}
