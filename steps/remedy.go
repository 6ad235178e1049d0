package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
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

func (s *Steps) bindRemedy(b Binder) {
	b.When(`^`+role+` applies the (bearer fix|workaround|guide's literal workaround|portable form) to `+ref+`$`, s.applyRemedy)
	b.When(`^`+role+` applies the (bearer fix|workaround|guide's literal workaround|portable form) to `+ref+`, with the proxy known to be ([a-z0-9-]+)$`, s.applyKnowing)
	b.When(`^an org admin tries the bearer fix on `+ref+` with a call for model "([^"]*)"$`, s.applyWithCall)
	b.When(`^an org admin applies the bearer fix to what the audit found$`, s.applyToFindings)
	b.When(`^the change is restored$`, s.restore)
	b.When(`^the organization is audited(?: for model "([^"]*)")?$`, s.audit)
	b.When(`^the organization is audited with the proxy known to be ([a-z0-9-]+)$`, s.auditKnowing)
	b.Then(`^the fix is refused and says "([^"]*)"$`, s.fixRefused)
	b.Then(`^the fix is reported as not applied and says "([^"]*)"$`, s.fixNotApplied)
	b.Then(`^the fix is reported as refused and says "([^"]*)"$`, s.fixRefusedByAPI)
	b.Then(`^the fix is proven$`, s.fixProven)
	b.Then(`^the plan says that (.+) would be lost$`, s.planCosts)
	b.Then(`^the audit finds "([^"]*)" on (.+)$`, s.auditFinds)
	b.Then(`^the audit is not clean$`, s.auditNotClean)
	b.Then(`^the audit says that no secret serves "([^"]*)"$`, s.auditNotServed)
	b.Then(`^the audit cannot decide "([^"]*)" on `+ref+`, and says what it would need$`, s.auditUndecided)
	b.Then(`^the audit names (.+) for the model$`, s.auditNamesModel)
}

// client is a client of the control API as the command line uses it, with the key of a role.
func (s *Steps) client(who string) *control.Client {
	key := s.World.ScorerKey()
	if who == "an org admin" {
		key = s.World.AdminKey()
	}
	return control.New(s.World.APIURL(), key, s.World.Client())
}

func (s *Steps) inventory(ctx context.Context) (inventory.Inventory, error) {
	found, err := inventory.Read(ctx, s.client("an org admin"), inventory.Options{All: true, Tool: "planeproof"})
	if err == nil && len(found.Incomplete) > 0 {
		err = fmt.Errorf("read inventory: incomplete: %s", strings.Join(found.Incomplete, "; "))
	}
	return found, err
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
		return errors.New("plan fix: the audit found nothing to fix")
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
	if err := s.newPlan(ctx, found, generation); err != nil {
		return err
	}
	for _, ref := range affected {
		secret, err := s.secret(ref)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(found.Secrets, func(f inventory.Secret) bool { return f.ID == secret.ID })
		if i < 0 {
			return fmt.Errorf("plan fix: the inventory has no %s", ref)
		}
		s.planned.Add(fix.Ask{Secret: found.Secrets[i], Remedy: remedy}, s.situation)
	}
	if len(s.planned.Refused) > 0 {
		s.fixErr = s.planned.Refused[0]
		return s.changed(ctx)
	}
	if s.fixErr, err = s.applyPlan(ctx, who, model); err != nil {
		return err
	}
	if s.fixErr == nil {
		s.expectEdits()
	}
	return s.changed(ctx)
}

// newPlan begins a plan with what the command line would know: the data plane's version, the generation given, the org's secrets.
func (s *Steps) newPlan(ctx context.Context, found inventory.Inventory, generation string) error {
	version, err := s.client("an org admin").Get(ctx, "/version")
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	s.situation = fix.Situation{Generation: provider.Generation(generation), Version: version.Body}
	for _, f := range found.Secrets {
		if f.Level != inventory.Project {
			s.situation.Org = append(s.situation.Org, f)
		}
	}
	s.planned = fix.NewPlan("planeproof", s.World.APIURL(), found.Organization, s.situation, time.Now())
	return nil
}

// applyPlan returns what applying came to, and as its second result what kept it from being tried.
func (s *Steps) applyPlan(ctx context.Context, who, model string) (outcome, err error) {
	dir, err := s.World.Dir()
	if err != nil {
		return nil, err
	}
	s.backup = filepath.Join(dir, fmt.Sprintf("backup-%d.json", len(s.World.Exchanges())))
	outcome = fix.Apply(ctx, s.client(who), s.planned, fix.Options{
		Org: s.planned.Organization.Name, Backup: s.backup, Tool: "planeproof", Model: model, Now: time.Now, Say: func(string) {},
	})
	if kind := control.KindOf(outcome); kind == control.Unreachable || kind == control.Broken {
		return nil, outcome
	}
	return outcome, nil
}

// expectEdits makes "nothing else has changed" mean the keys that the plan names, and no others.
func (s *Steps) expectEdits() {
	for _, step := range s.planned.Steps {
		for _, secret := range s.World.Secrets() {
			if secret.ID == step.SecretID {
				secret.Edits = append(secret.Edits, edits(step.Edit)...)
			}
		}
	}
}

func edits(e fix.Edit) scenarios.Metadata {
	var all scenarios.Metadata
	for _, entry := range e.Set {
		all = append(all, scenarios.Entry{Key: entry.Key, Value: entry.Value})
	}
	for _, key := range e.Remove {
		all = append(all, scenarios.Entry{Key: key, Value: scenarios.Removed{}})
	}
	return all
}

