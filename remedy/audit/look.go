package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// look is one audit under way. It sees secrets as they may be shown, so that no finding can hold more, and an audit of a saved
// inventory says the same. It goes from one owner to the next, so that of a large organization only findings are kept.
type look struct {
	apiURL     string
	generation provider.Generation // empty where nobody said
	model      *Model              // nil where none was asked for
	// organization are the secrets that every project falls back on; views are those of the owner that is looked at: of the
	// organization, or of one project.
	organization, views []*view
	// said holds each text once: many secrets have the same to be said of them.
	said map[string]string
}

// view is one secret and what each generation makes of it.
type view struct {
	inventory.Secret
	ref    *SecretRef
	meta   provider.Metadata
	keys   map[string]json.RawMessage // nil where the metadata is no object
	issues map[provider.Generation][]provider.Issue
	// schemes are the words in front of the token on the wire.
	schemes map[provider.Generation]string
}

func newLook(i inventory.Inventory, o Options) *look {
	l := &look{apiURL: i.APIURL, generation: o.Generation, said: map[string]string{}}
	if o.Model != "" {
		l.model = &Model{Name: o.Model, Custom: []ModelSecret{}, Default: []SecretRef{}, Undecided: []SecretRef{}}
	}
	return l
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

// turn looks at the next owner.
func (l *look) turn(secrets []inventory.Secret, ofOrganization bool) {
	l.views = nil
	for _, s := range secrets {
		l.views = append(l.views, newView(s.Redact()))
	}
	if ofOrganization {
		l.organization = l.views
	}
}

// say returns the text, held once.
func (l *look) say(text string) string {
	if held, known := l.said[text]; known {
		return held
	}
	l.said[text] = text
	return text
}

func newView(s inventory.Secret) *view {
	v := &view{Secret: s, issues: map[provider.Generation][]provider.Issue{}, schemes: map[provider.Generation]string{}}
	if len(v.Metadata) == 0 {
		v.Metadata = json.RawMessage("null")
	}
	v.meta = v.asProvider().Decode()
	if json.Unmarshal(v.Metadata, &v.keys) != nil {
		v.keys = nil
	}
	v.ref = &SecretRef{ID: v.ID, Level: v.Level, Project: v.Project, Name: v.Name, Type: v.Type, Path: v.Path()}
	raw, err := json.Marshal(v.asProvider())
	for _, g := range provider.Generations() {
		if err != nil { // metadata that is no JSON cannot be sent, let alone read
			raw = []byte("null")
		}
		_, v.issues[g] = provider.Read(g, raw)
		_, sent, _ := provider.Credential(g, v.asProvider())
		v.schemes[g], _, _ = strings.Cut(sent, " ")
	}
	return v
}

// asProvider is the secret as /api/secret hands it out, with a value in the place of the stored one.
func (v *view) asProvider() provider.Secret {
	value := "value"
	return provider.Secret{Name: v.Name, Type: v.Type, Value: &value, Metadata: v.Metadata}
}

func (v *view) readable(g provider.Generation) bool { return v.issues[g] == nil }

// ofProject says that a strict legacy proxy checks the secret: it does so with a project's, not with an organization's
// (facts: the self-hosted proxy does not check org secrets at all).
func (v *view) ofProject() bool { return v.Level == inventory.Project }

// key is a metadata value for people: `metadata.auth_type is "api_key"`, or that it is absent.
func (v *view) key(name string) string {
	raw, there := v.keys[name]
	if !there {
		return "metadata." + name + " is absent"
	}
	return "metadata." + name + " is " + shorten(string(raw), maxShown)
}

// has says that a metadata key is there with a value other than null.
func (v *view) has(name string) bool {
	raw, there := v.keys[name]
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
func shared(a, b *view) []string {
	var models []string
	for model := range a.meta.CustomModels {
		if _, both := b.meta.CustomModels[model]; both && a.allows(model) && b.allows(model) {
			models = append(models, model)
		}
	}
	slices.Sort(models)
	if a.Type == b.Type && a.servesDefaults() && b.servesDefaults() {
		models = append(models, "default models of type "+a.Type)
	}
	return models
}

// allows says that the models list, where it is set, contains the model.
func (v *view) allows(model string) bool {
	return v.meta.Models == nil || slices.Contains(v.meta.Models, model)
}

// servesDefaults says that the secret is eligible for default models of its type, as far as metadata says.
func (v *view) servesDefaults() bool {
	return !v.meta.ExcludeDefaultModels && (v.meta.Models == nil || len(v.meta.Models) > 0)
}

// names lists secrets by name for a sentence.
func names(views []*view) string {
	var all []string
	for _, v := range views {
		all = append(all, fmt.Sprintf("%q", v.Name))
	}
	return strings.Join(all, ", ")
}
