package audit

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/planeproof/planeproof/internal/jsonvalue"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Names of the remedies that `planeproof fix` knows.
const (
	RemedyBearer     = "bearer"
	RemedyWorkaround = "workaround"
	RemedyPortable   = "portable"
	RemedyRawToken   = "raw-token"
)

// Remedy is what to do about one finding. Nothing in it holds a secret: commands read keys from where this program got them, and tokens
// from standard input.
type Remedy struct {
	// Name is the remedy's name for `planeproof fix`, empty where that has none: then the group's advice is what there is.
	Name string `json:"name,omitempty"`
	// Decide is the command whose answer decides the finding, and comes before the remedy; empty where none does.
	Decide string `json:"decide,omitempty"`
	// Command is the command of ours, Curl the same by hand; empty where there is none.
	Command string `json:"command,omitempty"`
	Curl    string `json:"curl,omitempty"`
}

// Commands is how commands must be printed to run as they are printed. The zero value is for the default environment.
type Commands struct {
	// Program is this program as it was called, empty for planeproof.
	Program string
	// KeyFlags are the flags that name the place of the Braintrust key, nil for the default one; Org are those that name the
	// organization, where the key sees several.
	KeyFlags, Org []string
	// Key is the Braintrust key as a shell reads it, empty for $BRAINTRUST_API_KEY.
	Key string
	// Again are the arguments that make this audit again, nil where nobody knows them.
	Again []string
}

// line is a command of ours.
func (c Commands) line(parts ...[]string) string {
	words := []string{Shell(c.Program)}
	for _, part := range parts {
		for _, word := range part {
			words = append(words, Shell(word))
		}
	}
	return strings.Join(words, " ")
}

// remedyFor is one of the remedies that `planeproof fix` knows.
func (p *pass) remedyFor(name string, s *secret) Remedy {
	var flags []string
	filter := ""
	g := p.strictest()
	if p.given != "" || name == RemedyWorkaround {
		flags = append(flags, "--legacy", string(g))
	}
	switch name {
	case RemedyBearer:
		filter = `.auth_type = "api_key" | .auth_format = "bearer"`
	case RemedyPortable:
		flags = append(flags, "--portable")
		filter = "del(.auth_type, .auth_format)"
	case RemedyWorkaround:
		flags = append(flags, "--workaround")
		filter = "del(" + jqKeys(s.rejected(g)) + ")"
	case RemedyRawToken:
		flags = append(flags, "--token-file", "-")
	}
	plan := fmt.Sprintf("plan-%s-%.8s.json", name, notInName.ReplaceAllString(s.ID, ""))
	command := p.commands.line([]string{"fix", "plan"}, p.access, p.commands.Org, []string{"--secret", s.ID}, flags, []string{"--save", plan})
	return Remedy{Name: name, Command: command, Curl: p.curl(s, filter)}
}

// notInName matches what is left out of the name of a file.
var notInName = regexp.MustCompile(`[^A-Za-z0-9]`)

// byHand is a remedy by hand alone.
func (p *pass) byHand(s *secret, filter string) Remedy { return Remedy{Curl: p.curl(s, filter)} }

// tryToken is the command that tries a secret's token as Bearer; it reads the token from standard input.
func (p *pass) tryToken(s *secret) string {
	return p.commands.line([]string{"verify-token"}, p.access, []string{"--secret", s.ID, "--token-file", "-"})
}

// strictest is the generation known, or else the oldest one: what it can read, every later one can read too.
func (p *pass) strictest() provider.Generation {
	if p.generation != "" {
		return p.generation
	}
	return provider.Legacy202602
}

// rejected are the metadata keys that a generation does not know.
func (s *secret) rejected(g provider.Generation) (keys []string) {
	for _, issue := range s.issues[g] {
		if issue.Code == provider.CodeUnrecognizedKeys && len(issue.Path) == 1 {
			keys = append(keys, issue.Keys...)
		}
	}
	return keys
}

// onlyUnknownKeys says that a generation finds fault with nothing but metadata keys that it does not know.
func (s *secret) onlyUnknownKeys(g provider.Generation) bool {
	for _, issue := range s.issues[g] {
		if issue.Code != provider.CodeUnrecognizedKeys {
			return false
		}
	}
	return len(s.rejected(g)) > 0
}

// curl is a pipeline that changes what is stored now: metadata may hold secrets and is never written into a command, and a token,
// which must be no argument, comes from standard input. Without a filter it replaces the stored value.
func (p *pass) curl(s *secret, filter string) string {
	url, authorization := Shell(p.apiURL+s.ref.Path), ` -H "Authorization: Bearer `+p.commands.Key+`"`
	patch := "curl -sS -X PATCH " + url + authorization + ` -H "Content-Type: application/json" --data-binary @-`
	if filter != "" {
		return "curl -sS " + url + authorization + " \\\n  | jq " + Shell("{metadata: (.metadata | "+filter+")}") + " \\\n  | " + patch
	}
	field := "secret"
	if s.Level != inventory.Org {
		field = "value"
	}
	return "jq -Rs " + Shell("{"+field+`: gsub("^\\s+|\\s+$"; "")}`) + " \\\n  | " + patch
}

// plain matches words that mean themselves in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// Shell quotes a word for a POSIX shell where it must be.
func Shell(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// jqKeys writes keys as jq paths, for del.
func jqKeys(keys []string) string {
	var paths []string
	for _, key := range keys {
		paths = append(paths, fmt.Sprintf(".[%s]", jsonvalue.Text(key)))
	}
	return strings.Join(paths, ", ")
}
