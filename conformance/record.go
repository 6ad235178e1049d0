package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
)

// record is what becomes of one scenario. It is written by the one goroutine that runs the scenario.
type record struct {
	report.Scenario

	pickle *messages.Pickle
	needs  []target.Capability
	// keywords are the words that begin the sentences, which a pickle leaves out.
	keywords []string

	world   *scenarios.World
	started time.Time
	ended   bool
	stopped bool // with the run, before its end
}

// keyOf finds a scenario again in another parse of the same files, in which it has another id.
func keyOf(p *messages.Pickle) string {
	texts := []string{p.Uri, p.Name}
	for _, step := range p.Steps {
		texts = append(texts, step.Text)
	}
	return strings.Join(texts, "\x00")
}

// hook ties a scenario's life to godog's: what was not selected is skipped, and every verdict is written down here.
func (s *execution) hook(sc *godog.ScenarioContext) {
	var r *record
	sc.Before(func(ctx context.Context, pickle *godog.Scenario) (context.Context, error) {
		r = s.records[keyOf(pickle)]
		if r == nil || ctx.Err() != nil {
			return ctx, godog.ErrSkip
		}
		return s.begin(ctx, r)
	})
	sc.StepContext().Before(func(ctx context.Context, step *godog.Step) (context.Context, error) {
		if r == nil || r.world == nil || step.Type == messages.PickleStepType_CONTEXT {
			return ctx, nil
		}
		return ctx, r.world.Settle(ctx) // what the Givens chose
	})
	sc.StepContext().After(func(ctx context.Context, step *godog.Step, status godog.StepResultStatus, err error) (context.Context, error) {
		if r != nil {
			if errors.Is(err, godog.ErrUndefined) {
				err = fmt.Errorf("%w; the nearest phrases: %s", err, strings.Join(s.nearest(step.Text), "; "))
			}
			r.step(ctx, step, status, err)
		}
		return ctx, nil
	})
	sc.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		if r != nil && !r.ended {
			s.end(ctx, r, err)
		}
		return ctx, nil
	})
}

// begin gives the scenario its World, or says why it cannot have one. The context it returns is that of the scenario's phrases.
func (s *execution) begin(ctx context.Context, r *record) (context.Context, error) {
	r.started = time.Now()
	on := s.targetFor(r)
	for _, need := range r.needs {
		if reason, lacking := on.Describe().Lacks[need]; lacking {
			r.Verdict, r.Reason = report.NotSupported, fmt.Sprintf("needs %s: %s", need, reason)
			return ctx, godog.ErrSkip
		}
	}
	world, err := scenarios.Open(ctx, on, s.options.Redactor, s.key)
	r.world = world
	if err != nil {
		return ctx, r.broken(ctx, fmt.Errorf("open share of the target: %w", err))
	}
	return (&steps.Steps{World: world}).With(ctx), nil
}

// broken raises the verdict to broken, unless the run was stopped, which breaks everything and proves nothing.
func (r *record) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		r.Verdict, r.Reason, r.stopped = report.NotRun, "interrupted", true
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			r.Reason = cause.Error()
		}
		return err
	}
	r.Verdict = r.Verdict.Raise(report.Broken)
	if r.Reason == "" {
		r.Reason = err.Error()
	}
	return err
}

// step notes how one sentence went. The first that did not pass decides: one that found a mismatch failed, and any other error
// means that nothing was found out.
func (r *record) step(ctx context.Context, step *godog.Step, status godog.StepResultStatus, err error) {
	if r.ended || r.Verdict == report.NotSupported {
		return
	}
	noted := report.Step{Keyword: r.keywords[len(r.Steps)], Text: step.Text, Verdict: report.Passed}
	if status != godog.StepPassed {
		if r.Sentence == "" {
			r.Sentence = noted.Keyword + " " + noted.Text
		}
		noted.Verdict = r.judge(ctx, step, err)
	}
	r.Steps = append(r.Steps, noted)
}

func (r *record) judge(ctx context.Context, step *godog.Step, err error) report.Verdict {
	var notSupported *target.NotSupported
	if errors.As(err, &notSupported) {
		r.Verdict, r.Reason = report.NotSupported, notSupported.Reason
		return report.NotSupported
	}
	var mismatch *evidence.Mismatch
	// What a check finds after an interrupt may be the interrupt.
	if ctx.Err() == nil && errors.As(err, &mismatch) && r.judgedBy(step) {
		r.Mismatches = append(r.Mismatches, *mismatch)
		r.Verdict = r.Verdict.Raise(report.Failed)
		return report.Failed
	}
	if err == nil {
		err = errors.New("the step did not run")
	}
	_ = r.broken(ctx, err)
	return r.Verdict
}

// judgedBy says whether a sentence can fail the scenario: a Then, and a When whose remedy gave way where the remedy is what is judged.
func (r *record) judgedBy(step *godog.Step) bool {
	if step.Type == messages.PickleStepType_ACTION {
		return slices.Contains(r.Judges, report.Remedies) || slices.Contains(r.Judges, report.Verification)
	}
	return step.Type == messages.PickleStepType_OUTCOME
}

// end takes the evidence, forgets the tenant and tells the terminal.
func (s *execution) end(ctx context.Context, r *record, err error) {
	r.ended = true
	// What follows must happen after an interrupt too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	switch {
	case r.Verdict != report.NotRun || r.Reason != "":
	case err != nil:
		r.Verdict, r.Reason = report.Broken, err.Error()
	default:
		r.Verdict = report.Passed
	}
	s.takeEvidence(ctx, r)
	if proxy := s.options.Proxy; proxy != nil {
		r.Excused = r.excuse(string(proxy.Generation))
	}
	if !r.started.IsZero() {
		r.Duration = time.Since(r.started)
	}
	s.tell(r)
}

// takeEvidence reads what every system kept. A journal that cannot be read whole breaks the scenario, passed or not.
func (s *execution) takeEvidence(ctx context.Context, r *record) {
	w := r.world
	if w == nil {
		return
	}
	if r.stopped {
		_, _ = w.Close(ctx) // its files must go; what the systems still hold ends with them
		return
	}
	if err := w.Broken(); err != nil {
		_ = r.broken(ctx, err)
	}
	r.Exchanges = w.Exchanges()
	all, err := w.Close(ctx)
	if err != nil {
		_ = r.broken(ctx, fmt.Errorf("close share of the target: %w", err))
	}
	for _, kept := range all {
		if err := kept.Whole(); err != nil {
			_ = r.broken(ctx, err)
		}
		r.Exchanges, r.Logs = append(r.Exchanges, kept.Exchanges...), append(r.Logs, kept.Logs...)
	}
	w.Tell(r.Exchanges)
	if r.Verdict == report.Passed {
		r.Logs = nil
	}
	slices.SortStableFunc(r.Exchanges, func(a, b evidence.Exchange) int { return a.Time.Compare(b.Time) })
}

func (s *execution) tell(r *record) {
	s.mu.Lock()
	s.done++
	done := s.done
	s.mu.Unlock()
	if t := s.options.Terminal; t != nil {
		if r.Verdict >= report.Failed && r.Excused == "" { // what decides nothing, the summary names
			t.Failure(r.Scenario)
		}
		t.Progress(done, s.total)
	}
}
