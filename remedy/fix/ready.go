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
	"github.com/planeproof/planeproof/provider"
)

// checkWave refuses a plan in which nothing is to be done.
func (a *applier) checkWave() error {
	switch waves := a.plan.waves(); {
	case waves == 0:
		return fmt.Errorf("%w: there is nothing to do in this plan: it has no step", ErrNotApplied)
	case a.Wave > waves:
		return fmt.Errorf("%w: the plan has no wave %d, only 1 to %d", ErrNotApplied, a.Wave, waves)
	}
	return nil
}

func (a *applier) checkOrg(ctx context.Context) (err error) {
	if a.org, err = a.findOrg(ctx, a.plan.Organization); err != nil {
		return err
	}
	if a.Org != a.org.Name && a.Org != a.plan.Organization.Name {
		return fmt.Errorf("%w: the plan is about %q, not %q", ErrOrganization, evidence.Printable(a.org.Name), evidence.Printable(a.Org))
	}
	return nil
}

// readFiles reads what an earlier run of this plan has left, and refuses what another has.
func (a *applier) readFiles(context.Context) (err error) {
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
			return unusable(a.Backup, errors.New("it is the backup of another plan: name another file with --backup"))
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
	path := func(i int) string { return steps[i].Path }
	all, err := a.readAll(ctx, len(steps), path, func(i int, now state, _ int) bool {
		t := a.traces[steps[i].SecretID]
		return now.gone || !t.pending && !t.written || steps[i].changedIn(now)
	})
	if err != nil {
		return err
	}
	var changed, early []string
	for i, step := range steps {
		done, difference, err := a.compare(step, all[i])
		t := &task{Step: step, before: all[i], done: done}
		switch {
		case err != nil:
			return err
		case difference != "":
			changed = append(changed, evidence.Printable(step.Name)+": "+difference)
		case a.Wave != 0 && step.Wave < a.Wave && !done:
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

// changedIn says that the secret is no longer as the plan saw it, or that the API does not tell.
func (s Step) changedIn(now state) bool {
	if s.ReplaceValue {
		return now.SecretUpdatedAt != s.SecretUpdatedAt || now.SecretUpdatedAt == ""
	}
	return jsonvalue.Hash(now.Metadata) != s.Before
}

// compare says whether a step is done already, or what stands in its way. Its error is that the step is not its remedy's.
func (a *applier) compare(step Step, now state) (done bool, difference string, err error) {
	metadata, trace := jsonvalue.Hash(now.Metadata), a.traces[step.SecretID]
	done = step.changedIn(now)
	switch {
	case now.gone:
		return false, "it does not exist any more", nil
	case now.alien != nil || now.Level != step.Level || now.Project != nil && now.Project.ID != step.Project.ID:
		return false, "it belongs to another project or level", nil
	case now.Name != step.Name || now.Type != step.Type:
		return false, "its name or type is another", nil
	case metadata != step.Before && (step.ReplaceValue || metadata != step.After):
		return false, "its metadata is another", nil
	case !step.ReplaceValue:
		done = metadata == step.After
	case now.SecretUpdatedAt == "":
		done = trace.written // the API tells no date: the journal tells
	case done && !trace.begun:
		return false, "its stored value has been replaced", nil
	}
	if !done {
		return false, "", step.checkAgainst(a.plan.Generation, now)
	}
	if before, kept := a.backup.before(step.SecretID); kept {
		return true, "", step.checkAgainst(a.plan.Generation, before)
	}
	again, _, err := newStep(step.Remedy, provider.Generation(a.plan.Generation), now.Secret)
	if err != nil || !step.ReplaceValue && len(again.Diff) > 0 {
		return false, "", fmt.Errorf("the step for %s %w: its remedy is not done", evidence.Printable(step.Name), ErrEdited)
	}
	return true, "", nil
}

// prepare checks the token, writes the backup and opens the journal: all that must be there before the first write, or call.
func (a *applier) prepare(context.Context) error {
	todo := 0
	for _, t := range a.tasks {
		if t.done {
			continue
		}
		todo++
		a.backup.keep(t.Step, t.before)
		switch {
		case !t.ReplaceValue:
		case a.Token == "":
			return ErrTokenNeeded
		default:
			if err := CheckToken(a.Token); err != nil {
				return err
			}
		}
	}
	if todo > 0 {
		if err := file.WriteJSON(a.Backup, a.backup); err != nil {
			return err
		}
	}
	if todo == 0 && a.Model == "" {
		return nil
	}
	return a.begin(a.plan.Organization, a.backup.Plan, ApplyRequests())
}
