package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

// choice is the parameters of the tool by which a scorer's judge says its choice.
func choice() map[string]any {
	return map[string]any{
		"type": "object", "required": []string{"reasons", "choice"},
		"properties": map[string]any{
			"reasons": map[string]any{"type": "string"},
			"choice":  map[string]any{"type": "string", "enum": []string{"A", "B"}},
		},
	}
}

// withTool is the prompt with tools and a choice.
func withTool(tools, choice string) string {
	return strings.TrimSuffix(prompt, "}") + `,"tools":` + tools + `,"tool_choice":` + choice + `}`
}

func TestRefusedToolChoices(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	const one = `[{"type":"function","function":{"name":"f"}}]`
	for body, says := range map[string]string{
		withTool(one, `"maybe"`): "'tool_choice'",
		withTool(one, `1`):       "'tool_choice'",
		withTool(one, `[]`):      "'tool_choice'",
		withTool(one, `{}`):      "'tool_choice'",
		withTool(one, `{"type":"function","function":{"name":"g"}}`):    "'g' not found",
		withTool(`[]`, `"required"`):                                    "none that could be called",
		withTool(`null`, `{"type":"function","function":{"name":"f"}}`): "'f' not found",
		withTool(`{}`, `"auto"`):                                        "'tools'",
	} {
		got := b.chat(body)
		require.Equal(t, http.StatusBadRequest, got.StatusCode, body)
		assert.Contains(t, got.problem(t)["message"], says, body)
	}
}

func TestToolsThatNeedNotBeCalledAreNot(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for _, choice := range []string{`"auto"`, `"none"`, `null`} {
		got := b.chat(withTool(`[{"type":"function","function":{"name":"f"}}]`, choice))
		require.Equal(t, http.StatusOK, got.StatusCode, choice)
		assert.Equal(t, "pong", gjson.Get(got.body, "choices.0.message.content").String())
		assert.False(t, gjson.Get(got.body, "choices.0.message.tool_calls").Exists())
	}
}

func TestToolIsCalledWithArgumentsThatFit(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	for parameters, want := range map[string]string{
		`null`:              `{}`,
		`1`:                 `{}`,
		`{}`:                `{}`,
		`{"type":"object"}`: `{}`,
		`{"type":"object","properties":{"s":{"type":"string"},"n":{"type":"number"},"i":{"type":"integer","minimum":3},"b":{"type":"boolean"},
			"l":{"type":"array","items":{"type":"string"}},"z":{"type":"null"},"o":{"type":"object","properties":{"x":{"const":1e400}}},
			"e":{"enum":[null,1]},"u":{"type":["integer","null"]},"any":true}}`: `{"any":"pong","b":true,"e":null,"i":3,"l":[],"n":0,
			"o":{"x":1e400},"s":"pong","u":0,"z":null}`,
	} {
		body := withTool(`[{"type":"function","function":{"name":"f","parameters":`+parameters+`}}]`, `"required"`)
		got := b.chat(body)
		require.Equal(t, http.StatusOK, got.StatusCode, got.body)
		call := gjson.Get(got.body, "choices.0.message.tool_calls.0.function")
		assert.Equal(t, "f", call.Get("name").String())
		assert.Equal(t, strings.Join(strings.Fields(want), ""), call.Get("arguments").String())
		assert.Equal(t, "null", gjson.Get(got.body, "choices.0.message.content").Raw)
		assert.Equal(t, got.body, b.chat(body).body)
	}
}

func TestVeryDeepParametersEnd(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	deep := strings.Repeat(`{"properties":{"a":`, 1000) + `{}` + strings.Repeat(`}}`, 1000)
	got := b.chat(withTool(`[{"type":"function","function":{"name":"f","parameters":`+deep+`}}]`, `"required"`))
	require.Equal(t, http.StatusOK, got.StatusCode)
	assert.Less(t, len(got.body), 1000)
}

func judged(name string) openai.ChatCompletionNewParams {
	params := ping("acme-chat")
	params.Tools = []openai.ChatCompletionToolUnionParam{
		openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "other"}),
		openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "select_choice", Parameters: choice()}),
	}
	params.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: name})
	return params
}

func TestSDKCallsTheTool(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		got, err := client.Chat.Completions.New(t.Context(), judged("select_choice"))
		require.NoError(t, err)
		assert.Equal(t, "tool_calls", got.Choices[0].FinishReason)
		assert.Empty(t, got.Choices[0].Message.Content)
		call := got.Choices[0].Message.ToolCalls[0]
		assert.Equal(t, "select_choice", call.Function.Name)
		assert.JSONEq(t, `{"choice":"A","reasons":"pong"}`, call.Function.Arguments)
		assert.Regexp(t, `^call_[0-9a-f]{24}$`, call.ID)

		stream := client.Chat.Completions.NewStreaming(t.Context(), judged("select_choice"))
		var whole openai.ChatCompletionAccumulator
		for stream.Next() {
			require.True(t, whole.AddChunk(stream.Current()))
		}
		require.NoError(t, stream.Err())
		assert.Equal(t, "tool_calls", whole.Choices[0].FinishReason)
		streamed := whole.Choices[0].Message.ToolCalls[0]
		assert.Equal(t, call.Function.Name, streamed.Function.Name)
		assert.Equal(t, call.Function.Arguments, streamed.Function.Arguments)
	})
}
