package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"

	"github.com/tidwall/gjson"
)

const (
	// maxBody is the largest body of a request, in bytes.
	maxBody = 8 << 20
	// maxDrain is how much of a body that is too large is read and thrown away, in bytes: a client that is still sending
	// would meet a closed connection instead of the refusal.
	maxDrain = 64 << 20
)

// nonceForm is what a probe writes into its prompt to find its request in the journal.
var nonceForm = regexp.MustCompile(`n-[a-z0-9]{16}`)

var errTooLarge = errors.New("body is too large")

// fields is a JSON object by its exact keys, which encoding/json would match in any case. It is read where it lies: a body of a
// million small objects takes no more memory than its bytes. Keys that nobody asks for are accepted and ignored.
type fields struct {
	gjson.Result
	body  []byte
	model string
	// wrong is what is said of the first value that is not as it must be, with its code.
	wrong, code string
}

func (f *fields) refuse(code, message string) {
	if f.wrong == "" {
		f.code, f.wrong = code, message
	}
}

// value returns a value of one of the JSON types that are allowed; null counts as absent.
func (f *fields) value(path string, allowed ...string) gjson.Result {
	v := f.Get(path)
	if v.Type == gjson.Null {
		return gjson.Result{}
	}
	if typ := typeOf(v); !slices.Contains(allowed, typ) {
		f.refuse("invalid_type", "Invalid type for '"+path+"': got "+typ+".")
	}
	return v
}

func typeOf(v gjson.Result) string {
	switch {
	case v.IsObject():
		return "object"
	case v.IsArray():
		return "array"
	case v.IsBool():
		return "bool"
	case v.Type == gjson.Number:
		return "number"
	case v.Type == gjson.String:
		return "string"
	}
	return "null"
}

// streamed says whether a stream is asked for.
func (f *fields) streamed() bool { return f.Get("stream").Type == gjson.True }

// read reads a body, and returns a refusal where the call cannot be answered. Before the credential is judged it is searched for what the
// journal says of a probe, also of one that is refused, and not checked.
func (c call) read(check func(*fields)) (f *fields, refusal reply, refused bool) {
	body, err := readBody(c.Request)
	f = &fields{Result: gjson.ParseBytes(body), body: body, model: c.deployment}
	if model := f.Get("model"); model.Type == gjson.String && f.model == "" {
		f.model = model.String()
	}
	if stream := f.Get("stream"); stream.IsBool() {
		c.entry.Stream = new(stream.Bool())
	}
	c.entry.Model, c.entry.Nonce = clip(f.model), string(nonceForm.Find(body))
	if refusal, refused := c.refused(); refused {
		return nil, refusal, true
	}
	if encoding := c.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, refuse(http.StatusUnsupportedMediaType, "", "The content encoding of the request body is not supported."), true
	}
	if err == nil {
		err = json.Unmarshal(body, &struct{}{}) // is it an object?
	}
	if err != nil {
		return nil, badBody(err), true
	}
	f.value("model", "string")
	f.value("stream", "bool")
	if f.model == "" {
		f.refuse("", "you must provide a model parameter")
	}
	check(f)
	switch {
	case f.wrong != "":
		return nil, refuse(http.StatusBadRequest, f.code, f.wrong), true
	case !c.config.knows(f.model) && c.deployment != "":
		return nil, noDeployment(), true
	case !c.config.knows(f.model):
		return nil, unknownModel(f.model), true
	}
	return f, reply{}, false
}

// readBody reads a body at once where its length is known.
func readBody(r *http.Request) (body []byte, err error) {
	if r.ContentLength >= 0 && r.ContentLength <= maxBody {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
		return body, err
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		err = errTooLarge
	}
	return body, err
}

// badBody says what is wrong with a body without repeating it.
func badBody(err error) reply {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "", "The request body is larger than 8 MiB.")
	case errors.As(err, &wrongType):
		return refuse(http.StatusBadRequest, "invalid_type", "Invalid type for '"+clip(wrongType.Field)+"': got "+wrongType.Value+".")
	case errors.As(err, &syntax):
		return refuse(http.StatusBadRequest, "", "We could not parse the JSON body of your request: "+syntax.Error())
	default:
		return refuse(http.StatusBadRequest, "", "The request body could not be read to its end.")
	}
}
