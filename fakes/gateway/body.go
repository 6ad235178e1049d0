package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
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

// asked is what every body has; other keys than those that the gateway reads are accepted and ignored.
type asked struct {
	model  string
	stream *bool
}

// request is a body of one of the endpoints.
type request interface {
	asked() asked
	// check says what the body lacks, empty where it lacks nothing.
	check() string
}

// read reads a body into in, and returns a refusal where the call cannot be answered. The body is read before the credential is
// judged, so that the journal names the probe even where it is refused.
func (c call) read(in request) (body []byte, refusal reply, refused bool) {
	body, err := readBody(c.Request)
	if err == nil {
		err = json.Unmarshal(body, in)
	}
	model := in.asked().model
	c.entry.Model, c.entry.Stream = clip(model), in.asked().stream
	c.entry.Nonce = string(nonceForm.Find(body))
	if refusal, refused := c.refused(); refused {
		return nil, refusal, true
	}
	if err != nil {
		return nil, badBody(err), true
	}
	if model == "" {
		return nil, refuse(http.StatusBadRequest, "", "you must provide a model parameter"), true
	}
	if problem := in.check(); problem != "" {
		return nil, refuse(http.StatusBadRequest, "", problem), true
	}
	if !c.config.knows(model) {
		return nil, unknownModel(model), true
	}
	return body, reply{}, false
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
