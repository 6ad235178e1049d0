package gateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How a gateway wants its credential (facts: upstream gateways as seen in the wild).
const (
	// AuthBearer is `Authorization: Bearer <token>` after RFC 6750, the default.
	AuthBearer = "bearer"
	// AuthAuthorizationAPIKey is `Authorization: Api-Key <token>`.
	AuthAuthorizationAPIKey = "authorization-api-key"
	// AuthXAPIKey is `x-api-key: <token>`.
	AuthXAPIKey = "x-api-key"
	// AuthAPIKey is `api-key: <token>`.
	AuthAPIKey = "api-key"
	// AuthApikey is `apikey: <token>`.
	AuthApikey = "apikey"
	// AuthNone asks for no credential.
	AuthNone = "none"
)

// Config is the settings of one tenant.
type Config struct {
	// Personality is one of the Personality constants, empty for none; the settings below that are given rule over it.
	Personality string `json:"personality,omitempty"`
	// Auth is one of the Auth constants, empty for AuthBearer.
	Auth string `json:"auth,omitempty"`
	// Tokens are accepted; Forbidden are known but may do nothing, which is a 403.
	Tokens    []string `json:"tokens,omitempty"`
	Forbidden []string `json:"forbidden,omitempty"`
	// Models are the ids of the models served.
	Models []string `json:"models,omitempty"`
	// Serve are the path prefixes served, nil for "" and "/v1" (facts: vLLM serves one, LiteLLM both).
	Serve []string `json:"serve,omitempty"`
	// UnservedStatus answers every path that is not served: a 4xx, 0 for 404 (facts: some answer 401).
	UnservedStatus int `json:"unserved_status,omitempty"`
	// OpenModels lets anyone list models (facts: some leave /v1/models open).
	OpenModels bool `json:"open_models,omitempty"`
}

// check refuses settings under which the gateway would do something else than what they seem to say.
func (c Config) check() error {
	if !slices.Contains([]string{"", AuthBearer, AuthAuthorizationAPIKey, AuthXAPIKey, AuthAPIKey, AuthApikey, AuthNone}, c.Auth) {
		return fmt.Errorf("auth %q is unknown", c.Auth)
	}
	if _, known := personalities()[c.Personality]; c.Personality != "" && !known {
		return fmt.Errorf("personality %q is unknown, want one of %q", c.Personality, slices.Sorted(maps.Keys(personalities())))
	}
	for _, token := range slices.Concat(c.Tokens, c.Forbidden) {
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("a token is empty or has white space or control characters, so no request can carry it")
		}
		if knownScheme(token) != "" {
			return fmt.Errorf("a token is the name of a scheme")
		}
		if slices.Contains(c.Tokens, token) && slices.Contains(c.Forbidden, token) {
			return fmt.Errorf("a token is both accepted and forbidden")
		}
	}
	if slices.Contains(c.Models, "") {
		return fmt.Errorf("a model has no id")
	}
	for _, prefix := range c.Serve {
		if prefix != "" && (!strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/")) {
			return fmt.Errorf("prefix %q is neither empty nor begins with a slash and ends without one", prefix)
		}
	}
	if c.UnservedStatus != 0 && (c.UnservedStatus < 400 || c.UnservedStatus > 499) {
		return fmt.Errorf("unserved_status %d is not a 4xx", c.UnservedStatus)
	}
	return nil
}

// resolved fills what the settings leave open from their personality, which is nil where they have none.
func (c Config) resolved() (Config, *personality) {
	if c.Personality == "" {
		return c, nil
	}
	p := personalities()[c.Personality]
	c.Auth = cmp.Or(c.Auth, p.settings.Auth)
	c.OpenModels = c.OpenModels || p.settings.OpenModels
	if c.Serve == nil {
		c.Serve = p.settings.Serve
	}
	return c, &p
}

func (c Config) knows(model string) bool { return slices.Contains(c.Models, model) }
