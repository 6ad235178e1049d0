// Package canary looks for secrets where none may be. It is for tests, and shares nothing with the redactor that it watches.
package canary

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Minted matches every secret that a scenario mints, and nothing else that the suite writes.
var Minted = regexp.MustCompile(`(?:sk-[a-z-]+-|route-|pw-)[a-z0-9]{24}`)

// forms are the ways in which text may hold a secret: raw, escaped for a URL or for JSON, and the base64 of a longer text that has
// the secret in it.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret) // a string always encodes
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`)}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			whole := encoding.EncodeToString([]byte(strings.Repeat(" ", before) + secret + "   "))
			all = append(all, whole[4:len(whole)-8]) // without the characters that the neighbours shape
		}
	}
	return all
}

// stride is how much of a form is looked up at once; every form of a secret that is looked for is longer.
const stride = 16

// Find returns those of the secrets that the text holds in any form.
func Find(text string, secrets []string) []string {
	type found struct{ form, secret string }
	beginnings := map[string][]found{}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			beginnings[form[:stride]] = append(beginnings[form[:stride]], found{form, secret})
		}
	}
	var held []string
	for i := range max(0, len(text)-stride+1) {
		for _, f := range beginnings[text[i:i+stride]] {
			if strings.HasPrefix(text[i:], f.form) {
				held = append(held, f.secret)
			}
		}
	}
	slices.Sort(held)
	return slices.Compact(held)
}
