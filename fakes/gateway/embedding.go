package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

const (
	// defaultDimensions is the length of a vector where the request asks for none.
	defaultDimensions = 256
	maxDimensions     = 3072
	// maxInputs is how many texts one request may embed.
	maxInputs = 2048
)

type embeddingRequest struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Format     string          `json:"encoding_format"`
	Dimensions *int            `json:"dimensions"`
}

func (c call) embed() reply {
	var in embeddingRequest
	if _, refusal, refused := c.read(&in); refused {
		return refusal
	}
	return in.answer()
}

func (in *embeddingRequest) asked() asked { return asked{model: in.Model} }

func (in *embeddingRequest) check() string {
	if len(in.Input) == 0 || string(in.Input) == "null" {
		return "Missing required parameter: 'input'."
	}
	texts := in.texts()
	switch {
	case len(texts) == 0:
		return "Invalid 'input': expected a text, texts, tokens, or lists of tokens."
	case len(texts) > maxInputs:
		return "Invalid 'input': more than " + strconv.Itoa(maxInputs) + " entries."
	case in.Format != "" && in.Format != "float" && in.Format != "base64":
		return "Invalid 'encoding_format': expected float or base64."
	case in.Dimensions != nil && (*in.Dimensions < 1 || *in.Dimensions > maxDimensions):
		return "Invalid 'dimensions': expected 1 to " + strconv.Itoa(maxDimensions) + "."
	}
	for _, text := range texts {
		if text == "" {
			return "Invalid 'input': an entry is empty."
		}
	}
	return ""
}

// texts are the entries of the input; tokens are taken as they are written, so that equal tokens have equal vectors. It is empty where
// the input is nothing that can be embedded.
func (in *embeddingRequest) texts() []string {
	var text string
	var texts []string
	var tokens []uint32
	var lists [][]uint32
	switch {
	case json.Unmarshal(in.Input, &text) == nil:
		return []string{text}
	case json.Unmarshal(in.Input, &texts) == nil:
		return texts
	case json.Unmarshal(in.Input, &tokens) == nil:
		return []string{written(tokens)}
	case json.Unmarshal(in.Input, &lists) == nil:
		texts = nil // the attempt above may have left something
		for _, list := range lists {
			texts = append(texts, written(list))
		}
		return texts
	default:
		return nil
	}
}

func written(tokens []uint32) string {
	var text []byte
	for _, token := range tokens {
		text = strconv.AppendUint(append(text, ' '), uint64(token), 10)
	}
	return string(text)
}

func (in *embeddingRequest) answer() reply {
	size := defaultDimensions
	if in.Dimensions != nil {
		size = *in.Dimensions
	}
	out := embeddings{Object: "list", Model: in.Model}
	bytes := 0
	for i, text := range in.texts() {
		bytes += len(text)
		one := embedding{Object: "embedding", Index: i, Embedding: vector(in.Model, text, size)}
		if in.Format == "base64" {
			one.Embedding = packed(vector(in.Model, text, size))
		}
		out.Data = append(out.Data, one)
	}
	out.Usage.PromptTokens = countTokens(bytes)
	out.Usage.TotalTokens = out.Usage.PromptTokens
	return accept(out)
}

// vector is a unit vector that depends on the model and the text alone; equal texts are alike, others are about orthogonal.
func vector(model, text string, size int) []float32 {
	raw := make([]float64, 0, size+sha256.Size/4)
	seed := sha256.Sum256([]byte(model + "\x00" + text))
	length := 0.0
	for block := seed; len(raw) < size; block = sha256.Sum256(block[:]) {
		for i := 0; i < len(block) && len(raw) < size; i += 4 {
			x := float64(binary.LittleEndian.Uint32(block[i:]))/math.MaxUint32*2 - 1
			raw = append(raw, x)
			length += x * x
		}
	}
	unit := make([]float32, size)
	for i, x := range raw {
		unit[i] = float32(x / math.Sqrt(length))
	}
	return unit
}

// packed writes a vector as OpenAI does: base64 of little-endian float32.
func packed(vector []float32) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
