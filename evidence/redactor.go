package evidence

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// minSecret is the length in bytes below which a value is not searched for: replacing every `a` would
// hide the output instead of the secret.
const minSecret = 6

// fragment is how many consecutive bytes of a secret are hidden even where the rest of it is missing, as after a cut made by somebody else.
const fragment = 8

// Redactor replaces every secret it was told of, in each form in which it may appear, by its name and fingerprint; so it does with
// eight or more consecutive bytes of one. It may be used from several goroutines; the zero value and nil know no secret.
type Redactor struct {
	mu sync.Mutex
	// whole are the forms to be found as a whole, by their first bytes.
	whole map[[minSecret]byte][]form
	// parts are all runs of eight bytes that give a secret away; the text is what is shown instead.
	parts map[[fragment]byte]string
}

// form is one way to write a secret, and what is shown instead.
type form struct{ text, shown string }

// Add makes the redactor hide a secret, and each of its words where white space stands inside; shown is what stands in its place. Values
// shorter than 6 bytes and the names of schemes are left alone.
func (r *Redactor) Add(shown, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.whole == nil {
		r.whole, r.parts = map[[minSecret]byte][]form{}, map[[fragment]byte]string{}
	}
	secret = strings.TrimSpace(secret)
	r.add("‹"+shown+"›", secret)
	if words := strings.Fields(secret); len(words) > 1 {
		for _, word := range words {
			r.add("‹"+shown+"›", word)
		}
	}
}

func (r *Redactor) add(shown, secret string) {
	if len(secret) < minSecret || isScheme(secret) {
		return
	}
	for n, text := range forms(secret) {
		if len(text) < minSecret {
			continue
		}
		start := [minSecret]byte([]byte(text))
		known := slices.IndexFunc(r.whole[start], func(f form) bool { return f.text == text })
		if known >= 0 {
			r.whole[start][known].shown = shown
		} else {
			r.whole[start] = append(r.whole[start], form{text, shown})
		}
		words := make([]bool, len(text)) // an encoded text has no words
		if n < plainForms {
			words = wordBytes(text)
		}
		for i := range max(0, len(text)-fragment+1) {
			if slices.Contains(words[i:i+fragment], false) {
				r.parts[[fragment]byte([]byte(text[i:]))] = shown
			}
		}
	}
}

// AddURL makes the redactor hide what may be a credential in a URL: password, query and fragment, and the user where there is no password.
func (r *Redactor) AddURL(raw string) { r.addURL("URL", raw) }

func (r *Redactor) addURL(shown, raw string) {
	p := cutURL(raw)
	user := strings.TrimSuffix(p.user, "@")
	_, password, _ := strings.Cut(user, ":")
	parts := []string{user, password, strings.TrimLeft(p.behind, "?#")}
	for _, pair := range strings.FieldsFunc(p.behind, func(r rune) bool { return strings.ContainsRune("?#&;", r) }) {
		_, value, found := strings.Cut(pair, "=")
		if !found {
			value = pair
		}
		parts = append(parts, value)
	}
	if maskWords(p.path) != p.path {
		parts = append(parts, strings.FieldsFunc(p.path, func(r rune) bool { return r == '/' || r == '\\' })...)
	}
	for _, part := range parts {
		r.Add(shown, part)
		if plain, err := url.PathUnescape(part); err == nil {
			r.Add(shown, plain)
		}
		if plain, err := url.QueryUnescape(part); err == nil {
			r.Add(shown, plain)
		}
	}
}

// wordBytes says of each byte of a secret whether it belongs to a word that stands in other texts too, such as `planeproof` or `2026`
// in planeproof-2026-x7f9q: such a run alone gives nothing away.
func wordBytes(text string) []bool {
	words := make([]bool, len(text))
	for start := 0; start < len(text); {
		end := start
		for end < len(text) && isAlphanumeric(text[end]) {
			end++
		}
		word := isCommon(text[start:end])
		for i := start; i < end; i++ {
			words[i] = word
		}
		if end < len(text) {
			words[end] = text[end] < utf8.RuneSelf // a separator
			end++
		}
		start = end
	}
	return words
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// isCommon says of a run of letters and digits that it is short, a number, or a word of at most 16 letters in one case or capitalized.
func isCommon(run string) bool {
	if len(run) < 4 {
		return true
	}
	letters := !strings.ContainsFunc(run, func(r rune) bool { return '0' <= r && r <= '9' })
	tail := run[1:]
	oneCase := run == strings.ToLower(run) || run == strings.ToUpper(run) || tail == strings.ToLower(tail)
	number := !strings.ContainsFunc(run, func(r rune) bool { return r > '9' })
	return letters && oneCase && len(run) <= 16 || number && len(run) < fragment
}

// plainForms is how many of the forms show the secret's own words.
const plainForms = 5

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
	if r == nil {
		return text
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	kept := 0 // how much of the text is in out, or was left out
	for at := 0; at < len(text); at++ {
		length, shown := r.match(text[at:])
		if length == 0 {
			continue
		}
		start, end, longest := at, at+length, length
		for at++; at < end; at++ { // what overlaps is hidden as one, by the name of the longest
			if length, next := r.match(text[at:]); at+length > end || length > longest {
				end = max(end, at+length)
				if length > longest {
					longest, shown = length, next
				}
			}
		}
		out.WriteString(text[kept:start] + shown)
		kept, at = end, end-1
	}
	if kept == 0 {
		return text
	}
	out.WriteString(text[kept:])
	return out.String()
}

// match finds the longest form, or else a part of one, with which the text begins.
func (r *Redactor) match(text string) (length int, shown string) {
	if len(text) < minSecret {
		return 0, ""
	}
	for _, f := range r.whole[[minSecret]byte([]byte(text[:minSecret]))] {
		if len(f.text) > length && strings.HasPrefix(text, f.text) {
			length, shown = len(f.text), f.shown
		}
	}
	if length == 0 && len(text) >= fragment {
		if part, known := r.parts[[fragment]byte([]byte(text[:fragment]))]; known {
			return fragment, part
		}
	}
	return length, shown
}

// Writer returns a writer that redacts whole lines before they reach w; Close writes an unfinished last line, and returns the first error
// of any write.
func (r *Redactor) Writer(w io.Writer) io.WriteCloser {
	return &redactingWriter{redactor: r, out: w}
}

type redactingWriter struct {
	redactor *Redactor
	out      io.Writer
	mu       sync.Mutex
	pending  []byte
	failed   error
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
	if w.failed == nil {
		w.failed = err
	}
	return err
}

func (w *redactingWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.flush(len(w.pending))
	return w.failed
}
