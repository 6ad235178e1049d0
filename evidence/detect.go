package evidence

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// hidden stands for what may be a credential that nobody told us of.
const hidden = "‹redacted›"

// CredentialHeaders are the request headers, in lower case, that carry a provider credential in the field (facts: gateway-shape,
// api-key-products). What a gateway accepts, what journals fingerprint and what a client may not show is this list.
func CredentialHeaders() []string {
	return []string{"authorization", "api-key", "x-api-key", "apikey"}
}

// schemes are the words that stand in front of a credential in Authorization.
func schemes() []string { return []string{"Bearer", "Api-Key", "ApiKey", "Token", "Basic"} }

var (
	// secretName matches names of which the value is a credential, words joined by `_`: api_key, client_secret, x_amz_signature.
	secretName = regexp.MustCompile(`secret|passw|private|credential|apikey|api_key|access_?key|authorization|cookie|signature` +
		`|external_id|subscription_key|(^|_)(token|jwt|key|auth|pwd|pw|sig|sas|headers)$`)
	// harmlessName matches names that only say how, not with what, somebody authenticates, and what is ours of a secret.
	harmlessName = regexp.MustCompile(`^(preview_secret|secret_(type|category|updated_at)|(input|output)_cost_.*token)$`)
	wordStart    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// IsSecretName says of a header, a JSON key or a URL parameter whether its value, or what lies below it, may be a credential.
func IsSecretName(name string) bool {
	if slices.Contains(CredentialHeaders(), strings.ToLower(name)) {
		return true
	}
	name = strings.ToLower(wordStart.ReplaceAllString(name, "${1}_${2}"))
	name = strings.NewReplacer("-", "_", " ", "_", ".", "_").Replace(name)
	return secretName.MatchString(name) && !harmlessName.MatchString(name)
}

var (
	// pemBlock is a key or certificate, to its end or to that of the text.
	pemBlock = regexp.MustCompile(`(?s)-----BEGIN.*?(?:-----END[A-Z ]*-----|$)`)
	// quotedScheme is an Authorization value in quotes, which may have blanks and line ends in it (facts: echoed-secrets).
	quotedScheme = regexp.MustCompile(`(?i)(["'` + "`" + `]\s*(?:bearer|basic|api-?key)\s)([^"'` + "`" + `]*)`)
	// afterScheme is the word behind a scheme.
	afterScheme = regexp.MustCompile(`(?i)(\b(?:bearer|basic|api-?key)(?:[ \t]+(?:bearer|basic|api-?key))*[ \t:=]+["']?)([^\s"',;}]+)`)
	// afterName is the value behind the name of a credential: `x-api-key: …`, `"password":"…"`, `token=…`.
	afterName = regexp.MustCompile(`(?i)([\w-]*(?:key|token|secret|passw(?:or)?d|pwd|authorization|credential)["']?\s*[=:]\s*["']?)([^\s"',;&}]+)`)
	// knownForm is a token with the mark of who issued it.
	knownForm = regexp.MustCompile(`\b(?:(?i:sk|pk|rk|bt-st)[-_][\w-]{6,}|(?i:tok|token|key|pw|route|bt|api|xai)[-_][\w-]*\d[\w-]*` +
		`|gh[a-z]_\w{6,}|github_pat_\w{6,}|gl[a-z]{2,5}-[\w-]{6,}|xox[a-z]-[\w-]{6,}|(?:hf|gsk|npm|pypi)[_-]\w{8,}` +
		`|(?:AKIA|ASIA)[A-Z0-9]{6,}|AIza[\w-]{6,}|ya29\.[\w-]{6,}|eyJ[\w-]{6,}[\w.=-]*)`)
	// urlInText is a URL; userAtHost is one without its scheme that has a password.
	urlInText  = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*:[/\\]{2}[^\s"'<>` + "`" + `]+`)
	userAtHost = regexp.MustCompile(`[^\s/@"'<>‹›]+:[^\s/@"'<>‹›]+@([\w.-])`)
	// longWord and longerWord are as long as a key; whether they are one is told by their letters.
	longWord   = regexp.MustCompile(`[A-Za-z0-9_+=]{20,}`)
	longerWord = regexp.MustCompile(`[A-Za-z0-9_+/=-]{40,}`)
	runInWord  = regexp.MustCompile(`[A-Za-z0-9]{12,}`)
)

// Mask hides, in a text nobody told us of, whatever has the form of a credential: tokens with a known beginning, what stands behind a
// scheme or behind the name of a credential, PEM, JWTs, long words that mix letters and digits, and in URLs user information,
// query and fragment. What a Redactor put in the place of a secret stays. Masking again changes nothing.
func Mask(text string) string {
	text = pemBlock.ReplaceAllString(text, hidden)
	text = urlInText.ReplaceAllStringFunc(text, func(raw string) string { return maskURL(raw, hidden) })
	text = userAtHost.ReplaceAllString(text, hidden+"@$1")
	text = replaceValue(quotedScheme, text, func(string) bool { return false })
	text = replaceValue(afterScheme, text, isProse)
	text = replaceValue(afterName, text, func(value string) bool { return isPlainWord(value) || isScheme(value) })
	return maskWords(text)
}

// maskWords hides the words that are credentials by themselves.
func maskWords(text string) string {
	text = knownForm.ReplaceAllString(text, hidden)
	text = longerWord.ReplaceAllStringFunc(text, func(word string) string {
		if slices.ContainsFunc(runInWord.FindAllString(word, -1), isRandom) {
			return hidden
		}
		return word
	})
	return longWord.ReplaceAllStringFunc(text, func(word string) string {
		if mixes(word) || len(word) >= 24 && isRandom(word) {
			return hidden
		}
		return word
	})
}

// replaceValue hides the second group of a match unless it is to stay, or is hidden already.
func replaceValue(in *regexp.Regexp, text string, stays func(string) bool) string {
	return in.ReplaceAllStringFunc(text, func(found string) string {
		parts := in.FindStringSubmatch(found)
		if strings.TrimSpace(parts[2]) == "" || strings.HasPrefix(parts[2], "‹") || stays(parts[2]) {
			return found
		}
		return parts[1] + hidden
	})
}

// isProse says of the word behind a scheme that it belongs to a sentence: `Bearer token is missing`.
func isProse(word string) bool {
	return slices.Contains([]string{"token", "tokens", "auth", "authentication", "authorization", "realm", "is", "scheme", "prefix", "key",
		"keys", "format", "or", "and", "header", "in", "not", "as", "for", "was", "provided", "instead", "credentials", "access", "required",
		"invalid", "missing", "found", "of"}, strings.ToLower(strings.TrimRight(word, ".:)?!"))) || strings.HasPrefix(word, "realm=")
}

// isPlainWord says of a value that it is a word, as in `token: expected string`.
func isPlainWord(value string) bool {
	value = strings.TrimRight(value, ".:)")
	return len(value) <= 16 && !strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) })
}

