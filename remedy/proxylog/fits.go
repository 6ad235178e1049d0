package proxylog

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// types are the provider types that some generation knows (recorded: secret-schema), the guide's own first.
func types() []string {
	return []string{
		"openai", "anthropic", "azure", "azure_ai_gateway", "baseten", "bedrock", "braintrust", "cerebras", "cohere", "databricks",
		"fireworks", "google", "groq", "js", "lepton", "mistral", "ollama", "openrouter", "perplexity", "replicate", "together",
		"vertex", "xAI",
	}
}

// fitting says by provider type which generations would raise exactly these issues on a secret; typ narrows it to one type
// where the log names it. Types with the same answer are put together.
func fitting(issues []issue, typ string) []Fit {
	candidates := types()
	if typ != "" {
		candidates = []string{typ}
	}
	var fits []Fit
	for _, candidate := range candidates {
		raw, ok := probe(issues, candidate)
		if !ok {
			return nil
		}
		var generations []provider.Generation
		for _, g := range provider.Generations() {
			if raises(g, raw, issues) {
				generations = append(generations, g)
			}
		}
		if len(generations) == 0 {
			continue
		}
		same := func(f Fit) bool { return slices.Equal(f.Generations, generations) }
		if i := slices.IndexFunc(fits, same); i >= 0 {
			fits[i].Types = append(fits[i].Types, name(candidate))
		} else {
			fits = append(fits, Fit{Types: []string{name(candidate)}, Generations: generations})
		}
	}
	return fits
}

// raises says whether a generation raises every one of the issues on the secret. It may raise more: the probe has only what
// the issues speak of, and lacks what the type requires.
func raises(g provider.Generation, secret json.RawMessage, issues []issue) bool {
	_, found := provider.Read(g, secret)
	if len(found) == 0 {
		return false
	}
	raised, _, _ := decodeIssues(provider.ZodError(found))
	for _, want := range issues {
		same := func(got issue) bool { return reflect.DeepEqual(got.essence(), want.essence()) }
		if !slices.ContainsFunc(raised, same) {
			return false
		}
	}
	return true
}

// essence is what two reports of one issue have in common: a union that no member of accepts says only that.
func (i issue) essence() issue {
	if i.code == provider.CodeInvalidUnion {
		return issue{code: i.code, path: append([]any{}, i.path...)}
	}
	i.path = append([]any{}, i.path...)
	return i
}

// probe makes a secret that is as wrong as the issues say and has nothing else; it is not ok where an issue does not tell
// what was there.
func probe(issues []issue, typ string) (json.RawMessage, bool) {
	secret := map[string]any{"type": typ, "secret": "x", "metadata": map[string]any{}}
	for _, i := range issues {
		if i.code == provider.CodeInvalidUnion && len(i.path) == 0 {
			continue // no member knows the type
		}
		if i.code == provider.CodeUnrecognizedKeys {
			for _, key := range i.keys {
				if !put(secret, append(slices.Clone(i.path), key), "x") {
					return nil, false
				}
			}
			continue
		}
		if v, known := i.value(); !known || !put(secret, i.path, v) {
			return nil, false
		}
	}
	raw, err := json.Marshal(secret)
	return raw, err == nil
}

// missing stands for a key that is not there.
type missing struct{}

// value is one that raises the issue; known is false where the issue does not tell.
func (i issue) value() (v any, known bool) {
	switch i.code {
	case provider.CodeInvalidEnum:
		return i.received, true
	case provider.CodeInvalidLiteral:
		return i.received, i.received != ""
	case provider.CodeTooSmall:
		return "", true
	case provider.CodeInvalidString:
		return "no " + i.validation, true
	case provider.CodeInvalidType, provider.CodeInvalidUnion:
		v, known := map[string]any{
			"undefined": missing{}, "null": nil, "string": "x", "number": 1, "boolean": true, "array": []any{}, "object": map[string]any{},
		}[i.received]
		return v, known
	}
	return nil, false
}

// put sets the value at the path, making the objects and arrays on the way.
func put(into map[string]any, path []any, v any) bool {
	if len(path) == 0 {
		return false
	}
	key, isKey := path[0].(string)
	if !isKey {
		return false // an array is made whole, below
	}
	if len(path) == 1 {
		if _, absent := v.(missing); absent {
			delete(into, key)
		} else {
			into[key] = v
		}
		return true
	}
	if place, isPlace := path[1].(int); isPlace {
		return putItem(into, key, place, len(path) == 2, v)
	}
	inner, isObject := into[key].(map[string]any)
	if !isObject {
		inner = map[string]any{}
		into[key] = inner
	}
	return put(inner, path[1:], v)
}

// putItem sets one item of an array of texts; no metadata has arrays of anything else.
func putItem(into map[string]any, key string, place int, last bool, v any) bool {
	items, _ := into[key].([]any)
	if _, absent := v.(missing); !last || absent || place < 0 || place > maxKeys {
		return false
	}
	for len(items) <= place {
		items = append(items, "x")
	}
	items[place] = v
	into[key] = items
	return true
}

// oldest is the oldest generation of the fits, "" without any: what it can read, the younger ones can too.
func oldest(fits []Fit) provider.Generation {
	for _, g := range provider.Generations() {
		if slices.ContainsFunc(fits, func(f Fit) bool { return slices.Contains(f.Generations, g) }) {
			return g
		}
	}
	return ""
}

// where writes a path as the guides do.
func where(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(name(step))
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		}
	}
	return b.String()
}
