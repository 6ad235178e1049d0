// Package audit looks through an inventory of provider secrets for what fails, will fail, or is lost on a data plane, and says for
// each finding what it rests on and what to do.
package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Schema is the format of a report in JSON (docs/audit-format.md).
const Schema = "planeproof/audit/v1"

// Options is what an audit is told beside the inventory.
type Options struct {
	// Generation is the proxy's that serves the organization, empty where nobody says: then it is the current one where the data plane
	// says that it is v2 (docs/facts.md, three generations), and else every generation is answered for.
	Generation provider.Generation
	// Model asks which secrets serve a model, empty for none.
	Model string
	// FailOn is the severity from which on findings fail the audit, empty for Warning. A model that nothing serves fails it always.
	FailOn Severity
	// Commands is how printed commands are made to run as they are printed.
	Commands Commands
}

// Report is what an audit found. It holds no secret.
type Report struct {
	Schema       string                 `json:"schema"`
	Tool         string                 `json:"tool"`
	APIURL       string                 `json:"api_url"`
	Organization inventory.Organization `json:"organization"`
	Key          string                 `json:"key"`
	TakenAt      string                 `json:"taken_at"`
	// Version is the data plane's own answer to GET /version, nil for none.
	Version json.RawMessage `json:"version,omitempty"`
	// Generation is the one given, empty for none; Generations are those that are answered for.
	Generation      string                `json:"generation,omitempty"`
	Generations     []provider.Generation `json:"generations"`
	VisibleProjects int                   `json:"visible_projects"`
	ReadProjects    int                   `json:"read_projects"`
	Secrets         int                   `json:"secrets"`
	// Verdict is clean, findings or incomplete; Summary says it in one line.
	Verdict Verdict  `json:"verdict"`
	Summary string   `json:"summary"`
	FailOn  Severity `json:"fail_on"`
	// Counts are the findings by severity.
	Counts map[Severity]int `json:"counts"`
	// Model is what the audit says of the model asked for, nil for none.
	Model *Model `json:"model,omitempty"`
	// Incomplete says what could not be read, or may have been cut.
	Incomplete []string `json:"incomplete"`
	// Next are the commands that plan what can be planned, nil where nothing can be or nobody knows how the audit was made.
	Next []string `json:"next,omitempty"`
	// Groups are ordered by severity, and within one by rule. They come last, as there may be many.
	Groups []Group `json:"groups"`
}

// Verdict is an audit in one word.
type Verdict string

// The verdicts.
const (
	Clean      Verdict = "clean"
	Findings   Verdict = "findings"
	Incomplete Verdict = "incomplete"
)

// ExitCode is the process's for the verdict: 0 clean, 1 findings, 3 incomplete.
func (s Verdict) ExitCode() int {
	switch s {
	case Clean:
		return 0
	case Findings:
		return 1
	default:
		return 3
	}
}

// Group is the findings of one rule with one cause.
type Group struct {
	Rule       string     `json:"rule"`
	Title      string     `json:"title"`
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	Source     string     `json:"source"`
	Cause      string     `json:"cause,omitempty"`
	Why        string     `json:"why"`
	Advice     string     `json:"advice"`
	// Needs says what would decide the findings, empty where they are decided.
	Needs string `json:"needs,omitempty"`
	// Follows are the rules whose findings cause these: where those are mended, so are these.
	Follows  []string  `json:"follows,omitempty"`
	Findings []Finding `json:"findings"`
}

// Finding is one secret that a rule applies to.
type Finding struct {
	// Secret is nil where the finding is about the organization as a whole.
	Secret   *SecretRef `json:"secret,omitempty"`
	Evidence []string   `json:"evidence"`
	// Also are other secrets that the finding is about.
	Also   []*SecretRef `json:"also,omitempty"`
	Remedy Remedy       `json:"remedy"`
}

// SecretRef names a secret.
type SecretRef struct {
	ID      string                `json:"id"`
	Level   inventory.Level       `json:"level"`
	Project *inventory.ProjectRef `json:"project,omitempty"`
	Name    string                `json:"name"`
	Type    string                `json:"type"`
	Path    string                `json:"path"`
}

// Run audits an inventory. It reads nothing else; of a saved inventory it says the same as of the one that was saved.
func Run(i inventory.Inventory, o Options) Report {
	p := newPass(i, o)
	r := Report{
		Schema: Schema, Tool: i.Tool, APIURL: i.APIURL, Organization: i.Organization, Key: i.Key, TakenAt: i.TakenAt,
		Version: i.Version, Generation: string(o.Generation), Generations: p.generations(), VisibleProjects: i.VisibleProjects, ReadProjects: len(i.Projects), Secrets: len(i.Secrets),
		FailOn: cmp.Or(o.FailOn, Warning), Counts: map[Severity]int{Error: 0, Warning: 0, Note: 0}, Groups: []Group{},
		Incomplete: append([]string{}, i.Incomplete...),
	}
	if len(i.Secrets) == 0 && len(i.Incomplete) == 0 {
		r.Incomplete = append(r.Incomplete, "no provider secret is visible: either there is none, or the key may not see them")
	}
	r.Groups = p.groups(i.Secrets)
	r.Model = p.model
	r.Next = p.planAll(r.Groups)
	r.conclude()
	return r
}

