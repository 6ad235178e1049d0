package routing

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// typeError is what JavaScript throws where a request cannot be made. Its text may repeat a secret, as the real one does (facts:
// echoed-secrets); shown is what log and journal have of it.
type typeError struct{ text, shown string }

func (e *typeError) Error() string { return e.shown }

// headers are those of a call as the proxy gathers them: a name is replaced where it is written the same, and stays where it was first.
type headers struct {
	names  []string
	values map[string]string
}

func (h *headers) set(name, value string) {
	if _, there := h.values[name]; !there {
		h.names = append(h.names, name)
	}
	h.values[name] = value
}

// outgoingHeader is what goes upstream with one secret. The legacy proxies write their Authorization over the caller's, which stands
// before additionalHeaders, and the current one adds it last (facts: additional-headers).
func (r Rules) outgoingHeader(forwarded http.Header, s provider.Secret, m provider.Metadata) (http.Header, error) {
	h := &headers{values: map[string]string{}}
	if r.Sends != provider.Current202608 {
		h.set("authorization", "")
	}
	for _, name := range slices.Sorted(maps.Keys(forwarded)) {
		h.set(strings.ToLower(name), asCharacters(strings.Join(forwarded[name], ", ")))
	}
	for _, name := range slices.Sorted(maps.Keys(m.AdditionalHeaders)) {
		h.set(name, m.AdditionalHeaders[name])
	}
	if name, value, ok := r.credential(s); ok {
		h.set(strings.ToLower(name), value)
	}
	switch {
	case s.Type == "azure" && m.APIVersion != "" && s.Value != nil: // facts: azure-path
		h.set("api-key", *s.Value)
	case s.Type == "openai" && m.OrganizationID != "":
		h.set("OpenAI-Organization", m.OrganizationID)
	}
	return h.fetch()
}

// fetch is what JavaScript's fetch makes of the headers: blanks around a value are dropped, names that differ in case alone are joined,
// and a value that no request can carry is refused with a text that repeats it. Go would send UTF-8 where fetch sends Latin-1.
func (h *headers) fetch() (http.Header, error) {
	out := http.Header{}
	for _, name := range h.names {
		value, err := latin1(h.values[name])
		if err != nil {
			return nil, err
		}
		if value = trimmed(value); strings.ContainsAny(value, "\x00\r\n") {
			return nil, &typeError{
				text: fmt.Sprintf(`Headers.append: "%s" is an invalid header value.`, trimmed(h.values[name])), shown: "invalid value of header " + name,
			}
		}
		if before := out.Get(name); before != "" {
			value = before + ", " + value
		}
		out.Set(name, value)
	}
	return out, nil
}

// asCharacters reads a text of one byte for each character, as a header has it.
func asCharacters(value string) string {
	characters := make([]rune, len(value))
	for i := range len(value) {
		characters[i] = rune(value[i])
	}
	return string(characters)
}

// latin1 writes a text with one byte for each character.
func latin1(text string) (string, error) {
	out := make([]byte, 0, len(text))
	for i, r := range []rune(text) {
		if r > 0xff {
			why := fmt.Sprintf("Cannot convert argument to a ByteString because the character at index %d has a value of %d which is greater than 255.", i, r)
			return "", &typeError{text: why, shown: "a header has a character outside Latin-1"}
		}
		out = append(out, byte(r))
	}
	return string(out), nil
}

// trimmed is a header value as fetch normalizes it; net/http would refuse the whole request for a newline at the end.
func trimmed(value string) string { return strings.Trim(value, " \t\r\n") }
