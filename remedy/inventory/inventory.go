// Package inventory reads all provider secrets of an organization from the control API, and says what it could not read.
package inventory

import (
	"encoding/json"

	"github.com/planeproof/planeproof/provider"
)

// Schema is the format of a saved inventory.
const Schema = "planeproof/inventory/v1"

// Level is where a provider secret belongs.
type Level string

// The levels: an ai_secret, or an env_var of category ai_provider of the organization or of a project.
const (
	Org     Level = "org"
	OrgEnv  Level = "org-env"
	Project Level = "project"
)

// Inventory is what one reading of an organization found.
type Inventory struct {
	Schema       string       `json:"schema"`
	Tool         string       `json:"tool"`
	APIURL       string       `json:"api_url"`
	Organization Organization `json:"organization"`
	// Key says what can be known of the key without writing: never the key.
	Key     string `json:"key"`
	TakenAt string `json:"taken_at"` // UTC, RFC 3339
	// Version is the data plane's own answer to GET /version, nil where it gave none.
	Version json.RawMessage `json:"version,omitempty"`
	// VisibleProjects is how many projects the key can see; Projects are those that were read.
	VisibleProjects int          `json:"visible_projects"`
	Projects        []ProjectRef `json:"projects"`
	// Incomplete says what could not be read, or may have been cut; an inventory with an entry is never clean.
	Incomplete []string `json:"incomplete,omitempty"`
	// Secrets come last, as there may be many.
	Secrets []Secret `json:"secrets"`
}

// Organization is the organization that the key belongs to.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ProjectRef is a project that the key can see.
type ProjectRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Secret is one provider secret as the control API shows it: never its value.
type Secret struct {
	ID    string `json:"id"`
	Level Level  `json:"level"`
	// Project is the project it belongs to, nil at the levels of the organization.
	Project *ProjectRef `json:"project,omitempty"`
	Name    string      `json:"name"`
	// Type is `type` of an ai_secret and `secret_type` of an env_var.
	Type    string `json:"type"`
	Preview string `json:"preview,omitempty"`
	// Metadata is as the API sent it, byte for byte, null where there is none; in a saved inventory its secrets are redacted.
	Metadata        json.RawMessage `json:"metadata"`
	SecretUpdatedAt string          `json:"secret_updated_at,omitempty"`
	// Redacted are the places that a saved inventory does not show, such as `metadata.additionalHeaders.X-Team`.
	Redacted []string `json:"redacted,omitempty"`
}

// Path is the secret's own path in the control API.
func (s Secret) Path() string {
	if s.Level == Org {
		return "/v1/ai_secret/" + s.ID
	}
	return "/v1/env_var/" + s.ID
}

// Provider is the secret as /api/secret hands it out, with a value in the place of the stored one.
func (s Secret) Provider() provider.Secret {
	value := "value"
	return provider.Secret{Name: s.Name, Type: s.Type, Value: &value, Metadata: s.Metadata}
}
