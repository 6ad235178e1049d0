package provider

import (
	"regexp"
	"slices"
	"strings"
)

// defaultModels lists models that a type serves without customModels. The proxy's own list is long and grows weekly; this
// one holds what the guides and the suite probe, and one neutral name for each other type (facts: eligible).
func defaultModels(typ string) []string {
	switch typ {
	case "openai":
		return []string{
			"gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini",
			"gpt-5", "gpt-5-mini", "gpt-5-nano", "o1", "o3", "o3-mini", "o4-mini",
			"text-embedding-3-large", "text-embedding-3-small", "text-embedding-ada-002",
		}
	case "azure":
		return []string{"gpt-4", "gpt-4.1", "gpt-4o", "gpt-4o-mini"}
	case "anthropic":
		return []string{"claude-3-5-haiku-latest", "claude-3-7-sonnet-latest"}
	case "google", "vertex":
		return []string{"gemini-2.5-flash", "gemini-2.5-pro"}
	case "mistral":
		return []string{"mistral-large-latest", "mistral-small-latest"}
	case "groq":
		return []string{"llama-3.1-8b-instant"}
	case "perplexity":
		return []string{"sonar"}
	case "xAI":
		return []string{"grok-3"}
	case "ollama":
		return []string{"mistral", "phi"}
	}
	return nil
}

// defaultBase is where a type's requests go without api_base; empty where the type has none.
func defaultBase(typ string) string {
	switch typ {
	case "openai":
		return "https://api.openai.com/v1"
	case "anthropic":
		return "https://api.anthropic.com/v1"
	case "google":
		return "https://generativelanguage.googleapis.com/v1beta"
	case "groq":
		return "https://api.groq.com/openai/v1"
	case "mistral":
		return "https://api.mistral.ai/v1"
	case "perplexity":
		return "https://api.perplexity.ai"
	case "xAI":
		return "https://api.x.ai/v1"
	}
	return ""
}

// vendorFamily is how the names of the vendors' own models begin.
var vendorFamily = regexp.MustCompile(`^(?:.*/)?(?:chatgpt|claude|codex|command|deepseek|embed|gemini|gemma|glm|gpt|grok|kimi|llama|meta|mi[sx]tral|nova|o\d|phi|pixtral|qwen|sonar|text)` +
	`(?:[-.:\d]|$)`)

// MayServe says whether a proxy may serve the model with the secret. It is wider than Eligible: the proxy's own list of default models is
// longer than ours (facts: eligible), so any model named as vendors name theirs may be one, of any type.
func (s Secret) MayServe(model string) bool {
	m := s.Decode()
	listed := m.Models == nil || slices.Contains(m.Models, model)
	return s.Eligible(model) || listed && !m.ExcludeDefaultModels && vendorFamily.MatchString(strings.ToLower(model))
}
