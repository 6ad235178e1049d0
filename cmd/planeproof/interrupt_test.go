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

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
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

// The first Ctrl-C works where a command waits for something that is typed.
func TestInterruptedPrompt(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	plan := a.file("plan.json")
	require.Equal(t, 0, a.run("fix", "plan", "--secret", a.orgSecret("acme"), "--save", plan).code)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	typed, _ := io.Pipe() // of which nothing comes
	var errs strings.Builder
	root := newRoot(terminal{out: &until{text: "Type the organization's name", do: cancel}, err: &errs, tty: true}, &evidence.Redactor{})
	root.SetIn(typed)
	root.SetArgs([]string{"fix", "apply", plan, "--api-url", a.url, "--api-key-file", write(t, fixAdmin)})
	assert.Equal(t, exitInterrupted, exitOf(ctx, root.ExecuteContext(ctx)))
	assert.Zero(t, a.seen()["PATCH"])
}

// What nobody asks for stays in standard input, which may be that of a shell's loop.
func TestNothingIsReadUnasked(t *testing.T) {
	t.Parallel()
	a := newFixAPI(t, dataplane.ServingV2, "")
	in := strings.NewReader("the next line of a loop\n")
	root := newRoot(terminal{out: io.Discard, err: io.Discard}, &evidence.Redactor{})
	root.SetIn(in)
	root.SetArgs([]string{"fix", "plan", "--secret", a.orgSecret("acme"), "--api-url", a.url, "--api-key-file", write(t, fixAdmin)})
	require.NoError(t, root.ExecuteContext(t.Context()))
	assert.Equal(t, len("the next line of a loop\n"), in.Len())
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
