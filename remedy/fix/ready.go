package fix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/jsonvalue"
)

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
