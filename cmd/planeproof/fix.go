package main

import (
	"context"
	"fmt"
	"io"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/fix"
)

func newFix(t terminal, redactor *evidence.Redactor) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix plan|apply",
		Short: "Repair provider secrets: plan, review, apply, prove",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("%w: fix plan or fix apply", usage.Err)
		},
	}
	cmd.AddCommand(newFixPlan(t, redactor), newFixApply(t, redactor))
	return cmd
}

// readToken reads a token from a file or, named -, from standard input. The end of its one line is not part of it.
func readToken(name string, in io.Reader, redactor *evidence.Redactor) (string, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = io.ReadAll(io.LimitReader(in, maxToken))
	} else {
		raw, err = readFile(name)
	}
	if err != nil {
		return "", fmt.Errorf("%w: read --token-file: %w", usage.Err, err)
	}
	token := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	redactor.Add("token", token)
	for _, word := range strings.Fields(token) {
		if !strings.EqualFold(word, "Bearer") {
			redactor.Add("token", word)
		}
	}
	return token, nil
}

// finishable tells of an interruption that running the same again finishes.
func finishable(ctx context.Context, t terminal, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	_, _ = fmt.Fprintln(t.err, "planeproof: interrupted; what was begun can be finished by running the same again")
	return exitCode(exitInterrupted)
}

// progress rewrites one line of a terminal, and clears it at the end.
func (t terminal) progress(what string) func(done, total int) {
	if !t.tty {
		return nil
	}
	return func(done, total int) {
		line := fmt.Sprintf("%s: %d of %d", what, done, total)
		if done == total {
			line = "\x1b[K"
		}
		_, _ = fmt.Fprint(t.err, line+"\r") // what follows a carriage return waits for the next in a redacting writer
	}
}

// changeFlags are those of the commands that change something.
type changeFlags struct {
	wait     time.Duration
	allowPut bool
}

func (f *changeFlags) add(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.wait, "wait", fix.DefaultWait, "how long a change may take to be seen; at the end all is read once more after that time")
	cmd.Flags().BoolVar(&f.allowPut, "allow-put", false, "where PATCH leaves keys behind, replace an ai_secret without its stored value")
}

// options are what both commands tell the library.
func (f changeFlags) options(t terminal, api apiFlags, backup string) (fix.Options, error) {
	if f.wait < 0 {
		return fix.Options{}, fmt.Errorf("%w: --wait is not negative", usage.Err)
	}
	who := fix.Who{Key: "Braintrust API key from environment variable " + api.keyEnv, OSUser: "unknown"}
	if api.keyFile != "" {
		who.Key = "Braintrust API key from file " + api.keyFile
	}
	if u, err := user.Current(); err == nil {
		who.OSUser = u.Username
	}
	return fix.Options{
		Backup: backup, Tool: "planeproof " + version(), Who: who, Wait: f.wait, AllowPut: f.allowPut,
		Say: func(line string) { _, _ = fmt.Fprintln(t.out, line) }, Progress: t.progress("reading secrets"),
	}, nil
}

// requests are the kinds of request that a command may send, for its help.
func requests(kinds []string) string {
	return "It sends nothing but:\n  " + strings.Join(kinds, "\n  ")
}
