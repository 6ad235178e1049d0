package routing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	Role    json.RawMessage `json:"role,omitempty"`
	Content *string         `json:"content"`
}

// fakeStream turns a whole completion into a stream of one chunk.
func (a *answer) fakeStream() error {
	defer a.body.Close()
	var whole completion
	if err := json.NewDecoder(a.body).Decode(&whole); err != nil {
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
	}
	var stream bytes.Buffer
	stream.WriteString("data: ")
	encoder := json.NewEncoder(&stream)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(whole); err != nil {
		return err
	}
	stream.WriteString("\ndata: [DONE]\n\n")
	a.body = io.NopCloser(&stream)
	return nil
}
