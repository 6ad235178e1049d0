package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/jsonvalue"
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
	a := &applier{session: session{Options: o.complete(), client: client}, plan: plan}
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
	if err := a.readFiles(); err != nil {
		return result, err
	}
	if err := a.readSecrets(ctx); err != nil {
		return result, err
	}
	if err := a.readRivals(ctx); err != nil {
		return result, err
	}
	if a.todo() > 0 || a.Model != "" {
		if err := a.prepare(); err != nil {
			return result, err
		}
		defer func() { err = errors.Join(err, a.journal.close()) }()
	}
	return a.run(ctx)
}

type applier struct {
	session
	plan   *Plan
	org    inventory.Organization // as it is called now
	backup *Backup
	traces map[string]trace
	tasks  []*task
	rivals inventory.Inventory // who could answer a call
	untold []string            // steps of which nothing tells whether they hold
}

// task is a step of the waves asked for, with the secret before and after its change.
type task struct {
	Step
	before, after state
	done          bool // it is as planned already
}

func (t *task) label() string { return label(t.Name, t.Level, t.Project) }

func (a *applier) todo() (n int) {
	for _, t := range a.tasks {
		if !t.done {
			n++
		}
	}
	return n
}

// checkWave refuses a plan in which nothing is to be done.
func (a *applier) checkWave() error {
	waves := 0
	for _, s := range a.plan.Steps {
		waves = max(waves, s.Wave)
	}
	switch {
	case waves == 0:
		return fmt.Errorf("%w: there is nothing to do in this plan: it has no step", ErrNotApplied)
	case a.Wave > waves:
		return fmt.Errorf("%w: the plan has no wave %d, only 1 to %d", ErrNotApplied, a.Wave, waves)
	}
	return nil
}

func (a *applier) checkOrg(ctx context.Context) (err error) {
	if a.org, err = findOrg(ctx, a.client, a.plan.Organization); err != nil {
		return err
	}
	if a.Org != a.org.Name && a.Org != a.plan.Organization.Name {
		return fmt.Errorf("%w: the plan is about %q, not %q", ErrOrganization, evidence.Printable(a.org.Name), evidence.Printable(a.Org))
	}
	if a.org.Name != a.plan.Organization.Name {
		a.Say(evidence.Printable(fmt.Sprintf("note: the organization %s is called %s now", a.plan.Organization.Name, a.org.Name)))
	}
	return nil
}

// readFiles reads what an earlier run of this plan has left, and refuses what another has.
func (a *applier) readFiles() (err error) {
	a.backup = &Backup{
		Schema: BackupSchema, Warning: backupWarning, Tool: a.Tool, MadeAt: a.Now().UTC().Format(time.RFC3339), APIURL: a.client.BaseURL(),
		Organization: a.plan.Organization, Plan: a.plan.ID(), Generation: a.plan.Generation, Secrets: []Saved{},
	}
	if file.Exists(a.Backup) {
		earlier, err := ReadBackup(a.Backup)
		if err != nil {
			return err
		}
		if earlier.Plan != a.backup.Plan {
			return fmt.Errorf("file %s %w: it is the backup of another plan: name another file with --backup", evidence.Printable(a.Backup), file.ErrUnusable)
		}
		a.backup = earlier
	}
	a.traces, _, err = readJournal(JournalPath(a.Backup), a.backup.Plan)
	return err
}

