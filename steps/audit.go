package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

func bindAudit(b Binder) {
	b.When(`^the organization is audited(?: for model "([^"]*)")?(?: with the proxy known to be ([a-z0-9-]+))?$`, (*Steps).audit)
	b.Then(`^the audit finds "([^"]*)" on (.+)$`, (*Steps).auditFinds)
	b.Then(`^the audit is (clean|not clean)$`, (*Steps).auditIs)
	b.Then(`^for "([^"]*)" the audit proposes the (bearer fix|workaround|portable form) on `+ref+`$`, (*Steps).auditProposes)
	b.Then(`^the audit says that no secret serves "([^"]*)"$`, (*Steps).auditNotServed)
	b.Then(`^the audit cannot decide "([^"]*)" on `+ref+`, and says what it would need$`, (*Steps).auditUndecided)
	b.Then(`^the audit names (.+) for the model$`, (*Steps).auditNamesModel)
}

// inventory reads the organization. It has a project then: one without any may be one whose projects the key does not see.
func (s *Steps) inventory(ctx context.Context) (inventory.Inventory, error) {
	if _, err := s.World.Project(ctx, "audited"); err != nil {
		return inventory.Inventory{}, err
	}
	found, err := inventory.Read(ctx, s.client("an org admin"), inventory.Options{All: true, Tool: "planeproof"})
	if err == nil && len(found.Incomplete) > 0 {
		err = fmt.Errorf("read inventory: incomplete: %s", strings.Join(found.Incomplete, "; "))
	}
	return found, s.gaveWay("the inventory", err)
}

// audit audits the organization as `planeproof audit` does.
func (s *Steps) audit(ctx context.Context, model, generation string) error {
	found, err := s.inventory(ctx)
	if err != nil {
		return err
	}
	o := audit.Options{Model: model}
	if generation != "" {
		if o.Generation, err = provider.ParseGeneration(generation); err != nil {
			return err
		}
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
	meant, err := s.secrets(list)
	if err != nil {
		return err
	}
	var want, found []string
	for _, secret := range meant {
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

// auditUndecided asks for a finding that says what would decide it.
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

// auditIs asks for the verdict of the whole audit.
func (s *Steps) auditIs(_ context.Context, verdict string) error {
	if s.audited == nil {
		return errors.New("read audit: none was made")
	}
	if (s.audited.Verdict == audit.Clean) != (verdict == "clean") {
		return differs("the verdict of the audit", verdict, s.audited.Summary+"; "+s.rulesFound())
	}
	return nil
}

// auditProposes asks for the remedy of a finding on a secret.
func (s *Steps) auditProposes(_ context.Context, rule, remedy, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	findings, _, err := s.findings(rule)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(findings, func(f audit.Finding) bool { return f.Secret != nil && f.Secret.ID == secret.ID })
	if i < 0 {
		return differs("what the audit proposes for "+rule, remedy, "nothing: it does not find it on "+ref)
	}
	return equal("the remedy that the audit proposes for "+rule, string(remedyOf(remedy)), findings[i].Remedy.Name)
}

// auditNotServed asks for the finding that names a model which no secret serves.
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
	meant, err := s.secrets(list)
	if err != nil {
		return err
	}
	var want, found []string
	for _, secret := range meant {
		want = append(want, secret.ID)
	}
	for _, secret := range s.audited.Model.Custom {
		found = append(found, secret.ID)
	}
	slices.Sort(want)
	slices.Sort(found)
	return equal("the ids of the secrets that the audit names for the model", want, found)
}
