// Package docker starts the three fakes as containers on a Docker engine of this machine, and removes them again.
package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"golang.org/x/sync/errgroup"

	"github.com/planeproof/planeproof/fakes/tenancy"
)

const (
	startTime = 60 * time.Second // bounds a start, the building of the image aside
	graceTime = 5 * time.Second  // what a call that changes the engine may still take after an interruption
	closeTime = 10 * time.Second // bounds Close
)

// Options shape a start.
type Options struct {
	// Executable is the program to put into the image: a static Linux build of planeproof for the engine's architecture.
	// Empty takes the running executable where it fits, else a cross-build.
	Executable string
	// Sabotage names the way in which the fakes are broken on purpose, empty for none.
	Sabotage string
}

// Cluster is three running containers and the way to them.
type Cluster struct {
	// Routes maps the addresses inside the network (gateway:8080, gateway:8081, …) to the published ports on 127.0.0.1.
	Routes tenancy.Routes

	engine   *engine
	run      string
	token    string // of the control listeners
	sabotage string
	fakes    []*fake
	network  bool            // the engine was asked for the network
	life     context.Context // ends with Close
	stop     context.CancelFunc
}

// Available says whether a start can succeed: nil where a Docker engine of this machine answers and there is a program
// for the containers, else the reason in one line.
func Available(ctx context.Context) error {
	e, err := connect(ctx, address())
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	return buildable(ctx)
}

// start starts the fakes on the engine at host; run names the network and begins the containers' names.
func start(ctx context.Context, host, run string, o Options) (*Cluster, error) {
	e, err := connect(ctx, host)
	if err != nil {
		return nil, err
	}
	c := newCluster(ctx, e, run)
	c.sabotage = o.Sabotage
	if err := c.start(ctx, func(ctx context.Context) (string, error) { return e.image(ctx, o) }); err != nil {
		if left := c.Close(ctx); left != nil {
			return nil, fmt.Errorf("%w; %w", err, left)
		}
		return nil, err
	}
	return c, nil
}

func newCluster(ctx context.Context, e *engine, run string) *Cluster {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &Cluster{Routes: tenancy.Routes{}, engine: e, run: run, token: rand.Text(), life: life, stop: stop}
	for _, system := range systems() {
		c.fakes = append(c.fakes, &fake{system: system, name: run + "-" + system, token: c.token, engine: e, life: life})
	}
	return c
}

func (c *Cluster) start(ctx context.Context, image func(context.Context) (string, error)) error {
	provider, ref, err := c.prepare(ctx, image)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	// A container that ends is removed, and what the engine knew of it with it.
	news := client.Filters{}.Add("label", runLabel+"="+c.run).Add("event", string(events.ActionOOM))
	go noteMemory(c.fakes, c.engine.Events(c.life, client.EventsListOptions{Filters: news}))
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range c.fakes {
		group.Go(func() error { return f.start(ctx, provider, request(f, c.run, ref, c.sabotage)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, f := range c.fakes {
		c.Routes[tenancy.Address(f.system)] = f.data
		c.Routes[tenancy.ControlAddress(f.system)] = f.control
	}
	return nil
}

// prepare does what containers need, side by side: the image, which is built where the engine does not have it, the network, and
// testcontainers' way to the engine, which asks it what it is. What killed runs left is swept meanwhile.
func (c *Cluster) prepare(ctx context.Context, image func(context.Context) (string, error)) (*testcontainers.DockerProvider, string, error) {
	var provider *testcontainers.DockerProvider
	var ref string
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		ref, err = image(ctx)
		return err
	})
	short, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	c.network = true
	group.Go(func() error { return c.engine.createNetwork(short, c.run) })
	group.Go(func() (err error) {
		provider, err = c.engine.provider(short, c.run)
		return err
	})
	group.Go(func() error {
		c.engine.sweep(short, label+"="+mark, time.Now().Add(-sweepAge))
		return nil
	})
	err := group.Wait()
	return provider, ref, err
}

// Output returns what a system's container printed, the last 64 KiB of it, also after its end, which it then tells.
// It was followed from the start, because a container that ends takes its log with it.
func (c *Cluster) Output(_ context.Context, system string) (string, error) {
	for _, f := range c.fakes {
		if f.system == system {
			return f.told(), nil
		}
	}
	return "", fmt.Errorf("read output of %s: no such system", system)
}

// Ended says how a system's container ended, empty while it runs.
func (c *Cluster) Ended(system string) string {
	for _, f := range c.fakes {
		if how := f.fate(); f.system == system && how != "" {
			return "container " + f.name + " " + how
		}
	}
	return ""
}

// Containers returns the containers' names.
func (c *Cluster) Containers() []string {
	var names []string
	for _, f := range c.fakes {
		names = append(names, f.name)
	}
	return names
}

// Close kills and removes the containers, then the network, in at most ten seconds, whether ctx has ended or not. Its error names
// what is left. Closing again removes what was left.
func (c *Cluster) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	failed := make([]error, len(c.fakes))
	var wg sync.WaitGroup
	for i, f := range c.fakes {
		wg.Go(func() { failed[i] = f.remove(ctx) })
	}
	wg.Wait()
	var left []string
	var cause error
	for i, f := range c.fakes {
		if failed[i] != nil {
			left, cause = append(left, "container "+f.name), failed[i]
		}
	}
	if c.network {
		if err := c.engine.removeNetwork(ctx, c.run); err != nil {
			left = append(left, "network "+c.run)
			cause = errors.Join(cause, err)
		}
	}
	c.stop()
	for _, f := range c.fakes {
		f.forget()
	}
	_ = c.engine.Close() // drops idle connections
	return leftover(left, cause)
}

func leftover(left []string, cause error) error {
	if cause == nil {
		return nil
	}
	reason, _, _ := strings.Cut(cause.Error(), "\n") // one line; the others have the same cause
	return fmt.Errorf("remove containers: %s; left: %s; what runs ends itself within %s, a later start removes the rest",
		reason, strings.Join(left, ", "), lease)
}
