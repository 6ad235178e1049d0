package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
)

// chatRequest is what the gateway reads of a chat body.
type chatRequest struct {
	Model         string          `json:"model"`
	Stream        *bool           `json:"stream"`
	Messages      []message       `json:"messages"`
	Tools         []offered       `json:"tools"`
	ToolChoice    json.RawMessage `json:"tool_choice"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

func (c call) chat() reply {
	var in chatRequest
	body, refusal, refused := c.read(&in)
	if refused {
		return refusal
	}
	return in.answer(body)
}

func (in *chatRequest) asked() asked { return asked{in.Model, in.Stream} }

func (in *chatRequest) check() string {
	if len(in.Messages) == 0 {
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
	return toolbox{in.Tools, in.ToolChoice}.check()
}

// isText accepts a string, an array of parts, and null or nothing, which a message with tool calls has.
func (m message) isText() bool {
	return len(m.Content) == 0 || m.Content[0] == '"' || m.Content[0] == '[' || m.Content[0] == 'n'
}

// answer is "pong" to everything, or a call of the tool that must be called. The same body gets the same bytes, id and usage
// included.
func (in *chatRequest) answer(body []byte) reply {
	id := identify(body)
	base := completion{ID: "chatcmpl-" + id, Object: "chat.completion", Created: created, Model: in.Model}
	spent := usage{PromptTokens: in.tokens(), CompletionTokens: 1, TotalTokens: in.tokens() + 1}
	said := whole{Message: spoken{Role: "assistant", Content: new("pong")}, FinishReason: "stop"}
	if tool, forced := (toolbox{in.Tools, in.ToolChoice}).forced(); forced {
		said.FinishReason = "tool_calls"
		said.Message.Content = nil
		said.Message.ToolCalls = []toolCall{{
			ID: "call_" + id, Type: "function", Function: calledFunction{Name: tool.Name, Arguments: tool.arguments()},
		}}
	}
	if in.Stream != nil && *in.Stream {
		return reply{status: http.StatusOK, events: in.chunks(base, said, spent), done: true, note: "accepted"}
	}
	base.Choices = []any{said}
	base.Usage = &spent
	return accept(base)
}

// identify makes 24 hex digits of a body.
func identify(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

// chunks are the completion in pieces, with the usage last where it was asked for.
func (in *chatRequest) chunks(base completion, said whole, spent usage) []event {
	base.Object = "chat.completion.chunk"
	var chunks []event
	for _, p := range append(said.Message.parts(), part{FinishReason: &said.FinishReason}) {
		chunk := base
		chunk.Choices = []any{p}
		chunks = append(chunks, event{data: chunk})
	}
	if in.StreamOptions.IncludeUsage {
		base.Choices, base.Usage = []any{}, &spent
		chunks = append(chunks, event{data: base})
	}
	return chunks
}

// parts cuts a message in two: its text, or its tool call, whose name comes before its arguments.
func (s spoken) parts() []part {
	if s.Content != nil {
		half := len(*s.Content) / 2
		return []part{
			{Delta: delta{Role: s.Role, Content: (*s.Content)[:half]}},
			{Delta: delta{Content: (*s.Content)[half:]}},
		}
	}
	name := s.ToolCalls[0]
	rest := toolCall{Index: new(0), Function: calledFunction{Arguments: name.Function.Arguments}}
	name.Index, name.Function.Arguments = new(0), ""
	return []part{
		{Delta: delta{Role: s.Role, ToolCalls: []toolCall{name}}},
		{Delta: delta{ToolCalls: []toolCall{rest}}},
	}
}

// tokens counts four bytes of prompt as one token, the usual rule of thumb.
func (in *chatRequest) tokens() int {
	bytes := 0
	for _, m := range in.Messages {
		bytes += len(m.Content)
	}
	return countTokens(bytes)
}

func countTokens(bytes int) int { return bytes/4 + 1 }
