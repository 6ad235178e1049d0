package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// planFlags are the flags of `planeproof fix plan`.
type planFlags struct {
	api                             apiFlags
	secret, audit, legacy, log, org string
	tokenFile, save, output         string
	workaround, literal, portable   bool
}

func newFixPlan(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan (--secret ID | --audit FILE) [--save PLAN]",
		Short: "Write down what would be changed, for review; only GET is sent",
		Long: `Plan reads a provider secret, or those that an audit found, and shows the change of each, key by key; --save keeps it for fix apply.
Nothing is changed. The plan holds no credentials and no metadata, only the edits. Secrets of the same names, and what could answer in a
project's place, are read too.

The remedy for --secret is the first guide's: auth_format bearer, auth_type api_key. --portable removes both keys instead, which every
generation reads as Bearer. --workaround is the second guide's, and is refused unless its three conditions hold. --token-file replaces
the stored value.

Exit codes: 0 planned, or nothing needs to be; 1 something was refused, or an error or warning of the audit is left; 2 usage, or another
organization; 3 the API cannot be reached.`,
		Example: `  planeproof fix plan --secret 22222222-2222-4222-8222-222222222222 --save plan.json
  planeproof fix plan --secret 22222222-2222-4222-8222-222222222222 --legacy legacy-2026-02 --workaround --log proxy.log --save plan.json
  planeproof fix plan --audit audit.json --save plan.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), t, interruptible(cmd.Context(), cmd.InOrStdin()), redactor)
		},
	}
	f.api.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.secret, "secret", "", "id of the ai_secret or env_var to repair")
	flags.StringVar(&f.audit, "audit", "", "file that planeproof audit -o json wrote: every finding of its severity with a remedy is planned")
	flags.StringVar(&f.org, "org", "", "name of the organization, needed where the key sees several")
	flags.StringVar(&f.legacy, "legacy", "", "generation of the AI proxy: "+generationNames())
	flags.StringVar(&f.log, "log", "", "the proxy's log, as evidence for the workaround")
	flags.BoolVar(&f.workaround, "workaround", false, "remove what the legacy proxy rejects")
	flags.BoolVar(&f.literal, "literal", false, "the workaround with the guide's own three keys, at the cost of all others")
	flags.BoolVar(&f.portable, "portable", false, "remove auth_type and auth_format, which is Bearer everywhere")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the new raw token, or - for standard input; it is checked here and asked for again by apply")
	flags.StringVar(&f.save, "save", "", "file for the plan; it must not be there yet")
	addOutput(cmd, &f.output)
	return cmd
}

// remedy is the one that the flags name.
func (f planFlags) remedy() (fix.Remedy, error) {
	var named []fix.Remedy
	for remedy, given := range map[fix.Remedy]bool{
		fix.Workaround: f.workaround && !f.literal, fix.Literal: f.literal, fix.Portable: f.portable, fix.RawToken: f.tokenFile != "",
	} {
		if given {
			named = append(named, remedy)
		}
	}
	wrong := ""
	switch {
	case (f.secret == "") == (f.audit == ""):
		wrong = "give either --secret or --audit"
	case len(named) > 1:
		wrong = "--workaround, --portable and --token-file are different remedies: make a plan for each"
	case f.audit != "" && len(named) > 0 && named[0] != fix.Literal:
		wrong = "the audit names the remedies: --workaround, --portable and --token-file go with --secret"
	}
	if wrong != "" {
		return "", fmt.Errorf("%w: %s", usage.Err, wrong)
	}
	return append(named, fix.Bearer)[0], checkOutput(f.output)
}

// checkSave refuses a file to which no plan can be written.
func (f planFlags) checkSave() error {
	switch {
	case f.save == "":
		return nil
	case file.Exists(f.save):
		return fmt.Errorf("--save: file %s %w: it exists already, and a plan is never overwritten", evidence.Printable(f.save), file.ErrUnusable)
	}
	if err := file.Check(f.save); err != nil {
		return fmt.Errorf("%w: --save: %w", usage.Err, err)
	}
	return nil
}

func (f planFlags) run(ctx context.Context, t terminal, in io.Reader, redactor *evidence.Redactor) error {
	remedy, err := f.remedy()
	if err == nil {
		err = f.checkSave()
	}
	if err != nil {
		return err
	}
	var report audit.Report
	if f.audit != "" {
		if report, err = audit.Load(f.audit); err != nil {
			return err
		}
	}
	plane, err := f.plane(report)
	if err != nil {
		return err
	}
	if f.tokenFile != "" {
		token, err := readToken(f.tokenFile, in, redactor)
		if err == nil {
			err = fix.CheckToken(token)
		}
		if err != nil {
			return err
		}
	}
	client, err := f.api.client(redactor, nil)
	if err != nil {
		return err
	}
	plan, err := f.plan(ctx, client, t, remedy, plane, report)
	if err != nil {
		return err
	}
	return f.conclude(t, plan)
}

// conclude shows the plan and keeps it, if there is anything to do in it.
func (f planFlags) conclude(t terminal, plan *fix.Plan) error {
	next := "nothing to change: no plan was saved"
	switch {
	case len(plan.Steps) > 0 && f.save == "":
		next = "no plan was saved: --save FILE keeps it for fix apply"
	case len(plan.Steps) > 0:
		if err := plan.Write(f.save); err != nil {
			return err
		}
		next = "saved to " + f.save + "; to do it: " + f.api.command(t, "fix", "apply", f.save, "--org", plan.Organization.Name)
	}
	next = evidence.Printable(next)
	if f.output == "json" {
		if err := file.Encode(t.out, plan); err != nil {
			return infrastructure(fmt.Errorf("write plan: %w", err))
		}
		_, _ = fmt.Fprintln(t.err, next)
	} else {
		_, _ = fmt.Fprintf(t.out, "%s%s\n", plan.Text(), next)
	}
	if !plan.Unmended() {
		return nil
	}
	left := fmt.Sprintf("findings of %d kinds are left", len(plan.Left))
	if len(plan.Refused) > 0 {
		left = fmt.Sprintf("%d remedies are refused, first: %v", len(plan.Refused), plan.Refused[0])
	}
	_, _ = fmt.Fprintf(t.err, "planeproof: not all is mended by this plan: %s\n", left)
	return exitCode(exitFindings)
}

// plane is what the flags and the audit say of the proxy.
func (f planFlags) plane(report audit.Report) (plane fix.DataPlane, err error) {
	plane.Generation, err = parseLegacy(cmp.Or(f.legacy, report.Generation))
	if err != nil || f.log == "" {
		return plane, err
	}
	log, err := os.Open(f.log)
	if err != nil {
		return plane, fmt.Errorf("%w: read --log: %w", usage.Err, err)
	}
	defer func() { _ = log.Close() }() // it was only read
	summary, err := proxylog.Read(log)
	if err != nil {
		return plane, infrastructure(err)
	}
	plane.Log = &summary
	return plane, nil
}

func (f planFlags) plan(ctx context.Context, client *control.Client, t terminal, remedy fix.Remedy, plane fix.DataPlane, report audit.Report) (*fix.Plan, error) {
	options := inventory.Options{Org: cmp.Or(f.org, report.Organization.Name), All: true, Progress: t.progress("reading projects")}
	var wanted []fix.Wanted
	if f.secret != "" {
		if err := checkID("--secret", f.secret); err != nil {
			return nil, err
		}
		secret, err := fix.Find(ctx, client, f.secret)
		if err != nil {
			return nil, err
		}
		if secret.Project != nil { // only the organization can have a secret of its name that answers in its place
			options.All, options.Projects = false, []string{secret.Project.ID}
		}
		wanted = []fix.Wanted{{Secret: secret, Remedy: remedy}}
	}
	found, err := inventory.Read(ctx, client, options)
	if err != nil {
		return nil, err
	}
	if err := f.sameOrganization(found, report, wanted); err != nil {
		return nil, err
	}
	plane.Know(found)
	var left []fix.Left
	if f.audit != "" {
		if wanted, left, err = fix.FromAudit(ctx, client, report, found, f.literal, t.progress("reading secrets")); err != nil {
			return nil, err
		}
	}
	plan := fix.NewPlan("planeproof "+version(), found.Organization, client.BaseURL(), plane, wanted, time.Now())
	plan.Left = left
	return plan, nil
}

// sameOrganization refuses an audit, or a secret, of another organization than the one that was read, and fills in what the secret's project
// is called.
func (f planFlags) sameOrganization(found inventory.Inventory, report audit.Report, wanted []fix.Wanted) error {
	if f.audit != "" && report.Organization.ID != found.Organization.ID {
		return fmt.Errorf("%w: the audit is of %q (%s), and the key sees %q", fix.ErrOrganization,
			evidence.Printable(report.Organization.Name), report.Organization.ID, evidence.Printable(found.Organization.Name))
	}
	for i, w := range wanted {
		at := slices.IndexFunc(found.Secrets, func(s inventory.Secret) bool { return s.ID == w.Secret.ID })
		if at >= 0 {
			wanted[i].Secret.Project = found.Secrets[at].Project // by its name too
		} else if len(found.Incomplete) == 0 {
			return fmt.Errorf("%w: the secret %s is not one of %q", fix.ErrOrganization, evidence.Printable(f.secret), evidence.Printable(found.Organization.Name))
		}
	}
	return nil
}
