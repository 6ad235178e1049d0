package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/docker"
	"github.com/planeproof/planeproof/target/process"
)

// The runtimes.
const (
	Auto    = "auto"
	Docker  = "docker"
	Process = "process"
)

// ErrUsage marks an error of whoever asked for the run: a tag expression that does not parse, an impossible option.
var ErrUsage = usage.Err

// ErrUnknownID marks an id of Options.IDs that no scenario has. The text of such an error may be shown as it is.
var ErrUnknownID = errors.New("unknown id")

// starter starts the target of a run.
type starter struct {
	runtime, why string
	start        func(context.Context) (target.Target, error)
}

// String is the runtime and why it was taken.
func (s starter) String() string {
	if s.why == "" {
		return s.runtime
	}
	return s.runtime + " (" + s.why + ")"
}

// check fills in what the options leave open and refuses what cannot be.
func (o *Options) check() error {
	if o.Runtime == "" {
		o.Runtime = Process
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Redactor == nil {
		o.Redactor = &evidence.Redactor{}
	}
	if o.Seed == 0 {
		o.Seed = 1 + rand.Int64N(maxSeed)
	}
	switch {
	case o.Runtime != Auto && o.Runtime != Docker && o.Runtime != Process:
		return fmt.Errorf("%w: runtime %q is not auto, docker or process", ErrUsage, o.Runtime)
	case o.Concurrency < 0:
		return fmt.Errorf("%w: concurrency %d is less than 1", ErrUsage, o.Concurrency)
	case o.Seed < 0:
		return fmt.Errorf("%w: seed %d is less than 1", ErrUsage, o.Seed)
	case o.Proxy != nil && o.Runtime == Docker:
		return fmt.Errorf("%w: a proxy in the middle needs the process runtime", ErrUsage)
	case o.Proxy != nil && o.Target != nil:
		return fmt.Errorf("%w: a proxy in the middle belongs to a target that is started here, and another target is given", ErrUsage)
	case o.Sabotage != "" && o.Target != nil:
		return fmt.Errorf("%w: a sabotage is done to systems that are started here, and another target is given", ErrUsage)
	case o.Proxy != nil && o.Proxy.Check() != nil:
		return fmt.Errorf("%w: %w", ErrUsage, o.Proxy.Check())
	}
	if _, err := o.broken(); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return nil
}

// broken is how the systems are broken on purpose, the zero Sabotage where they are not.
func (o Options) broken() (sabotage.Sabotage, error) {
	if o.Sabotage == "" {
		return sabotage.Sabotage{}, nil
	}
	return sabotage.Find(o.Sabotage)
}

// settle finds out what the options are about: a target that is given, or what `auto` is here, and why, and how it is started.
func (o Options) settle(ctx context.Context) starter {
	switch {
	case o.Target != nil:
		return starter{o.Target.Describe().Runtime, "given", func(context.Context) (target.Target, error) { return o.Target, nil }}
	case o.Proxy != nil:
		return starter{Process, "the proxy at " + o.Proxy.Shown() + " is in the middle", o.inProcess}
	case o.Runtime == Process:
		return starter{Process, "", o.inProcess}
	case o.Runtime == Docker:
		return starter{Docker, "", o.inContainers}
	}
	if err := docker.Available(ctx); err != nil {
		return starter{Process, "auto: " + err.Error(), o.inProcess}
	}
	return starter{Docker, "auto: a docker engine answers", o.inContainers}
}

func (o Options) inProcess(ctx context.Context) (target.Target, error) {
	broken, err := o.broken()
	if err != nil {
		return nil, err
	}
	return process.StartSabotaged(ctx, o.Proxy, broken)
}

func (o Options) inContainers(ctx context.Context) (target.Target, error) {
	return docker.Start(ctx, docker.Options{Sabotage: o.Sabotage})
}
