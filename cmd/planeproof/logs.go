package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// logsFlags are the flags of `planeproof logs`.
type logsFlags struct{ output string }

func newLogs(t terminal) *cobra.Command {
	var f logsFlags
	cmd := &cobra.Command{
		Use:   "logs [FILE|-]",
		Short: "Say what an AI proxy's log tells about project secrets",
		Long: `Logs reads an AI proxy's log from a file or from standard input, and says per project which secrets could not be read and why,
which generations of the proxy that fits, what is used instead, and what to do. It needs no key and dials nothing. The log may
be lines, JSON or CSV, also compressed by gzip, with what kubectl, stern, docker compose or a collector put around them; lines
that say nothing about provider secrets are counted. Nothing that looks like a credential is repeated.

Exit codes: 0 nothing found; 1 found; 2 usage: no such file; 3 no log (empty, an archive, a tool's refusal), or not read to
its end; 130 interrupted: what was read before is told.`,
		Example: `  kubectl logs deployment/braintrust-api --prefix --since 1h | planeproof logs -
  planeproof logs proxy.log
  planeproof logs proxy.log --output json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(f.output); err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				log, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("%w: read log: %w", usage.Err, err)
				}
				defer log.Close()
				in = log
			} else if isTerminal(in) {
				_, _ = fmt.Fprintln(t.err, "planeproof: reading the log from the terminal: end with Ctrl-D")
			}
			return f.run(cmd.Context(), t, in)
		},
	}
	addOutput(cmd, &f.output)
	return cmd
}

func isTerminal(in io.Reader) bool {
	stream, isFile := in.(*os.File)
	return isFile && term.IsTerminal(int(stream.Fd()))
}

func (f logsFlags) run(ctx context.Context, t terminal, in io.Reader) error {
	summary, readErr := proxylog.Read(interruptible(ctx, in))
	switch {
	case ctx.Err() != nil:
	case errors.Is(readErr, proxylog.ErrNoLog):
		return infrastructure(readErr)
	case readErr != nil && summary.Lines == 0:
		return infrastructure(fmt.Errorf("%w; nothing was read before", readErr))
	case readErr == nil && summary.Empty():
		return infrastructure(errors.New("read log: it is empty, so nothing can be said"))
	}
	var err error
	if f.output == "json" {
		err = file.Encode(t.out, summary)
	} else {
		err = writeLogs(t.out, summary)
	}
	if err != nil {
		return infrastructure(fmt.Errorf("write what was found: %w", err))
	}
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(t.err, "planeproof: interrupted; above is what was read before")
		return exitCode(exitInterrupted)
	case readErr != nil:
		return infrastructure(fmt.Errorf("%w; above is what was read before", readErr))
	case summary.Found:
		return exitCode(1)
	}
	return nil
}

// writeLogs writes a summary for people, the verdict first.
func writeLogs(w io.Writer, s proxylog.Summary) error {
	var b strings.Builder
	fmt.Fprintln(&b, s.Headline)
	for _, p := range s.Projects {
		fmt.Fprintf(&b, "\n%s\n", p.Label())
		if p.Unreadable > 0 {
			fmt.Fprintf(&b, "  secrets not read   %s\n  used instead       %s\n", times(p.Unreadable), p.UsedInstead)
		}
		for _, c := range p.Causes {
			writeCause(&b, c)
		}
		for _, c := range p.Retried {
			fmt.Fprintf(&b, "  next secret tried  %s, status %s\n", times(c.Times), c.What)
		}
		for _, c := range p.NoKeys {
			fmt.Fprintf(&b, "  no API keys found  %s, model %s\n", times(c.Times), c.What)
		}
		for _, c := range p.Refused {
			fmt.Fprintf(&b, "  provider refused   %s, status %s\n", times(c.Times), c.What)
		}
		writeAdvice(&b, p.Advice)
	}
	fmt.Fprintf(&b, "\nlines read: %d; without a word about provider secrets: %d\n", s.Lines, s.Unknown)
	if s.Left > 0 {
		fmt.Fprintf(&b, "warnings about more projects or causes than are listed: %d\n", s.Left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func writeCause(b *strings.Builder, c proxylog.Cause) {
	fmt.Fprintf(b, "  cause              %s", times(c.Times))
	if len(c.Secrets) > 0 {
		fmt.Fprintf(b, ", provider secret %s", strings.Join(c.Secrets, ", "))
	}
	if c.Type != "" {
		fmt.Fprintf(b, ", of type %s", c.Type)
	}
	fmt.Fprintln(b)
	for _, issue := range c.Issues {
		fmt.Fprintf(b, "    %s: %s\n", issue.Code, issue.Text)
	}
	if c.Why != "" {
		fmt.Fprintf(b, "    %s\n", c.Why)
	}
	for _, fit := range c.Fits {
		generations := make([]string, len(fit.Generations))
		for i, g := range fit.Generations {
			generations[i] = string(g)
		}
		fmt.Fprintf(b, "    fits %s, for %s\n", strings.Join(generations, " and "), strings.Join(fit.Types, ", "))
	}
	if len(c.Issues) > 0 && len(c.Fits) == 0 {
		fmt.Fprintln(b, "    fits no known generation, or the issues do not tell")
	}
	writeAdvice(b, c.Advice)
}

func writeAdvice(b *strings.Builder, advice []string) {
	for _, line := range advice {
		fmt.Fprintf(b, "    → %s\n", line)
	}
}
