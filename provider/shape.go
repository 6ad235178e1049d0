package provider

import (
	"fmt"
	"strings"
)

// Shape is how a credential travels in a request.
type Shape string

// The shapes (facts: gateway-shape; upstream gateways as seen in the wild).
const (
	ShapeBearer       Shape = "bearer"                // Authorization: Bearer x
	ShapeAPIKeyScheme Shape = "authorization-api-key" // Authorization: Api-Key x
	ShapeBare         Shape = "authorization-bare"    // Authorization: x
	ShapeAPIKey       Shape = "api-key"               // api-key: x
	ShapeXAPIKey      Shape = "x-api-key"             // x-api-key: x
	ShapeApikey       Shape = "apikey"                // apikey: x
	ShapeNone         Shape = "none"                  // no credential
)

// Shapes lists all of them.
func Shapes() []Shape {
	return []Shape{ShapeBearer, ShapeAPIKeyScheme, ShapeBare, ShapeAPIKey, ShapeXAPIKey, ShapeApikey, ShapeNone}
}

// Words is the shape as sentences name it, such as `Authorization: Bearer`.
func (s Shape) Words() string {
	switch s {
	case ShapeBearer:
		return "Authorization: Bearer"
	case ShapeAPIKeyScheme:
		return "Authorization: Api-Key"
	case ShapeBare:
		return "Authorization: bare"
	case ShapeNone:
		return "nothing"
	case "":
		return "another form"
	default: // named like its header
		return string(s)
	}
}

// ParseShape reads what Words writes.
func ParseShape(words string) (Shape, error) {
	for _, s := range Shapes() {
		if s.Words() == words {
			return s, nil
		}
	}
	return "", fmt.Errorf("no shape of a credential is called %q", words)
}

// ShapeOf is the shape of a credential that was seen in a header, in lower case, after a scheme, if it had one; empty for any other form.
func ShapeOf(header, scheme string) Shape {
	switch {
	case header != "authorization":
		for _, s := range []Shape{ShapeAPIKey, ShapeXAPIKey, ShapeApikey} {
			if header == string(s) {
				return s
			}
		}
	case strings.EqualFold(scheme, "Bearer"):
		return ShapeBearer
	case strings.EqualFold(scheme, "Api-Key"):
		return ShapeAPIKeyScheme
	case scheme == "":
		return ShapeBare
	}
	return ""
}