// readSecrets reads the secrets of the waves asked for, and of those before them, before anything is written. What is neither as the plan
// saw it nor as it would make it has been changed by somebody else: then nothing at all is done.
func (a *applier) readSecrets(ctx context.Context) error {
	steps := slices.Clone(a.plan.Steps)
	slices.SortStableFunc(steps, func(x, y Step) int { return x.Wave - y.Wave })
	steps = slices.DeleteFunc(steps, func(s Step) bool { return a.Wave != 0 && s.Wave > a.Wave })
	paths := make([]string, len(steps))
	for i, s := range steps {
		paths[i] = s.Path
	}
	all, err := a.readAll(ctx, a.client, paths, func(i int, now state, _ int) bool {
		t := a.traces[steps[i].SecretID]
		return !t.pending && !t.written || a.looksDone(steps[i], now)
	})
	if err != nil {
		return err
	}
	var changed, early []string
	for i, step := range steps {
		t := &task{Step: step, before: all[i].state}
		difference := "it does not exist any more"
		if !all[i].gone {
			if t.done, difference, err = a.compare(step, t.before); err != nil {
				return err
			}
		}
		switch {
		case difference != "":
			changed = append(changed, evidence.Printable(step.Name)+": "+difference)
		case a.Wave != 0 && step.Wave < a.Wave && !t.done:
			early = append(early, t.label())
		case a.Wave == 0 || step.Wave == a.Wave:
			a.tasks = append(a.tasks, t)
		}
	}
	switch {
	case len(changed) > 0:
		return fmt.Errorf("%w: nothing was written, as secrets have changed since the plan was made: %s: make a new plan",
			ErrNotApplied, strings.Join(changed, "; "))
	case len(early) > 0:
		return fmt.Errorf("%w: nothing was written, as waves before wave %d are not done: %s", ErrNotApplied, a.Wave, strings.Join(early, ", "))
	}
	return nil
}

// looksDone says that a secret is no longer as the plan saw it.
func (a *applier) looksDone(step Step, now state) bool {
	if step.ReplaceValue {
		return now.SecretUpdatedAt != step.SecretUpdatedAt || now.SecretUpdatedAt == ""
	}
	return jsonvalue.Hash(now.Metadata) != step.Before
}

// compare says whether a step is done already, or what stands in its way. Its error is that the step is not its remedy's.
func (a *applier) compare(step Step, now state) (done bool, difference string, err error) {
	metadata := jsonvalue.Hash(now.Metadata)
	trace := a.traces[step.SecretID]
	secret, err := now.secret()
	switch {
	case err != nil || secret.Level != step.Level || secret.Project != nil && secret.Project.ID != step.Project.ID:
		return false, "it belongs to another project or level", nil
	case now.Name != step.Name || now.Type != step.Type:
		return false, "its name or type is another", nil
	case metadata != step.Before && (step.ReplaceValue || metadata != step.After):
		return false, "its metadata is another", nil
	case !step.ReplaceValue:
		done = metadata == step.After
	case now.SecretUpdatedAt == "":
		done = trace.written // the API tells no date: the journal tells
	case now.SecretUpdatedAt != step.SecretUpdatedAt && !trace.begun:
		return false, "its stored value has been replaced", nil
	default:
		done = now.SecretUpdatedAt != step.SecretUpdatedAt // by the run that the journal tells of
	}
	if !done {
		return false, "", now.fits(step, a.plan.Generation)
	}
	if before, kept := a.backup.before(step.SecretID); kept {
		return true, "", before.fits(step, a.plan.Generation)
	}
	if again, err := newStep(step.Remedy, a.generation(), secret); err != nil || !step.ReplaceValue && len(again.Diff) > 0 {
		return false, "", fmt.Errorf("the step for %s %w: its remedy is not done", evidence.Printable(step.Name), ErrEdited)
	}
	return true, "", nil
}

// prepare checks the token and writes the backup and opens the journal: all that must be there before the first write.
func (a *applier) prepare() (err error) {
	for _, t := range a.tasks {
		if t.done {
			continue
		}
		a.backup.keep(t.Step, t.before)
		if !t.ReplaceValue {
			continue
		}
		if a.Token == "" {
			return ErrTokenNeeded
		}
		if err := CheckToken(a.Token); err != nil {
			return err
		}
	}
	if a.todo() > 0 {
		if err := file.WriteJSON(a.Backup, a.backup); err != nil {
			return err
		}
	}
	return a.begin(a.plan.Organization, a.backup.Plan, ApplyRequests())
}

