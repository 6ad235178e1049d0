// Package evidence holds what a run keeps to show why it said yes or no: exchanges, log lines, and
// credentials in a form that may be shown.
package evidence

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// Key is the secret of one run under which credentials are fingerprinted, so that a fingerprint in a
// report cannot be matched against guessed tokens.
type Key []byte

// NewKey makes a random key of 32 bytes.
func NewKey() Key {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, by its documentation
	return key
}

// Fingerprint names a secret without showing it: 12 hex digits of HMAC-SHA256, empty for an empty secret.
func (k Key) Fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(secret))
	return hex.EncodeToString(mac.Sum(nil))[:12]
}

// Credential is one credential as a system saw it, without the credential.
type Credential struct {
	// Header is the header's name in lower case.
	Header string `json:"header"`
	// Scheme is the first word of an Authorization value, as it was written, where it is a known scheme; else empty, as for other headers.
	Scheme string `json:"scheme,omitempty"`
	// Fingerprint is that of everything after the scheme, surrounding white space removed.
	Fingerprint string `json:"fingerprint,omitempty"`
	// LastWord is the fingerprint of the last word, which is the raw token in `Bearer Bearer <token>`.
	LastWord string `json:"last_word,omitempty"`
	// Doubled says that a scheme stands twice, as in `Bearer Bearer <token>`.
	Doubled bool `json:"doubled,omitempty"`
	// Padded says that white space stands around the token beyond the one blank after the scheme.
	Padded bool `json:"padded,omitempty"`
	// Length is the number of bytes after the scheme, surrounding white space removed.
	Length int `json:"length"`
}

// Credentials reads every credential of a request, in a fixed order of headers.
func Credentials(key Key, header http.Header) []Credential {
	var seen []Credential
	for _, name := range CredentialHeaders() {
		for _, value := range header.Values(name) {
			seen = append(seen, ReadCredential(key, name, value))
		}
	}
	return seen
}

// ReadCredential describes the value of one credential header.
func ReadCredential(key Key, header, value string) Credential {
	c := Credential{Header: strings.ToLower(header)}
	rest := value
	if c.Header == "authorization" {
		c.Scheme, rest = cutScheme(value)
	}
	token := strings.TrimSpace(rest)
	c.Padded = token != rest
	c.Length = len(token)
	c.Fingerprint = key.Fingerprint(token)
	c.LastWord = c.Fingerprint
	if words := strings.Fields(token); len(words) > 1 {
		c.LastWord = key.Fingerprint(words[len(words)-1])
		c.Doubled = c.Scheme != "" && isScheme(words[0])
	}
	return c
}

// cutScheme splits an Authorization value at its first blank (RFC 7235: scheme, one space, credentials) where the first word is a known
// scheme. Another first word may be part of a secret, so it is never taken for one. `Bearer` alone is what an empty token sends
// (recorded: proxy-routing org-…-empty).
func cutScheme(value string) (scheme, rest string) {
	if first, rest, _ := strings.Cut(value, " "); isScheme(first) {
		return first, rest
	}
	return "", value
}

func isScheme(word string) bool {
	return slices.ContainsFunc(schemes(), func(s string) bool {
		return strings.EqualFold(s, word)
	})
}

// String shows the credential in one phrase: `Authorization: Bearer ‹3fa94b21c0de, 24 bytes›`.
func (c Credential) String() string {
	var b strings.Builder
	b.WriteString(http.CanonicalHeaderKey(c.Header) + ": ")
	if c.Scheme != "" {
		b.WriteString(Printable(c.Scheme) + " ")
	}
	if c.Length == 0 {
		b.WriteString("‹empty›")
	} else {
		b.WriteString("‹" + c.Fingerprint + "›")
	}
	if c.Doubled {
		b.WriteString(" (scheme doubled, last word ‹" + c.LastWord + "›)")
	}
	if c.Padded {
		b.WriteString(" (padded)")
	}
	return b.String()
}
