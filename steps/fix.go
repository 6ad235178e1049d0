package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/scenarios"
)

// role is who does something in a sentence.
const role = `(an org admin|a member)`

func bindFix(b Binder) {
	b.When(`^`+role+` applies the (bearer fix|workaround|portable form) to (?:what the audit found|`+ref+`)(?:, with the proxy known to be ([a-z0-9-]+))?(?:, with a call for model "([^"]*)")?$`, (*Steps).apply)
	b.When(`^the change is restored$`, (*Steps).restore)
	b.Then(`^the fix is proven$`, (*Steps).fixProven)
	b.Then(`^the fix is (`+strings.Join(slices.Sorted(maps.Keys(outcomes())), "|")+`) and says "([^"]*)"$`, (*Steps).fixIs)
	b.Then(`^the fix says last "([^"]*)"$`, (*Steps).fixSaysLast)
	b.Then(`^the plan says that (.+) would be lost$`, (*Steps).planCosts)
}

// client is a client of the control API as the command line uses it, with the key of a role.
func (s *Steps) client(who string) *control.Client {
	key := s.World.ScorerKey()
	if who == "an org admin" {
		key = s.World.AdminKey()
	}
	return control.New(s.World.APIURL(), key, s.World.Client())
}

// gaveWay makes a remedy's own error a mismatch: it should have come to a result.
func (s *Steps) gaveWay(what string, err error) error {
	if err == nil || elsewhere(err) || s.World.Broken() != nil {
		return err
	}
	return differs("what came of "+what, "a result", err.Error())
}

