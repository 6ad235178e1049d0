package verify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/verify"
)

func TestParseBaseRefuses(t *testing.T) { // TOKEN-9
	t.Parallel()
	for raw, why := range map[string]string{
		"":                              "http://",
		"gateway":                       "http://",
		"gateway:8080/v1":               "http://",
		"10.0.0.1:8080":                 "http://",
		"ftp://gateway":                 "http://",
		"http:///v1":                    "no host",
		"http://:8080":                  "no host",
		"https://user:canary@gateway":   "user information",
		"https://canary@gateway/v1":     "user information",
		"https://gateway/v1?key=canary": "query",
		"https://gateway/v1?":           "query",
		"https://gateway/v1#canary":     "fragment",
		"https://gateway/v1#":           "fragment",
		"https://gate way/canary":       "not a valid URL",
		"https://u:canary@gateway:port": "not a valid URL",
		"https://gateway/%zz-canary":    "not a valid URL",
		"https://gateway/\x00canary":    "not a valid URL",
	} {
		_, err := verify.ParseBase(raw)
		require.Error(t, err, "%q", raw)
		assert.Contains(t, err.Error(), why, "%q", raw)
		assert.NotContains(t, err.Error(), "canary")
	}
}

func TestParseBase(t *testing.T) { // TOKEN-9
	t.Parallel()
	for raw, want := range map[string]string{
		"https://gateway":                   "https://gateway",
		"HTTPS://gateway/":                  "https://gateway",
		"https://gateway/v1":                "https://gateway",
		" https://gateway/v1/\n":            "https://gateway",
		"https://gateway//v1//":             "https://gateway",
		"https://gateway/v1/v1":             "https://gateway/v1",
		"https://gateway/apiv1":             "https://gateway/apiv1",
		"https://gateway/v10":               "https://gateway/v10",
		"https://gateway/a%2Fb//c/v1":       "https://gateway/a%2Fb//c",
		"http://gateway:8080/t-abc/v1/":     "http://gateway:8080/t-abc",
		"http://[::1]:8080/v1":              "http://[::1]:8080",
		"https://gateway/openai/deployment": "https://gateway/openai/deployment",
	} {
		got, err := verify.ParseBase(raw)
		require.NoError(t, err, raw)
		assert.Equal(t, want, got, raw)
	}
}