func (s *Steps) restore(ctx context.Context) error {
	backup, err := fix.ReadBackup(s.backup)
	if err != nil {
		return err
	}
	client := s.client("an org admin")
	undos, err := fix.Compare(ctx, client, backup, s.backup)
	if err != nil {
		return err
	}
	err = fix.Restore(ctx, client, backup, undos, fix.Options{
		Org: backup.Organization.Name, Backup: s.backup, Tool: "planeproof", Now: time.Now, Say: func(string) {},
	})
	if err != nil {
		return err
	}
	return s.changed(ctx)
}

func (s *Steps) fixProven(context.Context) error {
	if s.planned == nil {
		return errors.New("read fix: none was planned")
	}
	if s.fixErr != nil {
		return differs("what came of the fix", "applied and proven", s.fixErr.Error())
	}
	return nil
}

func (s *Steps) fixRefused(_ context.Context, words string) error {
	if s.planned == nil {
		return errors.New("read fix: none was planned")
	}
	return s.fixFailed("refused", words)
}

func (s *Steps) fixRefusedByAPI(_ context.Context, words string) error {
	if s.planned == nil || len(s.planned.Steps) == 0 {
		return errors.New("read fix: none was applied")
	}
	return s.fixFailed("refused by the API", words)
}

func (s *Steps) fixNotApplied(_ context.Context, words string) error {
	if s.planned == nil || len(s.planned.Steps) == 0 {
		return errors.New("read fix: none was applied")
	}
	if s.fixErr != nil && !errors.Is(s.fixErr, fix.ErrNotApplied) {
		return differs("what came of the fix", "not applied", s.fixErr.Error())
	}
	return s.fixFailed("not applied", words)
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
			return differs("what the plan says would be lost", list, costs)
		}
	}
	return nil
}

func (s *Steps) audit(ctx context.Context, model string) error {
	return s.auditAs(ctx, audit.Options{Model: model})
}

func (s *Steps) auditKnowing(ctx context.Context, generation string) error {
	parsed, err := provider.ParseGeneration(generation)
	if err != nil {
		return err
	}
	return s.auditAs(ctx, audit.Options{Generation: parsed})
}

func (s *Steps) auditAs(ctx context.Context, o audit.Options) error {
	found, err := s.inventory(ctx)
	if err != nil {
		return err
	}
	report := audit.Run(found, o)
	s.audited = &report
	return nil
}

// findings are the findings of a rule.
func (s *Steps) findings(rule string) ([]audit.Finding, []audit.Group, error) {
	if s.audited == nil {
		return nil, nil, errors.New("read audit: none was made")
	}
	known := slices.ContainsFunc(audit.Rules(), func(r audit.Rule) bool { return r.ID == rule })
	if !known {
		return nil, nil, fmt.Errorf("read audit: there is no rule %q", rule)
	}
	var findings []audit.Finding
	var groups []audit.Group
	for _, group := range s.audited.Groups {
		if group.Rule == rule {
			findings, groups = append(findings, group.Findings...), append(groups, group)
		}
	}
	return findings, groups, nil
}

// auditFinds compares the secrets that a rule names, and those it names beside them, with exactly the given ones.
func (s *Steps) auditFinds(_ context.Context, rule, list string) error {
	findings, _, err := s.findings(rule)
	if err != nil {
		return err
	}
	var want, found []string
	for _, r := range refs.FindAllString(list, -1) {
		secret, err := s.secret(r)
		if err != nil {
			return err
		}
		want = append(want, secret.ID)
	}
	for _, f := range findings {
		if f.Secret != nil && !slices.Contains(found, f.Secret.ID) {
			found = append(found, f.Secret.ID)
		}
		for _, also := range f.Also {
			if !slices.Contains(found, also.ID) {
				found = append(found, also.ID)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(found)
	return equal("the ids of the secrets on which the audit finds "+rule, want, found)
}

func (s *Steps) auditUndecided(ctx context.Context, rule, ref string) error {
	if err := s.auditFinds(ctx, rule, ref); err != nil {
		return err
	}
	_, groups, err := s.findings(rule)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if group.Needs == "" {
			return differs("what "+rule+" says that it would need", "something", "nothing: it is decided")
		}
	}
	return nil
}

func (s *Steps) auditNotClean(context.Context) error {
	if s.audited == nil {
		return errors.New("read audit: none was made")
	}
	if s.audited.Verdict == audit.Clean {
		return differs("the verdict of the audit", "findings", string(s.audited.Verdict))
	}
	return nil
}

func (s *Steps) auditNotServed(_ context.Context, model string) error {
	_, groups, err := s.findings("model-not-served")
	if err != nil {
		return err
	}
	raw, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	if len(groups) == 0 || !strings.Contains(string(raw), model) {
		return differs("the findings of the audit", "model-not-served, with "+model, s.rulesFound())
	}
	return nil
}

func (s *Steps) rulesFound() string {
	var rules []string
	for _, group := range s.audited.Groups {
		rules = append(rules, group.Rule)
	}
	return show(rules)
}

// auditNamesModel compares the secrets whose customModels has the model, as the guide's filter gives them.
func (s *Steps) auditNamesModel(_ context.Context, list string) error {
	if s.audited == nil || s.audited.Model == nil {
		return errors.New("read audit: it was not asked for a model")
	}
	var found []string
	for _, secret := range s.audited.Model.Custom {
		found = append(found, secret.Name)
	}
	want := names(list)
	slices.Sort(want)
	slices.Sort(found)
	return equal("the secrets that the audit names for the model", want, found)
}
