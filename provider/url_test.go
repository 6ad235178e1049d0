package provider_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/provider"
)

func TestCalledURL(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"https://gw/v1/chat/completions":           "https://gw/v1/chat/completions",
		" \thttps://GW:443/v1/chat/completions":    "https://gw/v1/chat/completions",
		"https://gw/v1\n/chat/completions":         "https://gw/v1/chat/completions",
		"https://gw/v1 /chat/completions":          "https://gw/v1%20/chat/completions",
		"https://gw/v1//chat/completions":          "https://gw/v1//chat/completions",
		"https://gw/a%2Fb/../c/v1/chat/completion": "https://gw/c/v1/chat/completion",
	} {
		got, ok := provider.CalledURL(endpoint)
		assert.True(t, ok, endpoint)
		assert.Equal(t, want, got, endpoint)
	}
	for _, endpoint := range []string{"", "gw/v1/chat/completions", "localhost:8080/v1", "https://", "ftp://gw/v1"} {
		_, ok := provider.CalledURL(endpoint)
		assert.False(t, ok, endpoint)
	}
}
