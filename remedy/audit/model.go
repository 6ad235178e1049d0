package audit

import (
	"encoding/json"

	"github.com/planeproof/planeproof/remedy/inventory"
)

// Model is which secrets serve a model.
type Model struct {
	Name string `json:"name"`
	// Custom are the secrets whose customModels has it: what the guide's jq filter gives (guide: bearer-after-v2-migration, step 1).
	Custom []ModelSecret `json:"custom"`
	// Default are those that serve it as a default model of their type.
	Default []SecretRef `json:"default"`
	// Undecided are those where it cannot be told, at which the guide's filter ends with an error.
	Undecided []SecretRef `json:"undecided"`
	served    bool        // by any of them
	defaults  bool        // some secret serves default models of its type
}

// ModelSecret is one secret as the guide's filter shows it, and where it belongs.
type ModelSecret struct {
	ID           string                `json:"id"`
	Name         string                `json:"name"`
	ProviderType string                `json:"provider_type"`
	Preview      string                `json:"preview_secret"`
	Metadata     json.RawMessage       `json:"metadata"`
	Level        inventory.Level       `json:"level"`
	Project      *inventory.ProjectRef `json:"project,omitempty"`
}

// gather looks for the model among the secrets of one owner.
func (m *Model) gather(secrets []*secret) {
	if m == nil {
		return
	}
	for _, s := range secrets {
		eligible := s.Provider().Eligible(m.Name)
		m.served = m.served || eligible
		m.defaults = m.defaults || s.servesDefaults()
		_, custom := s.meta.CustomModels[m.Name]
		switch {
		case custom:
			m.Custom = append(m.Custom, ModelSecret{
				ID: s.ID, Name: s.Name, ProviderType: s.Type, Preview: s.Preview, Metadata: s.Metadata, Level: s.Level, Project: s.Project,
			})
		case s.modelsUndecided():
			m.Undecided = append(m.Undecided, *s.ref)
		case eligible:
			m.Default = append(m.Default, *s.ref)
		}
	}
}
