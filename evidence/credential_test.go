package evidence_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadCredential(t *testing.T) {
	t.Parallel()
	key := evidence.Key("key")
	x, empty := key.Fingerprint("secret-x"), ""
	for _, tt := range []struct {
		header, value string
		want          evidence.Credential
		shown         string
	}{
		{"Authorization", "Bearer secret-x", evidence.Credential{Scheme: "Bearer", Fingerprint: x, LastWord: x, Length: 8}, "Authorization: Bearer ‹" + x + "›"},
		{"authorization", "bearer secret-x", evidence.Credential{Scheme: "bearer", Fingerprint: x, LastWord: x, Length: 8}, "Authorization: bearer ‹" + x + "›"},
		{"Authorization", "Api-Key secret-x", evidence.Credential{Scheme: "Api-Key", Fingerprint: x, LastWord: x, Length: 8}, "Authorization: Api-Key ‹" + x + "›"},
		{"Authorization", "Bearer Bearer secret-x",
			evidence.Credential{Scheme: "Bearer", Fingerprint: key.Fingerprint("Bearer secret-x"), LastWord: x, Doubled: true, Length: 15},
			"Authorization: Bearer ‹" + key.Fingerprint("Bearer secret-x") + "› (scheme doubled, last word ‹" + x + "›)"},
		{"Authorization", "Api-Key bearer secret-x",
			evidence.Credential{Scheme: "Api-Key", Fingerprint: key.Fingerprint("bearer secret-x"), LastWord: x, Doubled: true, Length: 15}, ""},
		{"Authorization", "secret-x", evidence.Credential{Fingerprint: x, LastWord: x, Length: 8}, "Authorization: ‹" + x + "›"},
		{"Authorization", "Bearer", evidence.Credential{Scheme: "Bearer", Fingerprint: empty}, "Authorization: Bearer ‹empty›"},
		{"Authorization", "", evidence.Credential{}, "Authorization: ‹empty›"},
		{"Authorization", "Bearer  secret-x", evidence.Credential{Scheme: "Bearer", Fingerprint: x, LastWord: x, Padded: true, Length: 8},
			"Authorization: Bearer ‹" + x + "› (padded)"},
		{"Authorization", "Bearer secret-x\t", evidence.Credential{Scheme: "Bearer", Fingerprint: x, LastWord: x, Padded: true, Length: 8}, ""},
		{"Authorization", "Bearer two words",
			evidence.Credential{Scheme: "Bearer", Fingerprint: key.Fingerprint("two words"), LastWord: key.Fingerprint("words"), Length: 9}, ""},
		{"Authorization", "Bearer\tsecret-x",
			evidence.Credential{Fingerprint: key.Fingerprint("Bearer\tsecret-x"), LastWord: x, Length: 15}, ""},
		{"X-Api-Key", "secret-x", evidence.Credential{Fingerprint: x, LastWord: x, Length: 8}, "X-Api-Key: ‹" + x + "›"},
		{"x-api-key", "Bearer secret-x",
			evidence.Credential{Fingerprint: key.Fingerprint("Bearer secret-x"), LastWord: x, Length: 15}, ""},
	} {
		got := evidence.ReadCredential(key, tt.header, tt.value)
		tt.want.Header = got.Header
		assert.Equal(t, tt.want, got, "%s: %q", tt.header, tt.value)
		assert.NotContains(t, got.String(), "secret-x")
		if tt.shown != "" {
			assert.Equal(t, tt.shown, got.String())
		}
	}
}

func TestCredentialsAreAllOfARequestInFixedOrder(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	for _, name := range []string{"X-Api-Key", "Apikey", "Authorization", "Authorization", "Api-Key", "Cookie"} {
		header.Add(name, "secret-x")
	}
	var names []string
	for _, c := range evidence.Credentials(nil, header) {
		names = append(names, c.Header)
	}
	assert.Equal(t, []string{"authorization", "authorization", "api-key", "x-api-key", "apikey"}, names)
	assert.Empty(t, evidence.Credentials(nil, http.Header{}))
}

func TestFingerprintDependsOnKeyAndSecret(t *testing.T) {
	t.Parallel()
	one, other := evidence.NewKey(), evidence.NewKey()
	assert.Len(t, one, 32)
	assert.Regexp(t, `^[0-9a-f]{12}$`, one.Fingerprint("a"))
	assert.Equal(t, one.Fingerprint("a"), one.Fingerprint("a"))
	assert.NotEqual(t, one.Fingerprint("a"), one.Fingerprint("b"))
	assert.NotEqual(t, one.Fingerprint("a"), other.Fingerprint("a"))
	assert.Empty(t, one.Fingerprint(""))
}

func TestExchangeInOneLine(t *testing.T) {
	t.Parallel()
	key := evidence.Key("key")
	e := evidence.Exchange{
		System: "gateway", Method: "GET", Path: "/a\x1b[2Jb", Model: "m\n", Status: 401, Note: "wrong\rtoken",
		Credentials: []evidence.Credential{evidence.ReadCredential(key, "x-api-key", "secret-x")},
	}
	assert.Equal(t, `gateway: GET /a\x1b[2Jb  [X-Api-Key: ‹`+key.Fingerprint("secret-x")+`›]  model m\n → 401  wrong\rtoken`, e.String())
	assert.Equal(t, "client: GET / → no answer", evidence.Exchange{System: "client", Method: "GET", Path: "/"}.String())
	raw, err := json.Marshal(e)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "secret-x")
}
