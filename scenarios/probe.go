package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/planeproof/planeproof/evidence"
)

// Call is what a scorer or a prompt sends.
type Call struct {
	// Caller is who makes it, in the scenario's words; it is not sent.
	Caller string
	Model  string
	// ProjectID is sent as x-bt-project-id; empty for a scorer without project context.
	ProjectID string
	Stream    bool
	// Key is the Braintrust API key; AsAPIKey sends it as x-api-key instead of Authorization.
	Key      string
	AsAPIKey bool
	// Nonce is in the message of the call, and finds it in the upstream's journal; empty for a new one.
	Nonce string
	// AnswerCache lets the proxy answer from its answer cache, for which it asks at temperature 0; CredentialCache lets it
	// use the credentials it has kept. Without them both are turned off: what they answer proves nothing (facts: answer-cache, credential-cache).
	AnswerCache, CredentialCache bool
}

// Probe is one call and what came back.
type Probe struct {
	Call
	// Status is the HTTP status of the answer, Text what the model said, Refusal the body of an answer that was none.
	Status        int
	Text, Refusal string
	// UsedEndpoint and Cached are the answer's x-bt-used-endpoint and x-bt-cached.
	UsedEndpoint, Cached string
	// Err is what the SDK reported, nil for an answer.
	Err error
}

// Run sends the call as a custom code scorer does: the official OpenAI SDK, pointed at $BRAINTRUST_API_URL/v1/proxy, with no retries
// of its own and nothing from the environment.
func (w *World) Run(ctx context.Context, c Call) {
	if c.Nonce == "" {
		c.Nonce = "n-" + random(16)
	}
	p := Probe{Call: c}
	// A service, unlike a client, takes no options from OPENAI_* variables.
	chat := openai.NewChatCompletionService(w.options(c)...)
	params := openai.ChatCompletionNewParams{
		Model:    c.Model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("planeproof probe " + p.Nonce)},
	}
	if c.AnswerCache {
		params.Temperature = openai.Float(0)
	}
	if c.Stream {
		p.Text, p.Err = readStream(ctx, chat, params)
	} else {
		p.Text, p.Err = readAnswer(ctx, chat, params)
	}
	sent := w.last()
	sent.Exchange.Nonce = c.Nonce
	p.Status = sent.Exchange.Status
	p.UsedEndpoint, p.Cached = sent.header.Get("X-Bt-Used-Endpoint"), sent.header.Get("X-Bt-Cached")
	if p.Err != nil {
		p.Refusal = sent.Body()
	}
	w.Probes = append(w.Probes, p)
	w.told[c.Nonce] = told{project: w.projectName(c.ProjectID)}
}

// told is what the trail of a scenario says of a call.
type told struct{ project, harness string }

// projectName is the name of the project of that id, empty for none.
func (w *World) projectName(id string) string {
	for name, known := range w.projects {
		if known == id {
			return name
		}
	}
	if id == "" {
		return ""
	}
	return "(unknown)"
}

// Tell completes exchanges of any system by what the scenario knows of their calls.
func (w *World) Tell(all []evidence.Exchange) {
	for i, e := range all {
		if call, known := w.told[e.Nonce]; known {
			all[i].Project, all[i].Harness = call.project, call.harness
		}
	}
}

// Again sends a call once more with a nonce of its own; why is told in the trail.
func (w *World) Again(ctx context.Context, c Call, why string) Probe {
	c.Nonce = ""
	w.Run(ctx, c)
	p := w.Probes[len(w.Probes)-1]
	w.told[p.Nonce] = told{w.told[p.Nonce].project, why}
	return p
}

// Control sends a call that must get through and returns what the gateway saw of it. It is no call of the scenario: what it leaves in the
// gateway's journal is not asked about any more.
func (w *World) Control(ctx context.Context, c Call) ([]evidence.Exchange, error) {
	sent := w.Again(ctx, c, "control call")
	w.Probes = w.Probes[:len(w.Probes)-1]
	w.controls = append(w.controls, sent.Nonce)
	return w.GatewaySaw(ctx, sent.Nonce)
}

func (w *World) options(c Call) []option.RequestOption {
	options := []option.RequestOption{
		option.WithBaseURL(w.APIURL() + "/v1/proxy"),
		option.WithHTTPClient(w.client),
		option.WithMaxRetries(0),
	}
	if !c.AnswerCache {
		options = append(options, option.WithHeader("x-bt-use-cache", "never"))
	}
	if !c.CredentialCache {
		options = append(options, option.WithHeader("x-bt-use-creds-cache", "never"))
	}
	if c.AsAPIKey {
		options = append(options, option.WithHeader("x-api-key", c.Key))
	} else {
		options = append(options, option.WithAPIKey(c.Key))
	}
	if c.ProjectID != "" {
		options = append(options, option.WithHeader("x-bt-project-id", c.ProjectID))
	}
	return options
}

var errNoChoice = errors.New("the answer has no choice")

func readAnswer(ctx context.Context, chat openai.ChatCompletionService, params openai.ChatCompletionNewParams) (string, error) {
	answer, err := chat.New(ctx, params)
	if err != nil {
		return "", err
	}
	if len(answer.Choices) == 0 {
		return "", errNoChoice
	}
	return answer.Choices[0].Message.Content, nil
}

func readStream(ctx context.Context, chat openai.ChatCompletionService, params openai.ChatCompletionNewParams) (string, error) {
	stream := chat.NewStreaming(ctx, params)
	defer func() { _ = stream.Close() }()
	var whole openai.ChatCompletionAccumulator
	for stream.Next() {
		if !whole.AddChunk(stream.Current()) {
			return "", fmt.Errorf("read stream: a chunk that does not belong to the answer")
		}
	}
	if err := stream.Err(); err != nil {
		return "", err
	}
	if len(whole.Choices) == 0 {
		return "", errNoChoice
	}
	return whole.Choices[0].Message.Content, nil
}

// Probe is the latest call; an error where there was none.
func (w *World) Probe() (Probe, error) {
	if len(w.Probes) == 0 {
		return Probe{}, errors.New("read latest call: the scenario made none")
	}
	return w.Probes[len(w.Probes)-1], nil
}

// Succeeded says whether the call got an answer of the model.
func (p Probe) Succeeded() bool { return p.Err == nil && p.Status == http.StatusOK && p.Text != "" }
