package report

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
)

// harnessSuite holds what went wrong outside every scenario: without it, a run that broke before its first scenario
// would look green to whoever reads only the XML.
const harnessSuite = "harness"

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type junitReport struct {
	XMLName xml.Name `xml:"testsuites"`
	Schema  string   `xml:"schema,attr"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Time   string        `xml:"time,attr"`
	Suites []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Time       string           `xml:"time,attr"`
	Timestamp  string           `xml:"timestamp,attr"`
	Properties *junitProperties `xml:"properties"`
	Cases      []junitCase      `xml:"testcase"`
	duration   time.Duration
	scenarios  []Scenario
}

// junitProperties say for one suite how the scenarios went that judge one thing.
type junitProperties struct {
	All []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

func newProperties(scenarios []Scenario) *junitProperties {
	var p junitProperties
	for _, j := range judged(scenarios) {
		if j.Required.Total() > 0 {
			p.All = append(p.All, junitProperty{"judges-" + j.Judge, j.Required.String()})
		}
	}
	if len(p.All) == 0 {
		return nil
	}
	return &p
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitOutcome `xml:"failure"`
	Error   *junitOutcome `xml:"error"`
	Skipped *junitOutcome `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func encodeJUnit(r *Run) ([]byte, error) {
	report := junitReport{Schema: xmlSchema, Name: "planeproof", Time: seconds(r.Ended.Sub(r.Started))}
	suite := func(name string) *junitSuite {
		for _, s := range report.Suites {
			if s.Name == name {
				return s
			}
		}
		s := &junitSuite{Name: name, Time: seconds(0), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
		report.Suites = append(report.Suites, s)
		return s
	}
	for i, text := range harnessErrors(r) {
		suite(harnessSuite).add(junitCase{
			Class: className(harnessSuite), Name: fmt.Sprintf("infrastructure %d", i+1), Time: seconds(0), Error: &junitOutcome{Message: firstLine(text), Text: labelled("", text)},
		}, 0)
	}
	for _, s := range r.sorted() {
		in := suite(s.Family)
		in.add(newCase(s), s.Duration)
		in.scenarios = append(in.scenarios, s)
	}
	slices.SortStableFunc(report.Suites, func(a, b *junitSuite) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range report.Suites {
		s.Properties = newProperties(s.scenarios)
		report.Tests += s.Tests
		report.Failures += s.Failures
		report.Errors += s.Errors
		report.Skipped += s.Skipped
	}
	body, err := xml.MarshalIndent(report, "", "  ")
	return append([]byte(xml.Header), append(body, '\n')...), err
}

func harnessErrors(r *Run) []string {
	if r.Interrupted {
		return append(slices.Clone(r.Infrastructure), "the run was interrupted before its end")
	}
	return r.Infrastructure
}

func (s *junitSuite) add(c junitCase, took time.Duration) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.duration += took
	s.Time = seconds(s.duration)
}

// newCase maps verdicts to elements. An excused scenario that failed or broke is skipped here, with its evidence as output:
// it must not turn a pipeline red whose exit code is 0.
func newCase(s Scenario) junitCase {
	c := junitCase{
		Class: className(s.Family), Name: evidence.Printable(s.ID), File: evidence.Printable(s.File), Line: s.Line, Time: seconds(s.Duration),
	}
	switch {
	case s.Verdict == Passed:
	case s.Verdict <= NotSupported:
		c.Skipped = &junitOutcome{Message: message(s)}
	case s.Excused != "":
		c.Skipped = &junitOutcome{Message: firstLine(s.Excused) + ": " + message(s)}
		c.Output = explain(s, unpainted)
	case s.Verdict == Failed:
		c.Failure = &junitOutcome{Message: message(s), Text: explain(s, unpainted)}
	default:
		c.Error = &junitOutcome{Message: message(s), Text: explain(s, unpainted)}
	}
	return c
}

// message is the verdict and the first thing there is to say about it, in one line.
func message(s Scenario) string {
	text := s.Reason
	if len(s.Mismatches) > 0 && s.Verdict == Failed {
		m := s.Mismatches[0]
		text = fmt.Sprintf("%s: expected %s, got %s", m.What, orEmpty(m.Expected), orEmpty(m.Actual))
	}
	if text == "" {
		return s.Verdict.String()
	}
	return s.Verdict.String() + ": " + firstLine(text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return evidence.Printable(line)
}

func className(family string) string { return "planeproof." + evidence.Printable(family) }

// seconds is the form of JUnit's time attributes.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
