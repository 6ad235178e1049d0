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

	blank int // lines without any text
}

// Empty says whether the log had no text at all: then nothing was found because nothing was there.
func (s Summary) Empty() bool { return s.Lines == s.blank }

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
	// Refused are the providers' errors that came back to the caller, by status (guide: bearer-after-v2-migration; facts: routing
	// in the proxy).
	Refused []Count `json:"refused,omitempty"`
	// Advice is what to do about Retried, NoKeys and Refused.
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
	// Issues are those of the ZodError, as far as they are told. Why says what the log has instead, or what is not told.
	Issues []Issue `json:"issues,omitempty"`
	Why    string  `json:"why,omitempty"`
	// Fits are the generations that would raise these issues, by provider type. Empty where none would, or where the issues do
	// not tell.
	Fits []Fit `json:"fits,omitempty"`
	// Workaround says whether the guide's workaround can help: only unrecognized keys can be taken away.
	Workaround bool     `json:"workaround"`
	Advice     []string `json:"advice"`

	secretType, secretID string // the type, unmasked, and the id of the latest of Secrets
}

// Issue is one issue of a ZodError as it may be shown.
type Issue struct {
	Code string   `json:"code"`
	Path string   `json:"path"`
	Keys []string `json:"keys,omitempty"`
	// Received is the type that was there, or the value where it is a word as settings are.
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
