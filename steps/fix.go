package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/scenarios"
)

// role is who does something in a sentence.
const role = `(an org admin|a member)`

func bindFix(b Binder) {
	b.When(`^`+role+` applies the (bearer fix|workaround|guide's literal workaround|portable form) to `+ref+`$`, (*Steps).applyRemedy)
	b.When(`^`+role+` applies the (bearer fix|workaround|guide's literal workaround|portable form) to `+ref+`, with the proxy known to be ([a-z0-9-]+)$`, (*Steps).applyKnowing)
	b.When(`^an org admin tries the bearer fix on `+ref+` with a call for model "([^"]*)"$`, (*Steps).applyWithCall)
	b.When(`^an org admin applies the bearer fix to what the audit found$`, (*Steps).applyToFindings)
	b.When(`^the change is restored$`, (*Steps).restore)
	b.Then(`^the fix is refused and says "([^"]*)"$`, (*Steps).fixRefused)
	b.Then(`^the fix is reported as (not applied|in place but failing|impossible to tell) and says "([^"]*)"$`, (*Steps).fixReported)
	b.Then(`^the fix says last "([^"]*)"$`, (*Steps).fixSaysLast)
	b.Then(`^the fix is reported as refused and says "([^"]*)"$`, (*Steps).fixRefusedByAPI)
	b.Then(`^the fix is proven$`, (*Steps).fixProven)
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

// gaveWay makes a remedy's own error a mismatch: it should have come to a result. What is no error of the remedy stays as it is: a system that
// gave no answer, or no whole one, or a run that ends.
func (s *Steps) gaveWay(what string, err error) error {
	kind := control.KindOf(err)
	elsewhere := kind == control.Unreachable || kind == control.Broken || kind == control.Interrupted ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err == nil || elsewhere || s.World.Broken() != nil {
		return err
	}
	return differs("what came of "+what, "a result", err.Error())
}

// remedyOf is the remedy that a sentence names.
func remedyOf(name string) fix.Remedy {
	return map[string]fix.Remedy{
		"bearer fix":                 fix.Bearer,
		"workaround":                 fix.Workaround,
		"guide's literal workaround": fix.Literal,
		"portable form":              fix.Portable,
	}[name]
}

func (s *Steps) applyRemedy(ctx context.Context, who, name, ref string) error {
	return s.applyKnowing(ctx, who, name, ref, "")
}

func (s *Steps) applyKnowing(ctx context.Context, who, name, ref, generation string) error {
	return s.planAndApply(ctx, who, remedyOf(name), []string{ref}, generation, "")
}

func (s *Steps) applyWithCall(ctx context.Context, ref, model string) error {
	return s.planAndApply(ctx, "an org admin", fix.Bearer, []string{ref}, "", model)
}

// applyToFindings takes the secrets that the audit would have the bearer fix for, as `fix plan --audit` does.
func (s *Steps) applyToFindings(ctx context.Context) error {
	findings, _, err := s.findings("auth-format-api-key")
	if err != nil {
		return err
	}
	var affected []string
	for _, f := range findings {
		if f.Secret != nil && f.Remedy.Name == string(fix.Bearer) {
			affected = append(affected, `"`+f.Secret.Name+`"`)
		}
	}
	if len(affected) == 0 {
		return differs("what the audit found to fix", "something", "nothing")
	}
	return s.planAndApply(ctx, "an org admin", fix.Bearer, affected, "", "")
}

// planAndApply plans a remedy and applies the plan, as `planeproof fix plan` and `fix apply` do. What came of it, a refusal included,
// is kept.
func (s *Steps) planAndApply(ctx context.Context, who string, remedy fix.Remedy, affected []string, generation, model string) error {
	found, err := s.inventory(ctx)
	if err != nil {
		return err
	}
	var wanted []fix.Wanted
	for _, ref := range affected {
		secret, err := s.secret(ref)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(found.Secrets, func(f inventory.Secret) bool { return f.ID == secret.ID })
		if i < 0 {
			return differs("what the inventory has", ref, "not that secret")
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
		if err := s.expectBearer(affected); err != nil {
			return err
		}
	}
	return s.changed(ctx)
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
	if kind := control.KindOf(outcome); kind == control.Unreachable || kind == control.Broken {
		return nil, outcome
	}
	return outcome, nil
}

// expectBearer makes "nothing else has changed" mean the two keys of the guide. The plan is not asked: one that changes too much would
// say so itself.
func (s *Steps) expectBearer(affected []string) error {
	for _, ref := range affected {
		secret, err := s.secret(ref)
		if err != nil {
			return err
		}
		secret.Edits = append(secret.Edits,
			scenarios.Entry{Key: "auth_format", Value: "bearer"}, scenarios.Entry{Key: "auth_type", Value: "api_key"})
	}
	return nil
}

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

func (s *Steps) fixRefused(_ context.Context, words string) error {
	if s.planned == nil {
		return errors.New("read fix: none was planned")
	}
	if s.fixErr != nil && len(s.planned.Refused) == 0 {
		return differs("what came of the fix", "refused before anything was sent", s.fixErr.Error())
	}
	return s.fixFailed("refused", words)
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

func (s *Steps) fixRefusedByAPI(_ context.Context, words string) error {
	if err := s.sent(); err != nil {
		return err
	}
	if s.fixErr != nil && control.KindOf(s.fixErr) != control.Forbidden {
		return differs("what came of the fix", "refused by the API with 403", s.fixErr.Error())
	}
	return s.fixFailed("refused by the API", words)
}

func (s *Steps) fixReported(_ context.Context, how, words string) error {
	if err := s.sent(); err != nil {
		return err
	}
	outcome := map[string]error{"not applied": fix.ErrNotApplied, "in place but failing": fix.ErrInPlace, "impossible to tell": fix.ErrCannotTell}[how]
	if s.fixErr != nil && !errors.Is(s.fixErr, outcome) {
		return differs("what came of the fix", how, s.fixErr.Error())
	}
	return s.fixFailed(how, words)
}

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

func (s *Steps) fixFailed(how, words string) error {
	want := fmt.Sprintf("%s, with %q", how, words)
	if s.fixErr == nil {
		return differs("what came of the fix", want, "applied and proven")
	}
	if !strings.Contains(s.fixErr.Error(), words) {
		return differs("what came of the fix", want, s.fixErr.Error())
	}
	return nil
}

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
