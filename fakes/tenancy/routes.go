package tenancy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Routes are the addresses that may be dialled, host:port as written in URLs, each with the address behind it. In containers both are
// the same; in one process the second is a loopback port, so that both runtimes use the same URLs.
type Routes map[string]string

// Dial connects to a known address and refuses every other one, by rule and not by chance.
func (r Routes) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	behind, known := r[address]
	if !known {
		return nil, fmt.Errorf("dial %s: not one of the addresses given at start", address)
	}
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, network, behind)
		// Where this process has no descriptor left, that is no answer of the system: whoever waits for one learns it by its own deadline.
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(descriptorPause):
		}
	}
}

// descriptorPause is how long a dial waits for a descriptor before it tries again.
const descriptorPause = 20 * time.Millisecond

// Client is an HTTP client that reaches these addresses and no others, uses no proxy, and returns redirects instead of following
// them: no credential is carried to another host.
func (r Routes) Client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         r.Dial,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
