package gateway

import (
	"encoding/json"
	"net/http"
)

// responseRequest is what the gateway reads of a body of /responses.
type responseRequest struct {
	Model      string          `json:"model"`
	Stream     *bool           `json:"stream"`
	Input      json.RawMessage `json:"input"`
	Tools      []offered       `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`
}

func (c call) respond() reply {
	var in responseRequest
	body, refusal, refused := c.read(&in)
	if refused {
		return refusal
	}
	return in.answer(body)
}

func (in *responseRequest) asked() asked { return asked{in.Model, in.Stream} }

func (in *responseRequest) check() string {
	switch {
	case len(in.Input) == 0 || string(in.Input) == "null":
		return "Missing required parameter: 'input'."
	case in.Input[0] != '"' && in.Input[0] != '[':
		return "Invalid type for 'input': expected a string or an array."
	}
	return toolbox{in.Tools, in.ToolChoice}.check()
}

// answer is that of /chat/completions in the words of /responses: the text "pong", or a call of the tool that must be called.
func (in *responseRequest) answer(body []byte) reply {
	id := identify(body)
	spent := countTokens(len(in.Input))
	out := response{
		ID: "resp_" + id, Object: "response", CreatedAt: created, Status: "completed", Model: in.Model,
		ParallelToolCalls: true, ToolChoice: "auto", Tools: []any{}, Metadata: map[string]string{},
		Usage: &responseUsage{InputTokens: spent, OutputTokens: 1, TotalTokens: spent + 1},
	}
	item := outputItem{
		ID: "msg_" + id, Type: "message", Status: "completed", Role: "assistant",
		Content: []outputText{{Type: "output_text", Text: "pong", Annotations: []any{}}},
	}
	if tool, forced := (toolbox{in.Tools, in.ToolChoice}).forced(); forced {
		item = outputItem{
			ID: "fc_" + id, Type: "function_call", Status: "completed", CallID: "call_" + id, Name: tool.Name, Arguments: new(tool.arguments()),
		}
	}
	out.Output = []outputItem{item}
	if in.Stream != nil && *in.Stream {
		return reply{status: http.StatusOK, events: out.events(), note: "accepted"}
	}
	return accept(out)
}

// events are the response as it is streamed: begun and empty, its item, its text or arguments in two pieces, and whole.
func (out response) events() []event {
	item := out.Output[0]
	begun := out
	begun.Status, begun.Output, begun.Usage = "in_progress", []outputItem{}, nil
	empty := item
	empty.Status = "in_progress"
	kind, text := "function_call_arguments", ""
	if item.Arguments != nil {
		empty.Arguments, text = new(""), *item.Arguments
	} else {
		empty.Content, kind, text = []outputText{}, "output_text", item.Content[0].Text
	}
	piece := func(part string) responseEvent {
		return responseEvent{Type: "response." + kind + ".delta", ItemID: item.ID, Delta: part}
	}
	end := responseEvent{Type: "response." + kind + ".done", ItemID: item.ID}
	if item.Arguments != nil {
		end.Name, end.Arguments = item.Name, text
	} else {
		end.Text = text
	}
	half := len(text) / 2
	var events []event
	for i, e := range []responseEvent{
		{Type: "response.created", Response: &begun},
		{Type: "response.output_item.added", Item: &empty},
		piece(text[:half]),
		piece(text[half:]),
		end,
		{Type: "response.output_item.done", Item: &item},
		{Type: "response.completed", Response: &out},
	} {
		e.SequenceNumber = i
		events = append(events, event{name: e.Type, data: e})
	}
	return events
}
