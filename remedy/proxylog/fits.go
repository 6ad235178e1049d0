package proxylog

import (
	"slices"

	"github.com/planeproof/planeproof/provider"
)

// bounded are as many issues as are kept, with as many keys as are kept, sorted.
func bounded(issues []provider.Issue) []provider.Issue {
	out := head(issues, maxIssues)
	for n := range out {
		i := &out[n]
		i.Path, i.Keys, i.Options = head(i.Path, maxKeys), head(i.Keys, maxKeys), head(i.Options, maxKeys)
		slices.Sort(i.Keys)
	}
	return out
}

func head[T any](all []T, most int) []T { return slices.Clone(all[:min(len(all), most)]) }

// fitting says by provider type which generations would raise all of these issues on a secret; typ narrows it to one type where
// the log names it. Types with the same answer are put together.
func fitting(issues []provider.Issue, typ string) (fits []Fit) {
	candidates := provider.Types()
	if typ != "" {
		candidates = []string{typ}
	}
	for _, candidate := range candidates {
		generations := provider.Raising(issues, candidate)
		i := slices.IndexFunc(fits, func(f Fit) bool { return slices.Equal(f.Generations, generations) })
		switch {
		case i >= 0:
			fits[i].Types = append(fits[i].Types, name(candidate))
		case len(generations) > 0:
			fits = append(fits, Fit{Types: []string{name(candidate)}, Generations: generations})
		}
	}
	return fits
}

// oldest is the oldest generation of the fits, empty without any: what it can read, the younger ones can too.
func oldest(fits []Fit) provider.Generation {
	for _, g := range provider.Generations() {
		if slices.ContainsFunc(fits, func(f Fit) bool { return slices.Contains(f.Generations, g) }) {
			return g
		}
	}
	return ""
}
