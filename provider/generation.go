// Package provider says what a Braintrust provider secret is and means: which generation of the AI proxy can read it,
// which models it serves, and what credential and URL it makes a proxy use.
package provider

import (
	"fmt"
	"slices"
)

// Generation names one behaviour of the AI proxy towards provider secrets (facts: strict-schema).
type Generation string

// The generations, oldest first.
const (
	Legacy202602  Generation = "legacy-2026-02"
	Legacy202603  Generation = "legacy-2026-03"
	Current202608 Generation = "current-2026-08"
)

// Generations returns every generation, oldest first.
func Generations() []Generation {
	return []Generation{Legacy202602, Legacy202603, Current202608}
}

// Strict says that the generation is known and refuses unknown metadata keys (facts: strict-schema).
func (g Generation) Strict() bool { return g == Legacy202602 || g == Legacy202603 }

// ParseGeneration returns the generation of that exact name, or an error that lists the known ones.
func ParseGeneration(name string) (Generation, error) {
	if g := Generation(name); slices.Contains(Generations(), g) {
		return g, nil
	}
	return "", fmt.Errorf("parse generation %q: known are %q", name, Generations())
}
