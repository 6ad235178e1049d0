package fix

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Result is what came of a plan that was applied.
type Result struct {
	// Steps are those that are in place and proven; Written is how many of them were written now.
	Steps, Written int
	// WavesLeft is how many waves are to be done after the one asked for; NextWave is the first of them.
	WavesLeft, NextWave int
}

// Apply does what the remedies of a plan say, wave by wave, and proves each change. Nothing is written where a step is not what its remedy
// makes of the secret (ErrEdited), or a secret is neither as the plan saw it nor as it would make it (ErrNotApplied). A change that was
// seen not to hold ends the run; one of which nothing tells is left in place, and the next wave is not begun (ErrCannotTell). What is as
// planned already is not written again, so that a killed run is finished by running it again. Other errors are ErrOrganization,
// ErrTokenNeeded, file.ErrUnusable, file.ErrLocked, and those of the client and the file system.
func Apply(ctx context.Context, client *control.Client, plan *Plan, o Options) (result Result, err error) {
	a := &applier{session: newSession(client, o), plan: plan}
	client.Hide("token", o.Token)
	if err := a.checkWave(); err != nil {
		return result, err
	}
	if err := a.checkOrg(ctx); err != nil {
		return result, err
	}
	release, err := file.Lock(o.Backup)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, release()) }()
	for _, ready := range []func(context.Context) error{a.readFiles, a.readSecrets, a.readRivals, a.prepare} {
		if err := ready(ctx); err != nil {
			return result, err
		}
	}
	if a.journal != nil {
		defer func() { err = errors.Join(err, a.journal.Close()) }()
	}
	return a.run(ctx)
}

type applier struct {
	session
	plan   *Plan
	org    inventory.Organization // as it is called now
	backup *Backup
	traces map[string]trace
	tasks  []*task             // of the waves asked for
	rivals inventory.Inventory // who could answer a call
	untold []string            // steps of which nothing tells whether they hold
}

// run does the tasks wave by wave, and reads once more at the end what was written.
func (a *applier) run(ctx context.Context) (result Result, failure error) {
	wave, done := 0, 0
	for _, t := range a.tasks {
		if t.Wave != wave {
			if len(a.untold) > 0 {
				break
			}
			wave = t.Wave
			a.Say(fmt.Sprintf("wave %d", wave))
		}
		done++
		said, err := a.do(ctx, t)
		if errors.Is(err, ErrCannotTell) {
			a.untold = append(a.untold, t.label()+strings.TrimPrefix(err.Error(), ErrCannotTell.Error()))
			said = err.Error()
		} else if err != nil {
			failure = fmt.Errorf("fix %s: %w", t.label(), err)
			break
		}
		a.Say(fmt.Sprintf("  %d of %d: %s: %s", done, len(a.tasks), t.label(), said))
	}
	rest := len(a.tasks) - done
	if failure != nil && rest > 0 {
		failure = fmt.Errorf("%w; %d later steps were not begun", failure, rest)
	}
	failure = a.conclude(failure, a.lastReading(ctx), rest)
	if failure == nil {
		failure = a.tellNamesakes(ctx)
	}
	result = Result{Steps: len(a.tasks), Written: len(a.written)}
	if left := a.plan.waves() - a.Wave; a.Wave != 0 && left > 0 {
		result.WavesLeft, result.NextWave = left, a.Wave+1
	}
	return result, failure
}

// conclude joins what went wrong; what was seen to be wrong comes before what nothing tells.
func (a *applier) conclude(failure, reverted error, rest int) error {
	if failure != nil && reverted != nil {
		failure = fmt.Errorf("%w; %w", failure, reverted)
	} else if failure == nil {
		failure = reverted
	}
	untold := strings.Join(a.untold, "; ")
	switch {
	case len(a.untold) == 0:
		return failure
	case failure != nil:
		return fmt.Errorf("%w; and of %d changes it cannot be told whether they hold: %s", failure, len(a.untold), untold)
	case rest > 0:
		untold += fmt.Sprintf("; %d steps of later waves were not begun", rest)
	}
	return fmt.Errorf("%w whether %d of %d changes hold, which are in place: %s", ErrCannotTell, len(a.untold), len(a.tasks), untold)
}

// tellNamesakes says last which secrets of the same names still have auth_format api_key (behaviours: BEARER-19).
func (a *applier) tellNamesakes(ctx context.Context) error {
	var all []inventory.Secret
	seen := map[string]bool{}
	for _, t := range a.tasks {
		for _, s := range t.sameNames() {
			if !seen[s.ID] {
				seen[s.ID] = true
				all = append(all, s)
			}
		}
	}
	found, err := a.readAll(ctx, len(all), func(i int) string { return all[i].Path() }, once)
	if err != nil {
		return fmt.Errorf("all changes are in place and proven, but the secrets of the same names cannot be read: %w", err)
	}
	var failing []string
	for i, now := range found {
		if !now.gone && now.alien == nil && usesAPIKey(now.Secret) {
			all[i].Name = now.Name
			failing = append(failing, fmt.Sprintf("%s (planeproof fix plan --secret %s)", label(all[i]), all[i].ID))
		}
	}
	if len(failing) > 0 {
		a.Say(`not mended, and with auth_format "api_key" still: ` + someOf(failing))
	}
	return nil
}

// label names a secret in a sentence.
func label(s inventory.Secret) string {
	name := evidence.Printable(s.Name)
	switch {
	case s.Level == inventory.Project && s.Project != nil:
		owner := s.Project.Name
		if owner == "" {
			owner = s.Project.ID
		}
		return name + " (project " + evidence.Printable(owner) + ")"
	case s.Level == inventory.OrgEnv:
		return name + " (org, env_var)"
	}
	return name + " (org)"
}

func labels(secrets []inventory.Secret) (all []string) {
	for _, s := range secrets {
		all = append(all, label(s))
	}
	return all
}

// someOf lists the first few of many.
func someOf(all []string) string {
	const few = 5
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}
