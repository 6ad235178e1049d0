package leak_test

import (
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/internal/leak"
)

func TestFind(t *testing.T) {
	t.Parallel()
	const secret, other = "sk-bt-abcdefghijklmnopqrstuvwx", "route-z1234567z901234567z01234"
	texts := []string{secret, "Bearer%20" + url.QueryEscape(secret), `{"token":"` + secret + `"}`}
	for _, before := range []string{"", "x", "xy", "user:"} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			texts = append(texts, "Basic "+encoding.EncodeToString([]byte(before+secret+"@")))
		}
	}
	for _, text := range texts {
		assert.Equal(t, []string{secret}, leak.Find(text, []string{other, secret}), text)
		assert.Equal(t, []string{other, secret}, leak.Find(text+other+text, []string{secret, other}), text)
	}
	for i := 6; i < len(secret)-8; i++ {
		assert.Len(t, leak.Find("…"+secret[i:i+8]+"…", []string{secret}), 1, "eight in a row are a leak")
	}
	for _, text := range []string{"", "sk-bt-", "a text without a secret that is longer than one", secret[:13], "…" + secret[9:16] + "…"} {
		assert.Empty(t, leak.Find(text, []string{secret, other}), text)
	}
	assert.Regexp(t, leak.Minted, secret)
	assert.NotRegexp(t, leak.Minted, "planeproof-abcdefgh t-0123456789abcdef n-0123456789abcdef")
}
