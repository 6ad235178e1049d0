package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sdk is the official SDK, unmodified, with the organization and project that its environment may add taken out.
func (b bed) sdk(base, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(b.data.URL+"/"+id+base), option.WithAPIKey(key),
		option.WithHeaderDel("OpenAI-Organization"), option.WithHeaderDel("OpenAI-Project"),
		option.WithHTTPClient(b.data.Client()))
}

func ping(model string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("ping " + nonce)},
	}
}

// bothBases runs a test of the SDK at each base URL that a gateway is known by.
func bothBases(t *testing.T, test func(t *testing.T, b bed, base string)) {
	for _, base := range []string{"", "/v1"} {
		t.Run("base "+base, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, bearer()), base)
		})
	}
}

func TestSDKErrorsAreTyped(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		var got *openai.Error
		wrong := b.sdk(base, "nope")
		_, err := wrong.Models.List(t.Context())
		require.ErrorAs(t, err, &got)
		assert.Equal(t, http.StatusUnauthorized, got.StatusCode)
		assert.Equal(t, "invalid_api_key", got.Code)
		assert.Equal(t, "invalid_request_error", got.Type)
		assert.Equal(t, "Incorrect API key provided.", got.Message)

		right := b.sdk(base, token)
		_, err = right.Chat.Completions.New(t.Context(), ping("other"))
		require.ErrorAs(t, err, &got)
		assert.Equal(t, http.StatusNotFound, got.StatusCode)
		assert.Equal(t, "model_not_found", got.Code)

		stream := right.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "acme-chat"})
		assert.False(t, stream.Next())
		require.ErrorAs(t, stream.Err(), &got)
		assert.Equal(t, http.StatusBadRequest, got.StatusCode)
		assert.Len(t, b.journal(), 3, "none of these is tried again")
	})
}

func TestSDKModels(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		page, err := client.Models.List(t.Context())
		require.NoError(t, err)
		require.Len(t, page.Data, 2)
		assert.Equal(t, "acme-chat", page.Data[0].ID)
		model, err := client.Models.Get(t.Context(), "meta-llama/Llama-3")
		require.NoError(t, err)
		assert.Equal(t, "meta-llama/Llama-3", model.ID)
		assert.EqualValues(t, "model", model.Object)
	})
}

func TestSDKChat(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		got, err := client.Chat.Completions.New(t.Context(), ping("acme-chat"))
		require.NoError(t, err)
		require.Len(t, got.Choices, 1)
		assert.Equal(t, "pong", got.Choices[0].Message.Content)
		assert.Equal(t, "stop", got.Choices[0].FinishReason)
		assert.Equal(t, got.Usage.TotalTokens, got.Usage.PromptTokens+got.Usage.CompletionTokens)
		assert.Positive(t, got.Usage.PromptTokens)
		assert.Equal(t, nonce, b.last().Nonce)
		assert.Equal(t, base+"/chat/completions", b.last().Path)
	})
}

func TestSDKStreamsWithUsage(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		params := ping("acme-chat")
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		stream := client.Chat.Completions.NewStreaming(t.Context(), params)
		var whole openai.ChatCompletionAccumulator
		chunks := 0
		for stream.Next() {
			chunks++
			require.True(t, whole.AddChunk(stream.Current()))
		}
		require.NoError(t, stream.Err())
		assert.Equal(t, 4, chunks)
		assert.Equal(t, "pong", whole.Choices[0].Message.Content)
		assert.EqualValues(t, "assistant", whole.Choices[0].Message.Role)
		assert.EqualValues(t, 1, whole.Usage.CompletionTokens)
		assert.Equal(t, new(true), b.last().Stream)
	})
}

func TestSDKRetriesByItself(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		b.faults(`[{"status":503,"times":2,"header":{"Retry-After-Ms":"1"},"body":"busy"}]`)
		client := b.sdk(base, token)
		_, err := client.Chat.Completions.New(t.Context(), ping("acme-chat"))
		require.NoError(t, err)
		entries := b.journal()
		require.Len(t, entries, 3)
		assert.Equal(t, []int{503, 503, 200}, []int{entries[0].Status, entries[1].Status, entries[2].Status})
		assert.Equal(t, "fault: status 503", entries[0].Note)
	})
}

func TestSDKNoticesACutStream(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		b.faults(`[{"truncate_after":60}]`)
		client := b.sdk(base, token)
		stream := client.Chat.Completions.NewStreaming(t.Context(), ping("acme-chat"))
		for stream.Next() {
		}
		require.Error(t, stream.Err())
		assert.Equal(t, "fault: body cut after 60 bytes; accepted", b.last().Note)
	})
}

func TestSDKNoticesAMalformedStream(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		b.faults(`[{"malform":"data: {\"choices\":[\n\n"}]`)
		client := b.sdk(base, token)
		stream := client.Chat.Completions.NewStreaming(t.Context(), ping("acme-chat"))
		assert.False(t, stream.Next())
		require.ErrorContains(t, stream.Err(), "JSON")
		assert.Equal(t, "fault: body malformed after 0 bytes; accepted", b.last().Note)
	})
}

// faults sets the tenant's faults as the harness does.
func (b bed) faults(body string) {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.gateway.Control().ServeHTTP(w, httptest.NewRequest("PUT", "/tenants/"+id+"/faults", strings.NewReader(body)))
	require.Equal(b.t, http.StatusOK, w.Code, w.Body.String())
}
