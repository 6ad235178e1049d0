package gateway

import (
	"net/http"
	"slices"
)

func (c call) respond() reply {
	f, refusal, refused := c.read(checkResponse)
	if refused {
		return refusal
	}
	return f.response()
}

func checkResponse(f *fields) {
	switch typ := typeOf(f.Get("input")); typ {
	case "null":
		f.refuse("", "Missing required parameter: 'input'.")
	case "string", "array":
	default:
		f.refuse("", "Invalid type for 'input': expected a string or an array.")
	}
	f.checkTools()
	f.checkFormat("text.format", "")
}

// response is the answer of /chat/completions in the words of /responses: a text, or a call of the tool that must be called.
func (f *fields) response() reply {
	id := identify(f.body)
	spent := countTokens(len(f.Get("input").Raw))
	out := response{
		ID: "resp_" + id, Object: "response", CreatedAt: created, Status: "completed", Model: f.model,
		ParallelToolCalls: true, ToolChoice: "auto", Tools: []any{}, Metadata: map[string]string{},
		Usage: &responseUsage{InputTokens: spent, OutputTokens: 1, TotalTokens: spent + 1},
	}
	item := outputItem{
		ID: "msg_" + id, Type: "message", Status: "completed", Role: "assistant",
		Content: []outputText{newOutputText(f.text("text.format", ""))},
	}
	if tool, forced := f.forced(); forced {
		item = outputItem{
			ID: "fc_" + id, Type: "function_call", Status: "completed", CallID: "call_" + id, Name: tool.name, Arguments: new(tool.arguments()),
		}
	}
	out.Output = []outputItem{item}
	if f.streamed() {
		return reply{status: http.StatusOK, events: out.events(), note: "accepted"}
	}
	return accept(out)
}

// events are the response as it is streamed: begun and empty, its item, its text or arguments in two pieces, and whole. The official
// Python and Node libraries keep a snapshot, and fail on a delta whose item or part was not added before (facts: response-events).
func (out response) events() []event {
	item := out.Output[0]
	begun := out
	begun.Status, begun.Output, begun.Usage = "in_progress", []outputItem{}, nil
	empty := item
	empty.Status = "in_progress"
	var inner []responseEvent
	if item.Arguments != nil {
		empty.Arguments = new("")
		inner = pieces("function_call_arguments", *item.Arguments)
		inner[2].Name, inner[2].Arguments = item.Name, item.Arguments
	} else {
		whole := item.Content[0]
		empty.Content = []outputText{}
		inner = pieces("output_text", whole.Text)
		inner[2].Text = &whole.Text
		inner = slices.Concat([]responseEvent{{Type: "response.content_part.added", Part: new(newOutputText(""))}}, inner,
			[]responseEvent{{Type: "response.content_part.done", Part: &whole}})
	}
	all := slices.Concat([]responseEvent{
		{Type: "response.created", Response: &begun}, {Type: "response.in_progress", Response: &begun},
		{Type: "response.output_item.added", Item: &empty},
	}, inner, []responseEvent{{Type: "response.output_item.done", Item: &item}, {Type: "response.completed", Response: &out}})
	events := make([]event, len(all))
	for i, e := range all {
		e.SequenceNumber = i
		if e.Response == nil && e.Item == nil {
			e.ItemID = item.ID
		}
		events[i] = event{name: e.Type, data: e}
	}
	return events
}

// pieces are two deltas and the end, which has the whole.
func pieces(kind, text string) []responseEvent {
	first, second := halves(text)
	return []responseEvent{
		{Type: "response." + kind + ".delta", Delta: first}, {Type: "response." + kind + ".delta", Delta: second}, {Type: "response." + kind + ".done"},
	}
}

func newOutputText(text string) outputText {
	return outputText{Type: "output_text", Text: text, Annotations: []any{}, Logprobs: []any{}}
}