// mixes says whether digits stand among the letters of a word, not only behind them as in Test1609071221; long names of models have
// hyphens or dots.
func mixes(word string) bool {
	changes := 0
	for i := 1; i < len(word); i++ {
		if unicode.IsDigit(rune(word[i])) != unicode.IsDigit(rune(word[i-1])) {
			changes++
		}
	}
	return changes >= 2
}

// isRandom says whether a word goes between capitals, small letters and digits more often than names in camelCase do.
func isRandom(word string) bool {
	kind := func(b byte) int {
		switch {
		case '0' <= b && b <= '9':
			return 0
		case 'A' <= b && b <= 'Z':
			return 1
		}
		return 2
	}
	changes := 0
	for i := 1; i < len(word); i++ {
		if kind(word[i]) != kind(word[i-1]) {
			changes++
		}
	}
	return changes*3 > len(word)
}

// urlStart matches what stands in front of a URL's authority, as lenient as URL parsers are.
var urlStart = regexp.MustCompile(`^(?i)[a-z][a-z0-9+.-]*:[/\\]{2,}|^[/\\]{2,}|^https?:`)

// MaskURL returns a URL as it may be shown: without user information, query and fragment, and with words of the path that look like
// keys hidden. It goes by the text alone, as what was given may be no URL.
func MaskURL(raw string) string { return maskURL(raw, "") }

// urlParts are the parts of what may be a URL, which joined are the text again, but for the `@` behind the user.
type urlParts struct{ start, user, host, path, behind string }

func cutURL(text string) urlParts {
	p := urlParts{start: urlStart.FindString(text)}
	p.host = text[len(p.start):]
	if i := strings.IndexAny(p.host, `/\?#`); i >= 0 {
		p.host, p.path = p.host[:i], p.host[i:]
	}
	if i := strings.LastIndexByte(p.host, '@'); i >= 0 {
		p.user, p.host = p.host[:i+1], p.host[i+1:]
	}
	if i := strings.IndexAny(p.path, "?#"); i >= 0 {
		p.path, p.behind = p.path[:i], p.path[i:]
	}
	return p
}

// maskURL puts the mark where something was taken out; an empty mark leaves no trace.
func maskURL(text, mark string) string {
	p := cutURL(text)
	switch {
	case p.user == "":
	case mark == "":
		p.user = ""
	case p.start == "" && strings.Contains(p.user, ":"):
		p.user = mark + ":" + mark + "@" // parsers take the first word for a scheme, and go on doing so
	default:
		p.user = mark + "@"
	}
	switch {
	case mark == "":
		p.behind = ""
	case len(p.behind) > 1:
		p.behind = p.behind[:1] + mark
	}
	path := strings.ReplaceAll(maskWords(p.path), hidden, orHidden(mark))
	return p.start + p.user + p.host + path + p.behind
}

func orHidden(mark string) string {
	if mark == "" {
		return hidden
	}
	return mark
}
