package steps

import (
	"cmp"
	"slices"
	"strings"
)

// nearest is how many phrases are offered for a sentence that none says.
const nearest = 3

// Nearest are the phrases most alike to a sentence that none says, the most alike first, as they may be said: `…` stands for any
// words, `N` for a number, `(a|b)` for a choice, and `(…)?` may be left out.
func (p *Phrases) Nearest(sentence string) []string {
	type offer struct {
		said  string
		alike float64
	}
	wanted := pieces(quoted.ReplaceAllString(sentence, `"…"`))
	var offers []offer
	for _, one := range p.all {
		said := one.said()
		offers = append(offers, offer{one.kind + " " + said, alikeness(wanted, pieces(said))})
	}
	slices.SortStableFunc(offers, func(a, b offer) int { return cmp.Compare(b.alike, a.alike) })
	var all []string
	for _, one := range offers[:min(nearest, len(offers))] {
		all = append(all, one.said)
	}
	return all
}

// said writes the expression of a phrase as a sentence.
func (p phrase) said() string {
	return strings.NewReplacer("^", "", "$", "", ref, `"…"`, "(.+)", "…", "([a-z0-9-]+)", "…", "[a-z0-9-]+", "…", "([A-Z]+)", "…", `"([^"]*)"`, `"…"`, `"[^"]*"`, `"…"`, "(?:", "(", `(\d+)`, "N", `\(`, "(", `\)`, ")").
		Replace(p.expr.String())
}

// pieces are the runs of three characters of a text, so that a word with a slip of the pen is still alike.
func pieces(text string) map[string]bool {
	all, letters := map[string]bool{}, []rune(strings.ToLower(text))
	for i := range len(letters) - 2 {
		all[string(letters[i:i+3])] = true
	}
	return all
}

// alikeness is from 0 to 1. What of the phrase the sentence does not say weighs little: a phrase lists all its choices.
func alikeness(sentence, phrase map[string]bool) float64 {
	both := 0
	for piece := range sentence {
		if phrase[piece] {
			both++
		}
	}
	return float64(both) / (float64(len(sentence)) + 0.2*float64(len(phrase)-both) + 1)
}
