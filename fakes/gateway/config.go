package gateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// Config is what a gateway is made from.
type Config = settings.Gateway

// config is settings with what follows from them.
type config Config

// check refuses settings under which the gateway would do something else than what they seem to say.
func (c config) check() error {
	if c.Auth != "" && (c.Auth == provider.ShapeBare || !slices.Contains(provider.Shapes(), c.Auth)) {
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
func (c config) resolved() (config, *personality) {
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

func (c config) knows(model string) bool { return slices.Contains(c.Models, model) }
