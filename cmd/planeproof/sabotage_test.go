package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/sabotage"
)

func TestSabotagedRunSaysSoFirst(t *testing.T) {
	t.Parallel()
	const args = "run --runtime process --sabotage gateway-revokes-all --report "
	dir := t.TempDir()
	o := conform(t.Context(), passes, strings.Fields(args+dir)...)
	assert.Equal(t, 1, o.code, o.out+o.err)
	first, _, _ := strings.Cut(o.out, "\n")
	assert.Equal(t, "BROKEN ON PURPOSE by --sabotage gateway-revokes-all: the gateway has revoked every token", first)
	raw, err := os.ReadFile(filepath.Join(dir, "report.json"))
	require.NoError(t, err)
	var report struct{ Sabotage string }
	require.NoError(t, json.Unmarshal(raw, &report))
	assert.Equal(t, "gateway-revokes-all", report.Sabotage, "a report of broken systems says so")

	o = conform(t.Context(), passes, strings.Fields("run --runtime process --sabotage test-key-cut-off")...)
	assert.Equal(t, 0, o.code, "nothing here presses Test key: %s", o.out+o.err)
}

func TestUnknownSabotage(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"run --sabotage gateway-revoke-all", "fake gateway --sabotage gateway-revoke-all"} {
		o := conform(t.Context(), passes, strings.Fields(args)...)
		assert.Equal(t, exitUsage, o.code)
		assert.Empty(t, o.out)
		assertOneLine(t, o, "did you mean gateway-revokes-all?")
	}
}

func TestListSabotages(t *testing.T) {
	t.Parallel()
	o := conform(t.Context(), passes, "run", "--list-sabotages")
	assert.Equal(t, 0, o.code)
	lines := strings.Split(strings.TrimSpace(o.out), "\n")
	require.Len(t, lines, len(sabotage.Catalogue()))
	for i, s := range sabotage.Catalogue() {
		assert.Regexp(t, `^`+s.Name+` +\S`, lines[i])
	}
}