// groups runs every rule over every owner.
func (p *pass) groups(secrets []inventory.Secret) []Group {
	rules := Rules()
	found := make([]ruleGroups, len(rules))
	for n, owned := range owners(secrets) {
		p.next(owned, n == 0)
		p.model.gather(p.secrets)
		for n, rule := range rules {
			if rule.check != nil {
				found[n].add(rule, rule.check(p))
			}
		}
	}
	groups := []Group{}
	for n, rule := range rules {
		if rule.after != nil {
			found[n].add(rule, rule.after(p))
		}
		groups = append(groups, found[n].groups...)
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
	return groups
}

func rank(s Severity) int { return slices.Index(Severities(), s) }

// ruleGroups are the groups of one rule, in the order of their first finding.
type ruleGroups struct {
	groups []Group
	at     map[groupKey]int
}

// groupKey is what the findings of a group have in common.
type groupKey struct {
	severity     Severity
	cause, needs string
}

func (g *ruleGroups) add(rule Rule, matches []match) {
	for _, m := range matches {
		key := groupKey{cmp.Or(m.severity, rule.Severity), m.cause, cmp.Or(m.needs, rule.Needs)}
		n, known := g.at[key]
		if !known {
			if n = len(g.groups); n == 0 {
				g.at = map[groupKey]int{}
			}
			g.at[key] = n
			g.groups = append(g.groups, Group{
				Rule: rule.ID, Title: rule.Title, Severity: key.severity, Confidence: rule.Confidence, Source: rule.Source,
				Cause: key.cause, Why: rule.Why, Advice: rule.Advice, Needs: key.needs, Follows: rule.Follows,
			})
		}
		g.groups[n].Findings = append(g.groups[n].Findings, m.finding())
	}
}

func (m match) finding() Finding {
	f := Finding{Evidence: append([]string{}, m.evidence...), Also: m.also, Remedy: m.remedy}
	if m.secret != nil {
		f.Secret = m.secret.ref
	}
	return f
}

// planAll are the commands that plan every finding of the severity that fails with a remedy.
func (p *pass) planAll(groups []Group) []string {
	plans := func(f Finding) bool { return f.Remedy.Name != "" && f.Remedy.Name != RemedyRawToken }
	planned := slices.ContainsFunc(groups, func(g Group) bool { return g.Severity != Note && slices.ContainsFunc(g.Findings, plans) })
	if p.commands.Again == nil || !planned {
		return nil
	}
	return []string{
		p.commands.line([]string{"audit"}, p.commands.Again, []string{"-o", "json"}) + " > audit.json",
		p.commands.line([]string{"fix", "plan"}, p.access, p.commands.Org, []string{"--audit", "audit.json", "--save", "plan.json"}),
	}
}

// conclude counts, and finds the verdict: what was not read may hold anything, so incomplete comes before findings.
func (r *Report) conclude() {
	failing := map[string]bool{}
	for _, g := range r.Groups {
		r.Counts[g.Severity] += len(g.Findings)
		if rank(g.Severity) > rank(r.FailOn) {
			continue
		}
		for _, f := range g.Findings {
			id := ""
			if f.Secret != nil {
				id = f.Secret.ID
			}
			failing[id] = true
		}
	}
	counts := fmt.Sprintf("%s, %s, %s", count(r.Counts[Error], "error"), count(r.Counts[Warning], "warning"), count(r.Counts[Note], "note"))
	scope := fmt.Sprintf("%s in %s and the organization", count(r.Secrets, "provider secret"), count(r.ReadProjects, "project"))
	switch {
	case len(r.Incomplete) > 0:
		r.Verdict = Incomplete
		r.Summary = fmt.Sprintf("incomplete: %s; found so far in %s: %s",
			count(len(r.Incomplete), "thing was not read", "things were not read"), scope, counts)
	case len(failing) > 0 || r.Model != nil && !r.Model.served:
		r.Verdict = Findings
		delete(failing, "")
		r.Summary = fmt.Sprintf("findings: %s; affected: %d of %s", counts, len(failing), scope)
	default:
		r.Verdict = Clean
		r.Summary = fmt.Sprintf("clean: %s; nothing of severity %s or worse; %s", scope, r.FailOn, counts)
	}
}

// count is a number with its noun; plural is the noun with an s where it is not given.
func count(n int, singular string, plural ...string) string {
	noun := singular
	if n != 1 {
		noun = cmp.Or(append(plural, singular+"s")...)
	}
	return fmt.Sprintf("%d %s", n, noun)
}