// elsewhere says that an error tells nothing of a remedy: a system gave no answer, or no whole one, the run ends, or this machine has no
// room for a file, or no descriptor.
func elsewhere(err error) bool {
	for _, cause := range []error{
		context.Canceled, context.DeadlineExceeded, syscall.ENOSPC, syscall.EMFILE, syscall.ENFILE, syscall.EIO, syscall.EROFS,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return slices.Contains([]control.Kind{control.Unreachable, control.Broken, control.Interrupted}, control.KindOf(err))
}

// remedyOf is the remedy that a sentence names.
func remedyOf(name string) fix.Remedy {
	return map[string]fix.Remedy{
		"bearer fix":    fix.Bearer,
		"workaround":    fix.Workaround,
		"portable form": fix.Portable,
	}[name]
}

// apply plans a remedy and applies the plan, as `planeproof fix plan` and `fix apply` do; for what the audit found, as `fix plan --audit`
// does. What came of it, a refusal included, is kept.
func (s *Steps) apply(ctx context.Context, who, name, ref, generation, model string) error {
	affected, err := s.auditedFor(ref)
	if err != nil {
		return err
	}
	remedy := remedyOf(name)
	found, err := s.inventory(ctx)
	if err != nil {
		return err
	}
	var wanted []fix.Wanted
	for _, secret := range affected {
		i := slices.IndexFunc(found.Secrets, func(f inventory.Secret) bool { return f.ID == secret.ID })
		if i < 0 {
			return differs("what the inventory has", secret.Name, "not that secret")
		}
		wanted = append(wanted, fix.Wanted{Secret: found.Secrets[i], Remedy: remedy})
	}
	s.newPlan(found, generation, wanted)
	if len(s.planned.Refused) > 0 {
		s.fixErr = s.planned.Refused[0]
		return s.changed(ctx)
	}
	if s.fixErr, err = s.applyPlan(ctx, who, model); err != nil {
		return err
	}
	if s.fixErr == nil && remedy == fix.Bearer {
		expectBearer(affected)
	}
	return s.changed(ctx)
}

// auditedFor is the secret of a ref, and without one all that the audit would have the bearer fix for.
func (s *Steps) auditedFor(ref string) ([]*scenarios.Secret, error) {
	if ref != "" {
		return s.secrets(ref)
	}
	findings, _, err := s.findings("auth-format-api-key")
	if err != nil {
		return nil, err
	}
	affected := slices.DeleteFunc(slices.Clone(s.World.Secrets()), func(secret *scenarios.Secret) bool {
		return !slices.ContainsFunc(findings, func(f audit.Finding) bool {
			return f.Secret != nil && f.Secret.ID == secret.ID && f.Remedy.Name == string(fix.Bearer)
		})
	})
	if len(affected) == 0 {
		return nil, differs("what the audit found to fix", "something", "nothing")
	}
	return affected, nil
}

// newPlan plans with what the command line would know: the data plane's version, the generation given, the other secrets.
func (s *Steps) newPlan(found inventory.Inventory, generation string, wanted []fix.Wanted) {
	plane := fix.DataPlane{Generation: provider.Generation(generation)}
	plane.Know(found)
	s.planned = fix.NewPlan("planeproof", found.Organization, s.World.APIURL(), plane, wanted, time.Now())
}

// fixOptions are those of the command line, by a clock that only waiting moves: a data plane of the suite shows a change at once.
func (s *Steps) fixOptions() fix.Options {
	now := time.Now()
	return fix.Options{
		Backup: s.backup, Tool: "planeproof", Wait: fix.DefaultWait, Now: func() time.Time { return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return ctx.Err()
		},
	}
}

// applyPlan returns what applying came to, and as its second result what kept it from being tried.
func (s *Steps) applyPlan(ctx context.Context, who, model string) (outcome, err error) {
	dir, err := s.World.Dir()
	if err != nil {
		return nil, err
	}
	s.backup = filepath.Join(dir, fmt.Sprintf("backup-%d.json", len(s.World.Exchanges())))
	s.fixSaid = nil
	options := s.fixOptions()
	options.Org, options.Model = s.planned.Organization.Name, model
	options.Say = func(line string) { s.fixSaid = append(s.fixSaid, line) }
	_, outcome = fix.Apply(ctx, s.client(who), s.planned, options)
	if elsewhere(outcome) {
		return nil, outcome
	}
	return outcome, nil
}

// expectBearer makes "nothing else has changed" mean the two keys of the guide. The plan is not asked: one that changes too much would
// say so itself.
func expectBearer(affected []*scenarios.Secret) {
	for _, secret := range affected {
		secret.Edits = append(secret.Edits,
			scenarios.Entry{Key: "auth_format", Value: "bearer"}, scenarios.Entry{Key: "auth_type", Value: "api_key"})
	}
}

// restore writes back what the backup of the latest applied plan holds, as `planeproof restore --apply` does.
func (s *Steps) restore(ctx context.Context) error {
	if err := s.gaveWay("the restore", s.restoreBackup(ctx)); err != nil {
		return err
	}
	return s.changed(ctx)
}

func (s *Steps) restoreBackup(ctx context.Context) error {
	backup, err := fix.ReadBackup(s.backup)
	if err != nil {
		return err
	}
	client, options := s.client("an org admin"), s.fixOptions()
	undos, err := fix.Compare(ctx, client, backup, options)
	if err != nil {
		return err
	}
	return fix.Restore(ctx, client, backup, undos, options)
}

// fixProven asks that the plan had a step, and that applying it came to its end.
func (s *Steps) fixProven(context.Context) error {
	if s.planned == nil {
		return errors.New("read fix: none was planned")
	}
	if s.fixErr != nil {
		return differs("what came of the fix", "applied and proven", s.fixErr.Error())
	}
	if len(s.planned.Steps) == 0 {
		return differs("what came of the fix", "applied and proven", "nothing: the plan has no step")
	}
	return nil
}

// outcomes are what can come of a fix that is not proven, as sentences name it, and whether an error tells of it.
func outcomes() map[string]func(error) bool {
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	return map[string]func(error) bool{
		refusedBefore:          func(err error) bool { return errors.As(err, new(fix.Refusal)) },
		"refused by the API":   func(err error) bool { return control.KindOf(err) == control.Forbidden },
		"not applied":          is(fix.ErrNotApplied),
		"in place but failing": is(fix.ErrInPlace),
		"impossible to tell":   is(fix.ErrCannotTell),
	}
}

// refusedBefore is the outcome of a plan that is not sent.
const refusedBefore = "refused"

// fixIs asks for the outcome and for words of its error. Refused is what is never sent; all else has been.
func (s *Steps) fixIs(_ context.Context, outcome, words string) error {
	if outcome != refusedBefore {
		if err := s.sent(); err != nil {
			return err
		}
	}
	const what = "what came of the fix"
	want := fmt.Sprintf("%s, with %q", outcome, words)
	switch {
	case s.planned == nil:
		return errors.New("read fix: none was planned")
	case s.fixErr == nil:
		return differs(what, want, "applied and proven")
	case !outcomes()[outcome](s.fixErr) || !strings.Contains(s.fixErr.Error(), words):
		return differs(what, want, s.fixErr.Error())
	}
	return nil
}

// sent is an error where the plan had nothing to send: such a fix was neither refused by the API nor ignored.
func (s *Steps) sent() error {
	switch {
	case s.planned == nil:
		return errors.New("read fix: none was planned")
	case s.fixErr != nil && len(s.planned.Steps) == 0:
		return differs("what came of the fix", "a plan that is sent", s.fixErr.Error())
	case len(s.planned.Steps) == 0:
		return differs("what came of the fix", "a plan that is sent", "a plan without a step")
	}
	return nil
}

// fixSaysLast asks for the last line that applying the plan said.
func (s *Steps) fixSaysLast(_ context.Context, words string) error {
	if err := s.sent(); err != nil {
		return err
	}
	said := append([]string{"nothing"}, s.fixSaid...)
	if last := said[len(said)-1]; len(s.fixSaid) == 0 || !strings.Contains(last, words) {
		return differs("the last that the fix says", words, last)
	}
	return nil
}

// planCosts asks for the keys that the first step would lose, or the literal workaround in its place.
func (s *Steps) planCosts(_ context.Context, list string) error {
	if s.planned == nil || len(s.planned.Steps) == 0 {
		return errors.New("read plan: it has no step")
	}
	costs := strings.Join(s.planned.Steps[0].Costs, "; ") + s.planned.Steps[0].Alternative
	for _, key := range names(list) {
		if !strings.Contains(costs, key) {
			return differs("what the plan says would be lost", list, cmp.Or(costs, "nothing"))
		}
	}
	return nil
}
