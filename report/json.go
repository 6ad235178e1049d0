package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
)

// document is report.json; docs/report.md describes it.
type document struct {
	Schema   string `json:"schema"`
	Verdict  string `json:"verdict"`
	Headline string `json:"headline"`
	ExitCode int    `json:"exit_code"`
	*Run
	Seconds     float64            `json:"seconds"`
	Counts      Tally              `json:"counts"`
	Judged      []Judged           `json:"judged"`
	NotVerified []Gap              `json:"not_verified"`
	Profiles    []Profile          `json:"profiles"`
	Scenarios   []scenarioDocument `json:"scenarios"`
}

type scenarioDocument struct {
	Scenario
	// Exchanges are the last of the scenario's; LeftOut is how many came before them.
	Exchanges []evidence.Exchange `json:"exchanges,omitempty"`
	LeftOut   int                 `json:"exchanges_left_out,omitempty"`
	Seconds   float64             `json:"seconds"`
}

// How much of a scenario's exchanges report.json keeps, whatever its verdict.
const (
	keptExchanges = 50
	exchangeBytes = 2 << 10 // of one, as compact JSON
)

// keep bounds exchanges that were redacted. The last ones stay: they are nearest to what decided.
func keep(all []evidence.Exchange) (kept []evidence.Exchange, leftOut int) {
	leftOut = max(0, len(all)-keptExchanges)
	kept = slices.Clone(all[leftOut:])
	for i := range kept {
		shorten(&kept[i])
	}
	return kept, leftOut
}

// shorten cuts the texts of an exchange that is over exchangeBytes, and says in each by how much.
func shorten(e *evidence.Exchange) {
	raw, _ := json.Marshal(*e) // strings and numbers always encode
	if len(raw) <= exchangeBytes {
		return
	}
	e.Header = nil
	for _, text := range []*string{&e.Path, &e.Model, &e.Note} {
		const stays = exchangeBytes / 5
		if over := len(*text) - stays; over > 0 {
			*text = fmt.Sprintf("%s… (%d bytes left out)", strings.ToValidUTF8((*text)[:stays], ""), over)
		}
	}
}

func encodeJSON(r *Run) ([]byte, error) {
	d := document{
		Schema:      jsonSchema,
		Verdict:     strings.ToLower(r.conclude().word),
		Headline:    r.Headline(),
		ExitCode:    r.ExitCode(),
		Run:         r,
		Seconds:     r.Ended.Sub(r.Started).Seconds(),
		Counts:      r.Tally(),
		Judged:      r.Judged(),
		NotVerified: r.NotVerified(),
		Profiles:    r.Profiles(),
		Scenarios:   []scenarioDocument{},
	}
	for _, s := range r.sorted() {
		kept, leftOut := keep(s.Exchanges)
		d.Scenarios = append(d.Scenarios, scenarioDocument{Scenario: s, Exchanges: kept, LeftOut: leftOut, Seconds: s.Duration.Seconds()})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
