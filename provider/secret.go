package provider

import "encoding/json"

// Secret is a provider secret as the control API stores it and /api/secret hands it out (facts: api-secret).
type Secret struct {
	ID      string `json:"id,omitempty"`
	OrgName string `json:"org_name,omitempty"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	// Value is the stored token; nil is JSON null.
	Value    *string         `json:"secret"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Metadata is the part of a secret's metadata that decides routing.
//
// It is decoded key by key, and a value of a type that the proxy could not use counts as absent: the self-hosted proxy
// does not check org secrets, so anything may be stored there (facts: strict-schema).
type Metadata struct {
	APIBase              string
	AuthFormat           string
	EndpointPath         *string
	APIVersion           string
	Deployment           string
	OrganizationID       string
	OverrideModel        string
	OverrideSystemPrompt string
	Models               []string // nil when not set; an empty list is set, and allows no model
	CustomModels         map[string]json.RawMessage
	AdditionalHeaders    map[string]string
	ExcludeDefaultModels bool
	NoNamedDeployment    bool
	SupportsStreaming    bool // true unless it is stored as false
}

// Decode returns the routing view of the secret's metadata; metadata that is no JSON object gives the defaults.
func (s Secret) Decode() Metadata {
	var raw map[string]json.RawMessage
	if json.Unmarshal(s.Metadata, &raw) != nil {
		raw = nil
	}
	return Metadata{
		APIBase:              lenient[string](raw["api_base"]),
		AuthFormat:           lenient[string](raw["auth_format"]),
		EndpointPath:         lenient[*string](raw["endpoint_path"]),
		APIVersion:           lenient[string](raw["api_version"]),
		Deployment:           lenient[string](raw["deployment"]),
		OrganizationID:       lenient[string](raw["organization_id"]),
		OverrideModel:        lenient[string](raw["overrideModel"]),
		OverrideSystemPrompt: lenient[string](raw["overrideSystemPrompt"]),
		Models:               modelNames(raw["models"]),
		CustomModels:         lenient[map[string]json.RawMessage](raw["customModels"]),
		AdditionalHeaders:    headers(raw["additionalHeaders"]),
		ExcludeDefaultModels: lenient[bool](raw["excludeDefaultModels"]),
		NoNamedDeployment:    lenient[bool](raw["no_named_deployment"]),
		SupportsStreaming:    string(raw["supportsStreaming"]) != "false",
	}
}

// lenient decodes raw, or returns the zero value where it is absent or of another type.
func lenient[T any](raw json.RawMessage) T {
	var v T
	if json.Unmarshal(raw, &v) != nil {
		var zero T
		return zero
	}
	return v
}

// modelNames reads the allow-list; an entry that is no string names no model.
func modelNames(raw json.RawMessage) []string {
	entries := lenient[[]json.RawMessage](raw)
	if entries == nil {
		return nil
	}
	names := []string{}
	for _, entry := range entries {
		if name := lenient[*string](entry); name != nil {
			names = append(names, *name)
		}
	}
	return names
}

// headers reads header values as fetch does, which turns any scalar into its text.
func headers(raw json.RawMessage) map[string]string {
	values := lenient[map[string]json.RawMessage](raw)
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]string, len(values))
	for name, value := range values {
		out[name] = scalar(value)
	}
	return out
}
