package conformance

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/report"
)

var bite = flag.String("bite", "", "run the suite on systems broken on purpose: `listed` runs what should fail and a sample, all runs everything")

var sabotages = flag.String("sabotages", "", "with -bite or -update: the sabotages whose names this `expression` fits, and no others")

// biteGolden is what fails under each sabotage, and by which sentence.
const biteGolden = "testdata/bite.golden"

// bites are the sentences by which scenarios fail, by sabotage and by scenario.
type bites map[string]map[string]string

// String writes the golden file: sabotage, sentence, scenarios.
func (b bites) String() string {
	var out strings.Builder
	for _, s := range sabotage.Catalogue() {
		if b[s.Name] == nil {
			continue
		}
		fmt.Fprintf(&out, "%s\n", s.Name)
		by := map[string][]string{}
		for id, sentence := range b[s.Name] {
			by[sentence] = append(by[sentence], id)
		}
		for _, sentence := range slices.Sorted(maps.Keys(by)) {
			slices.Sort(by[sentence])
			fmt.Fprintf(&out, "  %s\n    %s\n", sentence, strings.Join(by[sentence], "\n    "))
		}
	}
	return out.String()
}

func readBites(t *testing.T) bites {
	t.Helper()
	raw, err := os.ReadFile(biteGolden)
	require.NoError(t, err)
	all, name, sentence := bites{}, "", ""
	for line := range strings.Lines(string(raw)) {
		text := strings.TrimSpace(line)
		switch len(line) - len(strings.TrimLeft(line, " ")) {
		case 0:
			name, all[text] = text, map[string]string{}
		case 2:
			sentence = text
		default:
			all[name][text] = sentence
		}
	}
	return all
}

// every chooses one of so many scenarios for the sample, which must stay as it is whatever is broken.
const every = 25

func sample(t *testing.T) map[string]bool {
	t.Helper()
	all, err := List(Options{})
	require.NoError(t, err)
	chosen := map[string]bool{}
	for i := 0; i < len(all); i += every {
		chosen[all[i].ID] = true
	}
	return chosen
}

// TestBite runs the suite on each known-bad target. What fails, and by which sentence, is as the golden file has it. With -update the file
// is written after each, so that one that was interrupted goes on from where it was.
func TestBite(t *testing.T) {
	if *bite == "" && !*update {
		t.Skip("make bite and make bite-all run it")
	}
	golden := readBites(t)
	stays, began, ran, found := sample(t), time.Now(), 0, bites{}
	var mu sync.Mutex
	biteAll(t, func(s sabotage.Sabotage) {
		o := Options{Sabotage: s.Name, Concurrency: 4, Seed: 1}
		if *bite == "listed" && !*update {
			o.only = func(r report.Scenario) bool { return golden[s.Name][r.ID] != "" || stays[r.ID] }
		}
		result, err := Run(t.Context(), o)
		if !assert.NoError(t, err) {
			return
		}
		assert.Empty(t, result.Infrastructure, s.Name)
		mu.Lock()
		defer mu.Unlock()
		found[s.Name] = failures(result)
		ran += len(result.Scenarios)
		if *update {
			assert.NoError(t, os.WriteFile(biteGolden, []byte(golden.with(found).String()), 0o644))
		}
	})
	if !*update {
		compareBites(t, golden, found)
	}
	t.Logf("%d sabotages, %d scenarios run, %s", len(found), ran, time.Since(began).Round(time.Second))
}

// biteAll runs some sabotages at the same time.
func biteAll(t *testing.T, run func(sabotage.Sabotage)) {
	t.Helper()
	chosen := regexp.MustCompile(*sabotages)
	slots := make(chan struct{}, 4)
	var all sync.WaitGroup
	for _, s := range sabotage.Catalogue() {
		if !chosen.MatchString(s.Name) || t.Context().Err() != nil {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			run(s)
		})
	}
	all.Wait()
}

// with are these bites and the newer ones in their place.
func (b bites) with(newer bites) bites {
	all := maps.Clone(b)
	maps.Copy(all, newer)
	return all
}

// failures are the scenarios that failed by a check, with the sentence that decided. What is broken is no bite.
func failures(result *report.Run) map[string]string {
	failed := map[string]string{}
	for _, s := range result.Scenarios {
		i := slices.IndexFunc(s.Steps, func(step report.Step) bool { return step.Verdict == report.Failed })
		if s.Verdict == report.Failed {
			failed[s.ID] = s.Steps[i].Text
		}
	}
	return failed
}

func compareBites(t *testing.T, golden, found bites) {
	t.Helper()
	for name, failed := range found {
		for id, sentence := range golden[name] {
			assert.Equal(t, sentence, failed[id], "%s: %s does not fail as it did", name, id)
		}
		for id, sentence := range failed {
			if golden[name][id] == "" {
				t.Errorf("%s: %s fails, by %q, and did not", name, id, sentence)
			}
		}
	}
}
