// Package conformance runs the features against a target and judges them.
package conformance

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cucumber/godog"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/features"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/process"
)

// Options say what is run and where.
type Options struct {
	// Target is where the scenarios run, nil for one of the runtime that is started for this run. It is closed after the run.
	Target target.Target
	// Runtime is `auto`, `docker` or `process`; empty is `process`.
	Runtime string
	// Tags is a Cucumber tag expression, empty for all scenarios.
	Tags string
	// IDs are scenarios, outlines or behaviours, such as `BEARER-6`; nil for all that Tags leave.
	IDs []string
	// Concurrency is how many scenarios run at the same time, 0 for 8.
	Concurrency int
	// Seed orders the scenarios; the same seed gives the same order, and 0 one by chance, which the result tells.
	Seed int64
	// Proxy is a proxy of somebody else's in the middle, nil for the fake one; process runtime only.
	Proxy *process.Proxy
	// Sabotage names a way of fakes/sabotage in which the systems are broken on purpose, empty for none: what then passes, the suite cannot
	// see.
	Sabotage string
	// Version is planeproof's, for the report.
	Version string
	// Terminal is told of progress and failures as they happen; nil for nobody.
	Terminal *report.Terminal
	// Redactor is told of every secret that is minted, nil for one of the run's own.
	Redactor *evidence.Redactor

	// Features are the feature files, nil for the suite's own; Folder is where they are, for reports.
	Features fs.FS
	Folder   string

	// only leaves scenarios out, nil for none.
	only func(report.Scenario) bool
	// start, phrases and renewEvery stand in for the suite's own in tests.
	start      func(context.Context) (target.Target, error)
	phrases    func(steps.Binder)
	renewEvery time.Duration
}

// What Options leave open.
const (
	defaultRenewEvery  = 10 * time.Second // several times within a lease
	defaultConcurrency = 8
	maxSeed            = 1_000_000_000
)

// cleanup bounds the end of a run, which goes on after an interrupt.
const cleanup = 20 * time.Second

// Run runs the selected scenarios. Whatever happens to the systems is in the returned run; an error is of the
// options, ErrUsage or ErrUnknownID, or of feature files that cannot be read.
// A run whose context ends is marked as interrupted, and what was started is removed all the same.
func Run(ctx context.Context, o Options) (*report.Run, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	chosen, err := choose(o)
	if err != nil {
		return nil, err
	}
	result := &report.Run{
		Version: o.Version, Sabotage: o.Sabotage, Runtime: o.Runtime, Features: o.Folder, Tags: o.Tags, IDs: o.IDs,
		Seed: o.Seed, Concurrency: o.Concurrency, Started: time.Now().UTC(),
	}
	s := &execution{options: o, key: evidence.NewKey(), records: map[string]*record{}, total: len(chosen), result: result}
	if o.Proxy != nil {
		result.Proxy, result.Generation = o.Proxy.Shown(), string(o.Proxy.Generation)
	}
	for _, r := range chosen {
		s.records[keyOf(r.pickle)] = r
	}
	if len(chosen) > 0 {
		if err := scenarios.Sweep(); err != nil {
			s.infrastructure(err)
		}
		s.run(ctx)
	}
	for _, r := range chosen {
		result.Scenarios = append(result.Scenarios, r.Scenario)
	}
	result.Interrupted = ctx.Err() != nil
	result.Ended = time.Now().UTC()
	return result, nil
}

// List returns the scenarios that the options select, without running any.
func List(o Options) ([]report.Scenario, error) {
	chosen, err := choose(o)
	if err != nil {
		return nil, err
	}
	var all []report.Scenario
	for _, r := range chosen {
		all = append(all, r.Scenario)
	}
	return all, nil
}

func choose(o Options) ([]*record, error) {
	all, err := catalog(o.source())
	if err != nil {
		return nil, err
	}
	if o.Folder != "" {
		for _, r := range all {
			r.File = path.Join(o.Folder, r.pickle.Uri)
		}
	}
	if all, err = withIDs(all, o.IDs); err != nil {
		return nil, err
	}
	chosen, err := selected(all, o.Tags)
	if o.only != nil {
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(r *record) bool { return !o.only(r.Scenario) })
	}
	return chosen, err
}

func (o Options) source() fs.FS {
	if o.Features != nil {
		return o.Features
	}
	return features.FS
}

