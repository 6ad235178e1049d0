package evidence

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// minSecret is the length in bytes below which a value is not searched for: replacing every `a` would
// hide the output instead of the secret.
const minSecret = 6

// Redactor replaces every secret it was told of, in each form in which it may appear, by its name and fingerprint.
// It may be used from several goroutines; the zero value knows no secret.
type Redactor struct {
	mu       sync.Mutex
	forms    map[string]string // form of a secret → what is shown instead
	replacer *strings.Replacer // nil after a change
}

// Add makes the redactor hide a secret; shown is what stands in its place. Values shorter than 6 bytes are left alone.
func (r *Redactor) Add(shown, secret string) {
	secret = strings.TrimSpace(secret)
	if len(secret) < minSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forms == nil {
		r.forms = map[string]string{}
	}
	for _, form := range forms(secret) {
		if len(form) >= minSecret {
			r.forms[form] = "‹" + shown + "›"
		}
	}
	r.replacer = nil
}

// forms lists how a secret may be written: raw, URL- and JSON-escaped, and base64 at each of the three byte offsets it can
// have inside a longer text, without the characters that its neighbours influence.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	all = append(all, quoted(secret, true), quoted(secret, false))
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
			start := (offset*8 + 5) / 6
			end := (offset + len(secret)) * 8 / 6
			all = append(all, encoded[start:end])
		}
	}
	return all
}

// quoted is a text inside JSON's quotes; encoders differ in whether they escape <, > and &.
func quoted(text string, html bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(html)
	_ = encoder.Encode(text) // a string always encodes
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// String returns the text without the secrets.
func (r *Redactor) String(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replacer == nil {
		r.replacer = r.build()
	}
	return r.replacer.Replace(text)
}

// build orders longer forms first: strings.Replacer takes the first match in argument order.
func (r *Redactor) build() *strings.Replacer {
	keys := make([]string, 0, len(r.forms))
	for form := range r.forms {
		keys = append(keys, form)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	pairs := make([]string, 0, 2*len(keys))
	for _, form := range keys {
		pairs = append(pairs, form, r.forms[form])
	}
	return strings.NewReplacer(pairs...)
}

// Writer returns a writer that redacts whole lines before they reach w; Close writes an unfinished last line.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser {
	return &redactingWriter{redactor: r, out: w}
}

type redactingWriter struct {
	redactor *Redactor
	out      io.Writer
	mu       sync.Mutex
	pending  []byte
}

func (w *redactingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, p...)
	// A carriage return ends a line too: progress on a terminal rewrites its line.
	if i := strings.LastIndexAny(string(w.pending), "\n\r"); i >= 0 {
		if err := w.flush(i + 1); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (w *redactingWriter) flush(n int) error {
	_, err := io.WriteString(w.out, w.redactor.String(string(w.pending[:n])))
	w.pending = append(w.pending[:0], w.pending[n:]...)
	return err
}

func (w *redactingWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush(len(w.pending))
}

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
