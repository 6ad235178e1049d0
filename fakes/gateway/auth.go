package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
)

// authorization is the header of the schemes; the other headers that carry a credential take it raw.
const authorization = "authorization"

// shape is where a credential is looked for: a header, and in Authorization a scheme.
type shape struct{ header, scheme string }

func (c config) shape() shape {
	switch c.Auth {
	case provider.ShapeAPIKeyScheme:
		return shape{authorization, "Api-Key"}
	case provider.ShapeXAPIKey, provider.ShapeAPIKey, provider.ShapeApikey: // named like their headers
		return shape{header: string(c.Auth)}
	default:
		return shape{authorization, "Bearer"}
	}
}

// String says how a right request looks.
func (s shape) String() string {
	if s.scheme == "" {
		return s.header + ": YOUR_KEY"
	}
	return "Authorization: " + s.scheme + " YOUR_KEY"
}

// challenge is the WWW-Authenticate of a 401 (facts: openai-errors).
func (c config) challenge() string {
	wanted := c.shape()
	if wanted.scheme == "" {
		return fmt.Sprintf(`ApiKey realm="OpenAI API", header=%q`, wanted.header)
	}
	return wanted.scheme + ` realm="OpenAI API"`
}

// refused says whether the call's credential is refused, and how. It never repeats what was sent.
func (c call) refused() (reply, bool) {
	if c.config.Auth == provider.ShapeNone {
		return reply{}, false
	}
	header := c.Header
	if c.personality != nil && c.personality.deaf {
		wanted := c.config.shape().header
		header = http.Header{http.CanonicalHeaderKey(wanted): header.Values(wanted)}
	}
	v := c.config.judge(header)
	if v.reason == "" && c.personality != nil && c.personality.exact && strings.Contains(header.Get(authorization), "  ") {
		v = verdict{wrongToken, "wrong token: two blanks before it", "Incorrect API key provided."}
	}
	if v.reason == "" {
		return reply{}, false
	}
	if own, has := c.personality.answer(v.reason); has {
		return own.noting(v.note), true
	}
	if v.reason == repeated {
		return refuse(http.StatusBadRequest, "invalid_request", v.message).noting(v.note), true
	}
	if v.reason == notAuthorized {
		return refuse(http.StatusForbidden, "insufficient_permissions", v.message).noting(v.note), true
	}
	return refuse(http.StatusUnauthorized, "invalid_api_key", v.message).
		noting(v.note).with("Www-Authenticate", c.config.challenge()), true
}

// reason is why a request is refused, as far as gateways answer it differently.
type reason string

const (
	noCredential  reason = "no credential"
	wrongHeader   reason = "wrong header"
	wrongScheme   reason = "wrong scheme"
	malformed     reason = "malformed"
	repeated      reason = "repeated"
	doubled       reason = "doubled"
	wrongToken    reason = "wrong token"
	notAuthorized reason = "not authorized"
	notServed     reason = "not served"
)

// verdict is what the gateway makes of a request's credential: in words for the journal, in a message for the caller. One without a
// reason is an acceptance.
type verdict struct {
	reason        reason
	note, message string
}

// judge accepts exactly one credential, in the one header and under the one scheme that are wanted (RFC 6750, section 2: no
// more than one method; section 2.1 and RFC 7235: the scheme in any case, then one or more blanks, then one word).
func (c config) judge(header http.Header) verdict {
	wanted := c.shape()
	if refusal, wrong := wanted.wrongHeader(header); wrong {
		return refusal
	}
	words := blanks(header.Get(wanted.header))
	if wanted.scheme != "" {
		if refusal, wrong := wanted.wrongScheme(words); wrong {
			return refusal
		}
		words = words[1:]
	}
	return c.judgeToken(wanted, words)
}

func (s shape) wrongHeader(header http.Header) (verdict, bool) {
	sent := make([]string, 0, 4)
	for _, name := range evidence.CredentialHeaders() {
		for range header.Values(name) {
			sent = append(sent, name)
		}
	}
	switch {
	case len(sent) == 0:
		return verdict{noCredential, "no credential", "You didn't provide an API key. Send it as `" + s.String() + "`."}, true
	case len(header.Values(authorization)) > 1:
		return verdict{repeated, "malformed: " + strings.Join(sent, " and "), "The Authorization header stands more than once; exactly one may be sent."}, true
	case len(sent) > 1:
		return verdict{malformed, "malformed: " + strings.Join(sent, " and "),
			"Malformed credentials: exactly one may be sent, as `" + s.String() + "`."}, true
	case sent[0] != s.header:
		return verdict{wrongHeader, "wrong header: " + sent[0] + " instead of " + s.header,
			"The API key was sent in the " + sent[0] + " header. Send it as `" + s.String() + "`."}, true
	}
	return verdict{}, false
}

// wrongScheme judges the first word of Authorization. A word that is no known scheme may be part of a secret and is not repeated.
func (s shape) wrongScheme(words []string) (verdict, bool) {
	if len(words) == 0 {
		return verdict{malformed, "malformed: empty authorization", "Malformed credentials: the Authorization header is empty."}, true
	}
	scheme := knownScheme(words[0])
	switch {
	case scheme == s.scheme:
		return verdict{}, false
	case scheme == "" && len(words) == 1:
		return verdict{wrongScheme, "no scheme: bare token instead of " + s.scheme,
			"The Authorization header has no scheme. Send `" + s.String() + "`."}, true
	case scheme == "":
		scheme = "an unknown one"
	}
	return verdict{wrongScheme, "wrong scheme: " + scheme + " instead of " + s.scheme,
		"Wrong authentication scheme: " + scheme + ". Send `" + s.String() + "`."}, true
}

// judgeToken judges what follows the scheme, or stands alone in a header that takes none.
func (c config) judgeToken(wanted shape, words []string) verdict {
	if len(words) == 0 {
		return verdict{malformed, "malformed: no token",
			"Malformed credentials: there is no API key where one belongs. Send `" + wanted.String() + "`."}
	}
	prefix := knownScheme(words[0])
	switch {
	case prefix != "" && wanted.scheme != "":
		return verdict{doubled, "scheme doubled",
			"Malformed API key: the scheme stands twice. Ensure that the stored key has no `" + prefix + " ` prefix."}
	case prefix != "":
		return verdict{wrongScheme, "wrong scheme: " + prefix + " instead of none",
			"Wrong authentication scheme: " + prefix + ". Send `" + wanted.String() + "`."}
	case len(words) > 1:
		return verdict{malformed, "malformed: more than one word", "Malformed credentials: the API key has blanks in it."}
	case slices.Contains(c.Tokens, words[0]):
		return verdict{}
	case slices.Contains(c.Forbidden, words[0]):
		return verdict{notAuthorized, "not authorized", "You have insufficient permissions for this operation."}
	default:
		return verdict{wrongToken, "wrong token", "Incorrect API key provided."}
	}
}

// blanks splits at blanks only: other white space is part of a word, which then is no token of anybody's.
func blanks(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ' ' })
}

// knownScheme returns the usual spelling of a scheme's name, empty for any other word. The lengths are compared because folding
// goes beyond ASCII: the Kelvin sign is a k.
func knownScheme(word string) string {
	for _, scheme := range []string{"Bearer", "Api-Key", "Basic", "Token"} {
		if len(scheme) == len(word) && strings.EqualFold(scheme, word) {
			return scheme
		}
	}
	return ""
}
