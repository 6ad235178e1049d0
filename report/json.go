package report

import (
	"bytes"
	"encoding/json"
	"strings"
)

// document is report.json; docs/report.md describes it.
type document struct {
	Schema   string `json:"schema"`
	Verdict  string `json:"verdict"`
	Headline string `json:"headline"`
	ExitCode int    `json:"exit_code"`
	*Run
	Seconds   float64            `json:"seconds"`
	Counts    Tally              `json:"counts"`
	Profiles  []Profile          `json:"profiles"`
	Scenarios []scenarioDocument `json:"scenarios"`
}

type scenarioDocument struct {
	Scenario
	Seconds float64 `json:"seconds"`
}

func encodeJSON(r *Run) ([]byte, error) {
	d := document{
		Schema:    jsonSchema,
		Verdict:   strings.ToLower(r.conclude().word),
		Headline:  r.Headline(),
		ExitCode:  r.ExitCode(),
		Run:       r,
		Seconds:   r.Ended.Sub(r.Started).Seconds(),
		Counts:    r.Tally(),
		Profiles:  r.Profiles(),
		Scenarios: []scenarioDocument{},
	}
	for _, s := range r.sorted() {
		d.Scenarios = append(d.Scenarios, scenarioDocument{Scenario: s, Seconds: s.Duration.Seconds()})
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
