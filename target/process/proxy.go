package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/planeproof/planeproof/target"
)

// Proxy is a running AI proxy of somebody else's that takes the place of the fake legacy proxy. It gets its credentials from our
// data plane's /api/secret, and must have been told to before.
type Proxy struct {
	// URL is the base to which request paths such as /chat/completions are added.
	URL string
	// DataPlaneAddr is the HOST:PORT on which our data plane listens for it.
	DataPlaneAddr string
}

// address is the host:port of the proxy's URL.
func (p Proxy) address() (string, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", errors.New("the proxy's URL is not http://HOST:PORT/…")
	}
	return u.Host, nil
}

// reach returns the proxy's address after connecting to it once: of a proxy that is not there nothing can be judged.
func (p Proxy) reach(ctx context.Context) (string, error) {
	address, err := p.address()
	if err != nil {
		return "", err
	}
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
		target.Logs:             reason + "its log cannot be read",
		target.ChooseGeneration: reason + "its generation cannot be chosen",
		target.Upgrade:          reason + "it cannot be upgraded",
		target.ProjectWrites:    reason + "/api/secret hands it no project's secrets",
	}
}
