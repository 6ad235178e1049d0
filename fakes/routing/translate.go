package routing

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// asResponses asks at /responses what a chat completion asks, as far as our gateway reads it (facts: responses-translated).
func asResponses(chat []byte) []byte {
	var in struct {
		Model       json.RawMessage              `json:"model"`
		Messages    []map[string]json.RawMessage `json:"messages"`
		Tools       []struct{ Function map[string]json.RawMessage }
		ToolChoice  json.RawMessage `json:"tool_choice"`
		MaxTokens   json.RawMessage `json:"max_tokens"`
		Temperature json.RawMessage `json:"temperature"`
		TopP        json.RawMessage `json:"top_p"`
	}
	_ = json.Unmarshal(chat, &in) // what is of another type is left out
	for _, m := range in.Messages {
		m["type"] = encode("message")
	}
	for _, t := range in.Tools {
		t.Function["type"] = encode("function")
	}
	var tools []any
	for _, t := range in.Tools {
		tools = append(tools, t.Function)
	}
	var named struct{ Function struct{ Name string } }
	if json.Unmarshal(in.ToolChoice, &named) == nil && named.Function.Name != "" {
		in.ToolChoice = encode(map[string]string{"type": "function", "name": named.Function.Name})
	}
	return encode(struct {
		Model       json.RawMessage              `json:"model,omitempty"`
		Input       []map[string]json.RawMessage `json:"input"`
		Tools       []any                        `json:"tools,omitempty"`
		ToolChoice  json.RawMessage              `json:"tool_choice,omitempty"`
		MaxTokens   json.RawMessage              `json:"max_output_tokens,omitempty"`
		Temperature json.RawMessage              `json:"temperature,omitempty"`
		TopP        json.RawMessage              `json:"top_p,omitempty"`
	}{in.Model, in.Messages, tools, in.ToolChoice, in.MaxTokens, in.Temperature, in.TopP})
}

// asChat makes a chat completion of an answer of /responses.
func (a *answer) asChat() error {
	defer a.body.Close()
	var in struct {
		ID     string
		Model  string
		At     json.RawMessage `json:"created_at"`
		Output []struct {
			ID, Type, Name, Arguments string
			Content                   []struct{ Type, Text string }
		}
		Usage struct {
			In    int `json:"input_tokens"`
			Out   int `json:"output_tokens"`
			Total int `json:"total_tokens"`
		}
	}
	if err := json.NewDecoder(io.LimitReader(a.body, maxBody)).Decode(&in); err != nil || in.Output == nil {
		return errors.New("the provider's answer is no response")
	}
	said, finish := message{Role: encode("assistant")}, "stop"
	for _, item := range in.Output {
		for _, part := range item.Content {
			if part.Type == "output_text" && said.Content == nil {
				said.Content = new(string)
			}
			if part.Type == "output_text" {
				*said.Content += part.Text
			}
		}
		if item.Type == "function_call" {
			finish = "tool_calls"
			said.ToolCalls = append(said.ToolCalls, map[string]json.RawMessage{
				"id": encode(item.ID), "type": encode("function"), "function": encode(map[string]string{"name": item.Name, "arguments": item.Arguments}),
			})
		}
	}
	whole := completion{
		ID: encode(in.ID), Object: "chat.completion", Created: in.At, Model: encode(in.Model),
		Choices: []choice{{Index: encode(0), Message: &said, FinishReason: encode(finish)}},
		Usage:   encode(map[string]int{"prompt_tokens": in.Usage.In, "completion_tokens": in.Usage.Out, "total_tokens": in.Usage.Total}),
	}
	a.body = io.NopCloser(strings.NewReader(string(encode(whole))))
	return nil
}
