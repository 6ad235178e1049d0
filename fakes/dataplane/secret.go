package dataplane

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/provider"
)

// bothLevels is the answer of /api/secret to a request with project_id.
type bothLevels struct {
	Org     []json.RawMessage `json:"org"`
	Project []json.RawMessage `json:"project"`
}

// apiSecret hands a proxy the org's provider secrets, and a project's too where it asks for them (facts: api-secret). Unknown keys are a
// 400, as on any other error the edge proxy would send the caller's key to a provider.
func apiSecret(c *call) (any, error) {
	f := c.fields()
	known := []string{"model", "org_name", "mode", "project_id"}
	for _, key := range slices.Sorted(maps.Keys(f.raw)) {
		if !slices.Contains(known, key) {
			f.refuse("%q: unknown key", key)
		}
	}
	f.org(c.config.Organization)
	f.oneOf("mode", f.need("mode"), "full")
	if model := f.text("model"); model != nil {
		c.entry.Model = *model
	}
	projectID := f.text("project_id")
	if f.err != nil {
		return nil, f.err
	}
	if projectID == nil {
		org, _, err := c.store.secrets(c.config, "")
		return eligible(org, c.entry.Model), err
	}
	org, project, err := c.store.secrets(c.config, *projectID)
	return bothLevels{org, project}, err
}

// eligible leaves out what does not serve the model: the open-source proxy does not look at customModels and excludeDefaultModels, so
// whoever answers it must have (guide: project-override-on-legacy-proxy, eligibility). Without a model all are handed out.
func eligible(secrets []json.RawMessage, model string) []json.RawMessage {
	if model == "" {
		return secrets
	}
	return slices.DeleteFunc(secrets, func(raw json.RawMessage) bool {
		var secret provider.Secret
		return json.Unmarshal(raw, &secret) == nil && !secret.Eligible(model)
	})
}

// secrets returns the provider secrets of the org and of a project, each as /api/secret hands it out, in the order of their creation;
// without a project the second list is empty. An unknown project is refused or counts as none, by the settings.
func (s *store) secrets(c Config, project string) (org, own []json.RawMessage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	project = strings.ToLower(project)
	if project != "" && !s.exists(scope{ofProject, project}, c.Organization) {
		if cmp.Or(c.UnknownProject, UnknownProjectRefuse) == UnknownProjectRefuse {
			return nil, nil, refuse(http.StatusBadRequest, "project_id: no such project")
		}
	}
	return handOut(s.orgLevel(c.Organization), c.Organization), handOut(s.providers(scope{ofProject, project}), c.Organization), nil
}

// held is what ai_secret and env_var have in common.
type held struct {
	id, name string
	typ      *string
	value    *string
	metadata json.RawMessage
	created  time.Time
}

func (v envVar) held() held { return held{v.ID, v.Name, v.Type, v.value, v.Metadata, v.Created} }

// orgLevel is the org's ai_secrets and its env_vars of category ai_provider.
func (s *store) orgLevel(org Organization) []held {
	all := s.providers(scope{ofOrganization, strings.ToLower(org.ID)})
	for _, a := range s.aiSecrets {
		all = append(all, held{a.ID, a.Name, a.Type, a.value, a.Metadata, a.Created})
	}
	slices.SortFunc(all, func(a, b held) int { return a.created.Compare(b.created) })
	return all
}

// providers are the env_vars of category ai_provider of one object.
func (s *store) providers(in scope) []held {
	var all []held
	for _, v := range s.envVars {
		if v.scope == in && v.Category == categoryAIProvider {
			all = append(all, v.held())
		}
	}
	return all
}

func handOut(all []held, org Organization) []json.RawMessage {
	out := []json.RawMessage{} // never null
	for _, h := range all {
		secret := provider.Secret{ID: h.id, OrgName: org.Name, Name: h.name, Value: h.value, Metadata: h.metadata}
		if h.typ != nil {
			secret.Type = *h.typ
		}
		if secret.Metadata == nil {
			secret.Metadata = json.RawMessage("null")
		}
		out = append(out, encode(secret))
	}
	return out
}
