package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var served = regexp.MustCompile(`data (http://\S+)  control (http://\S+)\n`)

// serveFake serves a fake until the test or cancel ends it, and returns its two addresses.
func serveFake(ctx context.Context, t *testing.T, args ...string) (data, control string, ended <-chan outcome) {
	t.Helper()
	found := make(chan []string, 1)
	errs := &lockedText{}
	announced := &until{text: "control http://", do: func() {}}
	announced.do = func() {
		if m := served.FindStringSubmatch(announced.String()); m != nil {
			select {
			case found <- m:
			default:
			}
		}
	}
	over := make(chan outcome, 1)
	go func() {
		args = append([]string{"fake"}, append(args, "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0")...)
		code := execute(ctx, terminal{out: announced, err: errs}, args)
		over <- outcome{code, announced.String(), errs.String()}
	}()
	select {
	case m := <-found:
		return m[1], m[2], over
	case o := <-over:
		require.Fail(t, "the fake ended", "%+v", o)
	}
	return "", "", nil
}

func TestFakeServesUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gateway", "data-plane", "legacy-proxy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			data, control, ended := serveFake(ctx, t, name)
			for url, want := range map[string]int{control + "/health": 200, data + "/t-0123456789abcdef/": 404} {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				require.NoError(t, err)
				r.Header.Set("Authorization", "Bearer owner")
				answer, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, answer.Body)
				require.NoError(t, answer.Body.Close())
				assert.Equal(t, want, answer.StatusCode, url)
			}
			cancel()
			got := <-ended
			assert.Equal(t, 0, got.code)
			assert.Empty(t, got.err)
			assert.Equal(t, 1, strings.Count(got.out, "\n"), got.out)
		})
	}
}

func TestFakeServesItsTenant(t *testing.T) {
	t.Parallel()
	file := write(t, `{"schema":"planeproof/tenant/v1","id":"t-0123456789abcdef","settings":{"tokens":["my-raw-token"],"models":["acme-chat"]}}`)
	data, _, _ := serveFake(t.Context(), t, "gateway", "--tenant", file)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, data+"/t-0123456789abcdef/v1/models", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer my-raw-token")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Contains(t, string(body), "acme-chat")
}

func TestFakeEndsWithItsLease(t *testing.T) {
	t.Parallel()
	o := conform(t.Context(), passes, "fake", "gateway", "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0", "--lease", "1ms")
	assert.Equal(t, 0, o.code)
	assert.Contains(t, o.out, "gateway: ended: the control lease was not renewed for 1ms\n")
}
