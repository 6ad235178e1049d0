// Package steps holds the phrases: Gherkin words become calls on a World, and what a Then asks is judged here.
package steps

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/verify"
	"github.com/planeproof/planeproof/scenarios"
)

// A Binder takes the phrases; *godog.ScenarioContext is one.
type Binder interface {
	Given(expr, do any)
	When(expr, do any)
	Then(expr, do any)
}

// Steps are the phrases of one scenario.
type Steps struct {
	// World is filled in before the first step: the phrases are bound before the scenario is known.
	World *scenarios.World

	guide        scenarios.GuideRun
	verified     verify.Result
	listing      []string
	testKey      string  // what Test key showed
	rounds       []round // concurrent changes
	planned      *fix.Plan
	situation    fix.Situation
	fixErr       error  // what came of the plan, nil where it was applied and proven
	backup       string // file of the latest applied plan
	audited      *audit.Report
	before       string // all that the control API lists, before a request that must change nothing
	probesBefore int    // calls that were made before the latest change
}

// Bind binds every phrase to a scenario's steps.
func (s *Steps) Bind(b Binder) {
	s.bindDataPlane(b)
	s.bindGateway(b)
	s.bindSeen(b)
	s.bindSecret(b)
	s.bindUnchanged(b)
	s.bindScorer(b)
	s.bindProxy(b)
	s.bindGuide(b)
	s.bindToken(b)
	s.bindAPI(b)
	s.bindConcurrent(b)
	s.bindFix(b)
	s.bindAudit(b)
}

// Mismatch is the error of a check that compared expected with actual and found them to differ. Any other error of a step means
// that the check could not be made.
type Mismatch struct{ What, Expected, Actual string }

func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s: expected %s, actual %s", m.What, m.Expected, m.Actual)
}

func differs(what, expected, actual string) error {
	return &Mismatch{What: what, Expected: expected, Actual: actual}
}

// equal compares as testify does, and keeps both sides apart for the report.
func equal[T any](what string, expected, actual T) error {
	if assert.ObjectsAreEqual(expected, actual) {
		return nil
	}
	return differs(what, show(expected), show(actual))
}

func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []string:
		if len(v) == 0 {
			return "none"
		}
		return strings.Join(v, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// ref is a provider secret in a sentence: by name, the org's first, or the project's of that name.
const ref = `((?:the project's )?"[^"]*")`

// refs finds every ref in a list.
var refs = regexp.MustCompile(ref)

// secret finds what a ref means.
func (s *Steps) secret(ref string) (*scenarios.Secret, error) {
	name, ofProject := strings.CutPrefix(ref, "the project's ")
	level := scenarios.Level("")
	if ofProject {
		level = scenarios.Project
	}
	return s.World.Secret(strings.Trim(name, `"`), level)
}

var quoted = regexp.MustCompile(`"([^"]*)"`)

// names reads a list like `"a", "b" and "c"`; `none` is the empty list.
func names(list string) []string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(list, -1) {
		all = append(all, m[1])
	}
	return all
}

// changed notes that a change was made: later questions are about calls and warnings from here on.
func (s *Steps) changed(ctx context.Context) error {
	s.probesBefore = len(s.World.Probes)
	return s.World.MarkLogs(ctx)
}
