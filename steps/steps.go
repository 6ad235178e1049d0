// Package steps holds the phrases: Gherkin words become calls on a World, and what a Then asks is judged here.
package steps

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/proxylog"
	"github.com/planeproof/planeproof/remedy/verify"
	"github.com/planeproof/planeproof/scenarios"
)

// Steps are what one scenario has done and seen so far. Each phrase is a method of it: a Then is a function of the World and the words
// in its sentence, and needs no runner.
type Steps struct {
	World *scenarios.World

	guide        scenarios.GuideRun
	verified     verify.Result
	listing      []string
	testKey      string  // what Test key showed
	rounds       []round // concurrent changes
	planned      *fix.Plan
	fixSaid      []string // what applying the plan said, line by line
	fixErr       error    // what came of the plan, nil where it was applied and proven
	backup       string   // file of the latest applied plan
	audited      *audit.Report
	logged       proxylog.Summary // what the proxy's log was read as
	before       string           // all that the control API lists, before a request that must change nothing
	probesBefore int              // calls that were made before the latest change
}

func differs(what, expected, actual string) error {
	return &evidence.Mismatch{What: what, Expected: expected, Actual: actual}
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
		if v == "" {
			return `""`
		}
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

// ref is a provider secret in a sentence: by name, with its level where the scenario has several of that name.
const ref = `((?:the (?:org|project)'s )?"[^"]*")`

// refs finds every ref in a list.
var refs = regexp.MustCompile(ref)

// secret finds what a ref means.
func (s *Steps) secret(ref string) (*scenarios.Secret, error) {
	for prefix, level := range map[string]scenarios.Level{"the org's ": scenarios.Org, "the project's ": scenarios.Project} {
		if name, found := strings.CutPrefix(ref, prefix); found {
			return s.World.Secret(strings.Trim(name, `"`), level)
		}
	}
	return s.World.Secret(strings.Trim(ref, `"`), "")
}

// secrets finds what the refs of a list mean; `none` is the empty list.
func (s *Steps) secrets(list string) ([]*scenarios.Secret, error) {
	var all []*scenarios.Secret
	for _, one := range refs.FindAllString(list, -1) {
		secret, err := s.secret(one)
		if err != nil {
			return nil, err
		}
		all = append(all, secret)
	}
	return all, nil
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
