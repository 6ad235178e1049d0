package evidence

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Foreign returns a text from elsewhere as it may be shown, in one line of at most max characters and an ellipsis: without the secrets the
// redactor knows and what looks like one, escaped, and only then cut. No cut leaves half of what stands for a secret.
func (r *Redactor) Foreign(text string, max int) string {
	text = strings.Join(strings.Fields(r.String(text)), " ")
	if len(text) > maxForeign {
		text = text[:maxForeign]
		text = text[:strings.LastIndexByte(text, ' ')+1] + "…" // half a word may be half a token that has no form any more
	}
	runes := []rune(Printable(Mask(text)))
	if len(runes) <= max {
		return string(runes)
	}
	cut := string(runes[:max])
	if open := strings.LastIndex(cut, "‹"); open > strings.LastIndex(cut, "›") {
		cut = cut[:open]
	}
	return cut + "…"
}

// maxForeign is how much of a foreign text is looked at for forms of credentials, in bytes; none is shown that long.
const maxForeign = 64 << 10

// Printable escapes control characters and what else would let a name move a terminal's cursor or forge a line.
func Printable(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unprintable includes what stands for an invalid byte, as some terminals take 0x9b for the start of a sequence, and the separators
// of lines and paragraphs.
func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
