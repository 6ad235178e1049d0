package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// pass is one audit under way. It sees secrets as they may be shown, so that no finding can hold more, and an audit of a saved
// inventory says the same. It goes from one owner to the next, so that of a large organization only findings are kept.
type pass struct {
	commands Commands
	apiURL   string
	access   []string // the flags that name the API and its key
	// given is the generation that somebody named; generation is that one, or the current one where the data plane says that it is v2; empty where neither tells.
	given, generation provider.Generation
	// version is the data plane's where it is v2 or newer, for which the workaround is not, empty else.
	version string
	model   *Model // nil where none was asked for
	// organization are the secrets that every project falls back on; secrets are those of the owner being audited: of the
	// organization, or of one project.
	organization, secrets []*secret
}

// secret is one secret and what each generation makes of it.
type secret struct {
	inventory.Secret
	ref    *SecretRef
	meta   provider.Metadata
	keys   map[string]json.RawMessage // nil where the metadata is no object
	issues map[provider.Generation][]provider.Issue
	// schemes are the words in front of the token on the wire.
	schemes map[provider.Generation]string
}

func newPass(i inventory.Inventory, o Options) *pass {
	p := &pass{commands: o.Commands, apiURL: i.APIURL, given: o.Generation, generation: o.Generation}
	p.commands.Program, p.commands.Key = cmp.Or(o.Commands.Program, "planeproof"), cmp.Or(o.Commands.Key, "$BRAINTRUST_API_KEY")
	p.access = append([]string{"--api-url", i.APIURL}, o.Commands.KeyFlags...)
	if major, told, ok := inventory.MajorVersion(i.Version); ok && major >= 2 {
		p.version, p.generation = told, cmp.Or(o.Generation, provider.Current202608)
	}
	if o.Model != "" {
		p.model = &Model{Name: o.Model, Custom: []ModelSecret{}, Default: []SecretRef{}, Undecided: []SecretRef{}}
	}
	return p
}

// judged is the generation known, or else the current one.
func (p *pass) judged() provider.Generation { return cmp.Or(p.generation, provider.Current202608) }

// generations are those that a question is answered for: the one known, or all.
func (p *pass) generations() []provider.Generation {
	if p.generation != "" {
		return []provider.Generation{p.generation}
	}
	return provider.Generations()
}

// owners splits the secrets by owner, the organization first.
func owners(secrets []inventory.Secret) [][]inventory.Secret {
	all := [][]inventory.Secret{nil}
	at := map[string]int{}
	for _, s := range secrets {
		if s.Level != inventory.Project {
			all[0] = append(all[0], s)
			continue
		}
		id := ""
		if s.Project != nil {
			id = s.Project.ID
		}
		n, known := at[id]
		if !known {
			n = len(all)
			at[id] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], s)
	}
	return all
}

// next goes on to an owner's secrets.
func (p *pass) next(owned []inventory.Secret, ofOrganization bool) {
	p.secrets = nil
	for _, s := range owned {
		p.secrets = append(p.secrets, newSecret(s.Redact()))
	}
	if ofOrganization {
		p.organization = p.secrets
	}
}

func newSecret(stored inventory.Secret) *secret {
	s := &secret{Secret: stored, issues: map[provider.Generation][]provider.Issue{}, schemes: map[provider.Generation]string{}}
	if len(s.Metadata) == 0 {
		s.Metadata = json.RawMessage("null")
	}
	s.meta = s.Provider().Decode()
	if json.Unmarshal(s.Metadata, &s.keys) != nil {
		s.keys = nil
	}
	s.ref = &SecretRef{ID: s.ID, Level: s.Level, Project: s.Project, Name: s.Name, Type: s.Type, Path: s.Path()}
	raw, err := json.Marshal(s.Provider())
	for _, g := range provider.Generations() {
		if err != nil { // metadata that is no JSON cannot be sent, let alone read
			raw = []byte("null")
		}
		_, s.issues[g] = provider.Read(g, raw)
		_, sent, _ := provider.Credential(g, s.Provider())
		s.schemes[g], _, _ = strings.Cut(sent, " ")
	}
	return s
}

func (s *secret) readable(g provider.Generation) bool { return s.issues[g] == nil }

// ofProject says that a strict legacy proxy checks the secret: it does so with a project's, not with an organization's
// (facts: org-unchecked).
func (s *secret) ofProject() bool { return s.Level == inventory.Project }

// key is a metadata value for people: `metadata.auth_type is "api_key"`, or that it is absent.
func (s *secret) key(name string) string {
	raw, there := s.keys[name]
	if !there {
		return "metadata." + name + " is absent"
	}
	return "metadata." + name + " is " + shorten(string(raw), maxShown)
}

// authKeys is what evidence says of the two keys of the first guide.
func (s *secret) authKeys() []string { return []string{s.key("auth_type"), s.key("auth_format")} }

// authType is auth_type where it is a text.
func (s *secret) authType() (kind string) {
	_ = json.Unmarshal(s.keys["auth_type"], &kind) // empty for any other JSON
	return kind
}

// has says that a metadata key is there with a value other than null.
func (s *secret) has(name string) bool {
	raw, there := s.keys[name]
	return there && string(raw) != "null"
}

// maxShown is the longest quotation of a value, in characters.
const maxShown = 200

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// shared are models that both secrets may serve: custom ones by name, and the default ones of a common type as one entry.
func shared(a, b *secret) []string {
	models := slices.DeleteFunc(slices.Sorted(maps.Keys(a.meta.CustomModels)), func(model string) bool {
		_, both := b.meta.CustomModels[model]
		return !both || !a.allows(model) || !b.allows(model)
	})
	if a.Type == b.Type && a.servesDefaults() && b.servesDefaults() {
		models = append(models, "default models of type "+a.Type)
	}
	return models
}

// allows says that the models list, where it is set, contains the model.
func (s *secret) allows(model string) bool {
	return s.meta.Models == nil || slices.Contains(s.meta.Models, model)
}

// servesDefaults says that the secret is eligible for default models of its type, as far as metadata says.
func (s *secret) servesDefaults() bool {
	return !s.meta.ExcludeDefaultModels && (s.meta.Models == nil || len(s.meta.Models) > 0)
}

// names lists secrets by name for a sentence.
func names(secrets []*secret) string {
	var all []string
	for _, s := range secrets {
		all = append(all, fmt.Sprintf("%q", s.Name))
	}
	return strings.Join(all, ", ")
}
