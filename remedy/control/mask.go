package control

import "regexp"

// tokenLike is what a provider's key looks like where an upstream echoes it: behind a scheme, with a usual prefix, or as one long word.
var tokenLike = regexp.MustCompile(`(?i)\b(?:bearer|basic|api-key)[ :=]+[^\s"',;}]+|\b(?:sk|pk|key|tok|token)-[^\s"',;}]{6,}|[A-Za-z0-9_+/=-]{40,}`)

// maskTokens hides what looks like a token that nobody told us of.
func maskTokens(text string) string { return tokenLike.ReplaceAllString(text, "‹token›") }
