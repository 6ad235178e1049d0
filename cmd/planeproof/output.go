package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/internal/usage"
)

// addOutput adds the flag that says in which format a command prints.
func addOutput(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "table", "what to print: table or json")
}

func checkOutput(output string) error { return oneOf("--output", output, "table", "json") }

// oneOf refuses a value that is none of the valid ones, and lists these.
func oneOf(flag, value string, valid ...string) error {
	if slices.Contains(valid, value) {
		return nil
	}
	return fmt.Errorf("%w: %s %q is not one of %s", usage.Err, flag, value, strings.Join(valid, ", "))
}

// checkID refuses what is no id of the API. What was given is not repeated: it may be a token in the wrong place.
func checkID(flag, id string) error {
	if len(id) == len(uuid.Nil.String()) && uuid.Validate(id) == nil {
		return nil
	}
	return fmt.Errorf("%w: %s is no id, such as 22222222-2222-4222-8222-222222222222: planeproof audit lists them", usage.Err, flag)
}

// notEmpty refuses a flag that was given with nothing in it: a variable that is not set must not mean that nothing was asked.
func notEmpty(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if f := cmd.Flags().Lookup(flag); f.Changed && strings.Trim(f.Value.String(), "[] ") == "" {
			return fmt.Errorf("%w: --%s is empty", usage.Err, flag)
		}
	}
	return nil
}
