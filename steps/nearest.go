package steps

import (
	"strings"

	"github.com/planeproof/planeproof/internal/nearest"
)

// Nearest are the phrases most alike to a sentence that none says, the most alike first, as they may be said: `…` stands for any
// words, `N` for a number, `(a|b)` for a choice, and `(…)?` may be left out.
func (p *Phrases) Nearest(sentence string) []string {
	var known, all []string
	for _, one := range p.all {
		known = append(known, one.said())
	}
	for _, i := range nearest.Of(quoted.ReplaceAllString(sentence, `"…"`), known) {
		all = append(all, p.all[i].kind+" "+known[i])
	}
	return all
}

// said writes the expression of a phrase as a sentence.
func (p phrase) said() string {
	return strings.NewReplacer("^", "", "$", "", ref, `"…"`, "(.+)", "…", "([a-z0-9-]+)", "…", "[a-z0-9-]+", "…", "([A-Z]+)", "…", `"([^"]*)"`, `"…"`, `"[^"]*"`, `"…"`, "(?:", "(", `(\d+)`, "N", `\d+`, "N", ".+", "…", `\(`, "(", `\)`, ")").
		Replace(p.expr.String())
}
