package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/verify"
)

// ErrTokenNeeded is that a plan replaces a stored value and no token was given.
var ErrTokenNeeded = errors.New("the plan replaces a stored value and holds no token: give it with --token-file")

// CheckToken refuses what is no raw token (guide: bearer-after-v2-migration, step 2). Its error never holds the token.
func CheckToken(token string) error {
	if problems := verify.Problems(token); len(problems) > 0 {
		return fmt.Errorf("%w: the token was refused: %s: give the raw token alone", ErrNotApplied, strings.Join(problems, "; "))
	}
	return nil
}

// Options says how a plan is applied, or a backup restored.
type Options struct {
	// Org is the organization's name as the caller knows it.
	Org string
	// Backup is the file that is written before the first write; the change journal lies beside it.
	Backup string
	// Wave is the only wave to be done, 0 for all in order.
	Wave int
	// Model is called through the data plane's proxy after each change, empty for no calls.
	Model string
	// Token is the raw token for the steps that replace the stored value.
	Token string
	Tool  string
	Who   Who
	// Say is told each step in one line.
	Say func(line string)
	Now func() time.Time
}

// Apply does what the plan says and proves each change by reading it back; it stops at the first that cannot be proven. What is as
// planned already is not written again, so that a killed run is finished by running it again. Errors that are not ErrNotApplied,
// ErrTokenNeeded or ErrFile are those of the client or the file system.
func Apply(ctx context.Context, client *control.Client, plan *Plan, o Options) (err error) {
	a := &applier{client: client, plan: plan, Options: o}
	client.Hide("token", o.Token)
	if err := sameOrg(ctx, client, plan.Organization, o.Org); err != nil {
		return err
	}
	steps, err := a.chosen()
	if err != nil {
		return err
	}
	if err := a.begin(); err != nil {
		return err
	}
	todo, err := a.sort(ctx, steps)
	if err != nil {
		return err
	}
	if len(todo) > 0 {
		if err := a.prepare(todo); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.journal.close()) }()
	}
	return a.run(ctx, steps, todo)
}

type applier struct {
	Options
	client  *control.Client
	plan    *Plan
	backup  *Backup
	journal *journal
	begun   map[string]bool // secrets for which an earlier run began a write
}

// chosen are the steps of the waves that are to be done.
func (a *applier) chosen() ([]Step, error) {
	var steps []Step
	waves := 0
	for _, s := range a.plan.Steps {
		waves = max(waves, s.Wave)
		if a.Wave == 0 || s.Wave == a.Wave {
			steps = append(steps, s)
		}
	}
	if a.Wave != 0 && len(steps) == 0 {
		return nil, fmt.Errorf("%w: the plan has no wave %d, only %d", ErrNotApplied, a.Wave, waves)
	}
	slices.SortStableFunc(steps, func(x, y Step) int { return x.Wave - y.Wave })
	return steps, nil
}

// begin reads what an earlier run of this plan has left, and refuses what another has.
func (a *applier) begin() (err error) {
	a.backup = &Backup{
		Schema: BackupSchema, Warning: backupWarning, Tool: a.Tool, MadeAt: a.Now().UTC().Format(time.RFC3339),
		APIURL: a.client.BaseURL(), Organization: a.plan.Organization, Plan: a.plan.ID(), Secrets: []Saved{},
	}
	if exists(a.Backup) {
		earlier, err := ReadBackup(a.Backup)
		if err != nil {
			return err
		}
		if earlier.Plan != a.backup.Plan {
			return fmt.Errorf("%w: it is the backup of another plan: name another file with --backup", unusable(a.Backup))
		}
		a.backup = earlier
	}
	a.begun, _, err = begun(JournalPath(a.Backup), a.backup.Plan)
	return err
}

// sort reads every secret before anything is written, and returns the steps that are still to be done. What is neither as the plan saw it
// nor as it would make it has been changed by somebody else: then nothing at all is done.
func (a *applier) sort(ctx context.Context, steps []Step) ([]Step, error) {
	var todo []Step
	var changed []string
	for _, step := range steps {
		now, err := look(ctx, a.client, step.Path)
		if control.KindOf(err) == control.NotFound {
			changed = append(changed, evidence.Printable(step.Name)+" does not exist any more")
			continue
		}
		if err != nil {
			return nil, err
		}
		done, difference := a.compare(step, now)
		switch {
		case difference != "":
			changed = append(changed, evidence.Printable(step.Name)+": "+difference)
		case !done:
			todo = append(todo, step)
			a.backup.keep(step, now)
		}
	}
	if len(changed) > 0 {
		return nil, fmt.Errorf("%w: nothing was written, as secrets have changed since the plan was made: %s: make a new plan",
			ErrNotApplied, strings.Join(changed, "; "))
	}
	return todo, nil
}

// compare says whether a step is done already, or what stands in its way.
func (a *applier) compare(step Step, now state) (done bool, difference string) {
	metadata := hash(now.Metadata)
	switch {
	case now.Name != step.Name || now.Type != step.Type:
		return false, "its name or type is another"
	case !ownedAs(step, now):
		return false, "it belongs to another project or level"
	case step.ReplaceValue && metadata != step.Before, metadata != step.Before && metadata != step.After:
		return false, "its metadata is another"
	case !step.ReplaceValue:
		return metadata == step.After, ""
	case now.SecretUpdatedAt == step.SecretUpdatedAt:
		return false, ""
	case !a.begun[step.SecretID]:
		return false, "its stored value has been replaced"
	}
	return true, "" // by the run that the journal tells of
}

func ownedAs(step Step, now state) bool {
	secret, err := now.secret()
	return err == nil && secret.Level == step.Level && (secret.Project == nil || secret.Project.ID == step.Project.ID)
}

// prepare checks the token and writes the backup and opens the journal: all that must be there before the first write.
func (a *applier) prepare(todo []Step) (err error) {
	if slices.ContainsFunc(todo, func(s Step) bool { return s.ReplaceValue }) {
		if a.Token == "" {
			return ErrTokenNeeded
		}
		if err := CheckToken(a.Token); err != nil {
			return err
		}
	}
	if err := a.backup.write(a.Backup); err != nil {
		return err
	}
	head := entry{Tool: a.Tool, Who: a.Who, Organization: a.plan.Organization, Plan: a.backup.Plan}
	a.journal, err = openJournal(JournalPath(a.Backup), head, a.Now)
	return err
}

// run does the steps that are to be done, wave by wave, and proves the calls of those that are done already.
func (a *applier) run(ctx context.Context, steps, todo []Step) error {
	wave := 0
	for i, step := range steps {
		if step.Wave != wave {
			wave = step.Wave
			a.Say(fmt.Sprintf("wave %d", wave))
		}
		isTodo := slices.ContainsFunc(todo, func(s Step) bool { return s.SecretID == step.SecretID })
		err := a.step(ctx, step, isTodo)
		if err != nil {
			if rest := len(steps) - i - 1; rest > 0 {
				err = fmt.Errorf("%w; %d later steps were not begun", err, rest)
			}
			return fmt.Errorf("fix %s: %w", label(step.Name, step.Level, step.Project), err)
		}
	}
	return nil
}

// label names a secret in a sentence.
func label(name string, level inventory.Level, project *inventory.ProjectRef) string {
	text := evidence.Printable(name)
	switch level {
	case inventory.Project:
		owner := project.Name
		if owner == "" {
			owner = project.ID
		}
		return text + " (project " + evidence.Printable(owner) + ")"
	case inventory.OrgEnv:
		return text + " (org, env_var)"
	}
	return text + " (org)"
}
