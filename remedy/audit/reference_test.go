package audit_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/audit"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files and docs/rules.md anew")
	os.Exit(m.Run())
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "written anew by: go test ./remedy/audit -update")
}

func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/rules.md", reference())
}

// reference writes the rules as a page of the documentation (docs/rules.md).
func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	b.WriteString("| rule | worst severity | rests on |\n|---|---|---|\n")
	for _, r := range audit.Rules() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Confidence)
	}
	for _, r := range audit.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** Worst severity: %s. Rests on: %s (%s).\n\n", r.ID, r.Title, r.Severity, r.Confidence, r.Source)
		fmt.Fprintf(&b, "%s\n\nWhat to do: %s\n", r.Why, r.Advice)
		if r.Needs != "" {
			fmt.Fprintf(&b, "\nThe audit cannot decide it. It would need: %s.\n", r.Needs)
		}
	}
	return b.String()
}

const referenceHead = `# Rules of the audit

This page is generated from the rules: ` + "`go test ./remedy/audit -run TestReferenceIsCurrent -update`" + `.

Severities: **error** fails, or is lost, as things are; **warning** fails under a condition that the audit cannot see, or will fail;
**note** is good to know, and hidden without ` + "`--notes`" + `. A finding may be less severe than its rule's worst.

A rule rests on what is **seen here** in the organization's own data, what was **recorded** by running the open-source proxy, what a
**guide** of the vendor states, or what is **assumed** because nobody outside knows.

`
