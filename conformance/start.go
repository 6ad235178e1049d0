package conformance

import (
	"context"
	"fmt"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/stack"
	"github.com/planeproof/planeproof/stack/docker"
	"github.com/planeproof/planeproof/stack/process"
)

// The runtimes.
const (
	Auto    = "auto"
	Docker  = "docker"
	Process = "process"
)

// starter starts stacks of one runtime, the run's own and those of scenarios that want systems of their own.
type starter struct {
	runtime, why string
	proxy        *process.Proxy
	start        func(context.Context) (*stack.Stack, error)
}

// String is the runtime and why it was taken.
func (s starter) String() string {
	if s.why == "" {
		return s.runtime
	}
	return s.runtime + " (" + s.why + ")"
}

// settle finds out what `auto` is, and why, and how a stack is started; a start that was given stays.
func (s *starter) settle(ctx context.Context) error {
	if s.start != nil {
		return nil
	}
	if s.proxy != nil {
		if s.runtime == Docker {
			return fmt.Errorf("%w: a proxy in the middle needs the process runtime", ErrUsage)
		}
		s.runtime, s.why = Process, "the proxy at "+s.proxy.URL+" is in the middle"
	}
	if s.runtime == Auto || s.runtime == "" {
		if err := docker.Available(ctx); err != nil {
			s.runtime, s.why = Process, "auto: "+err.Error()
		} else {
			s.runtime, s.why = Docker, "auto: a docker engine answers"
		}
	}
	switch s.runtime {
	case Docker:
		s.start = startDocker
	case Process:
		s.start = func(ctx context.Context) (*stack.Stack, error) { return process.Start(ctx, s.proxy) }
	default:
		return fmt.Errorf("%w: runtime %q is not auto, docker or process", ErrUsage, s.runtime)
	}
	return nil
}

// startDocker makes a stack of three containers.
func startDocker(ctx context.Context) (*stack.Stack, error) {
	cluster, err := docker.Start(ctx, docker.Options{})
	if err != nil {
		return nil, err
	}
	routes := stack.ClosedRoute()
	for address, behind := range cluster.Routes {
		routes[address] = behind
	}
	return containers(cluster, routes), nil
}

func containers(cluster *docker.Cluster, routes tenancy.Routes) *stack.Stack {
	client := routes.Client()
	return &stack.Stack{
		Runtime: Docker,
		Client:  client, GatewayURL: stack.Gateway().URL,
		Output: cluster.Output,
		Close: func(ctx context.Context) error {
			client.CloseIdleConnections()
			return cluster.Close(ctx)
		},
	}
}
