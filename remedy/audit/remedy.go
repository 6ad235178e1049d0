package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

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

// Remedy is what to do about one finding. Nothing in it holds a secret: commands read keys and tokens from the environment or a file.
type Remedy struct {
	// Name is the remedy's name for `planeproof fix`, empty where that has none.
	Name string `json:"name,omitempty"`
	// Command is the command of ours, Curl the same by hand; empty where there is none. In a report of Run they are written out
	// by Written, as they are long and many.
	Command string `json:"command,omitempty"`
	Curl    string `json:"curl,omitempty"`
	recipe  *recipe
}

// recipe is what the commands of a remedy are made of.
type recipe struct {
	apiURL string
	secret *SecretRef
	flags  string // of our command
	filter string // of jq, over the metadata; empty for a new value
}

// Written returns the remedy with its commands written out.
func (r Remedy) Written() Remedy {
	if r.recipe == nil {
		return r
	}
	if r.Name != "" {
		r.Command = fmt.Sprintf("planeproof fix plan --api-url %s --secret %s%s -o plan.json",
			shell(r.recipe.apiURL), shell(r.recipe.secret.ID), r.recipe.flags)
	}
	r.Curl, r.recipe = r.recipe.curl(), nil
	return r
}

// MarshalJSON writes the commands out.
func (r Remedy) MarshalJSON() ([]byte, error) {
	type plain Remedy
	return json.Marshal(plain(r.Written()))
}

// remedyFor is one of the remedies that `planeproof fix` knows.
func (l *look) remedyFor(name string, v *view) Remedy {
	made := &recipe{apiURL: l.apiURL, secret: v.ref}
	g := l.strictest()
	if l.generation != "" || name == RemedyWorkaround {
		made.flags = " --legacy " + string(g)
	}
	switch name {
	case RemedyBearer:
		made.filter = `.auth_type = "api_key" | .auth_format = "bearer"`
	case RemedyPortable:
		made.flags += " --portable"
		made.filter = "del(.auth_type, .auth_format)"
	case RemedyWorkaround:
		made.flags += " --workaround --log proxy.log"
		made.filter = "del(" + jqKeys(v.rejected(g)) + ")"
	case RemedyRawToken:
		made.flags += " --token-file token.txt"
	}
	made.flags, made.filter = l.say(made.flags), l.say(made.filter)
	return Remedy{Name: name, recipe: made}
}

// edit is a remedy by hand alone.
func (l *look) edit(v *view, filter string) Remedy {
	return Remedy{recipe: &recipe{apiURL: l.apiURL, secret: v.ref, filter: l.say(filter)}}
}

// strictest is the generation given, or else the oldest one: what it reads, all read.
func (l *look) strictest() provider.Generation {
	if l.generation != "" {
		return l.generation
	}
	return provider.Legacy202602
}

// rejected are the metadata keys that a generation does not know.
func (v *view) rejected(g provider.Generation) (keys []string) {
	for _, issue := range v.issues[g] {
		if issue.Code == provider.CodeUnrecognizedKeys && len(issue.Path) == 1 {
			keys = append(keys, issue.Keys...)
		}
	}
	return keys
}

// onlyUnknownKeys says that a generation finds fault with nothing but metadata keys that it does not know.
func (v *view) onlyUnknownKeys(g provider.Generation) bool {
	for _, issue := range v.issues[g] {
		if issue.Code != provider.CodeUnrecognizedKeys {
			return false
		}
	}
	return len(v.rejected(g)) > 0
}

// curl is a pipeline that changes what is stored now: metadata may hold secrets and is never written into a command, and a token,
// which must be no argument, comes from a file.
func (r recipe) curl() string {
	url := shell(r.apiURL + r.secret.Path)
	const authorization = ` -H "Authorization: Bearer $BRAINTRUST_API_KEY"`
	patch := "curl -sS -X PATCH " + url + authorization + ` -H "Content-Type: application/json" --data-binary @-`
	if r.filter != "" {
		return "curl -sS " + url + authorization + " \\\n  | jq " + shell("{metadata: (.metadata | "+r.filter+")}") + " \\\n  | " + patch
	}
	field := "secret"
	if r.secret.Level != inventory.Org {
		field = "value"
	}
	return "jq -n --rawfile token token.txt " + shell("{"+field+`: ($token | gsub("^\\s+|\\s+$"; ""))}`) + " \\\n  | " + patch
}

// plain matches words that mean themselves in a shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// shell quotes a word for a POSIX shell where it must be.
func shell(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// jqKeys writes keys as jq paths, for del.
func jqKeys(keys []string) string {
	var paths []string
	for _, key := range keys {
		paths = append(paths, fmt.Sprintf(".[%s]", jsonText(key)))
	}
	return strings.Join(paths, ", ")
}
