package dataplane

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Who serves /v1/proxy/*, the values of Config.Serving (facts: v2 and Gateway are not the same).
const (
	ServingV1        = "v1"         // the legacy proxy
	ServingV2        = "v2"         // the API service calls providers itself
	ServingV2Gateway = "v2-gateway" // the API service calls providers through the Gateway
	ServingMixed     = "mixed"      // a half-upgraded fleet: v1 and v2 answer in turn, v1 first
)

// What auth_format api_key looks like on the wire where facts know it for nobody, the values of Config.APIKeyShape.
const (
	ShapeAuthorizationAPIKey = "authorization-api-key" // Authorization: Api-Key x
	ShapeAuthorizationBare   = "authorization-bare"    // Authorization: x
	ShapeAPIKey              = "api-key"               // api-key: x
	ShapeXAPIKey             = "x-api-key"             // x-api-key: x
)

// What PATCH does with metadata, the values of Config.Patch (facts: PATCH, the spec and the second guide contradict each other).
const (
	PatchReplace = "replace" // what the second guide relies on
	PatchMerge   = "merge"   // what the spec says
	PatchIgnore  = "ignore"  // accepted and not applied
)

// What becomes of a project id that the org does not have, the values of Config.UnknownProject.
const (
	UnknownProjectRefuse       = "refuse"
	UnknownProjectOrganization = "organization" // as without a project
)

// What a key may do, the values of Key.Role.
const (
	RoleAdmin  = "admin"
	RoleMember = "member" // reads everything, changes no provider secret
)

// Organization is the one org of a tenant.
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

// Config is the settings of one tenant; a change of them keeps what is stored.
type Config struct {
	Organization Organization `json:"organization"`
	Keys         []Key        `json:"keys"`
	Serving      string       `json:"serving"`
	// APIKeyShape holds on v2 and with Gateway; empty is ShapeAuthorizationAPIKey.
	APIKeyShape string `json:"api_key_shape,omitempty"`
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

// check refuses settings that would make the fake answer something that no data plane answers.
func check(c Config) error {
	if !isUUID(c.Organization.ID) {
		return fmt.Errorf("organization id %q is not a uuid", c.Organization.ID)
	}
	if c.Organization.Name == "" {
		return errors.New("organization has no name")
	}
	if err := checkKeys(c.Keys); err != nil {
		return err
	}
	if err := c.Listing.check(); err != nil {
		return err
	}
	for _, setting := range []struct {
		name, value string
		allowed     []string
	}{
		{"serving", c.Serving, []string{ServingV1, ServingV2, ServingV2Gateway, ServingMixed}},
		{"api_key_shape", c.APIKeyShape, []string{"", ShapeAuthorizationAPIKey, ShapeAuthorizationBare, ShapeAPIKey, ShapeXAPIKey}},
		{"patch", c.Patch, []string{"", PatchReplace, PatchMerge, PatchIgnore}},
		{"unknown_project", c.UnknownProject, []string{"", UnknownProjectRefuse, UnknownProjectOrganization}},
		{"test_key", c.TestKey, []string{"", TestKeyReaches, TestKeyCutOff}},
	} {
		if !slices.Contains(setting.allowed, setting.value) {
			return fmt.Errorf("%s is %q, want one of %q", setting.name, setting.value, setting.allowed)
		}
	}
	return nil
}

// checkKeys names a bad key by its place: the key itself is a secret.
func checkKeys(keys []Key) error {
	for i, k := range keys {
		switch {
		case k.Key == "":
			return fmt.Errorf("key %d is empty", i)
		case slices.ContainsFunc(keys[:i], func(o Key) bool { return o.Key == k.Key }):
			return fmt.Errorf("key %d stands twice", i)
		case k.Role != RoleAdmin && k.Role != RoleMember:
			return fmt.Errorf("role of key %d is %q, want %q or %q", i, k.Role, RoleAdmin, RoleMember)
		case k.UserID != "" && !isUUID(k.UserID):
			return fmt.Errorf("user_id of key %d is not a uuid", i)
		}
	}
	return nil
}

// find returns the key of that text.
func (c Config) find(key string) (Key, bool) {
	i := slices.IndexFunc(c.Keys, func(k Key) bool { return k.Key == key })
	if i < 0 {
		return Key{}, false
	}
	return c.Keys[i], true
}

// isUUID takes the one form that the spec's format means; uuid.Validate alone takes others too.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
