package proxylog

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/planeproof/planeproof/evidence"
)

const (
	// maxName is the longest name shown whole, in characters: keys, steps of a path, models.
	maxName = 64
	// maxValue is the longest stored value shown; a longer one is not cut but left out, as half a credential is one too.
	maxValue = 32
)

var (
	// credentialMark begins or introduces the credentials of providers, of Braintrust and of clouds.
	credentialMark = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:sk|pk|rk|bt|key|api|ghp|gho|ghs|glpat|hf|gsk|xai|xox[abprs])[-_][a-z0-9_-]*\d|` +
		`(?:bearer|basic|api-key|token)\s+\S|eyJ[a-z0-9_-]{4}|(?:AKIA|ASIA|AIza|ya29)[a-z0-9._-]{4}|://[^/\s]*@|-----BEGIN`)
	schemaWord  = regexp.MustCompile(`^[a-z_]{1,40}$`)
	wordOfToken = regexp.MustCompile(`[A-Za-z0-9]+`)
	uuid        = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// looksSecret says whether a text may hold a credential: a known mark, or a run of letters and digits as long as longest that
// mixes both, as no name of a key, model or setting does.
func looksSecret(text string, longest int) bool {
	if credentialMark.MatchString(text) || uuid.MatchString(text) { // some keys are UUIDs
		return true
	}
	for _, word := range wordOfToken.FindAllString(text, -1) {
		mixed := strings.ContainsFunc(word, unicode.IsDigit) && strings.ContainsFunc(word, unicode.IsLetter)
		if len(word) >= longest && mixed || len(word) >= 2*longest && !isWord(word) {
			return true
		}
	}
	return false
}

// isWord says whether a long run of letters is written as names are, in one case or camelCase, rather than at random.
func isWord(run string) bool {
	changes := 0
	for i := 1; i < len(run); i++ {
		if unicode.IsUpper(rune(run[i])) != unicode.IsUpper(rune(run[i-1])) {
			changes++
		}
	}
	return !strings.ContainsFunc(run, unicode.IsDigit) && changes*3 <= len(run)
}

// name shows the name of a key, model or project: what looks like a credential is replaced, a long one cut.
func name(text string) string {
	if looksSecret(text, 16) {
		return fmt.Sprintf("‹%d characters, not shown›", utf8.RuneCountInString(text))
	}
	if runes := []rune(text); len(runes) > maxName {
		text = string(runes[:maxName]) + "…"
	}
	return evidence.Printable(text)
}

// value shows a stored value, which may be anything: only short ones that look like a setting.
func value(text string) string {
	if n := utf8.RuneCountInString(text); n > maxValue || looksSecret(text, 8) {
		return fmt.Sprintf("‹%d characters, not shown›", n)
	}
	return evidence.Printable(text)
}

// code shows a word of zod's own.
func code(text string) string {
	if !schemaWord.MatchString(text) {
		return "‹no code of zod's›"
	}
	return text
}

// values shows each of several settings.
func values(texts []string) []string {
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = value(text)
	}
	return shown
}

// names shows each of several names.
func names(texts []string) []string {
	shown := make([]string, len(texts))
	for i, text := range texts {
		shown[i] = name(text)
	}
	return shown
}
