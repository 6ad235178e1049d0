package routing

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// completion is the part of a chat completion that a faked stream repeats, in the order of a chunk's keys
// (recorded: proxy-routing stream-unsupported-fakes).
type completion struct {
	ID      json.RawMessage `json:"id,omitempty"`
	Choices []choice        `json:"choices"`
	Created json.RawMessage `json:"created,omitempty"`
	Model   json.RawMessage `json:"model,omitempty"`
	Object  string          `json:"object"`
	Usage   json.RawMessage `json:"usage,omitempty"`
}

type choice struct {
	Index        json.RawMessage `json:"index,omitempty"`
	Message      *message        `json:"message,omitempty"`
	Delta        *message        `json:"delta,omitempty"`
	FinishReason json.RawMessage `json:"finish_reason,omitempty"`
}

type message struct {
	Role      json.RawMessage              `json:"role,omitempty"`
	Content   *string                      `json:"content"`
	ToolCalls []map[string]json.RawMessage `json:"tool_calls,omitempty"`
}

// noJSON stands for an answer that is no JSON (facts: fake-stream).
const noJSON = `{"id":"invalid","choices":[],"created":0,"model":"invalid","usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`

// fakeStream turns a whole completion into a stream of one chunk.
func (a *answer) fakeStream() error {
	defer a.body.Close()
	body, err := io.ReadAll(io.LimitReader(a.body, maxBody))
	if err != nil {
		return err
	}
	if !json.Valid(body) {
		body = []byte(noJSON)
	}
	var whole completion
	if err := json.Unmarshal(body, &whole); err != nil || whole.Choices == nil {
		return errors.New("the provider's answer is no chat completion")
	}
	whole.Object = "chat.completion.chunk"
	for i := range whole.Choices {
		c := &whole.Choices[i]
		if c.Message == nil {
			return errors.New("the provider's answer has a choice without a message")
		}
		c.Delta, c.Message = c.Message, nil
		if c.Delta.Content == nil {
			c.Delta.Content = new(string)
		}
		for n, tool := range c.Delta.ToolCalls {
			tool["index"] = encode(n)
		}
	}
	a.body = io.NopCloser(strings.NewReader("data: " + string(encode(whole)) + "\n\ndata: [DONE]\n\n"))
	return nil
}
