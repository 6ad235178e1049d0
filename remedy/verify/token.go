package verify

import (
	"slices"
	"strings"
	"unicode"

	"github.com/planeproof/planeproof/evidence"
)

// Problems says what keeps a value from being the raw token that a provider secret must hold, nothing if it is one
// (guide: bearer-after-v2-migration, step 2). The texts never contain the value.
func Problems(token string) []string {
	trimmed := strings.TrimSpace(token)
	if trimmed == "" {
		return []string{"the token is empty"}
	}
	var problems []string
	if trimmed != token {
		problems = append(problems, "white space stands around the token")
	}
	words := strings.Fields(trimmed)
	if isBearer(words[0]) {
		problems = append(problems, "the token begins with the word Bearer, which is sent in front of it anyway")
		words = words[1:]
	}
	if len(words) > 1 {
		problems = append(problems, "white space stands inside the token")
	}
	inner := strings.Join(words, "")
	if strings.ContainsFunc(inner, unicode.IsControl) {
		problems = append(problems, "the token contains control characters")
	}
	if strings.ContainsFunc(inner, func(r rune) bool { return r > unicode.MaxASCII }) {
		problems = append(problems, "the token contains characters beyond ASCII")
	}
	return problems
}

func isBearer(word string) bool { return strings.EqualFold(word, "Bearer") }

// SchemeIn looks in a preview for a scheme in front of the stored value. It is sure where the scheme stands whole, with a blank behind
// it; where the preview leaves out what follows three or more of its letters, as `Bea…-1` does, it is a suspicion.
func SchemeIn(preview string) (scheme string, sure bool) {
	preview = strings.TrimSpace(preview)
	shown := max(strings.IndexAny(preview, "*….•"), 0)
	for _, known := range []string{"Bearer", "Api-Key", "Basic"} {
		first, _, whole := strings.Cut(preview, " ")
		switch {
		case whole && strings.EqualFold(first, known):
			return known, true
		case shown >= 3 && shown <= len(known) && strings.EqualFold(preview[:shown], known[:shown]):
			return known, false
		}
	}
	return "", false
}

// authorization is the header's value for a token as stored: concatenated, with the end trimmed, as the proxy's HTTP client
// does (facts: stored-token). It is not ok where no header can hold the value.
func authorization(token string) (value string, ok bool) {
	value = strings.TrimRight("Bearer "+token, " \t\r\n")
	forbidden := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	return value, !strings.ContainsFunc(value, forbidden)
}

// maxQuote is the longest quotation of a foreign text, in characters.
const maxQuote = 200

// A quoter quotes foreign texts without the token: gateways echo what they refuse.
type quoter struct {
	redactor *evidence.Redactor
	// mute is set where a secret, or a part of the token, is too short to be searched for; then nothing foreign is quoted.
	mute bool
}

func (v Options) quoter(token string) quoter {
	q := quoter{redactor: new(evidence.Redactor)}
	secrets := slices.DeleteFunc(strings.Fields(token), isBearer)
	q.redactor.Add("token", token)
	if v.Secret != nil {
		for _, value := range v.Secret.Decode().AdditionalHeaders {
			q.redactor.Add("additional header", value)
			secrets = append(secrets, value)
		}
	}
	q.mute = slices.ContainsFunc(secrets, func(secret string) bool { return secret != "" && q.redactor.String(secret) == secret })
	return q
}

// quote returns a foreign text in one short line.
func (q quoter) quote(text string) string {
	if q.mute {
		return ""
	}
	return q.redactor.Foreign(text, maxQuote)
}

// line returns a text of our own making, in which the token may stand, in one line.
func (q quoter) line(text string) string {
	return evidence.Printable(strings.Join(strings.Fields(q.redactor.String(text)), " "))
}
