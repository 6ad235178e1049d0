package fix

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// Situation is what is known of the data plane when a remedy is proposed.
type Situation struct {
	// Generation is the proxy's, as the caller says; empty where nobody says.
	Generation provider.Generation
	// Version is the data plane's own answer to GET /version, nil where it has none. Its form is not promised.
	Version json.RawMessage
	// Log is what a proxy's log says about provider secrets, nil where none was given.
	Log *proxylog.Summary
	// Org are the org's provider secrets, which a project falls back on; Projects are those of projects, which share their fate.
	Org, Projects []inventory.Secret
}

// strict says that the generation is known and refuses unknown metadata keys (facts: three generations).
func (s Situation) strict() bool {
	return s.Generation == provider.Legacy202602 || s.Generation == provider.Legacy202603
}

var majorVersion = regexp.MustCompile(`^v?(\d{1,4})\.`)

// major is the data plane's major version; ok is false where its answer does not tell it in a field version.
func (s Situation) major() (major int, text string, ok bool) {
	var told struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(s.Version, &told) != nil {
		return 0, "", false
	}
	match := majorVersion.FindStringSubmatch(told.Version)
	if match == nil {
		return 0, "", false
	}
	major, err := strconv.Atoi(match[1])
	return major, evidence.Printable(told.Version), err == nil
}

// propose makes the step by which a remedy changes a secret, or a Refusal. A step without a change says that the secret is so already.
func propose(remedy Remedy, secret inventory.Secret, s Situation) (Step, error) {
	step := newStep(remedy, secret)
	before, err := object(secret.Metadata)
	if err != nil && remedy != RawToken {
		return step, step.refuse(err.Error(), nil)
	}
	switch remedy {
	case Bearer:
		err = step.bearer(secret, before, s)
	case Portable:
		err = step.portable(secret, before, s)
	case Workaround, Literal:
		err = step.workaround(secret, before, s)
	case RawToken:
		step.rawToken(secret)
		return step, nil
	}
	if err != nil {
		return step, err
	}
	return step, step.complete(secret, before)
}

// complete fills in what follows from the edit.
func (s *Step) complete(secret inventory.Secret, before map[string]any) error {
	edited, err := s.Edit.Apply(secret.Metadata)
	if err != nil {
		return s.refuse(err.Error(), nil)
	}
	after, err := object(edited)
	if err != nil {
		return s.refuse(err.Error(), nil)
	}
	s.After, s.Diff = hash(edited), changes(before, after)
	s.Request = Request{Method: "PATCH", Path: s.Path, Body: `{"metadata": ‹the whole metadata, changed as above›}`}
	return nil
}

func (s *Step) refuse(reason string, conditions []Condition) error {
	return Refusal{SecretID: s.SecretID, Name: s.Name, Remedy: s.Remedy, Reason: reason, Conditions: conditions}
}

// bearer is the first guide's fix. On a project secret that a strict legacy proxy must still read it would cause the failure of the
// second guide (behaviours: MIGRATION-1).
func (s *Step) bearer(secret inventory.Secret, before map[string]any, in Situation) error {
	if secret.Type != "openai" {
		return s.refuse(fmt.Sprintf("its type is %q, and auth_format belongs to type openai alone", secret.Type), nil)
	}
	s.Edit = Edit{Set: []Entry{{"auth_format", json.RawMessage(`"bearer"`)}, {"auth_type", json.RawMessage(`"api_key"`)}}}
	if secret.Level == inventory.Project {
		if err := s.refuseBeforeUpgrade(secret, in); err != nil {
			return err
		}
	}
	s.noteMeaning(before)
	s.noteStored(secret)
	return nil
}

