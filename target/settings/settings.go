// Package settings is what a Given may choose of the systems under test, declared once: the fakes are made from it, a scenario gathers
// it, and a target carries it from one to the other.
package settings

import "github.com/planeproof/planeproof/provider"

// Settings are one scenario's, of all systems.
type Settings struct {
	Gateway     Gateway
	DataPlane   DataPlane
	LegacyProxy LegacyProxy
	// Faults are the gateway's; nil leaves those that are set, with what is left of their Times.
	Faults []Fault
}

// Gateway is the settings of the OpenAI-compatible upstream.
type Gateway struct {
	// Personality is one of the Personality constants of fakes/gateway, empty for none; the settings below that are given rule over it.
	Personality string `json:"personality,omitempty"`
	// Auth is the one shape of credential that is accepted, empty for Bearer; ShapeNone asks for none, ShapeBare is not offered.
	Auth provider.Shape `json:"auth,omitempty"`
	// Tokens are accepted; Forbidden are known but may do nothing, which is a 403.
	Tokens    []string `json:"tokens,omitempty"`
	Forbidden []string `json:"forbidden,omitempty"`
	// Models are the ids of the models served.
	Models []string `json:"models,omitempty"`
	// Serve are the path prefixes served, nil for "" and "/v1" (facts: vllm, litellm).
	Serve []string `json:"serve,omitempty"`
	// UnservedStatus answers every path that is not served: a 4xx, 0 for 404 (facts: models-paths).
	UnservedStatus int `json:"unserved_status,omitempty"`
	// OpenModels lets anyone list models (facts: models-paths).
	OpenModels bool `json:"open_models,omitempty"`
}

// Who serves the open-source proxy's code, the values of LegacyProxy.Variant (facts: org-unchecked, thrown-errors).
const (
	VariantSelfHosted = ""     // with project context, as the guides describe it
	VariantEdge       = "edge" // the hosted handler, without project context, which sends the caller's key on where it finds no secret
	VariantNode       = "node" // the open-source Node server, which knows no project and answers thrown errors with 200
)

// LegacyProxy is the settings of the AI proxy that a data plane on v1 uses.
type LegacyProxy struct {
	// Generation decides which secrets can be read and what is made of them.
	Generation provider.Generation `json:"generation"`
	// Variant is one of the Variant constants.
	Variant string `json:"variant,omitempty"`
	// DefaultBase is a base URL that takes the place of every provider's own, such as https://api.openai.com/v1, which no fake may dial.
	DefaultBase string `json:"default_base,omitempty"`
	// CredentialCacheSeconds is how long fetched secrets are kept; 0 means 60, and below 0 nothing is kept.
	CredentialCacheSeconds int `json:"credential_cache_seconds,omitempty"`
	// Seed makes the choice among several secrets repeatable; without it the choice is random.
	Seed *int64 `json:"seed,omitempty"`
}

// Fault makes a system misbehave for the next requests that fit it.
type Fault struct {
	// Path is a prefix of the path after the tenant, empty for every path; Method is empty for every method.
	Path   string `json:"path,omitempty"`
	Method string `json:"method,omitempty"`
	// Times is how many requests are hit, 0 for all until the faults are replaced.
	Times int `json:"times,omitempty"`
	// Status, Header and Body are answered instead of the system's own answer, where Status is not 0.
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	// DelayMS is waited before anything else, in milliseconds; a client that leaves ends the wait.
	DelayMS int `json:"delay_ms,omitempty"`
	// Hang gives no answer at all until the client leaves.
	Hang bool `json:"hang,omitempty"`
	// Reset closes the connection without an answer.
	Reset bool `json:"reset,omitempty"`
	// TrickleMS is waited before each piece of the body, which is sent in pieces of 16 bytes, in milliseconds.
	TrickleMS int `json:"trickle_ms,omitempty"`
	// TruncateAfter cuts the connection after that many bytes of the system's own answer's body, where it is not 0.
	TruncateAfter int `json:"truncate_after,omitempty"`
	// Malform is sent instead of the system's own answer's body, or of what follows its first TruncateAfter bytes; status and header are
	// its own, and the answer ends as if it were whole.
	Malform string `json:"malform,omitempty"`
}
