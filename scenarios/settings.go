package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/stack"
)

// NotSupported is the error of a step that asks the stack for something it cannot do.
type NotSupported struct{ Reason string }

func (e *NotSupported) Error() string { return e.Reason }

// Serve puts the data plane on `v2`, `v2 with Gateway`, or `v1 (<generation of the legacy proxy>)`; what it stores stays.
func (w *World) Serve(ctx context.Context, plane string) error {
	config := &w.Tenant.DataPlane
	if w.Stack.ProxyURL != "" && plane != "v2" {
		return &NotSupported{Reason: "the proxy in the middle is what it is: it cannot be put on " + plane}
	}
	switch plane {
	case "v2":
		config.Serving = dataplane.ServingV2
		if w.Stack.ProxyURL != "" {
			config.Serving = dataplane.ServingV1 // which passes calls on to the proxy
		}
	case "v2 with Gateway":
		config.Serving = dataplane.ServingV2Gateway
	default:
		name := strings.TrimSuffix(strings.TrimPrefix(plane, "v1 ("), ")")
		generation, err := provider.ParseGeneration(name)
		if err != nil {
			return fmt.Errorf("serve data plane: %w", err)
		}
		config.Serving = dataplane.ServingV1
		w.Tenant.LegacyProxy.Generation = generation
	}
	return w.Apply(ctx)
}

// ServeHalf puts one half of the data plane's instances on v1 with that generation of the legacy proxy and the other on v2; they answer
// in turn.
func (w *World) ServeHalf(ctx context.Context, generation string) error {
	parsed, err := provider.ParseGeneration(generation)
	if err != nil {
		return fmt.Errorf("serve data plane: %w", err)
	}
	w.Tenant.LegacyProxy.Generation = parsed
	w.Tenant.DataPlane.Serving = dataplane.ServingMixed
	return w.Apply(ctx)
}

// CutConsoleOff keeps the console's Test key from reaching the gateway.
func (w *World) CutConsoleOff(ctx context.Context) error {
	w.Tenant.DataPlane.TestKey = dataplane.TestKeyCutOff
	return w.Apply(ctx)
}

// Shape is how a credential travels, in the words of the features.
type Shape string

// The shapes (facts: wire shapes of auth_format api_key).
const (
	Bearer          Shape = "Authorization: Bearer"
	APIKeyScheme    Shape = "Authorization: Api-Key"
	BareToken       Shape = "Authorization: bare"
	APIKeyHeader    Shape = "api-key"
	XAPIKeyHeader   Shape = "x-api-key"
	Nothing         Shape = "nothing"
	unexpectedShape Shape = "another form"
)

// ShapeOf says in which shape a credential was seen.
func ShapeOf(c evidence.Credential) Shape {
	switch {
	case c.Header == "authorization" && strings.EqualFold(c.Scheme, "Bearer"):
		return Bearer
	case c.Header == "authorization" && strings.EqualFold(c.Scheme, "Api-Key"):
		return APIKeyScheme
	case c.Header == "authorization" && c.Scheme == "":
		return BareToken
	case c.Header == "api-key":
		return APIKeyHeader
	case c.Header == "x-api-key":
		return XAPIKeyHeader
	default:
		return unexpectedShape
	}
}

// SendAPIKeyAs sets the shape in which a data plane on v2 sends a secret whose auth_format is api_key.
func (w *World) SendAPIKeyAs(ctx context.Context, shape Shape) error {
	setting, known := map[Shape]string{
		APIKeyScheme:  dataplane.ShapeAuthorizationAPIKey,
		BareToken:     dataplane.ShapeAuthorizationBare,
		APIKeyHeader:  dataplane.ShapeAPIKey,
		XAPIKeyHeader: dataplane.ShapeXAPIKey,
	}[shape]
	if !known {
		return fmt.Errorf("send api_key: no shape %q", shape)
	}
	w.Tenant.DataPlane.APIKeyShape = setting
	return w.Apply(ctx)
}

// AnswerUnknownProjects sets whether a project id that the data plane does not know is refused or gets the org's credential.
func (w *World) AnswerUnknownProjects(ctx context.Context, refuse bool) error {
	w.Tenant.DataPlane.UnknownProject = dataplane.UnknownProjectOrganization
	if refuse {
		w.Tenant.DataPlane.UnknownProject = dataplane.UnknownProjectRefuse
	}
	return w.Apply(ctx)
}

// Patches sets how the control API treats PATCH; which way holds is not known (facts: the API).
func (w *World) Patches(ctx context.Context, how string) error {
	config := &w.Tenant.DataPlane
	switch how {
	case "ignores metadata in PATCH":
		config.Patch = dataplane.PatchIgnore
	case "merges metadata in PATCH":
		config.Patch = dataplane.PatchMerge
	case "wants a name in PATCH":
		config.PatchNeedsName = true
	default:
		return fmt.Errorf("set PATCH: no way %q", how)
	}
	return w.Apply(ctx)
}

// AcceptOnly sets the one shape of credential that the gateway accepts.
func (w *World) AcceptOnly(ctx context.Context, shape Shape) error {
	mode, known := map[Shape]string{
		Bearer:        gateway.AuthBearer,
		APIKeyScheme:  gateway.AuthAuthorizationAPIKey,
		APIKeyHeader:  gateway.AuthAPIKey,
		XAPIKeyHeader: gateway.AuthXAPIKey,
		Nothing:       gateway.AuthNone,
	}[shape]
	if !known {
		return fmt.Errorf("accept credentials: no shape %q", shape)
	}
	w.Tenant.Gateway.Auth = mode
	return w.Apply(ctx)
}

// ServeOnly makes the gateway serve one of the paths /models and /v1/models and answer status on the other.
func (w *World) ServeOnly(ctx context.Context, path string, status int) error {
	w.Tenant.Gateway.Serve = []string{strings.TrimSuffix(path, "/models")}
	w.Tenant.Gateway.UnservedStatus = status
	return w.Apply(ctx)
}

// ServeModel lets the gateway know a model.
func (w *World) ServeModel(ctx context.Context, model string) error {
	for _, known := range w.Tenant.Gateway.Models {
		if known == model {
			return nil
		}
	}
	w.Tenant.Gateway.Models = append(w.Tenant.Gateway.Models, model)
	return w.Apply(ctx)
}

// AnswerWith makes the gateway give one answer to the next requests, in place of its own; times 0 is all of them.
func (w *World) AnswerWith(ctx context.Context, times, status int, header map[string]string, body string) error {
	return w.Stack.SetFaults(ctx, stack.Gateway(), w.Tenant.ID,
		tenancy.Fault{Times: times, Status: status, Header: header, Body: body})
}

// Forbid makes the gateway know a token and allow it nothing.
func (w *World) Forbid(ctx context.Context, s *Secret) error {
	w.Tenant.Gateway.Forbidden = append(w.Tenant.Gateway.Forbidden, s.Token)
	return w.Revoke(ctx, s)
}

// OpenModels makes the gateway list its models to anyone.
func (w *World) OpenModels(ctx context.Context) error {
	w.Tenant.Gateway.OpenModels = true
	return w.Apply(ctx)
}

// Silence makes the gateway take requests and never answer.
func (w *World) Silence(ctx context.Context) error {
	return w.Stack.SetFaults(ctx, stack.Gateway(), w.Tenant.ID, tenancy.Fault{Hang: true})
}
