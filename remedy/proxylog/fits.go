package proxylog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

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
		fitsNot := func(g provider.Generation) bool { return len(issues) == 0 || !raises(g, issues, candidate) }
		generations := slices.DeleteFunc(provider.Generations(), fitsNot)
		same := func(f Fit) bool { return slices.Equal(f.Generations, generations) }
		if i := slices.IndexFunc(fits, same); i >= 0 {
			fits[i].Types = append(fits[i].Types, name(candidate))
		} else if len(generations) > 0 {
			fits = append(fits, Fit{Types: []string{name(candidate)}, Generations: generations})
		}
	}
	return fits
}

// raises says whether a generation raises every one of the issues on a secret that is as wrong as they say. It may raise more: that
// secret has only what the issues speak of.
func raises(g provider.Generation, issues []provider.Issue, typ string) bool {
	secret, err := sjson.SetBytes([]byte(`{"secret":"x","metadata":{}}`), "type", typ)
	for _, i := range issues {
		for _, key := range i.Keys {
			secret, err = sjson.SetBytes(secret, keyPath(append(slices.Clone(i.Path), key)), "x")
		}
		if len(i.Path) == 0 || i.Code == provider.CodeUnrecognizedKeys {
			continue // the type is not known, or the keys are there
		}
		value, known := wrong(i)
		if !known || err != nil {
			return false
		}
		if secret, err = sjson.SetRawBytes(secret, keyPath(i.Path), []byte(cmp.Or(value, "0"))); value == "" && err == nil {
			secret, err = sjson.DeleteBytes(secret, keyPath(i.Path))
		}
	}
	_, raised := provider.Read(g, secret)
	raised, _ = provider.Narrow(raised)
	misses := func(i provider.Issue) bool {
		return !slices.ContainsFunc(raised, func(r provider.Issue) bool { return same(r, i) })
	}
	return err == nil && !slices.ContainsFunc(issues, misses)
}

// keyPath is a path as sjson takes it.
func keyPath(path []any) string {
	steps := make([]string, len(path))
	for n, step := range path {
		if place, isPlace := step.(int); isPlace {
			steps[n] = strconv.Itoa(min(max(place, 0), maxKeys))
		} else {
			steps[n] = ":" + gjson.Escape(fmt.Sprint(step))
		}
	}
	return strings.Join(steps, ".")
}

// same says whether two reports are of one issue: a union that no member of accepts says only that.
func same(a, b provider.Issue) bool {
	return a.Code == b.Code && a.Where() == b.Where() && (a.Code == provider.CodeInvalidUnion || a.Expected == b.Expected &&
		a.Received == b.Received && a.Validation == b.Validation && slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Options, b.Options))
}

// wrong is a value that raises the issue, as JSON, empty where it has to be missing; known is false where the issue does not tell.
func wrong(i provider.Issue) (value string, known bool) {
	switch i.Code {
	case provider.CodeInvalidEnum:
		raw, err := json.Marshal(i.Received)
		return string(raw), err == nil
	case provider.CodeInvalidLiteral:
		return i.Received, json.Valid([]byte(i.Received))
	case provider.CodeTooSmall:
		return `""`, true
	case provider.CodeInvalidString:
		return `"no url"`, true
	}
	value, known = map[string]string{
		"undefined": "", "null": "null", "string": `"x"`, "number": "1", "boolean": "true", "array": "[]", "object": "{}",
	}[i.ReceivedType()]
	return value, known
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
