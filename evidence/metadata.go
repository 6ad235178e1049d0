package evidence

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

const (
	// saved stands in a saved document in the place of what it does not show; it is plain so that readers of the document judge it like any text.
	saved = "redacted"
	// maxText is the longest text that is looked through, in bytes; a longer one is hidden as a whole.
	maxText = 16 << 10
)

// RedactMetadata returns a provider secret's metadata as it may be saved, and the places of what was hidden, such as
// `metadata.additionalHeaders.X-Key`: what lies below a name of IsSecretName, what Mask would hide, and in URLs user information,
// query and fragment. Values keep their type, all else stays as it is, so that an audit says the same. What is no JSON becomes null.
func RedactMetadata(raw json.RawMessage) (shown json.RawMessage, places []string) {
	w := metadataWalk{}
	return w.walk(raw), w.places
}

// AddMetadata makes the redactor hide every value in a provider secret's metadata that may be a credential: what RedactMetadata
// hides, and every text of a key that is not known to be harmless, as servers quote what they refuse.
func (r *Redactor) AddMetadata(raw json.RawMessage) {
	w := metadataWalk{tell: r}
	w.walk(raw)
}

// RedactPreview keeps of a preview what a finding needs: schemes in front, the beginning of one where the server cut it, as in
// `Bea…-1`, and white space around (guide: bearer-after-v2-migration, step 2).
func RedactPreview(preview string) string {
	token := strings.TrimSpace(preview)
	if token == "" {
		return preview
	}
	start := strings.Index(preview, token)
	prefix, end := preview[:start], preview[start+len(token):]
	for {
		scheme, rest, found := strings.Cut(token, " ")
		if !found || !isScheme(scheme) {
			return prefix + schemeStart(token) + "***" + end
		}
		prefix, token = prefix+scheme+" ", strings.TrimSpace(rest)
	}
}

// schemeStart is the beginning of a scheme, of three letters or more, that a preview shows in front of what it left out.
func schemeStart(token string) string {
	i := strings.IndexAny(token, "*….•")
	if i < 3 {
		return ""
	}
	for _, scheme := range schemes() {
		if i <= len(scheme) && strings.EqualFold(scheme[:i], token[:i]) {
			return token[:i]
		}
	}
	return ""
}

// metadataWalk goes through one metadata: it keeps what it hides, and tells a redactor of it where there is one.
type metadataWalk struct {
	places []string
	tell   *Redactor
}

// spot is where a value stands; secret is set below names of credentials, below headers for numbers too.
type spot struct {
	path, key       string
	secret, headers bool
}

func (p spot) below(key string) spot {
	headers := strings.HasSuffix(strings.ToLower(key), "headers")
	return spot{path: p.path + "." + key, key: key, secret: p.secret || IsSecretName(key), headers: p.headers || headers}
}

func (w *metadataWalk) walk(raw json.RawMessage) json.RawMessage {
	switch {
	case len(raw) == 0:
		return nil
	case !json.Valid(raw):
		w.places = append(w.places, "metadata")
		return json.RawMessage("null")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out bytes.Buffer
	w.value(&out, d, spot{path: "metadata"})
	return out.Bytes()
}

// value copies the next value of valid JSON, key by key in its order, and hides what is secret.
func (w *metadataWalk) value(out *bytes.Buffer, d *json.Decoder, at spot) {
	token, _ := d.Token()
	switch token := token.(type) {
	case json.Delim:
		w.container(out, d, at, token)
	case string:
		writeText(out, w.text(token, at))
	case json.Number:
		if at.headers && token != "0" {
			w.places = append(w.places, at.path)
			w.add(token.String())
			token = "0"
		}
		out.WriteString(token.String())
	case bool:
		out.WriteString(strconv.FormatBool(token))
	default:
		out.WriteString("null")
	}
}

func (w *metadataWalk) container(out *bytes.Buffer, d *json.Decoder, at spot, open json.Delim) {
	out.WriteString(open.String())
	for n := 0; d.More(); n++ {
		if n > 0 {
			out.WriteByte(',')
		}
		if open == '[' {
			inside := at
			inside.path += "[" + strconv.Itoa(n) + "]"
			w.value(out, d, inside)
			continue
		}
		key, _ := d.Token()
		name, _ := key.(string)
		writeText(out, name)
		out.WriteByte(':')
		w.value(out, d, at.below(name))
	}
	end, _ := d.Token()
	if end, isDelim := end.(json.Delim); isDelim {
		out.WriteString(end.String())
	}
}

// text hides a text that is a credential, or the parts of a URL that may be.
func (w *metadataWalk) text(text string, at spot) string {
	shown := redactText(text, at)
	if shown != text {
		w.places = append(w.places, at.path)
	}
	switch {
	case shown == saved:
		w.add(text)
	case shown != text && w.tell != nil:
		w.tell.addURL("metadata", text)
	case !harmless(at):
		w.add(text)
	}
	return shown
}

// harmless says of a place that no credential is there, and that its values are words which occur elsewhere.
func harmless(at spot) bool {
	return at.key == "api_base" || slices.Contains([]string{"auth_format", "auth_type", "models"}, at.key) ||
		strings.HasPrefix(at.path, "metadata.customModels.")
}

func redactText(text string, at spot) string {
	blank := strings.ContainsAny(text, " \t\r\n")
	switch {
	case text == "":
		return text
	case at.secret, len(text) > maxText:
		return saved
	case urlStart.MatchString(text) && !blank:
		return maskURL(text, saved)
	case blank && isScheme(strings.Fields(text + " .")[0]) && len(strings.Fields(text)) > 1:
		return saved
	case at.key == "models" && !knownForm.MatchString(text):
		return text
	case !strings.Contains(text, "@") && Mask(text) != text, strings.Contains(text, "://") && strings.Contains(text, "@"):
		return saved
	case !blank:
		return maskURL(text, saved) // a URL without its scheme
	case Mask(text) != text:
		return saved
	}
	return text
}

func (w *metadataWalk) add(text string) {
	if w.tell != nil {
		w.tell.Add("metadata", text)
	}
}

// writeText writes a JSON string and escapes no HTML.
func writeText(out *bytes.Buffer, text string) {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)          // a string always encodes
	out.Truncate(out.Len() - 1) // the encoder's newline
}
