package inventory

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hidden stands in the place of what a saved inventory does not show.
const hidden = "redacted"

// maxText is the longest text that is looked through, in bytes; a longer one is hidden as a whole.
const maxText = 16 << 10

var (
	// secretKey matches keys of metadata whose text is a credential by its name; keys that only name a way to authenticate, such as
	// auth_type, do not match.
	secretKey = regexp.MustCompile(`(?i)secret|passw|private|credential|(^|_)token$|access_?key|api_?key$|authorization|external_id|cookie`)
	// secretText matches texts that are credentials by their form: behind a scheme, with a usual prefix, PEM, or a JWT.
	secretText = regexp.MustCompile(`(?i)^\s*(bearer|basic|api-key)\s+\S|\b(sk|pk|key|tok|token|pw|bt-st)-[a-z0-9_-]{6,}|-----BEGIN|\beyJ[a-z0-9_-]{10,}`)
	// longWord matches a word that is as long as a key and has digits among its letters; model names have hyphens or dots.
	longWord = regexp.MustCompile(`[A-Za-z0-9_+=]{24,}`)
	// keyWord matches a key with a usual prefix inside a URL's path, where words such as `token-service` are none.
	keyWord = regexp.MustCompile(`(?i)\b(sk|pk|bt-st)-[a-z0-9_-]{6,}`)
	// urlStart matches what stands in front of a URL's authority, as lenient as URL parsers are.
	urlStart = regexp.MustCompile(`^(?i)[a-z][a-z0-9+.-]*:[/\\]{2,}|^[/\\]{2,}|^https?:`)
	digit    = regexp.MustCompile(`[0-9]`)
)

// Redact returns the secret as it may be shown or saved: values of additionalHeaders, what stands in front of the host and behind the
// path in a URL, what looks like a credential, and the preview but for a scheme in front are replaced by values of the same
// type, and their places are named. All else stays as it is, so that an audit says the same.
func (s Secret) Redact() Secret {
	r := redactor{}
	s.Metadata = r.metadata(s.Metadata)
	if shown := redactPreview(s.Preview); shown != s.Preview {
		s.Preview = shown
		r.places = append(r.places, "preview")
	}
	s.Redacted = append(slices.Clone(s.Redacted), r.places...)
	return s
}

// redactPreview keeps what a finding needs: a scheme in front, and white space around (guide: bearer-after-v2-migration, step 2).
func redactPreview(preview string) string {
	token := strings.TrimSpace(preview)
	if token == "" {
		return preview
	}
	start := strings.Index(preview, token)
	end := preview[start+len(token):]
	prefix := preview[:start]
	for {
		scheme, rest, found := strings.Cut(token, " ")
		if !found || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "Api-Key") && !strings.EqualFold(scheme, "Basic") {
			return prefix + "***" + end
		}
		prefix, token = prefix+scheme+" ", strings.TrimSpace(rest)
	}
}

// redactor rewrites one metadata and keeps what it hid.
type redactor struct{ places []string }

// metadata keeps bytes that are no JSON out: nobody can say what is in them.
func (r *redactor) metadata(raw json.RawMessage) json.RawMessage {
	switch {
	case len(raw) == 0:
		return nil
	case !json.Valid(raw):
		r.places = append(r.places, "metadata")
		return json.RawMessage("null")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out bytes.Buffer
	r.value(&out, d, place{path: "metadata"})
	return out.Bytes()
}

// place is where a value stands; secret is set below additionalHeaders and below keys that name a credential.
type place struct {
	path, key string
	secret    bool
}

func (p place) below(key string) place {
	return place{path: p.path + "." + key, key: key, secret: p.secret || key == "additionalHeaders" || secretKey.MatchString(key)}
}

// value copies the next value of valid JSON, key by key in its order, and hides what is secret.
func (r *redactor) value(out *bytes.Buffer, d *json.Decoder, at place) {
	token, _ := d.Token()
	switch token := token.(type) {
	case json.Delim:
		r.container(out, d, at, token)
	case string:
		writeText(out, r.text(token, at))
	case json.Number:
		if at.secret && token != "0" && strings.Contains(at.path, ".additionalHeaders.") {
			r.places = append(r.places, at.path)
			token = "0"
		}
		out.WriteString(token.String())
	case bool:
		out.WriteString(strconv.FormatBool(token))
	default:
		out.WriteString("null")
	}
}

func (r *redactor) container(out *bytes.Buffer, d *json.Decoder, at place, open json.Delim) {
	out.WriteString(open.String())
	for n := 0; d.More(); n++ {
		if n > 0 {
			out.WriteByte(',')
		}
		if open == '[' {
			r.value(out, d, place{path: at.path + "[" + strconv.Itoa(n) + "]", key: at.key, secret: at.secret})
			continue
		}
		key, _ := d.Token()
		name, _ := key.(string)
		writeText(out, name)
		out.WriteByte(':')
		r.value(out, d, at.below(name))
	}
	end, _ := d.Token()
	if end, isDelim := end.(json.Delim); isDelim {
		out.WriteString(end.String())
	}
}

// text hides a text that is a credential, or the parts of a URL that may be.
func (r *redactor) text(text string, at place) string {
	shown := text
	switch {
	case text == "":
	case at.secret, len(text) > maxText:
		shown = hidden
	case urlStart.MatchString(text) && !strings.ContainsAny(text, " \t\n"):
		shown = redactURL(text)
	case secretText.MatchString(text), at.key != "models" && hasLongWord(text), strings.Contains(text, "://") && strings.Contains(text, "@"):
		shown = hidden
	case !strings.ContainsAny(text, " \t\n"):
		shown = redactURL(text) // a URL without its scheme
	}
	if shown != text {
		r.places = append(r.places, at.path)
	}
	return shown
}

func hasLongWord(text string) bool { return maskLongWords(text) != text }

// maskLongWords hides words that are as long as a key and mix letters and digits.
func maskLongWords(text string) string {
	return longWord.ReplaceAllStringFunc(text, func(word string) string {
		if digit.MatchString(word) && strings.ContainsFunc(word, isLetter) {
			return hidden
		}
		return word
	})
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// redactURL hides what stands in front of the host and behind the path of a URL, and words of the path that look like keys. It goes by
// the text alone, as what is stored may be no URL.
func redactURL(text string) string {
	start := len(urlStart.FindString(text))
	end := len(text)
	if i := strings.IndexAny(text[start:], "/\\?#"); i >= 0 {
		end = start + i
	}
	authority, path, behind := text[start:end], text[end:], ""
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user := hidden
		if start == 0 && strings.Contains(authority[:i], ":") {
			user = hidden + ":" + hidden // parsers take the first word for a scheme, and go on doing so
		}
		authority = user + authority[i:]
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path, behind = path[:i], path[i:]
	}
	if len(behind) > 1 {
		behind = behind[:1] + hidden
	}
	path = maskLongWords(keyWord.ReplaceAllString(path, hidden))
	return text[:start] + authority + path + behind
}

// writeText writes a JSON string and escapes no HTML.
func writeText(out *bytes.Buffer, text string) {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)          // a string always encodes
	out.Truncate(out.Len() - 1) // the encoder's newline
}