// execution is one run: the target that all scenarios share, and what became of each.
type execution struct {
	options Options
	key     evidence.Key
	records map[string]*record
	total   int
	target  target.Target
	nearest func(sentence string) []string // phrases, for a sentence that none says

	mu     sync.Mutex
	result *report.Run
	done   int
}

// run starts the target, runs the suite on it and closes it, each time noting what went wrong.
func (s *execution) run(ctx context.Context) {
	on := s.options.settle(ctx)
	if s.options.start != nil {
		on.start = s.options.start
	}
	s.result.Runtime, s.result.Why = on.runtime, on.why
	s.phase(fmt.Sprintf("%s: starting the gateway, the data plane and the legacy proxy", on))
	started, err := on.start(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.infrastructure(err)
		}
		return
	}
	s.target, s.result.Fakes = started, started.Describe().Fakes
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
		defer cancel()
		s.phase(on.runtime + ": removing what was started")
		if err := started.Close(ctx); err != nil {
			s.infrastructure(err)
		}
	}()
	if s.options.Proxy != nil {
		s.phase("asking whether the proxy in the middle asks our data plane and calls our gateway")
		if err := s.prove(ctx); err != nil {
			if ctx.Err() == nil {
				s.infrastructure(err)
			}
			return
		}
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	renewing, enough := context.WithCancel(running)
	var renewal sync.WaitGroup
	renewal.Go(func() { s.renew(renewing, started, stop) })
	s.suite(running)
	enough()
	renewal.Wait() // what it notes must be there before the run is judged
	s.askEnded(running)
}

// askEnded asks, where something failed or broke, whether a system has ended, and how: that explains why one gave no answer, or another
// than it should, and then it is no failure of what is judged.
func (s *execution) askEnded(ctx context.Context) {
	for _, r := range s.records {
		if r.Verdict < report.Failed || ctx.Err() != nil {
			continue
		}
		if err := s.target.Renew(ctx); err != nil {
			s.infrastructure(err)
		}
		return
	}
}

func (s *execution) phase(text string) {
	if t := s.options.Terminal; t != nil {
		t.Phase(text)
	}
}

// renew keeps the leases of the systems. A system that gives no answer breaks the run and stops it: what is left would only wait for it.
func (s *execution) renew(ctx context.Context, started target.Target, stop context.CancelCauseFunc) {
	ticker := time.NewTicker(cmp.Or(s.options.renewEvery, defaultRenewEvery))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := started.Renew(ctx); err != nil && ctx.Err() == nil {
				err = fmt.Errorf("renew lease: %w", err)
				s.infrastructure(err)
				stop(err)
				return
			}
		}
	}
}

// infrastructure notes what went wrong outside every scenario.
func (s *execution) infrastructure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Infrastructure = append(s.result.Infrastructure, err.Error())
}

// suite runs godog over all features. Its own results are not read: a scenario that was skipped counts as passed there.
func (s *execution) suite(ctx context.Context) {
	bind := s.options.phrases
	if bind == nil {
		bind = steps.Bind
	}
	phrases := steps.Compile(bind)
	s.nearest = phrases.Nearest
	files, tags := s.reach()
	suite := godog.TestSuite{
		Name: "planeproof",
		ScenarioInitializer: func(sc *godog.ScenarioContext) {
			phrases.Bind(sc)
			s.hook(sc)
		},
		Options: &godog.Options{
			FS: s.options.source(), Paths: files, Tags: tags, Strict: true,
			Format: "progress", Output: io.Discard, NoColors: true,
			Concurrency: s.options.Concurrency, Randomize: s.options.Seed, DefaultContext: ctx,
		},
	}
	suite.Run()
}

// reach names the files that hold what was chosen, and in godog's own syntax the behaviours: what lies beyond is not even begun. Of one
// behaviour all scenarios are in reach; the hook leaves out what was not chosen.
func (s *execution) reach() (files []string, tags string) {
	uris, behaviours := map[string]bool{}, map[string]bool{}
	for _, r := range s.records {
		uris[r.pickle.Uri], behaviours["@"+r.Behaviour] = true, true
	}
	return slices.Sorted(maps.Keys(uris)), strings.Join(slices.Sorted(maps.Keys(behaviours)), ",")
}
