// Package proxylog finds in an AI proxy's log what it says about provider secrets, and says what that means and what to do.
//
// A log may hold credentials. Nothing of it is repeated but structured parts: keys, paths, codes, ids, and names and settings
// that do not look like a credential.
package proxylog

import (
	"fmt"

	"github.com/planeproof/planeproof/provider"
)

// Schema is the format of a Summary.
const Schema = "planeproof/logs/v1"

// Summary is what a log says about provider secrets.
type Summary struct {
	Schema string `json:"schema"`
	// Found says whether the log has any of the warnings.
	Found bool `json:"found"`
	// Headline is the verdict in one line.
	Headline string `json:"headline"`
	// Lines are all lines of the log; Unknown are those that say nothing about provider secrets.
	Lines   int `json:"lines"`
	Unknown int `json:"unknown_lines"`
	// Long are the lines that were read in pieces of 1 MiB.
	Long int `json:"long_lines,omitempty"`
	// Projects are those with a warning, the ones whose secrets could not be read first.
	Projects []Project `json:"projects"`
	// Left counts the warnings about projects or causes that came after as many different ones as are kept.
	Left int `json:"left_out,omitempty"`
}

// Project is what the log says about one project.
type Project struct {
	// ID and Name are as the log's line or its fields have them; both are empty where the log does not name the project.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	// Unreadable is how often the project's secrets could not be loaded (guide: project-override-on-legacy-proxy).
	Unreadable int `json:"unreadable"`
	// UsedInstead is whose credential was used when they could not.
	UsedInstead string  `json:"used_instead,omitempty"`
	Causes      []Cause `json:"causes,omitempty"`
	// Retried are the upstream failures after which the next secret was tried, by status, "none" where the log has none
	// (recorded: proxy-routing upstream-500).
	Retried []Count `json:"retried,omitempty"`
	// NoKeys are the requests for which no secret was eligible, by model.
	NoKeys []Count `json:"no_keys,omitempty"`
	// Advice is what to do about Retried and NoKeys.
	Advice []string `json:"advice,omitempty"`
}

// Count is how often something was seen.
type Count struct {
	What  string `json:"what"`
	Times int    `json:"times"`
}

// Cause is one reason for which a project's secrets could not be read.
type Cause struct {
	Times int `json:"times"`
	// Secrets are those that the line's fields name; the proxy's own text names none.
	Secrets []string `json:"secrets,omitempty"`
	// Type is the secret's provider type, where the log shows it.
	Type string `json:"type,omitempty"`
	// Issues are those of the ZodError; without any, Why says what the log has instead.
	Issues []Issue `json:"issues,omitempty"`
	Why    string  `json:"why,omitempty"`
	// Fits are the generations that would raise these issues, by provider type. Empty where none would, or where the issues do
	// not tell.
	Fits []Fit `json:"fits,omitempty"`
	// Workaround says whether the guide's workaround can help: only unrecognized keys can be taken away.
	Workaround bool     `json:"workaround"`
	Advice     []string `json:"advice"`
}

// Issue is one issue of a ZodError as it may be shown.
type Issue struct {
	Code string   `json:"code"`
	Path string   `json:"path"`
	Keys []string `json:"keys,omitempty"`
	// Received is the type or the setting that was there, left out where it looks like a credential.
	Received string   `json:"received,omitempty"`
	Expected string   `json:"expected,omitempty"`
	Options  []string `json:"options,omitempty"`
	// Text says the issue in words.
	Text string `json:"text"`
}

// Fit are provider types for which the same generations fit.
type Fit struct {
	Types       []string              `json:"types"`
	Generations []provider.Generation `json:"generations"`
}

// Label names the project in a sentence.
func (p Project) Label() string {
	switch {
	case p.ID != "" && p.Name != "":
		return fmt.Sprintf("project %s (%s)", p.ID, p.Name)
	case p.ID != "":
		return "project " + p.ID
	case p.Name != "":
		return "project " + p.Name
	default:
		return "project not named in the log"
	}
}

// conclude fills in the verdict.
func (s *Summary) conclude() {
	var unreadable, projects, unnamed, other int
	for _, p := range s.Projects {
		unreadable += p.Unreadable
		switch {
		case p.Unreadable == 0:
		case p.ID == "" && p.Name == "":
			unnamed++
		default:
			projects++
		}
		for _, c := range append(p.Retried, p.NoKeys...) {
			other += c.Times
		}
	}
	s.Found = unreadable+other+s.Left > 0
	switch {
	case unreadable > 0:
		s.Headline = "FOUND: " + whose(projects, unnamed) + " could not be read (" + times(unreadable) +
			"); the organization's credentials were used instead"
	case s.Found:
		s.Headline = "FOUND: no project's secrets failed to load, but providers refused or were missing (" + times(other+s.Left) + ")"
	case s.Lines == 0:
		s.Headline = "NOTHING FOUND: the log is empty"
	default:
		s.Headline = fmt.Sprintf("NOTHING FOUND: no warning about provider secrets in %s", plural(s.Lines, "line"))
	}
}

// whose names whose secrets are meant.
func whose(projects, unnamed int) string {
	switch {
	case unnamed == 0:
		return "the secrets of " + plural(projects, "project")
	case projects == 0:
		return "the secrets of a project that the log does not name"
	default:
		return fmt.Sprintf("the secrets of %s, and of one or more that the log does not name,", plural(projects, "project"))
	}
}

func times(n int) string { return plural(n, "warning") }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
