package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

const (
	// defaultDimensions is the length of a vector where the request asks for none.
	defaultDimensions = 256
	maxDimensions     = 3072
	// maxInputs is how many texts one request may embed.
	maxInputs = 2048
)

func (c call) embed() reply {
	f, refusal, refused := c.read(checkEmbedding)
	if refused {
		return refusal
	}
	return f.embeddings()
}

func checkEmbedding(f *fields) {
	format, dimensions := f.value("encoding_format", "string"), f.value("dimensions", "number")
	if f.Get("input").Type == gjson.Null {
		f.refuse("", "Missing required parameter: 'input'.")
	}
	texts, ok := f.texts()
	switch word := format.String(); {
	case !ok || len(texts) == 0:
		f.refuse("", "Invalid 'input': expected a text, texts, tokens, or lists of tokens.")
	case len(texts) > maxInputs:
		f.refuse("", "Invalid 'input': more than "+strconv.Itoa(maxInputs)+" entries.")
	case word != "" && word != "float" && word != "base64":
		f.refuse("", "Invalid 'encoding_format': expected float or base64.")
	case dimensions.Exists() && (dimensions.Num != float64(dimensions.Int()) || dimensions.Int() < 1 || dimensions.Int() > maxDimensions):
		f.refuse("", "Invalid 'dimensions': expected 1 to "+strconv.Itoa(maxDimensions)+".")
	case slices.Contains(texts, ""):
		f.refuse("", "Invalid 'input': an entry is empty.")
	}
}

// texts are the entries of the input, at most one more than are allowed; tokens are taken as they are written, so that equal tokens have
// equal vectors. ok is false where the input is nothing that can be embedded.
func (f *fields) texts() (texts []string, ok bool) {
	input := f.Get("input")
	if input.Type == gjson.String {
		return []string{input.String()}, true
	}
	if !input.IsArray() {
		return nil, false
	}
	kind, ok := "", true
	input.ForEach(func(_, entry gjson.Result) bool {
		typ := typeOf(entry)
		if kind == "" {
			kind = typ
		}
		switch {
		case typ != kind:
			ok = false
		case typ == "string":
			texts = append(texts, entry.String())
		case typ == "number":
			ok = isToken(entry)
		case typ == "array":
			entry.ForEach(func(_, token gjson.Result) bool { ok = isToken(token); return ok })
			texts = append(texts, strings.Trim(spaceless(entry.Raw), "[]"))
		default:
			ok = false
		}
		return ok && len(texts) <= maxInputs
	})
	if kind == "number" {
		texts = []string{strings.Trim(spaceless(input.Raw), "[]")}
	}
	return texts, ok
}

func isToken(v gjson.Result) bool {
	return v.Type == gjson.Number && v.Num >= 0 && v.Num == math.Trunc(v.Num) && v.Num <= math.MaxUint32
}

func spaceless(raw string) string {
	return strings.NewReplacer(" ", "", "\n", "", "\r", "", "\t", "").Replace(raw)
}

func (f *fields) embeddings() reply {
	size := defaultDimensions
	if dimensions := f.Get("dimensions"); dimensions.Exists() && dimensions.Type != gjson.Null {
		size = int(dimensions.Int())
	}
	out := embeddings{Object: "list", Model: f.model}
	bytes := 0
	texts, _ := f.texts()
	for i, text := range texts {
		bytes += len(text)
		one := embedding{Object: "embedding", Index: i, Embedding: vector(f.model, text, size)}
		if f.Get("encoding_format").String() == "base64" {
			one.Embedding = packed(vector(f.model, text, size))
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
