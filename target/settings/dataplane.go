package settings

import "github.com/planeproof/planeproof/provider"

// Who serves /v1/proxy/*, the values of DataPlane.Serving (facts: v2-and-gateway).
const (
	ServingV1        = "v1"         // the legacy proxy
	ServingV2        = "v2"         // the API service calls providers itself
	ServingV2Gateway = "v2-gateway" // the API service calls providers through the Gateway
	ServingMixed     = "mixed"      // a half-upgraded fleet: v1 and v2 answer in turn, v1 first
)

// What PATCH does with metadata, the values of DataPlane.Patch (facts: patch-semantics).
const (
	PatchReplace = "replace" // what the second guide relies on
	PatchMerge   = "merge"   // what the spec says
	PatchIgnore  = "ignore"  // accepted and not applied
)

// What becomes of a project id that the org does not have, the values of DataPlane.UnknownProject.
const (
	UnknownProjectRefuse       = "refuse"
	UnknownProjectOrganization = "organization" // as without a project
)

// What a key may do, the values of Key.Role.
const (
	RoleAdmin  = "admin"
	RoleMember = "member" // reads everything, changes no provider secret
)

// Whether the console's Test key reaches the gateway, the values of DataPlane.TestKey.
const (
	TestKeyReaches = "reaches"
	TestKeyCutOff  = "cut-off"
)

// Organization is the one org of a data plane.
type Organization struct {
	ID   string `json:"id"` // uuid
	Name string `json:"name"`
}

// Key is a Braintrust API key of the org. Keys must be unique over all tenants: /api/secret at the root finds the tenant by key.
type Key struct {
	Key    string `json:"key"`
	Role   string `json:"role"`
	UserID string `json:"user_id,omitempty"` // uuid, told as the one who changed a value
}

// DataPlane is the settings of one org's data plane; a change of them keeps what is stored.
type DataPlane struct {
	Organization Organization `json:"organization"`
	Keys         []Key        `json:"keys"`
	Serving      string       `json:"serving"`
	// APIKeyShape is what auth_format api_key looks like on v2 and with Gateway, where facts know it for nobody; empty is ShapeAPIKeyScheme.
	APIKeyShape provider.Shape `json:"api_key_shape,omitempty"`
	// Patch is empty for PatchReplace.
	Patch string `json:"patch,omitempty"`
	// PatchNeedsName refuses a PATCH of an env_var without name, as the spec says and the second guide's command does not.
	PatchNeedsName bool `json:"patch_needs_name,omitempty"`
	// Writes are bad manners around writes.
	Writes Writes `json:"writes,omitzero"`
	// UnknownProject is empty for UnknownProjectRefuse.
	UnknownProject string `json:"unknown_project,omitempty"`
	// TestKey is empty for TestKeyReaches.
	TestKey string `json:"test_key,omitempty"`
	// Listing is what listings do beyond what the API promises.
	Listing Listing `json:"listing,omitzero"`
}
