package dataplane

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// Config is what a data plane is made from, Organization and Key are parts of it.
type (
	Config       = settings.DataPlane
	Organization = settings.Organization
	Key          = settings.Key
)

// The values of settings, as they are told there.
const (
	ServingV1        = settings.ServingV1
	ServingV2        = settings.ServingV2
	ServingV2Gateway = settings.ServingV2Gateway
	ServingMixed     = settings.ServingMixed

	PatchReplace = settings.PatchReplace
	PatchMerge   = settings.PatchMerge
	PatchIgnore  = settings.PatchIgnore

	UnknownProjectRefuse       = settings.UnknownProjectRefuse
	UnknownProjectOrganization = settings.UnknownProjectOrganization

	TestKeyReaches = settings.TestKeyReaches
	TestKeyCutOff  = settings.TestKeyCutOff

	RoleAdmin  = settings.RoleAdmin
	RoleMember = settings.RoleMember
)

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
	if err := checkListing(c.Listing); err != nil {
		return err
	}
	for _, setting := range []struct {
		name, value string
		allowed     []string
	}{
		{"serving", c.Serving, []string{ServingV1, ServingV2, ServingV2Gateway, ServingMixed}},
		{"api_key_shape", string(c.APIKeyShape), []string{"", string(provider.ShapeAPIKeyScheme), string(provider.ShapeBare),
			string(provider.ShapeAPIKey), string(provider.ShapeXAPIKey)}},
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
func find(c Config, key string) (Key, bool) {
	i := slices.IndexFunc(c.Keys, func(k Key) bool { return k.Key == key })
	if i < 0 {
		return Key{}, false
	}
	return c.Keys[i], true
}

// isUUID takes the one form that the spec's format means; uuid.Validate alone takes others too.
func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
