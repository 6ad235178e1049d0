package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/audit"
)

// mannered gives a command and all below it what every command has: suggestions for what was mistyped, and values to complete.
func mannered(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetFlagErrorFunc(suggestFlag)
	if cmd.HasSubCommands() {
		cmd.Args = noSuchCommand
	}
	for flag, values := range flagValues() {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // fails for unknown flags alone
		}
	}
	for _, below := range cmd.Commands() {
		mannered(below)
	}
	return cmd
}

// flagValues are the flags that take one of a few values, wherever they are.
func flagValues() map[string][]string {
	return map[string][]string{
		"runtime":          {conformance.Auto, conformance.Docker, conformance.Process},
		"proxy-generation": strings.Split(generationNames(), ", "),
		"legacy":           strings.Split(generationNames(), ", "),
		"output":           {"table", "json"},
		"fail-on":          {string(audit.Error), string(audit.Warning), string(audit.Note)},
	}
}

// noSuchCommand refuses a word where a command is expected, with the nearest there are.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return didYouMean(fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath()), cmd.SuggestionsFor(args[0]))
}

// suggestFlag adds the nearest flags to the refusal of an unknown one. Which are near is for cobra to say, as it does of commands.
func suggestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	known := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		known.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
	})
	near := known.SuggestionsFor(unknown.GetSpecifiedName())
	for i := range near {
		near[i] = "--" + near[i]
	}
	return didYouMean(err.Error(), near)
}

func didYouMean(refusal string, near []string) error {
	if len(near) > 0 {
		refusal += ": did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("%w: %s", usage.Err, refusal)
}
