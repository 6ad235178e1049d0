package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A log that was read in part must not end as one in which nothing was found.
func TestInterruptedLogsIsNotClean(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, log := io.Pipe() // stays open, as `kubectl logs --follow` does
	go func() {
		_, _ = io.WriteString(log, "POST /v1/chat/completions\n")
		cancel()
	}()
	var out, errs strings.Builder
	err := logsFlags{output: "table"}.run(ctx, terminal{out: &out, err: &errs}, in)
	var code exitCode
	require.ErrorAs(t, err, &code)
	assert.EqualValues(t, exitInterrupted, code)
	assert.Equal(t, "planeproof: interrupted; above is what was read before\n", errs.String())
}

func TestInterruptedVerifyTokenGivesNoVerdict(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	var out, errs strings.Builder
	code := execute(ctx, terminal{out: &out, err: &errs},
		[]string{"verify-token", "--base", server.URL, "--token-file", write(t, "sk-some-token"), "--no-open-check"})
	assert.Equal(t, exitInterrupted, code)
	assert.Empty(t, out.String())
	assert.Equal(t, "planeproof: interrupted\n", errs.String())
}
