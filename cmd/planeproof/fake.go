package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/internal/usage"
)

// fakeFlags are the flags of `planeproof fake`.
type fakeFlags struct {
	addr, control, tenant  string
	dataPlane, legacyProxy string
	dial                   []string
	lease                  time.Duration
	sabotage               string
}

// putter is a fake that takes a tenant document.
type putter interface {
	tenancy.Fake
	Put(document []byte) error
	PrintLog(w io.Writer)
}

func newFake(t terminal) *cobra.Command {
	var f fakeFlags
	cmd := &cobra.Command{
		Use:   "fake gateway|data-plane|legacy-proxy",
		Short: "Serve one of the fakes",
		Long: `Fake serves one of the three systems until it is told to stop. What it serves belongs to tenants: the first segment of every path is
a tenant's id, and tenants are made by the file behind --tenant or on the control listener. A fake dials no address that
was not named with --dial.`,
		Example: `  planeproof fake gateway --tenant examples/gateway.json
  planeproof fake data-plane --addr 127.0.0.1:8090 --control 127.0.0.1:8091 --tenant examples/data-plane.json --dial 127.0.0.1:8080`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"gateway", "data-plane", "legacy-proxy"},
		RunE:      func(cmd *cobra.Command, args []string) error { return f.serve(cmd.Context(), t, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "address of the data port")
	flags.StringVar(&f.control, "control", "127.0.0.1:8081", "address of the control listener")
	flags.StringVar(&f.tenant, "tenant", "", "file with one tenant document (docs/fakes.md)")
	flags.StringArrayVar(&f.dial, "dial", nil, "HOST:PORT that may be dialled, or HOST:PORT=HOST:PORT to reach it elsewhere; repeatable")
	flags.StringVar(&f.dataPlane, "data-plane", tenancy.URL("data-plane"), "base URL from which the legacy proxy gets its secrets")
	flags.StringVar(&f.legacyProxy, "legacy-proxy", tenancy.LegacyProxyBase, "base URL of the legacy proxy that a data plane on v1 uses; {tenant} stands for the tenant's id")
	flags.DurationVar(&f.lease, "lease", 0, "end when the control listener was not asked to renew the lease for so long; 0 never ends")
	flags.StringVar(&f.sabotage, "sabotage", "", "break the fake on purpose: a name of planeproof run --list-sabotages")
	return cmd
}

func (f fakeFlags) serve(ctx context.Context, t terminal, name string) error {
	fake, err := f.make(name, t.err)
	if err != nil {
		return fmt.Errorf("%w: %w", usage.Err, err)
	}
	var config net.ListenConfig
	data, err := config.Listen(ctx, "tcp", f.addr)
	if err != nil {
		return infrastructure(fmt.Errorf("serve %s: %w", name, err))
	}
	control, err := config.Listen(ctx, "tcp", f.control)
	if err != nil {
		_ = data.Close()
		return infrastructure(fmt.Errorf("serve control of %s: %w", name, err))
	}
	_, _ = fmt.Fprintf(t.out, "%s: data http://%s  control http://%s\n", name, data.Addr(), control.Addr())
	switch err := tenancy.Run(ctx, fake, data, control, f.lease); {
	case errors.Is(err, tenancy.ErrLease):
		_, _ = fmt.Fprintf(t.out, "%s: ended: %v for %s\n", name, err, f.lease)
		return nil
	case err != nil:
		return infrastructure(err)
	}
	return nil
}

// make builds the fake with its routes and, where a file is given, its tenant.
func (f fakeFlags) make(name string, log io.Writer) (putter, error) {
	routes := tenancy.Routes{}
	for _, address := range f.dial {
		name, behind, elsewhere := strings.Cut(address, "=")
		if !elsewhere {
			behind = name
		}
		for _, part := range []string{name, behind} {
			if _, _, err := net.SplitHostPort(part); err != nil {
				return nil, fmt.Errorf("--dial %q is not HOST:PORT: %w", address, err)
			}
		}
		routes[name] = behind
	}
	broken, err := findSabotage(f.sabotage)
	if err != nil {
		return nil, err
	}
	fake := f.tenants(name, routes, broken)
	fake.PrintLog(log)
	if f.tenant == "" {
		return fake, nil
	}
	document, err := os.ReadFile(f.tenant)
	if err != nil {
		return nil, fmt.Errorf("read --tenant: %w", err)
	}
	return fake, fake.Put(document)
}

// tenants is the host of one system's tenants, broken as it is said.
func (f fakeFlags) tenants(name string, routes tenancy.Routes, broken sabotage.Sabotage) putter {
	switch name {
	case "gateway":
		host := gateway.NewTenants()
		host.Tamper(broken.Gateway)
		return host
	case "data-plane":
		host := dataplane.NewTenants(routes, f.legacyProxy)
		host.Tamper(broken.DataPlane)
		return host
	default:
		host := legacyproxy.NewTenants(routes, f.dataPlane)
		host.Tamper(broken.LegacyProxy)
		return host
	}
}
