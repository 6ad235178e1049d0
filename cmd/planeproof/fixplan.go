package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// planFlags are the flags of `planeproof fix plan`.
type planFlags struct {
	api                           apiFlags
	secret, audit, legacy, log    string
	tokenFile, out                string
	workaround, literal, portable bool
}

func newFixPlan(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan (--secret ID | --audit FILE) -o PLAN",
		Short: "Write down what would be changed, for review; only GET is sent",
		Long: `Plan reads a provider secret, or those that an audit found, and writes a plan with the change of each, key by key. Nothing is changed.
The plan holds no credentials and no metadata, only the edits.

The remedy for --secret is the first guide's: auth_format bearer, auth_type api_key. --portable removes both keys instead, which every
generation reads as Bearer. --workaround is the second guide's, and is refused unless its three conditions hold. --token-file replaces
the stored value.

Exit codes: 0 planned; 1 something was refused; 2 usage; 3 the API cannot be reached.`,
		Example: `  planeproof fix plan --secret 22222222-2222-4222-8222-222222222222 -o plan.json
  planeproof fix plan --secret 22222222-2222-4222-8222-222222222222 --legacy legacy-2026-02 --workaround --log proxy.log -o plan.json
  planeproof fix plan --audit audit.json -o plan.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), t, cmd.InOrStdin(), redactor)
		},
	}
	f.api.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.secret, "secret", "", "id of the ai_secret or env_var to repair")
	flags.StringVar(&f.audit, "audit", "", "file that planeproof audit -o json wrote: every finding of its severity with a remedy is planned")
	flags.StringVar(&f.legacy, "legacy", "", "generation of the AI proxy: "+generationNames())
	flags.StringVar(&f.log, "log", "", "the proxy's log, as evidence for the workaround")
	flags.BoolVar(&f.workaround, "workaround", false, "remove what the legacy proxy rejects")
	flags.BoolVar(&f.literal, "literal", false, "the workaround with the guide's own three keys, at the cost of all others")
	flags.BoolVar(&f.portable, "portable", false, "remove auth_type and auth_format, which is Bearer everywhere")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the new raw token, or - for standard input; it is checked here and asked for again by apply")
	flags.StringVarP(&f.out, "output", "o", "", "file for the plan; it must not be there yet")
	flags.StringVar(&f.out, "save", "", "the same")
	return cmd
}

// remedy is the one that the flags name.
func (f planFlags) remedy() (fix.Remedy, error) {
	chosen := fix.Bearer
	named := 0
	for _, flag := range []struct {
		given  bool
		remedy fix.Remedy
	}{
		{f.workaround && !f.literal, fix.Workaround}, {f.literal, fix.Literal}, {f.portable, fix.Portable}, {f.tokenFile != "", fix.RawToken},
	} {
		if flag.given {
			chosen = flag.remedy
			named++
		}
	}
	usage := func(text string) error { return fmt.Errorf("%w: %s", conformance.ErrUsage, text) }
	switch {
	case (f.secret == "") == (f.audit == ""):
		return "", usage("give either --secret or --audit")
	case f.out == "":
		return "", usage("--output is needed")
	case named > 1:
		return "", usage("--workaround, --portable and --token-file are different remedies: make a plan for each")
	case f.audit != "" && named > 0 && chosen != fix.Literal:
		return "", usage("the audit names the remedies: --workaround, --portable and --token-file go with --secret")
	}
	return chosen, nil
}

func (f planFlags) run(ctx context.Context, t terminal, in io.Reader, redactor *evidence.Redactor) error {
	remedy, err := f.remedy()
	if err != nil {
		return err
	}
	situation, err := f.situation()
	if err != nil {
		return err
	}
	report, err := f.report()
	if err != nil {
		return err
	}
	if situation.Generation == "" {
		situation.Generation = provider.Generation(report.Generation)
	}
	if f.tokenFile != "" {
		token, err := readToken(f.tokenFile, in, redactor)
		if err == nil {
			err = fix.CheckToken(token)
		}
		if err != nil {
			return fixError(ctx, t, err)
		}
	}
	url, key, err := f.api.resolve(redactor)
	if err != nil {
		return err
	}
	client := control.New(url, key, nil)
	plan, err := f.plan(ctx, client, remedy, situation, report)
	if err != nil {
		return fixError(ctx, t, err)
	}
	return f.conclude(ctx, t, plan)
}

// conclude writes the plan, but for one in which everything was refused, and shows it.
func (f planFlags) conclude(ctx context.Context, t terminal, plan *fix.Plan) error {
	next := "nothing to change"
	if len(plan.Steps) == 0 && len(plan.Refused) > 0 {
		next = "no plan was written"
	}
	if len(plan.Steps) > 0 || len(plan.Refused) == 0 {
		if err := plan.Write(f.out); err != nil {
			return fixError(ctx, t, err)
		}
	}
	if len(plan.Steps) > 0 {
		next = "written to " + f.out + "; to do it: planeproof fix apply " + f.out
	}
	_, _ = fmt.Fprintf(t.out, "%s%s\n", plan.Text(), next)
	if len(plan.Refused) > 0 {
		more := ""
		if others := len(plan.Refused) - 1; others > 0 {
			more = fmt.Sprintf("; and %d more were refused", others)
		}
		_, _ = fmt.Fprintf(t.err, "planeproof: %v%s\n", plan.Refused[0], more)
		return exitCode(1)
	}
	return nil
}

// situation reads what the flags say of the proxy.
func (f planFlags) situation() (fix.Situation, error) {
	var s fix.Situation
	if f.legacy != "" {
		generation, err := provider.ParseGeneration(f.legacy)
		if err != nil {
			return s, fmt.Errorf("%w: --legacy: %w", conformance.ErrUsage, err)
		}
		s.Generation = generation
	}
	if f.log != "" {
		file, err := os.Open(f.log)
		if err != nil {
			return s, fmt.Errorf("%w: read --log: %w", conformance.ErrUsage, err)
		}
		defer func() { _ = file.Close() }() // it was only read
		summary, err := proxylog.Read(file)
		if err != nil {
			return s, infrastructure(err)
		}
		s.Log = &summary
	}
	return s, nil
}

// report reads the audit, the zero Report without one.
func (f planFlags) report() (audit.Report, error) {
	if f.audit == "" {
		return audit.Report{}, nil
	}
	report, err := audit.Load(f.audit)
	if err != nil {
		return report, fmt.Errorf("%w: %w", conformance.ErrUsage, err)
	}
	return report, nil
}

func (f planFlags) plan(ctx context.Context, client *control.Client, remedy fix.Remedy, s fix.Situation, report audit.Report) (*fix.Plan, error) {
	org, err := ownOrganization(ctx, client, report.Organization)
	if err != nil {
		return nil, err
	}
	if s.Version, err = apiVersion(ctx, client); err != nil {
		return nil, err
	}
	asked := []ask{{f.secret, remedy}}
	if f.audit != "" {
		asked = findings(report, f.literal)
	}
	var asks []fix.Ask
	for _, a := range asked {
		secret, err := fix.Find(ctx, client, a.secret)
		if err != nil {
			return nil, err
		}
		asks = append(asks, fix.Ask{Secret: secret, Remedy: a.remedy})
	}
	if s.Org, s.Projects, err = neighbours(ctx, client, org, asks); err != nil {
		return nil, err
	}
	plan := fix.NewPlan("planeproof "+version(), client.BaseURL(), org, s, time.Now())
	for _, a := range asks {
		if f.audit != "" && a.Remedy == fix.RawToken {
			plan.Refused = append(plan.Refused, fix.Refusal{
				SecretID: a.Secret.ID, Name: a.Secret.Name, Remedy: a.Remedy,
				Reason: "a token belongs to one secret: plan it with --secret " + a.Secret.ID + " and --token-file",
			})
			continue
		}
		plan.Add(a, s)
	}
	return plan, nil
}

// neighbours reads, for the workaround, what the projects fall back on and what else they have.
func neighbours(ctx context.Context, client *control.Client, org inventory.Organization, asks []fix.Ask) (ofOrg, ofProjects []inventory.Secret, err error) {
	var projects []string
	needed := false
	for _, a := range asks {
		if a.Remedy == fix.Workaround || a.Remedy == fix.Literal {
			needed = true
			if a.Secret.Project != nil {
				projects = append(projects, a.Secret.Project.ID)
			}
		}
	}
	if !needed {
		return nil, nil, nil
	}
	read, err := inventory.Read(ctx, client, inventory.Options{Org: org.Name, Projects: projects})
	if err != nil {
		return nil, nil, err
	}
	if len(read.Incomplete) > 0 {
		return nil, nil, fmt.Errorf("read what the project falls back on: %s", read.Incomplete[0])
	}
	for _, secret := range read.Secrets {
		if secret.Level == inventory.Project {
			ofProjects = append(ofProjects, secret)
		} else {
			ofOrg = append(ofOrg, secret)
		}
	}
	return ofOrg, ofProjects, nil
}

// ask is a remedy asked for a secret.
type ask struct {
	secret string
	remedy fix.Remedy
}

// findings are what an audit asks for: of the severity that it fails on or worse. Notes are for people to decide.
func findings(report audit.Report, literal bool) []ask {
	var all []ask
	severities := audit.Severities()
	for _, group := range report.Groups {
		if slices.Index(severities, group.Severity) > slices.Index(severities, report.FailOn) {
			continue
		}
		for _, finding := range group.Findings {
			remedy, err := fix.ParseRemedy(finding.Remedy.Name)
			if err != nil || finding.Secret == nil {
				continue // a finding that no remedy of ours mends
			}
			if remedy == fix.Workaround && literal {
				remedy = fix.Literal
			}
			if a := (ask{finding.Secret.ID, remedy}); !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// ownOrganization is the one of the key, which must be the audit's where there is one.
func ownOrganization(ctx context.Context, client *control.Client, audited inventory.Organization) (inventory.Organization, error) {
	all, err := client.Organizations(ctx)
	if err != nil {
		return inventory.Organization{}, fmt.Errorf("read organization: %w", err)
	}
	for _, org := range all {
		if audited.ID == org.ID || audited.ID == "" && len(all) == 1 {
			return inventory.Organization(org), nil
		}
	}
	if audited.ID != "" {
		return inventory.Organization{}, fmt.Errorf("%w: the audit is of the organization %q, which the key does not see", fix.ErrNotApplied, audited.Name)
	}
	return inventory.Organization{}, fmt.Errorf("%w: the key sees %d organizations, and a plan is for one: use a key of that one, or an audit of it",
		fix.ErrNotApplied, len(all))
}

// apiVersion is what the data plane tells of itself, nil where it tells nothing.
func apiVersion(ctx context.Context, client *control.Client) (json.RawMessage, error) {
	answer, err := client.Get(ctx, "/version")
	switch control.KindOf(err) {
	case "":
		return answer.Body, nil
	case control.Unreachable, control.Interrupted, control.Unusable:
		return nil, fmt.Errorf("read version: %w", err)
	}
	return nil, nil
}
