package gateway_test

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

func (b bed) embed(body string) answer {
	return b.ask("POST", "/v1/embeddings", body, "Authorization", "Bearer "+token)
}

func TestRefusedEmbeddings(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", "/embeddings", `{"model":"acme-chat","input":"x"}`).StatusCode)
	assert.Equal(t, http.StatusMethodNotAllowed, b.ask("GET", "/embeddings", "").StatusCode)
	for body, says := range map[string]string{
		`{`:                                      "could not parse",
		`{"input":"x"}`:                          "model",
		`{"model":"acme-chat"}`:                  "'input'",
		`{"model":"acme-chat","input":null}`:     "'input'",
		`{"model":"acme-chat","input":[]}`:       "'input'",
		`{"model":"acme-chat","input":""}`:       "is empty",
		`{"model":"acme-chat","input":["a",""]}`: "is empty",
		`{"model":"acme-chat","input":[[]]}`:     "is empty",
		`{"model":"acme-chat","input":1}`:        "expected a text",
		`{"model":"acme-chat","input":{}}`:       "expected a text",
		`{"model":"acme-chat","input":[-1]}`:     "expected a text",
		`{"model":"acme-chat","input":["a",1]}`:  "expected a text",
		`{"model":"acme-chat","input":[` + strings.Repeat(`"a",`, 2048) + `"a"]}`: "more than 2048",
		`{"model":"acme-chat","input":"x","encoding_format":"hex"}`:               "'encoding_format'",
		`{"model":"acme-chat","input":"x","encoding_format":1}`:                   "'encoding_format'",
		`{"model":"acme-chat","input":"x","dimensions":0}`:                        "'dimensions'",
		`{"model":"acme-chat","input":"x","dimensions":3073}`:                     "'dimensions'",
	} {
		got := b.embed(body)
		require.Equal(t, http.StatusBadRequest, got.StatusCode, body)
		assert.Contains(t, got.problem(t)["message"], says, body)
	}
	assert.Equal(t, http.StatusNotFound, b.embed(`{"model":"other","input":"x"}`).StatusCode)
}

func TestEmbeddingsHaveUnitLengthAndFollowTheirText(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	body := `{"model":"acme-chat","input":["ping","pong","ping"],"user":"` + nonce + `"}`
	got := b.embed(body)
	require.Equal(t, http.StatusOK, got.StatusCode)
	assert.Equal(t, got.body, b.embed(body).body, "the same body has the same answer")
	assert.Equal(t, nonce, b.last().Nonce)
	first, second, third := gjson.Get(got.body, "data.0"), gjson.Get(got.body, "data.1"), gjson.Get(got.body, "data.2")
	assert.Equal(t, first.Get("embedding").Raw, third.Get("embedding").Raw)
	assert.EqualValues(t, 2, third.Get("index").Int())
	assert.Len(t, first.Get("embedding").Array(), 256)
	assert.InDelta(t, 1, dot(first, first), 1e-6, "a unit vector")
	assert.Less(t, math.Abs(dot(first, second)), 0.5, "another text points elsewhere")
	assert.JSONEq(t, `{"prompt_tokens":4,"total_tokens":4}`, gjson.Get(got.body, "usage").Raw)
	assert.Equal(t, first.Get("embedding").Raw, gjson.Get(b.embed(`{"model":"acme-chat","input":"ping"}`).body, "data.0.embedding").Raw)
	assert.NotEqual(t, first.Get("embedding").Raw,
		gjson.Get(b.embed(`{"model":"meta-llama/Llama-3","input":"ping"}`).body, "data.0.embedding").Raw, "each model has its own")
}

func dot(a, b gjson.Result) float64 {
	sum := 0.0
	for i, x := range a.Get("embedding").Array() {
		sum += x.Float() * b.Get("embedding").Array()[i].Float()
	}
	return sum
}

func TestTokensAreEmbeddedLikeTexts(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	one := gjson.Get(b.embed(`{"model":"acme-chat","input":[1,2]}`).body, "data.0.embedding").Raw
	lists := b.embed(`{"model":"acme-chat","input":[[1,2],[12]]}`).body
	assert.Equal(t, one, gjson.Get(lists, "data.0.embedding").Raw)
	assert.NotEqual(t, one, gjson.Get(lists, "data.1.embedding").Raw)
}

func TestSDKEmbeddings(t *testing.T) {
	t.Parallel()
	bothBases(t, func(t *testing.T, b bed, base string) {
		client := b.sdk(base, token)
		params := openai.EmbeddingNewParams{
			Model: "acme-chat", Dimensions: openai.Int(8),
			Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"ping", "pong"}},
		}
		floats, err := client.Embeddings.New(t.Context(), params)
		require.NoError(t, err)
		require.Len(t, floats.Data, 2)
		assert.Len(t, floats.Data[1].Embedding, 8)
		assert.Positive(t, floats.Usage.TotalTokens)
		assert.Equal(t, base+"/embeddings", b.last().Path)

		got := b.embed(`{"model":"acme-chat","input":["ping","pong"],"dimensions":8,"encoding_format":"base64"}`)
		raw, err := base64.StdEncoding.DecodeString(gjson.Get(got.body, "data.1.embedding").String())
		require.NoError(t, err)
		require.Len(t, raw, 32)
		for i, x := range floats.Data[1].Embedding {
			assert.InDelta(t, x, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))), 1e-7, "both formats say the same")
		}
	})
}
