package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b bed) respond(body string) answer {
	return b.ask("POST", "/v1/responses", body, "Authorization", "Bearer "+token)
}

func TestRefusedResponses(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", "/responses", `{"model":"acme-chat","input":"x"}`).StatusCode)
	for body, says := range map[string]string{
		`[]`:                                 "array",
		`{"input":"x"}`:                      "model",
		`{"model":"acme-chat"}`:              "'input'",
		`{"model":"acme-chat","input":null}`: "'input'",
		`{"model":"acme-chat","input":1}`:    "'input'",
		`{"model":"acme-chat","input":{}}`:   "'input'",
		`{"model":"acme-chat","input":"x","tool_choice":"required"}`: "'tool_choice'",
	} {
		got := b.respond(body)
		require.Equal(t, http.StatusBadRequest, got.StatusCode, body)
		assert.Contains(t, got.problem(t)["message"], says, body)
	}
	assert.Equal(t, http.StatusNotFound, b.respond(`{"model":"other","input":"x"}`).StatusCode)
}

func question(model string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("ping " + nonce)}}
}

func TestSDKResponses(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		got, err := client.Responses.New(t.Context(), question("acme-chat"))
		require.NoError(t, err)
		assert.Equal(t, "pong", got.OutputText())
		assert.EqualValues(t, "completed", got.Status)
		assert.EqualValues(t, "message", got.Output[0].Type)
		assert.Equal(t, got.Usage.TotalTokens, got.Usage.InputTokens+got.Usage.OutputTokens)
		assert.Equal(t, nonce, b.last().Nonce)
		again, err := client.Responses.New(t.Context(), question("acme-chat"))
		require.NoError(t, err)
		assert.Equal(t, got.RawJSON(), again.RawJSON())
	})
}

func TestSDKStreamsResponses(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		stream := client.Responses.NewStreaming(t.Context(), question("acme-chat"))
		var text strings.Builder
		var types []string
		var whole responses.Response
		for stream.Next() {
			event := stream.Current()
			assert.EqualValues(t, len(types), event.SequenceNumber)
			types = append(types, event.Type)
			text.WriteString(event.AsResponseOutputTextDelta().Delta)
			if event.Type == "response.completed" {
				whole = event.Response
			}
		}
		require.NoError(t, stream.Err())
		assert.Equal(t, []string{"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
			"response.output_text.delta", "response.output_text.delta", "response.output_text.done", "response.content_part.done",
			"response.output_item.done", "response.completed"}, types)
		assert.Equal(t, "pong", text.String())
		assert.Equal(t, "pong", whole.OutputText())
		assert.EqualValues(t, 1, whole.Usage.OutputTokens)
		assert.Equal(t, new(true), b.last().Stream)
	})
}

func TestSDKResponsesCallTheTool(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		params := question("acme-chat")
		params.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{Name: "select_choice", Parameters: choice()}}}
		params.ToolChoice = responses.ResponseNewParamsToolChoiceUnion{OfFunctionTool: &responses.ToolChoiceFunctionParam{Name: "select_choice"}}
		got, err := client.Responses.New(t.Context(), params)
		require.NoError(t, err)
		call := got.Output[0].AsFunctionCall()
		assert.Equal(t, "select_choice", call.Name)
		assert.JSONEq(t, `{"choice":"A","reasons":"pong"}`, call.Arguments)
		assert.NotEmpty(t, call.CallID)

		stream := client.Responses.NewStreaming(t.Context(), params)
		var arguments strings.Builder
		last := ""
		for stream.Next() {
			event := stream.Current()
			arguments.WriteString(event.AsResponseFunctionCallArgumentsDelta().Delta)
			last = event.Type
		}
		require.NoError(t, stream.Err())
		assert.Equal(t, "response.completed", last)
		assert.Equal(t, call.Arguments, arguments.String())
	})
}
