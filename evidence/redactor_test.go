package evidence_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// awkward is changed by each way of escaping.
const awkward = `sk "a/b+c"<é> & \ canary?`

func knowing(secrets ...string) *evidence.Redactor {
	var r evidence.Redactor
	for _, secret := range secrets {
		r.Add("secret", secret)
	}
	return &r
}

func TestRedactorHidesEachForm(t *testing.T) {
	t.Parallel()
	escaped, err := json.Marshal(awkward)
	require.NoError(t, err)
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(awkward))
	for name, form := range map[string]string{
		"raw":              awkward,
		"in a query":       url.Values{"q": {awkward}}.Encode(),
		"in a path":        url.PathEscape(awkward),
		"in JSON":          string(escaped),
		"in JSON as of JS": strings.TrimSpace(plain.String()),
	} {
		got := knowing(awkward).String("before " + form + " after")
		assert.Contains(t, got, "‹secret›", name)
		assert.NotContains(t, got, "canary", name)
		assert.True(t, strings.HasPrefix(got, "before ") && strings.HasSuffix(got, " after"), "the rest stays: %s", got)
	}
}

// A secret inside a longer text that is then encoded, as in Basic authentication, begins at one of three offsets.
func TestRedactorHidesBase64AtEachOffset(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"sk-canary", "sk-canary-0123456789", awkward, "??????>>>>>>"} {
		r := knowing(secret)
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			for _, before := range []string{"", "u", "us", "use", "user"} {
				for _, after := range []string{"", ":", ":p", ":pw"} {
					encoded := encoding.EncodeToString([]byte(before + secret + after))
					got := r.String(encoded)
					require.Contains(t, got, "‹secret›", "%q inside %q", secret, before+secret+after)
					assert.LessOrEqual(t, len(strings.ReplaceAll(got, "‹secret›", "")), len(encoded)-len(secret)*8/6+2, "only the edges stay")
				}
			}
		}
	}
}

func TestRedactorHidesTheLongerOfTwo(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"sk-canary", "sk-canary-and-more"}, {"sk-canary-and-more", "sk-canary"}} {
		assert.Equal(t, "‹secret› ‹secret›!", knowing(order...).String("sk-canary-and-more sk-canary!"))
	}
}

func TestRedactorLearnsLater(t *testing.T) {
	t.Parallel()
	r := knowing("sk-first")
	assert.Equal(t, "‹secret› sk-second", r.String("sk-first sk-second"))
	r.Add("other", " sk-second\n")
	assert.Equal(t, "‹secret› ‹other›", r.String("sk-first sk-second"))
}

func TestRedactorLeavesShortAndUnknownValuesAlone(t *testing.T) {
	t.Parallel()
	text := "a ab abc abcd abcde nothing known"
	assert.Equal(t, text, knowing("", "a", "abcde", "   abc   ").String(text))
	assert.Equal(t, text, (&evidence.Redactor{}).String(text))
}

func TestWriterHidesSecretsSplitAcrossWrites(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", "\r", ""} {
		var out bytes.Buffer
		w := knowing("sk-canary").Writer(&out)
		for _, b := range []byte("one sk-canary two" + end) {
			n, err := w.Write([]byte{b})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}
		if end == "" {
			assert.Empty(t, out.String(), "a line without an end may still grow")
		} else {
			assert.Equal(t, "one ‹secret› two"+end, out.String(), "a whole line does not wait for Close")
		}
		require.NoError(t, w.Close())
		assert.Equal(t, "one ‹secret› two"+end, out.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterPassesErrorsOn(t *testing.T) {
	t.Parallel()
	_, err := knowing().Writer(fullDisk{}).Write([]byte("line\n"))
	assert.ErrorContains(t, err, "disk full")
}

func TestRedactorFromSeveralGoroutines(t *testing.T) {
	t.Parallel()
	r, out := knowing("sk-canary"), &bytes.Buffer{}
	w := r.Writer(out)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			r.Add("more", "sk-another")
			_, _ = w.Write([]byte("sk-canary sk-another\n"))
		})
	}
	all.Wait()
	assert.Equal(t, strings.Repeat("‹secret› ‹more›\n", 8), out.String())
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain – ünïcode ✓":  "plain – ünïcode ✓",
		"a\nb\r\tc":          `a\nb\r\tc`,
		"\x1b[2J\x07\x00":    `\x1b[2J\a\x00`,
		"\u009b2J":           `\u009b2J`,
		"\x9b2J":             `\ufffd2J`,
		"right\u202eleft":    `right\u202eleft`,
		"zero\u200bwidth":    `zero\u200bwidth`,
		"line\u2028sep":      `line\u2028sep`,
		"it's 'quoted'\n'x'": `it's 'quoted'\n'x'`,
		"":                   "",
	} {
		assert.Equal(t, want, evidence.Printable(text))
	}
}
