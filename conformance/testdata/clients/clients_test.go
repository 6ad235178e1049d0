// Package clients_test runs libraries that people use, unmodified, against the fakes: what they need is not for us to decide.
package clients_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	openai1 "github.com/openai/openai-go"
	option1 "github.com/openai/openai-go/option"
	openai3 "github.com/openai/openai-go/v3"
	option3 "github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"

	"github.com/planeproof/planeproof/fakes/gateway"
)

const token, model = "tok-clients-4711", "acme-chat"

// serve is the gateway's base URL, without a path.
func serve(t *testing.T, personality string) string {
	t.Helper()
	g, err := gateway.New(gateway.Config{Personality: personality, Tokens: []string{token}, Models: []string{model}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(g)
	t.Cleanup(server.Close)
	http.DefaultTransport = server.Client().Transport // some of the libraries take no client
	return server.URL
}

func pong(t *testing.T, got string, err error) {
	t.Helper()
	if err != nil || got != "pong" {
		t.Fatalf("got %q, error %v", got, err)
	}
}

func TestOpenAIMajor1(t *testing.T) {
	client := openai1.NewClient(option1.WithBaseURL(serve(t, "")+"/v1"), option1.WithAPIKey(token))
	params := openai1.ChatCompletionNewParams{Model: model, Messages: []openai1.ChatCompletionMessageParamUnion{openai1.UserMessage("ping")}, N: openai1.Int(2)}
	got, err := client.Chat.Completions.New(t.Context(), params)
	pong(t, got.Choices[1].Message.Content, err)
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var all openai1.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Fatal("a chunk does not fit")
		}
	}
	pong(t, all.Choices[1].Message.Content, stream.Err())
}

func TestOpenAIMajor3(t *testing.T) {
	client := openai3.NewClient(option3.WithBaseURL(serve(t, "openai")+"/v1"), option3.WithAPIKey(token))
	params := responses.ResponseNewParams{Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai3.String("ping")}}
	got, err := client.Responses.New(t.Context(), params)
	pong(t, got.OutputText(), err)
	stream := client.Responses.NewStreaming(t.Context(), params)
	var last responses.Response
	for stream.Next() {
		last = stream.Current().Response
	}
	pong(t, last.OutputText(), stream.Err())
	list, err := client.Models.List(t.Context())
	pong(t, map[bool]string{true: "pong"}[err == nil && list.Data[0].ID == model], err)
}

func TestGoOpenAI(t *testing.T) {
	config := goopenai.DefaultConfig(token)
	config.BaseURL = serve(t, "vllm") + "/v1"
	client := goopenai.NewClientWithConfig(config)
	ask := goopenai.ChatCompletionRequest{Model: model, LogProbs: true, Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "ping"}}}
	got, err := client.CreateChatCompletion(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	pong(t, got.Choices[0].LogProbs.Content[0].Token, nil)
	stream, err := client.CreateChatCompletionStream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	text := ""
	for chunk, err := stream.Recv(); err == nil; chunk, err = stream.Recv() {
		text += chunk.Choices[0].Delta.Content
	}
	pong(t, text, nil)
}

func TestGoOpenAIOnAzure(t *testing.T) {
	config := goopenai.DefaultAzureConfig(token, serve(t, gateway.PersonalityAzure))
	got, err := goopenai.NewClientWithConfig(config).CreateChatCompletion(t.Context(), goopenai.ChatCompletionRequest{
		Model: model, Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "ping"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pong(t, got.Choices[0].Message.Content, nil)
}

func TestLangChain(t *testing.T) {
	client, err := langchain.New(langchain.WithBaseURL(serve(t, "litellm")+"/v1"), langchain.WithToken(token), langchain.WithModel(model),
		langchain.WithHTTPClient(http.DefaultClient))
	if err != nil {
		t.Fatal(err)
	}
	got, err := llms.GenerateFromSinglePrompt(t.Context(), client, "ping")
	pong(t, got, err)
	text := ""
	_, err = llms.GenerateFromSinglePrompt(t.Context(), client, "ping", llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		text += string(chunk)
		return nil
	}))
	pong(t, text, err)
}

func TestAzure(t *testing.T) {
	base := serve(t, gateway.PersonalityAzure)
	options := &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{Transport: http.DefaultClient}}
	client, err := azopenai.NewClientWithKeyCredential(base, azcore.NewKeyCredential(token), options)
	if err != nil {
		t.Fatal(err)
	}
	name := model
	got, err := client.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
		DeploymentName: &name,
		Messages:       []azopenai.ChatRequestMessageClassification{&azopenai.ChatRequestUserMessage{Content: azopenai.NewChatRequestUserMessageContent("ping")}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pong(t, *got.Choices[0].Message.Content, nil)
}
