package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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

// TestRedactorHidesFragments: somebody else may have cut what a system quotes.
func TestRedactorHidesFragments(t *testing.T) {
	t.Parallel()
	const secret = "sk-forbidden-7hq2vzpx9mkd4rtb8nlw5c3f"
	const random = "7hq2vzpx9mkd4rtb8nlw5c3f"
	for name, form := range map[string]string{
		"raw": random, "base64": base64.StdEncoding.EncodeToString([]byte(secret))[20:48], "base64 in a text": base64.StdEncoding.EncodeToString([]byte("u:" + secret))[24:50],
	} {
		for from := range len(form) - 8 {
			for to := from + 8; to <= len(form); to++ {
				got := knowing(secret).String("said " + form[from:to] + "… and")
				for i := range to - from - 8 {
					require.NotContains(t, got, form[from+i:from+i+8], name)
				}
			}
		}
	}
	const prose = "forbidden: status 403, no sk-token"
	assert.Equal(t, prose, knowing(secret).String(prose), "words of a secret stand in other texts too")
	const command = "planeproof fix plan --secret 1"
	assert.Equal(t, command, knowing("planeproof-2026-staging").String(command))
}

func TestRedactorHidesWordsOfASecret(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "Bearer ‹secret› | ‹secret› ‹secret›", knowing("Bearer first-a1\nsecond-b2").String("Bearer first-a1 | first-a1 second-b2"))
}

func TestForeign(t *testing.T) {
	t.Parallel()
	const secret = "hidden pony 4711"
	r := knowing(secret)
	for text, want := range map[string]string{
		" a\n\tb  c ":                                 "a b c",
		"a\x1b[2Jb":                                   `a\x1b[2Jb`,
		"said hidden pony 4711!":                      "said ‹secret›!",
		"said sk-unknown-1!":                          "said ‹redacted›!",
		strings.Repeat("é", 31):                       strings.Repeat("é", 30) + "…",
		strings.Repeat("é", 30):                       strings.Repeat("é", 30),
		"twenty-three characters sk-other-12345":      "twenty-three characters …",
		"twenty-five characters it, hidden pony 4711": "twenty-five characters it, …",
		"Bearer ghp_ABCDEF012345678901234567890123456789 and a tail": "Bearer ‹redacted› and a tail",
	} {
		assert.Equal(t, want, r.Foreign(text, 30))
	}
	long := strings.Repeat("0123456789 ", 10_000) + "sk-unknown-1"
	assert.Equal(t, long[:30]+"…", r.Foreign(long, 30))
	for most := range 60 {
		got := r.Foreign("refused: hidden pony 4711 and sk-unknown-4711 and https://u:pony@gw/v1", most)
		assert.NotRegexp(t, `hidden|pony|unknown`, got)
		assert.Equal(t, strings.Count(got, "‹"), strings.Count(got, "›"), "no cut leaves half a mask: %s", got)
		assert.LessOrEqual(t, len([]rune(got)), most+1)
	}
}

// BenchmarkRedactor is 1 MB of text with 1,000 known secrets; it must stay well under a second.
func BenchmarkRedactor(b *testing.B) {
	var r evidence.Redactor
	for n := range 1000 {
		sum := sha256.Sum256([]byte{byte(n), byte(n >> 8)})
		r.Add("secret", "sk-"+hex.EncodeToString(sum[:12]))
	}
	text := strings.Repeat(`{"time":"2026-11-24T10:00:00Z","level":"info","text":"answered 200 to a model list"}`+"\n", 1<<20/85)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.String(text)
	}
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
