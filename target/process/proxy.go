package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// Proxy is a running AI proxy of somebody else's that takes the place of the fake legacy proxy. It gets its credentials from our
// data plane's /api/secret, and must have been told to before.
type Proxy struct {
	// URL is the base to which request paths such as /chat/completions are added.
	URL string
	// DataPlaneAddr is the HOST:PORT on which our data plane listens for it.
	DataPlaneAddr string
	// Generation is what the proxy is said to be, empty where nobody said.
	Generation provider.Generation
}

// Shown is the proxy's URL as it may be shown.
func (p Proxy) Shown() string { return evidence.MaskURL(p.URL) }

// Check refuses a proxy that cannot be one. Its error quotes nothing of a URL that may hold a credential.
func (p Proxy) Check() error {
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "":
		return errors.New("the proxy's URL is not http://HOST:PORT/…")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the proxy's URL has a user, a query or a fragment: it is a base to which paths are added")
	}
	if host, port, err := net.SplitHostPort(p.DataPlaneAddr); err != nil || host == "" || port == "" {
		return fmt.Errorf("the data plane's address %q is not HOST:PORT", p.DataPlaneAddr)
	}
	if p.Generation == "" {
		return nil
	}
	_, err = provider.ParseGeneration(string(p.Generation))
	return err
}

// reach returns the proxy's address after connecting to it once: of a proxy that is not there nothing can be judged.
func (p Proxy) reach(ctx context.Context) (string, error) {
	if err := p.Check(); err != nil {
		return "", err
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return "", err
	}
	address := u.Host
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("reach the proxy in the middle: %w", err)
	}
	_ = conn.Close() // nothing was sent
	return address, nil
}

// lacks are the capabilities that a proxy of somebody else's takes away.
func (p Proxy) lacks() map[target.Capability]string {
	const reason = "the proxy in the middle is not ours: "
	return map[target.Capability]string{
		target.Logs:         reason + "its log cannot be read",
		target.Upgrade:      reason + "it cannot be upgraded",
		target.ProjectCalls: reason + "/api/secret hands it no project's secrets",
	}
}

// serve is the data plane as a scenario wants it with this proxy behind, which can be taken for what it is: v2 without Gateway is like the
// current proxy, and v1 is said with a generation (facts: v2-and-gateway).
func (p Proxy) serve(all settings.Settings) (settings.DataPlane, error) {
	const reason = "the proxy in the middle is what it is: "
	plane, generation := all.DataPlane, all.LegacyProxy.Generation
	switch {
	case plane.Serving == settings.ServingV1 && generation != p.Generation:
		return plane, &target.NotSupported{Reason: fmt.Sprintf("%sit cannot be put on v1 (%s)", reason, generation)}
	case plane.Serving != settings.ServingV1 && plane.Serving != settings.ServingV2:
		return plane, &target.NotSupported{Reason: reason + "it cannot be put on " + plane.Serving}
	case plane.APIKeyShape != "" && plane.APIKeyShape != provider.ShapeAPIKeyScheme:
		return plane, &target.NotSupported{Reason: fmt.Sprintf("%sit cannot be told to send api_key as %q", reason, plane.APIKeyShape)}
	}
	plane.Serving = settings.ServingV1
	return plane, nil
}
