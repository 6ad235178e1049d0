package proxylog

import (
	"fmt"

	"github.com/planeproof/planeproof/provider"
)

// Schema is the format of a Summary.
const Schema = "planeproof/logs/v1"

// Summary is what a log says about provider secrets (docs/logs.md).
type Summary struct {
	Schema   string    `json:"schema"`
	Found    bool      `json:"found"`                // the log has any of the warnings
	Headline string    `json:"headline"`             // the verdict in one line
	Lines    int       `json:"lines"`                // all lines of the log
	Unknown  int       `json:"unknown_lines"`        // those that say nothing about provider secrets
	Long     int       `json:"long_lines,omitempty"` // those that were read in pieces of 1 MiB
	Projects []Project `json:"projects"`             // those with a warning, the ones whose secrets could not be read first
	Left     int       `json:"left_out,omitempty"`   // warnings about more projects or causes than are kept

	blank int // lines without any text
}

// Empty says whether the log had no text at all: then nothing was found because nothing was there.
func (s Summary) Empty() bool { return s.Lines == s.blank }

// Project is what the log says about one project. ID and Name are as the log has them; both are empty where it does not name it.
type Project struct {
	ID          string  `json:"id,omitempty"`
	Name        string  `json:"name,omitempty"`
	Unreadable  int     `json:"unreadable"`             // times its secrets could not be loaded (guide: project-override-on-legacy-proxy)
	UsedInstead string  `json:"used_instead,omitempty"` // whose credential was used then
	Causes      []Cause `json:"causes,omitempty"`
	Retried     []Count `json:"retried,omitempty"` // by status: the next secret was tried (recorded: proxy-routing upstream-500)
	NoKeys      []Count `json:"no_keys,omitempty"` // by model: no secret was eligible
	// Refused are the providers' errors that came back to the caller, by status (guide: bearer-after-v2-migration; facts:
	// wrapped-errors).
	Refused []Count  `json:"refused,omitempty"`
	Advice  []string `json:"advice,omitempty"` // about Retried, NoKeys and Refused
}

// Count is how often something was seen.
type Count struct {
	What  string `json:"what"`
	Times int    `json:"times"`
}

// Cause is one reason for which a project's secrets could not be read.
type Cause struct {
	Times      int      `json:"times"`
	Secrets    []string `json:"secrets,omitempty"` // those that the line's fields name; the proxy's own text names none
	Type       string   `json:"type,omitempty"`    // the secret's provider type, where the log shows it
	Issues     []Issue  `json:"issues,omitempty"`  // of the ZodError, as far as they are told
	Why        string   `json:"why,omitempty"`     // what the log has instead, or what is not told
	Fits       []Fit    `json:"fits,omitempty"`    // the generations that would raise these issues; empty where the issues do not tell
	Workaround bool     `json:"workaround"`        // the guide's can help: only unrecognized keys can be taken away
	Advice     []string `json:"advice"`

	secretType, secretID string // the type, unmasked, and the id of the latest of Secrets
}

// Issue is one issue of a ZodError as it may be shown.
type Issue struct {
	Code     string   `json:"code"`
	Path     string   `json:"path"`
	Keys     []string `json:"keys,omitempty"`
	Received string   `json:"received,omitempty"` // the type that was there, or the value where it is a word as settings are
	Expected string   `json:"expected,omitempty"`
	Options  []string `json:"options,omitempty"`
	Text     string   `json:"text"` // the issue in words
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
