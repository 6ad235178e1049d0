package canary_test

import (
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/internal/canary"
)

func TestFind(t *testing.T) {
	t.Parallel()
	const secret, other = "sk-org-abcdefghijklmnopqrstuvwx", "route-012345678901234567890123"
	texts := []string{secret, "Bearer%20" + url.QueryEscape(secret), `{"token":"` + secret + `"}`}
	for _, before := range []string{"", "x", "xy", "user:"} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			texts = append(texts, "Basic "+encoding.EncodeToString([]byte(before+secret+"@")))
		}
	}
	for _, text := range texts {
		assert.Equal(t, []string{secret}, canary.Find(text, []string{other, secret}), text)
		assert.Equal(t, []string{other, secret}, canary.Find(text+other+text, []string{secret, other}), text)
	}
	for _, text := range []string{"", "sk-org-", "a text without a secret that is longer than one", secret[1:]} {
		assert.Empty(t, canary.Find(text, []string{secret, other}), text)
	}
	assert.Regexp(t, canary.Minted, secret)
	assert.NotRegexp(t, canary.Minted, "planeproof-abcdefgh t-0123456789abcdef n-0123456789abcdef")
}
