package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
)

func newFix(t terminal, redactor *evidence.Redactor) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix plan|apply",
		Short: "Repair provider secrets: plan, review, apply, prove",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("%w: fix plan or fix apply", conformance.ErrUsage)
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
		return "", fmt.Errorf("%w: read --token-file: %w", conformance.ErrUsage, err)
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

// fixError tells why in one line and says it by the exit code: 1 refused, not applied or not proven; 2 usage; 3 nothing can be said.
func fixError(ctx context.Context, t terminal, err error) error {
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(t.err, "planeproof: interrupted; what was begun can be finished by running the same again")
		return exitCode(exitInterrupted)
	}
	switch {
	case errors.Is(err, fix.ErrFile), errors.Is(err, fix.ErrTokenNeeded), errors.Is(err, conformance.ErrUsage):
		return err
	case errors.Is(err, fix.ErrNotApplied):
		_, _ = fmt.Fprintf(t.err, "planeproof: %v\n", err)
		return exitCode(1)
	}
	switch control.KindOf(err) {
	case control.Forbidden, control.NotFound, control.Refused:
		_, _ = fmt.Fprintf(t.err, "planeproof: %v\n", err)
		return exitCode(1)
	case control.Unusable:
		return fmt.Errorf("%w: %w", conformance.ErrUsage, err)
	}
	return infrastructure(err)
}

// who is told in the change journal.
func (f apiFlags) who() fix.Who {
	source := "environment variable " + f.keyEnv
	if f.keyFile != "" {
		source = "file " + f.keyFile
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return fix.Who{Key: "Braintrust API key from " + source, OSUser: name}
}
