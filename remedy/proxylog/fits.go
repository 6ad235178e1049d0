package proxylog

import (
	"encoding/json"
	"slices"

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

// bounded are as many issues as are kept, with as many keys as are kept, sorted.
func bounded(issues []provider.Issue) []provider.Issue {
	out := slices.Clone(issues[:min(len(issues), maxIssues)])
	for n := range out {
		i := &out[n]
		i.Path, i.Keys, i.Options = head(i.Path), head(i.Keys), head(i.Options)
		slices.Sort(i.Keys)
	}
	return out
}

func head[T any](all []T) []T { return slices.Clone(all[:min(len(all), maxKeys)]) }

// fitting says by provider type which generations would raise all of these issues on a secret; typ narrows it to one type where
// the log names it. Types with the same answer are put together.
func fitting(issues []provider.Issue, typ string) []Fit {
	candidates := types()
	if typ != "" {
		candidates = []string{typ}
	}
	var fits []Fit
	for _, candidate := range candidates {
		var generations []provider.Generation
		for _, g := range provider.Generations() {
			if len(issues) > 0 && raises(g, issues, candidate) {
				generations = append(generations, g)
			}
		}
		same := func(f Fit) bool { return slices.Equal(f.Generations, generations) }
		if i := slices.IndexFunc(fits, same); i >= 0 {
			fits[i].Types = append(fits[i].Types, name(candidate))
		} else if generations != nil {
			fits = append(fits, Fit{Types: []string{name(candidate)}, Generations: generations})
		}
	}
	return fits
}

// raises says whether a generation raises every one of the issues on a secret that is as wrong as they say. It may raise more: that
// secret has only what the issues speak of.
func raises(g provider.Generation, issues []provider.Issue, typ string) bool {
	var secret any = map[string]any{"type": typ, "secret": "x", "metadata": map[string]any{}}
	for _, i := range issues {
		v, known := wrong(i)
		switch {
		case i.Code == provider.CodeInvalidUnion && len(i.Path) == 0: // the type is not known
		case i.Code == provider.CodeUnrecognizedKeys:
			for _, key := range i.Keys {
				secret = put(secret, append(slices.Clone(i.Path), key), "x")
			}
		case !known:
			return false
		default:
			secret = put(secret, i.Path, v)
		}
	}
	raw, err := json.Marshal(secret)
	if err != nil {
		return false
	}
	_, raised := provider.Read(g, raw)
	raised, _ = provider.Narrow(raised)
	raised = bounded(raised)
	for _, i := range issues {
		if !slices.ContainsFunc(raised, func(r provider.Issue) bool { return same(r, i) }) {
			return false
		}
	}
	return true
}

// same says whether two reports are of one issue: a union that no member of accepts says only that.
func same(a, b provider.Issue) bool {
	return a.Code == b.Code && a.Where() == b.Where() && (a.Code == provider.CodeInvalidUnion || a.Expected == b.Expected &&
		a.Received == b.Received && a.Validation == b.Validation && slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Options, b.Options))
}

// missing stands for a key that is not there.
type missing struct{}

// wrong is a value that raises the issue; known is false where the issue does not tell.
func wrong(i provider.Issue) (v any, known bool) {
	switch i.Code {
	case provider.CodeInvalidEnum:
		return i.Received, true
	case provider.CodeInvalidLiteral:
		return json.RawMessage(i.Received), json.Valid([]byte(i.Received))
	case provider.CodeTooSmall:
		return "", true
	case provider.CodeInvalidString:
		return "no " + i.Validation, true
	}
	v, known = map[string]any{
		"undefined": missing{}, "null": nil, "string": "x", "number": 1, "boolean": true, "array": []any{}, "object": map[string]any{},
	}[i.ReceivedType()]
	return v, known
}

// put returns the value with v at the path, making the objects and lists on the way.
func put(in any, path []any, v any) any {
	if len(path) == 0 {
		return v
	}
	if key, isKey := path[0].(string); isKey {
		object, _ := in.(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
		if object[key] = put(object[key], path[1:], v); object[key] == (missing{}) {
			delete(object, key)
		}
		return object
	}
	list, _ := in.([]any)
	place, _ := path[0].(int)
	for len(list) <= min(max(place, 0), maxKeys) {
		list = append(list, "x")
	}
	list[min(max(place, 0), maxKeys)] = put(list[min(max(place, 0), maxKeys)], path[1:], v)
	return list
}

// oldest is the oldest generation of the fits, empty without any: what it can read, the younger ones can too.
func oldest(fits []Fit) provider.Generation {
	for _, g := range provider.Generations() {
		if slices.ContainsFunc(fits, func(f Fit) bool { return slices.Contains(f.Generations, g) }) {
			return g
		}
	}
	return ""
}
