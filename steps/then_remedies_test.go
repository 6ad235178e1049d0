package steps

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
)

func fixRows() []row {
	step := fix.Step{Costs: []string{"auth_format is lost"}, Alternative: "display_name too"}
	came := func(err error) func(*rig) {
		return func(r *rig) { r.planned, r.fixErr = &fix.Plan{Steps: []fix.Step{step}}, err }
	}
	nothing := func(r *rig) { r.planned = &fix.Plan{} }
	refused := func(reason string) func(*rig) {
		return func(r *rig) {
			refusal := fix.Refusal{Name: "acme", Remedy: fix.Bearer, Reason: reason}
			r.planned, r.fixErr = &fix.Plan{Refused: []fix.Refusal{refusal}}, refusal
		}
	}
	forbidden := func(said string) error {
		return &control.Error{Kind: control.Forbidden, Status: http.StatusForbidden, Reason: said}
	}
	said := func(lines ...string) func(*rig) { return func(r *rig) { came(nil)(r); r.fixSaid = lines } }
	const what = "what came of the fix"
	rows := []row{
		{"the fix is proven", nil, came(nil), []fault{
			{what, "applied and proven", "no luck", came(errors.New("no luck"))},
			{what, "applied and proven", "the plan has no step", nothing},
		}},
		{`the fix is refused and says "not yours"`, nil, refused("it is not yours"), []fault{
			{what, `refused, with "not yours"`, "no time", refused("no time")},
			{what, `refused, with "not yours"`, "applied and proven", came(nil)},
			{what, `refused, with "not yours"`, "not yours", came(errors.New("not yours"))},
		}},
		{`the fix is refused by the API and says "not yours"`, nil, came(forbidden("it is not yours")), []fault{
			{what, "a plan that is sent", "not yours", refused("not yours")},
			{what, "a plan that is sent", "a plan without a step", nothing},
			{what, "refused by the API", "not yours", came(&control.Error{Kind: control.Refused, Reason: "not yours"})},
			{what, `refused by the API, with "not yours"`, "no time", came(forbidden("no time"))},
			{what, `refused by the API, with "not yours"`, "applied and proven", came(nil)},
		}},
		{`the fix says last "done"`, nil, said("begun", "done"), []fault{
			{"the last that the fix says", "done", "begun", said("done", "begun")},
			{"the last that the fix says", "done", "nothing", came(nil)},
			{what, "a plan that is sent", "a plan without a step", nothing},
		}},
		{`the plan says that "auth_format" and "display_name" would be lost`, nil, came(nil), []fault{
			{"what the plan says would be lost", `"display_name"`, "auth_format is lost", func(r *rig) {
				r.planned = &fix.Plan{Steps: []fix.Step{{Costs: []string{"auth_format is lost"}}}}
			}},
			{"what the plan says would be lost", `"auth_format"`, "nothing", func(r *rig) { r.planned = &fix.Plan{Steps: []fix.Step{{}}} }},
		}},
	}
	outcomes := map[string]error{"not applied": fix.ErrNotApplied, "in place but failing": fix.ErrInPlace, "impossible to tell": fix.ErrCannotTell}
	for how, kind := range outcomes {
		rows = append(rows, row{"the fix is " + how + ` and says "why"`, nil, came(fmt.Errorf("%w: this is why", kind)), []fault{
			{what, "a plan that is sent", "why", refused("why")},
			{what, "a plan that is sent", "a plan without a step", nothing},
			{what, how + `, with "why"`, "applied and proven", came(nil)},
			{what, how + `, with "why"`, "no reason", came(fmt.Errorf("%w: no reason", kind))},
			{what, how, "why", came(errors.New("why"))},
		}})
	}
	return rows
}

// found is an audit that found a rule's findings on secrets by id.
func found(rule string, remedy fix.Remedy, ids ...string) func(*rig) {
	return func(r *rig) {
		group := audit.Group{Rule: rule}
		for _, id := range ids {
			group.Findings = append(group.Findings, audit.Finding{Secret: &audit.SecretRef{ID: id}, Remedy: audit.Remedy{Name: string(remedy)}})
		}
		r.audited = &audit.Report{Verdict: audit.Findings, Summary: "1 finding", Groups: []audit.Group{group}}
	}
}

