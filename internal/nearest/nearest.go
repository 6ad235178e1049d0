// Package nearest finds what was meant where a name or a sentence was mistyped.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// Offered is how many are offered.
const Offered = 3

// Of returns the places in known of the texts most alike to wanted, the most alike first, at most Offered.
func Of(wanted string, known []string) []int {
	type offer struct {
		at    int
		alike float64
	}
	var offers []offer
	said := pieces(wanted)
	for i, text := range known {
		offers = append(offers, offer{i, alikeness(said, pieces(text))})
	}
	slices.SortStableFunc(offers, func(a, b offer) int { return cmp.Compare(b.alike, a.alike) })
	var all []int
	for _, one := range offers[:min(Offered, len(offers))] {
		all = append(all, one.at)
	}
	return all
}

// pieces are the runs of three characters of a text, so that a word with a slip of the pen is still alike.
func pieces(text string) map[string]bool {
	all, letters := map[string]bool{}, []rune(strings.ToLower(text))
	for i := range len(letters) - 2 {
		all[string(letters[i:i+3])] = true
	}
	return all
}

// alikeness is from 0 to 1. What of the known text was not said weighs little: a phrase lists all its choices.
func alikeness(said, known map[string]bool) float64 {
	both := 0
	for piece := range said {
		if known[piece] {
			both++
		}
	}
	return float64(both) / (float64(len(said)) + 0.03*float64(len(known)-both) + 1)
}
