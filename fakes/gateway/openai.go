package gateway

// created is the time in every answer, in Unix seconds: answers are the same in every run.
const created = 1700000000

type listing struct {
	Object string  `json:"object"`
	Data   []model `json:"data"`
}

type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func newModel(id string) model {
	return model{ID: id, Object: "model", Created: created, OwnedBy: "planeproof"}
}

// completion is a chat completion or one chunk of it.
type completion struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []any  `json:"choices"`
	Usage   *usage `json:"usage,omitempty"`
}

// whole is the choice of a plain answer, part that of a chunk.
type whole struct {
	Index        int    `json:"index"`
	Message      text   `json:"message"`
	FinishReason string `json:"finish_reason"`
}

type part struct {
	Index        int     `json:"index"`
	Delta        text    `json:"delta"`
	FinishReason *string `json:"finish_reason"`
}

type text struct {
	Role    string `json:"role,omitempty"`
	Content string `json:"content,omitempty"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}
