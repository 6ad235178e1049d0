// Package leak looks for secrets where none may be. It is for tests, and shares nothing with the redactor that it watches.
package leak

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Minted matches every secret that a scenario mints, and nothing else that the suite writes; its group is what is random.
var Minted = regexp.MustCompile(`(?:sk-|sk-bt-|route-|pw-)([a-z0-9]{24})`)

// window is how many characters of a secret in a row are a leak.
const window = 8

// Mint makes a token of 24 random characters of [a-z0-9], of which two inner ones are digits: by its form it is a long mixed word.
func Mint() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails, by its documentation
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	raw[8], raw[16] = '0'+raw[8]%10, '0'+raw[16]%10
	return string(raw)
}

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

// Find returns those of the secrets of which the text holds any eight characters in a row, in any form. Of a minted secret only what
// is random counts, as its prefix is of words. Eight hexadecimal digits alone are none: fingerprints and ids are made of them.
func Find(text string, secrets []string) []string {
	holders := map[string]string{}
	for _, secret := range secrets {
		random := secret
		if m := Minted.FindStringSubmatch(secret); m != nil {
			random = m[1]
		}
		for _, form := range forms(random) {
			for i := range max(0, len(form)-window+1) {
				if part := form[i : i+window]; strings.Trim(part, "0123456789abcdef") != "" {
					holders[part] = secret
				}
			}
		}
	}
	var held []string
	for i := range max(0, len(text)-window+1) {
		if secret, holds := holders[text[i:i+window]]; holds {
			held = append(held, secret)
		}
	}
	slices.Sort(held)
	return slices.Compact(held)
}

// Files are the texts of all files below a directory, by path.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		texts[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// Check fails the test for every place that shows a part of a secret.
func Check(t testing.TB, secrets []string, places map[string]string) {
	t.Helper()
	if len(secrets) == 0 {
		t.Fatal("no secret to look for")
	}
	for place, text := range places {
		if held := Find(text, secrets); len(held) > 0 {
			t.Errorf("%s leaks %q:\n%s", place, held, text)
		}
	}
}