func auditRows() []row {
	const rule = "auth-format-api-key"
	two := func(r *rig) { r.org("acme", ""); r.org("beta", "") }
	clean := func(r *rig) { r.audited = &audit.Report{Verdict: audit.Clean, Summary: "no finding"} }
	undecided := func(needs string) func(*rig) {
		return func(r *rig) { found(rule, "", "id-1")(r); r.audited.Groups[0].Needs = needs }
	}
	unserved := func(named string) func(*rig) {
		return func(r *rig) {
			found("model-not-served", "")(r)
			r.audited.Groups[0].Findings = []audit.Finding{{Evidence: []string{"nothing serves " + named}}}
		}
	}
	models := func(ids ...string) func(*rig) {
		return func(r *rig) {
			r.audited = &audit.Report{Model: &audit.Model{}}
			for _, id := range ids {
				r.audited.Model.Custom = append(r.audited.Model.Custom, audit.ModelSecret{ID: id})
			}
		}
	}
	const what = "the ids of the secrets on which the audit finds " + rule
	rows := []row{
		{`the audit finds "auth-format-api-key" on "acme"`, two, found(rule, "", "id-1"), []fault{
			{what, "id-1", "none", clean},
			{what, "id-1", "id-2", found(rule, "", "id-2")},
			{what, "id-1", "id-1, id-2", found(rule, "", "id-1", "id-2")},
			{what, "id-1", "none", found("model-not-served", "", "id-1")},
		}},
		{`the audit finds "auth-format-api-key" on "beta" and "acme"`, two, func(r *rig) {
			found(rule, "", "id-1")(r)
			r.audited.Groups[0].Findings[0].Also = []*audit.SecretRef{{ID: "id-2"}}
		}, []fault{{what, "id-1, id-2", "id-1", found(rule, "", "id-1")}}},
		{`the audit finds "auth-format-api-key" on none`, two, clean, []fault{{what, "none", "id-1", found(rule, "", "id-1")}}},
		{"the audit is clean", nil, clean, []fault{{"the verdict of the audit", "clean", "1 finding; " + rule, found(rule, "")}}},
		{"the audit is not clean", nil, found(rule, ""), []fault{{"the verdict of the audit", "not clean", "no finding", clean}}},
		{`the audit says that no secret serves "acme-chat"`, nil, unserved("acme-chat"), []fault{
			{"the findings of the audit", "model-not-served, with acme-chat", "none", clean},
			{"the findings of the audit", "with acme-chat", "model-not-served", unserved("other")},
		}},
		{`the audit cannot decide "auth-format-api-key" on "acme", and says what it would need`, two, undecided("the generation"), []fault{
			{"what " + rule + " says that it would need", "something", "it is decided", undecided("")},
			{what, "id-1", "none", clean},
		}},
		{`the audit names "beta" and "acme" for the model`, two, models("id-1", "id-2"), []fault{
			{"the secrets that the audit names for the model", "id-1, id-2", "id-1", models("id-1")},
			{"the secrets that the audit names for the model", "id-1, id-2", "none", models()},
			{"the secrets that the audit names for the model", "id-1, id-2", "id-1, id-2, id-3", models("id-3", "id-1", "id-2")},
		}},
	}
	for words, remedy := range map[string]fix.Remedy{"bearer fix": fix.Bearer, "workaround": fix.Workaround, "portable form": fix.Portable} {
		other := map[bool]fix.Remedy{true: fix.Workaround, false: fix.Bearer}[remedy == fix.Bearer]
		rows = append(rows, row{`for "auth-format-api-key" the audit proposes the ` + words + ` on "acme"`, two, found(rule, remedy, "id-2", "id-1"), []fault{
			{"what the audit proposes for " + rule, words, "it does not find it", clean},
			{"what the audit proposes for " + rule, words, "it does not find it", found(rule, remedy, "id-2")},
			{"the remedy that the audit proposes for " + rule, string(remedy), string(other), found(rule, other, "id-1")},
			{"the remedy that the audit proposes for " + rule, string(remedy), `""`, found(rule, "", "id-1")},
		}})
	}
	return rows
}