func (s *Step) refuseBeforeUpgrade(secret inventory.Secret, in Situation) error {
	const order = "upgrade first, or use the portable form (--portable)"
	major, version, told := in.major()
	switch {
	case in.strict():
		edited, err := s.Edit.Apply(secret.Metadata)
		if err != nil {
			return s.refuse(err.Error(), nil)
		}
		if issues := read(in.Generation, secret, edited); len(issues) > 0 {
			return s.refuse(fmt.Sprintf("%s could not read the result (%s), and the project would lose its own credential: %s",
				in.Generation, evidence.Printable(provider.Explain(issues)), order), nil)
		}
	case in.Generation == "" && told && major < 2:
		return s.refuse(fmt.Sprintf("the data plane says that it is %s: a strict legacy proxy could not read the result, and the project "+
			"would lose its own credential: %s, or name the proxy's generation with --legacy", version, order), nil)
	case in.Generation == "" && !told:
		s.note("the data plane does not tell its version: on a strict legacy proxy the project would lose its own credential; upgrade it first")
	}
	return nil
}

// portable leaves nothing that a generation could not read or understand otherwise: without both keys it is Bearer everywhere
// (behaviours: MIGRATION-4, BEARER-14).
func (s *Step) portable(secret inventory.Secret, before map[string]any, in Situation) error {
	if secret.Type != "openai" {
		return s.refuse(fmt.Sprintf("its type is %q: without auth_type only type openai is Bearer everywhere", secret.Type), nil)
	}
	s.Edit.Remove = present(before, "auth_type", "auth_format")
	s.noteMeaning(before)
	s.noteStored(secret)
	if in.strict() && secret.Level == inventory.Project {
		edited, err := s.Edit.Apply(secret.Metadata)
		if err != nil {
			return s.refuse(err.Error(), nil)
		}
		if issues := read(in.Generation, secret, edited); len(issues) > 0 {
			s.note(fmt.Sprintf("%s still cannot read it: %s", in.Generation, evidence.Printable(provider.Explain(issues))))
		}
	}
	return nil
}

// rawToken replaces the stored value; the token itself is asked for again when the plan is applied.
func (s *Step) rawToken(secret inventory.Secret) {
	s.ReplaceValue = true
	s.After = s.Before
	s.Diff = []Change{{Key: "(stored value)", Before: "‹redacted›", After: "‹the raw token given with --token-file›"}}
	s.Request = Request{Method: "PATCH", Path: s.Path, Body: fmt.Sprintf(`{"%s": ‹the raw token›}`, valueKey(secret.Level))}
	s.note("the present stored value cannot be read, so this cannot be undone")
}

// noteMeaning says what cannot be known from here about how the gateway wants to be called.
func (s *Step) noteMeaning(before map[string]any) {
	if before["auth_format"] == "api_key" {
		s.note("it cannot be known from here whether the gateway wants Bearer: where it requires Api-Key, auth_format api_key is right, and " +
			"this change breaks it; try the token with verify-token first, or apply with --model")
	}
	if kind, isText := before["auth_type"].(string); isText && kind != "api_key" {
		s.note("auth_type is " + show("auth_type", kind) + ": the stored value may be something else than a raw token")
	}
}

// noteStored says what the preview shows of the stored value (behaviours: BEARER-9).
func (s *Step) noteStored(secret inventory.Secret) {
	if scheme, _, found := strings.Cut(secret.Preview, " "); found && strings.EqualFold(scheme, "Bearer") {
		s.note("the stored value begins with Bearer, so the gateway would see Bearer twice: store the raw token too (--token-file)")
	}
}

func (s *Step) note(text string) { s.Notes = append(s.Notes, text) }

// present keeps the keys that the object has.
func present(object map[string]any, keys ...string) []string {
	var out []string
	for _, key := range keys {
		if _, there := object[key]; there {
			out = append(out, key)
		}
	}
	return out
}

// valueKey is the name of the stored value in requests (facts: `secret` in ai_secret, `value` in env_var).
func valueKey(level inventory.Level) string {
	if level == inventory.Org {
		return "secret"
	}
	return "value"
}
