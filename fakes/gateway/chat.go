package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxChoices is how many answers one request may ask for.
const maxChoices = 128

func (c call) chat() reply {
	f, refusal, refused := c.read(checkChat)
	if refused {
		return refusal
	}
	return f.chat()
}

func checkChat(f *fields) {
	f.value("stream_options", "object")
	f.value("logprobs", "bool")
	f.checkMessages()
	if n := f.value("n", "number"); n.Exists() && (n.Int() < 1 || n.Int() > maxChoices || n.Num != float64(n.Int())) {
		f.refuse("", "Invalid value for 'n': expected 1 to 128.")
	}
	f.checkTools()
	f.checkFormat("response_format", "json_schema.")
}

func (f *fields) checkMessages() {
	messages := f.value("messages", "array")
	if !messages.Get("0").Exists() {
		f.refuse("", "Missing required parameter: 'messages'.")
	}
	messages.ForEach(func(_, m gjson.Result) bool {
		role := m.Get("role")
		switch content := typeOf(m.Get("content")); {
		case !m.IsObject() && m.Type != gjson.Null:
			f.refuse("invalid_type", "Invalid type for 'messages': got "+typeOf(m)+".")
		case role.Type != gjson.String && role.Type != gjson.Null:
			f.refuse("invalid_type", "Invalid type for 'messages[].role': got "+typeOf(role)+".")
		case role.String() == "":
			f.refuse("", "Missing required parameter: 'messages[].role'.")
		case content != "string" && content != "array" && content != "null": // null has a message with tool calls
			f.refuse("", "Invalid type for 'messages[].content': expected a string or an array.")
		}
		return f.wrong == ""
	})
}

// checkFormat checks what form of answer is asked for at a path; /responses has name and schema beside the type.
func (f *fields) checkFormat(path, schema string) {
	format := f.value(path, "object")
	switch typ := format.Get("type").String(); {
	case !format.Exists() || typ == "text":
	case typ == "json_object":
		if !strings.Contains(strings.ToLower(f.Get("messages").Raw+f.Get("input").Raw), "json") {
			f.refuse("", "'messages' must contain the word 'json' in some form, to use '"+path+"' of type 'json_object'.")
		}
	case typ != "json_schema":
		f.refuse("", "Invalid value for '"+path+".type'.")
	case format.Get(schema+"name").String() == "":
		f.refuse("", "Missing required parameter: '"+path+"."+schema+"name'.")
	}
}

// text is what is answered: "pong", or JSON where a form is asked for.
func (f *fields) text(path, schema string) string {
	switch format := f.Get(path); format.Get("type").String() {
	case "json_object":
		return `{"answer":"pong"}`
	case "json_schema":
		return tool{parameters: format.Get(schema + "schema").Raw}.arguments()
	}
	return "pong"
}

// chat is "pong" to everything, or a call of the tool that must be called. The same body gets the same bytes, id and usage included.
func (f *fields) chat() reply {
	id, prompt := identify(f.body), 0
	f.Get("messages").ForEach(func(_, m gjson.Result) bool {
		prompt += len(m.Get("content").Raw)
		return true
	})
	n := max(1, int(f.Get("n").Int()))
	base := completion{ID: "chatcmpl-" + id, Object: "chat.completion", Created: created, Model: f.model}
	spent := usage{PromptTokens: countTokens(prompt), CompletionTokens: n, TotalTokens: countTokens(prompt) + n}
	said := whole{Message: spoken{Role: "assistant", Content: new(f.text("response_format", "json_schema."))}, FinishReason: "stop"}
	if f.Get("logprobs").Bool() {
		said.Logprobs = certain(*said.Message.Content)
	}
	if tool, forced := f.forced(); forced {
		said.FinishReason = "tool_calls"
		said.Message.Content = nil
		said.Message.ToolCalls = []toolCall{{
			ID: "call_" + id, Type: "function", Function: calledFunction{Name: tool.name, Arguments: tool.arguments()},
		}}
	}
	if f.streamed() {
		return reply{status: http.StatusOK, events: f.chunks(base, said, spent, n), done: true, note: "accepted"}
	}
	for i := range n {
		said.Index = i
		base.Choices = append(base.Choices, said)
	}
	base.Usage = &spent
	return accept(base)
}

// identify makes 24 hex digits of a body.
func identify(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

// certain is what logprobs say of a text that is one token.
func certain(text string) *logprobs {
	one := logprob{Token: text, Bytes: []int{}, TopLogprobs: []any{}}
	for _, b := range []byte(text) {
		one.Bytes = append(one.Bytes, int(b))
	}
	return &logprobs{Content: []logprob{one}}
}

// chunks are the completion in pieces, choice by choice, with the usage last where it was asked for.
func (f *fields) chunks(base completion, said whole, spent usage, n int) []event {
	base.Object = "chat.completion.chunk"
	var chunks []event
	for i := range n {
		parts := append(said.Message.parts(), part{FinishReason: &said.FinishReason})
		parts[0].Logprobs = said.Logprobs
		for _, p := range parts {
			p.Index = i
			chunk := base
			chunk.Choices = []any{p}
			chunks = append(chunks, event{data: chunk})
		}
	}
	if f.Get("stream_options.include_usage").Bool() {
		base.Choices, base.Usage = []any{}, &spent
		chunks = append(chunks, event{data: base})
	}
	return chunks
}

// parts cuts a message in two: its text, or its tool call, whose name comes before its arguments.
func (s spoken) parts() []part {
	if s.Content != nil {
		first, second := halves(*s.Content)
		return []part{{Delta: delta{Role: s.Role, Content: first}}, {Delta: delta{Content: second}}}
	}
	name := s.ToolCalls[0]
	rest := toolCall{Index: new(0), Function: calledFunction{Arguments: name.Function.Arguments}}
	name.Index, name.Function.Arguments = new(0), ""
	return []part{
		{Delta: delta{Role: s.Role, ToolCalls: []toolCall{name}}},
		{Delta: delta{ToolCalls: []toolCall{rest}}},
	}
}

// halves cuts a text between two characters.
func halves(text string) (first, second string) {
	middle := len(text) / 2
	for middle > 0 && !utf8.RuneStart(text[middle]) {
		middle--
	}
	return text[:middle], text[middle:]
}

// countTokens counts four bytes of prompt as one token, the usual rule of thumb.
func countTokens(bytes int) int { return bytes/4 + 1 }