// run does the tasks wave by wave, and reads once more at the end what was written.
func (a *applier) run(ctx context.Context) (Result, error) {
	var failure error
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
		at := fmt.Sprintf("  %d of %d: %s: ", done, len(a.tasks), t.label())
		said, err := a.do(ctx, t)
		switch {
		case errors.Is(err, ErrCannotTell):
			a.untold = append(a.untold, t.label()+strings.TrimPrefix(err.Error(), ErrCannotTell.Error()))
			a.Say(at + err.Error())
			continue
		case err != nil:
			failure = fmt.Errorf("fix %s: %w", t.label(), err)
		default:
			a.Say(at + said)
		}
		if failure != nil {
			break
		}
	}
	if rest := len(a.tasks) - done; failure != nil && rest > 0 {
		failure = fmt.Errorf("%w; %d later steps were not begun", failure, rest)
	}
	failure = a.conclude(failure, a.lastReading(ctx), len(a.tasks)-done)
	if failure == nil {
		failure = a.tellNamesakes(ctx)
	}
	return a.result(), failure
}

// conclude joins what went wrong; what was seen to be wrong comes before what nothing tells.
func (a *applier) conclude(failure, reverted error, rest int) error {
	if failure != nil && reverted != nil {
		failure = fmt.Errorf("%w; %w", failure, reverted)
	} else if failure == nil {
		failure = reverted
	}
	if len(a.untold) == 0 {
		return failure
	}
	untold := strings.Join(a.untold, "; ")
	if failure != nil {
		return fmt.Errorf("%w; and of %d changes it cannot be told whether they hold: %s", failure, len(a.untold), untold)
	}
	if rest > 0 {
		untold += fmt.Sprintf("; %d steps of later waves were not begun", rest)
	}
	return fmt.Errorf("%w whether %d of %d changes hold, which are in place: %s", ErrCannotTell, len(a.untold), len(a.tasks), untold)
}

func (a *applier) result() Result {
	r := Result{Steps: len(a.tasks), Written: len(a.written)}
	seen := map[int]bool{}
	for _, s := range a.plan.Steps {
		if a.Wave != 0 && s.Wave > a.Wave && !seen[s.Wave] {
			seen[s.Wave] = true
			r.WavesLeft++
		}
	}
	if r.WavesLeft > 0 {
		r.NextWave = a.Wave + 1
	}
	return r
}

// tellNamesakes says last which secrets of the same names still have auth_format api_key (behaviours: BEARER-19).
func (a *applier) tellNamesakes(ctx context.Context) error {
	var all []inventory.Secret
	var paths []string
	for _, t := range a.tasks {
		for _, n := range t.Namesakes {
			s := inventory.Secret{ID: n.SecretID, Level: n.Level, Project: n.Project, Name: t.Name}
			if !slices.Contains(paths, s.Path()) {
				all, paths = append(all, s), append(paths, s.Path())
			}
		}
	}
	found, err := a.readAll(ctx, a.client, paths, once)
	if err != nil {
		return fmt.Errorf("all changes are in place and proven, but the secrets of the same names cannot be read: %w", err)
	}
	var failing []string
	for i, now := range found {
		if secret, err := now.secret(); err == nil && !now.gone && usesAPIKey(secret) {
			failing = append(failing, fmt.Sprintf("%s (planeproof fix plan --secret %s)", label(now.Name, all[i].Level, all[i].Project), all[i].ID))
		}
	}
	if len(failing) > 0 {
		a.Say(`not mended, and with auth_format "api_key" still: ` + someOf(failing))
	}
	return nil
}

// label names a secret in a sentence.
func label(name string, level inventory.Level, project *inventory.ProjectRef) string {
	text := evidence.Printable(name)
	switch {
	case level == inventory.Project && project != nil:
		owner := project.Name
		if owner == "" {
			owner = project.ID
		}
		return text + " (project " + evidence.Printable(owner) + ")"
	case level == inventory.OrgEnv:
		return text + " (org, env_var)"
	}
	return text + " (org)"
}

// someOf lists the first few of many.
func someOf(all []string) string {
	const few = 5
	if len(all) <= few {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}
