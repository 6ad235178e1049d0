package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"

	"github.com/planeproof/planeproof/evidence"
)

const (
	// maxBody is the largest chat body, in bytes.
	maxBody = 8 << 20
	// maxDrain is how much of a body that is too large is read and thrown away, in bytes: a client that is still sending
	// would meet a closed connection instead of the refusal.
	maxDrain = 64 << 20
)

// nonceForm is what a probe writes into its prompt to find its request in the journal.
var nonceForm = regexp.MustCompile(`n-[a-z0-9]{16}`)

var errTooLarge = errors.New("body is too large")

// chatRequest is what the gateway reads of a chat body; other keys are accepted and ignored.
type chatRequest struct {
	Model         string    `json:"model"`
	Messages      []message `json:"messages"`
	Stream        *bool     `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// chat answers one completion. The body is read before the credential is judged, so that the journal names the probe even
// where it is refused.
func (c call) chat() reply {
	var in chatRequest
	body, err := readBody(c.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	note(c.entry, body, in)
	if refusal, refused := c.refused(); refused {
		return refusal
	}
	if err != nil {
		return badBody(err)
	}
	if problem := in.check(); problem != "" {
		return refuse(http.StatusBadRequest, "", problem)
	}
	if !c.config.knows(in.Model) {
		return unknownModel(in.Model)
	}
	return in.answer(body)
}

func readBody(from io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	if err == nil && len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, from, maxDrain)
		err = errTooLarge
	}
	return body, err
}

func note(entry *evidence.Exchange, body []byte, in chatRequest) {
	entry.Model, entry.Stream = clip(in.Model), in.Stream
	entry.Nonce = string(nonceForm.Find(body))
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

// check says what a request lacks, empty where it lacks nothing.
func (in chatRequest) check() string {
	switch {
	case in.Model == "":
		return "you must provide a model parameter"
	case len(in.Messages) == 0:
		return "Missing required parameter: 'messages'."
	}
	for _, m := range in.Messages {
		switch {
		case m.Role == "":
			return "Missing required parameter: 'messages[].role'."
		case !m.isText():
			return "Invalid type for 'messages[].content': expected a string or an array."
		}
	}
	return ""
}

// isText accepts a string, an array of parts, and null or nothing, which a message with tool calls has.
func (m message) isText() bool {
	return len(m.Content) == 0 || m.Content[0] == '"' || m.Content[0] == '[' || m.Content[0] == 'n'
}

// answer is "pong" to everything. The same body gets the same answer, id and usage included.
func (in chatRequest) answer(body []byte) reply {
	sum := sha256.Sum256(body)
	base := completion{
		ID: "chatcmpl-" + hex.EncodeToString(sum[:12]), Object: "chat.completion", Created: created, Model: in.Model,
	}
	spent := usage{PromptTokens: in.tokens(), CompletionTokens: 1, TotalTokens: in.tokens() + 1}
	if in.Stream != nil && *in.Stream {
		return reply{status: http.StatusOK, events: in.chunks(base, spent), note: "accepted"}
	}
	base.Choices = []any{whole{Message: text{Role: "assistant", Content: "pong"}, FinishReason: "stop"}}
	base.Usage = &spent
	return accept(base)
}

// chunks are the completion in pieces, with the usage last where it was asked for.
func (in chatRequest) chunks(base completion, spent usage) []any {
	base.Object = "chat.completion.chunk"
	var chunks []any
	for _, p := range []part{
		{Delta: text{Role: "assistant", Content: "po"}},
		{Delta: text{Content: "ng"}},
		{FinishReason: new("stop")},
	} {
		chunk := base
		chunk.Choices = []any{p}
		chunks = append(chunks, chunk)
	}
	if in.StreamOptions.IncludeUsage {
		base.Choices, base.Usage = []any{}, &spent
		chunks = append(chunks, base)
	}
	return chunks
}

// tokens counts four bytes of prompt as one token, the usual rule of thumb.
func (in chatRequest) tokens() int {
	bytes := 0
	for _, m := range in.Messages {
		bytes += len(m.Content)
	}
	return bytes/4 + 1
}
