package conformance

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/process"
)

// hung bounds what a test waits for: a bound on a hang, not on speed.
const hung = 30 * time.Second

var errNoLuck = errors.New("no such luck")

// doctored is a feature file of the given scenarios.
func doctored(scenarios string) fs.FS {
	return fstest.MapFS{"bearer/doctored.feature": {Data: []byte("Feature: doctored\n" + scenarios)}}
}

// phrases are the suite's own and a few that do as they say, with what a test adds.
func phrases(more ...func(steps.Binder)) func(steps.Binder) {
	return func(b steps.Binder) {
		steps.Bind(b)
		b.Given(`^all is well$`, func(*steps.Steps, context.Context) error { return nil })
		b.Given(`^it cannot be had$`, func(*steps.Steps, context.Context) error { return errNoLuck })
		b.Given(`^it is not as it should be$`, func(*steps.Steps, context.Context) error {
			return &evidence.Mismatch{What: "it", Expected: "one", Actual: "other"}
		})
		b.When(`^it is done$`, func(*steps.Steps, context.Context) error { return nil })
		b.When(`^the remedy gives way$`, func(*steps.Steps, context.Context) error {
			return &evidence.Mismatch{What: "what came of it", Expected: "a result", Actual: "an error"}
		})
		b.When(`^it panics$`, func(*steps.Steps, context.Context) error { panic("out of luck") })
		b.When(`^it has two meanings$`, func(*steps.Steps, context.Context) error { return nil })
		b.When(`^it has (?:two) meanings$`, func(*steps.Steps, context.Context) error { return nil })
		b.When(`^the systems end$`, func(_ *steps.Steps, ctx context.Context) error { return ctx.Value(running{}).(*running).Close(ctx) })
		b.When(`^the gateway is asked too often$`, func(s *steps.Steps, ctx context.Context) error { return ask(ctx, s, 1025) })
		b.Then(`^it holds$`, func(*steps.Steps, context.Context) error { return nil })
		b.Then(`^it does not hold$`, func(*steps.Steps, context.Context) error {
			return &evidence.Mismatch{What: "it", Expected: "one", Actual: "other"}
		})
		b.Then(`^it cannot be seen$`, func(*steps.Steps, context.Context) error { return errNoLuck })
		for _, add := range more {
			add(b)
		}
	}
}

// running is the target of a run, for phrases that do something to it.
type running struct{ target.Target }

// bare is a client that leaves no trace in the World.
func bare(ctx context.Context) *http.Client {
	share, _ := ctx.Value(running{}).(*running).Open(ctx, target.Scenario{ID: "t-0000000000000000"})
	return share.Reach().Client
}

// ask lists the gateway's models as nobody's client: what it keeps of them is the gateway's journal only.
func ask(ctx context.Context, s *steps.Steps, times int) error {
	for range times {
		answer, err := bare(ctx).Get(s.World.GatewayURL() + "/models")
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// run runs with what the options leave open: in this process, one scenario at a time.
func run(ctx context.Context, t *testing.T, o Options) *report.Run {
	t.Helper()
	if o.start == nil {
		o.start = startProcess
	}
	if o.phrases == nil {
		o.phrases = phrases()
	}
	if o.Concurrency == 0 {
		o.Concurrency = 1
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Redactor == nil {
		o.Redactor = &evidence.Redactor{}
	}
	var on running
	start := o.start
	o.start = func(ctx context.Context) (target.Target, error) {
		started, err := start(ctx)
		on.Target = started
		return started, err
	}
	result, err := Run(context.WithValue(ctx, running{}, &on), o)
	require.NoError(t, err)
	return result
}

func startProcess(ctx context.Context) (target.Target, error) { return process.Start(ctx, nil) }

// targets counts what was started and closed; shape changes a target before it is used.
type targets struct {
	started, closed atomic.Int32
	shape           func(*doctoredTarget)
}

// doctoredTarget is a target of which a test changes what it likes.
type doctoredTarget struct {
	target.Target
	lacks map[target.Capability]string
	end   func(context.Context) error
	renew func(context.Context) error
	share func(target.Share) target.Share
}

func (d *doctoredTarget) Renew(ctx context.Context) error {
	if d.renew != nil {
		return d.renew(ctx)
	}
	return d.Target.Renew(ctx)
}

func (d *doctoredTarget) Describe() target.Description {
	description := d.Target.Describe()
	description.Lacks = d.lacks
	return description
}

func (d *doctoredTarget) Open(ctx context.Context, s target.Scenario) (target.Share, error) {
	share, err := d.Target.Open(ctx, s)
	if err == nil && d.share != nil {
		share = d.share(share)
	}
	return share, err
}

func (d *doctoredTarget) Close(ctx context.Context) error { return d.end(ctx) }

func (c *targets) start(ctx context.Context) (target.Target, error) {
	on, err := startProcess(ctx)
	if err != nil {
		return nil, err
	}
	c.started.Add(1)
	d := &doctoredTarget{Target: on, end: func(ctx context.Context) error {
		c.closed.Add(1)
		return on.Close(ctx)
	}}
	if c.shape != nil {
		c.shape(d)
	}
	return d, nil
}
