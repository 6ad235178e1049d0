package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/fakes/sabotage"
)

// findSabotage finds how the fakes are to be broken on purpose, not at all where the name is empty. The refusal of an unknown name has the
// nearest there are.
func findSabotage(name string) (sabotage.Sabotage, error) {
	if name == "" {
		return sabotage.Sabotage{}, nil
	}
	found, err := sabotage.Find(name)
	if err == nil {
		return found, nil
	}
	known := &cobra.Command{}
	for _, s := range sabotage.Catalogue() {
		known.AddCommand(&cobra.Command{Use: s.Name, Run: func(*cobra.Command, []string) {}})
	}
	var near []string
	for distance := 1; distance <= len(name)/2 && len(near) == 0; distance++ {
		known.SuggestionsMinimumDistance = distance
		near = known.SuggestionsFor(name)
	}
	return sabotage.Sabotage{}, didYouMean(fmt.Sprintf("--sabotage %q is unknown, --list-sabotages lists them", name), near)
}

func listSabotages(t terminal) error {
	table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, s := range sabotage.Catalogue() {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", s.Name, s.Says) // an error comes again with Flush
	}
	if err := table.Flush(); err != nil {
		return infrastructure(err)
	}
	return nil
}
