package routing

import (
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// Rules says in what one proxy differs from another.
type Rules struct {
	// Schema is the generation with which project secrets are read; empty for a proxy that checks none (guide:
	// project-override-on-legacy-proxy, Gateway has no Zod schema).
	Schema provider.Generation
	// Sends is the generation that decides credential, URL and response headers.
	Sends provider.Generation
	// APIKey is the shape for auth_format api_key; empty means ShapeAPIKeyScheme.
	APIKey provider.Shape
	// Variant is who serves the open-source proxy's code: one of settings' Variant constants, empty for what the guides describe.
	Variant string
	// DefaultBase takes the place of every provider's default base, where it is not empty.
	DefaultBase string
	// Closed says that the rules are those assumed of the Gateway: upstream errors go through as they are, and what the open-source proxy was
	// seen to do elsewhere is not said of it.
	Closed bool
}

// url is what is called for a request to a path.
func (r Rules) url(s provider.Secret, model, path string) string {
	called := provider.EndpointFor(r.Sends, s, model, path)
	if rest, ok := provider.AtDefaultBase(called); ok && r.DefaultBase != "" {
		return r.DefaultBase + rest
	}
	return called
}

// Open returns the rules of the open-source proxy at one generation, with the given shape for auth_format api_key.
func Open(g provider.Generation, shape provider.Shape) Rules {
	return Rules{Schema: g, Sends: g, APIKey: shape}
}

// Gateway returns the rules assumed of the closed-source Gateway: no schema, Bearer without auth_format, errors passed raw
// (facts: gateway-unknown).
func Gateway(shape provider.Shape) Rules {
	return Rules{Sends: provider.Current202608, APIKey: shape, Closed: true}
}

// credential returns the header that authenticates the proxy upstream; ok is false where none is sent.
func (r Rules) credential(s provider.Secret) (header, value string, ok bool) {
	header, value, ok = provider.Credential(r.Sends, s)
	rest, isKey := strings.CutPrefix(value, "Api-Key")
	if !isKey {
		return header, value, ok
	}
	token := strings.TrimPrefix(rest, " ")
	switch r.APIKey {
	case provider.ShapeBare:
		return header, token, ok
	case provider.ShapeAPIKey, provider.ShapeXAPIKey:
		return string(r.APIKey), token, ok
	}
	return header, value, ok
}
