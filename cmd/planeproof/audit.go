package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// auditFlags are the flags of `planeproof audit`.
type auditFlags struct {
	api                           apiFlags
	inventory, save               string
	projects                      []string
	all, notes                    bool
	expect                        int
	model, legacy, failOn, format string
	org                           string
}

func newAudit(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Look through an organization's provider secrets for what fails or will fail",
		Long: `Audit reads all provider secrets of an organization and of its projects with GET alone, says what fails, will fail or is lost on
its data plane, and gives the remedy for each finding. Stored values are never seen, and what may be a credential in metadata is
not shown.

Exit codes: 0 clean; 1 findings of the severity of --fail-on or worse; 2 usage; 3 incomplete: something could not be read, or may have
been cut.`,
		Example: `  planeproof audit --api-url https://braintrust.example.com
  planeproof audit --legacy legacy-2026-02 --model acme-chat --save inventory.json
  planeproof audit --inventory inventory.json --notes --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t, redactor) },
	}
	f.api.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.inventory, "inventory", "", "audit a file that --save wrote instead of an API")
	flags.StringArrayVar(&f.projects, "project", nil, "id of a project to read; repeatable (default: all that the key can see)")
	flags.BoolVar(&f.all, "all-projects", false, "read all projects that the key can see, which is the default without --project")
	flags.IntVar(&f.expect, "expect-projects", 0, "how many projects the key should see at least; fewer are incomplete")
	flags.StringVar(&f.org, "org", "", "name of the organization, needed where the key sees several")
	flags.StringVar(&f.model, "model", "", "say which secrets serve this model, as the guide's jq filter does")
	flags.StringVar(&f.legacy, "legacy", "", "generation of the AI proxy that serves the organization: "+generationNames())
	flags.StringVar(&f.failOn, "fail-on", string(audit.Warning), "severity from which on findings give exit code 1: error, warning or note")
	flags.StringVar(&f.format, "format", "table", "table or json (docs/audit-format.md)")
	flags.StringVar(&f.save, "save", "", "file for the inventory, with credentials redacted")
	flags.BoolVar(&f.notes, "notes", false, "show notes too")
	return cmd
}

func generationNames() string {
	var names []string
	for _, g := range provider.Generations() {
		names = append(names, string(g))
	}
	return strings.Join(names, ", ")
}

// options checks the flags that are no paths.
func (f auditFlags) options() (audit.Options, error) {
	o := audit.Options{Model: f.model, FailOn: audit.Severity(f.failOn)}
	switch {
	case !slices.Contains(audit.Severities(), o.FailOn):
		return o, fmt.Errorf("%w: --fail-on %q is not error, warning or note", conformance.ErrUsage, f.failOn)
	case f.expect < 0:
		return o, fmt.Errorf("%w: --expect-projects %d is less than 0", conformance.ErrUsage, f.expect)
	case f.all && len(f.projects) > 0:
		return o, fmt.Errorf("%w: --project and --all-projects exclude each other", conformance.ErrUsage)
	case f.inventory != "" && (f.api.url != "" || f.all || len(f.projects) > 0 || f.expect > 0 || f.org != "" || f.save != ""):
		return o, fmt.Errorf("%w: --inventory is a file of what was read before: it goes with no flag that says what to read", conformance.ErrUsage)
	}
	err := checkFormat(f.format)
	if err != nil || f.legacy == "" {
		return o, err
	}
	if o.Generation, err = provider.ParseGeneration(f.legacy); err != nil {
		return o, fmt.Errorf("%w: --legacy: %w", conformance.ErrUsage, err)
	}
	return o, nil
}

// gcPercent trades time for memory: an organization may have thousands of projects, and an audit runs beside other things.
const gcPercent = 40

func (f auditFlags) run(ctx context.Context, t terminal, redactor *evidence.Redactor) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	found, err := f.take(ctx, t, redactor)
	if err != nil {
		return err
	}
	result := audit.Run(found, options)
	if f.format == "json" {
		err = result.JSON(t.out)
	} else {
		err = result.Table(t.out, f.notes)
	}
	if err != nil {
		return infrastructure(fmt.Errorf("write audit: %w", err))
	}
	if code := result.Verdict.ExitCode(); code != 0 {
		_, _ = fmt.Fprintf(t.err, "planeproof: audit %s\n", result.Summary)
		return exitCode(code)
	}
	return nil
}

// take reads the inventory from the file or from the API, and keeps it where that is asked for.
func (f auditFlags) take(ctx context.Context, t terminal, redactor *evidence.Redactor) (inventory.Inventory, error) {
	if f.inventory != "" {
		found, err := inventory.Load(f.inventory)
		if err != nil {
			return found, fmt.Errorf("%w: %w", conformance.ErrUsage, err)
		}
		return found, nil
	}
	url, key, err := f.api.resolve(redactor)
	if err != nil {
		return inventory.Inventory{}, err
	}
	found, err := inventory.Read(ctx, control.New(url, key, nil), inventory.Options{
		Projects: f.projects, All: len(f.projects) == 0, ExpectProjects: f.expect, Org: f.org,
		Tool: "planeproof " + version(), Progress: f.progress(t),
	})
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(t.err, "planeproof: interrupted")
		return found, exitCode(exitInterrupted)
	case errors.Is(err, inventory.ErrOrganization), control.KindOf(err) == control.Unusable:
		return found, fmt.Errorf("%w: %w", conformance.ErrUsage, err)
	case err != nil:
		return found, infrastructure(err)
	case f.save != "":
		if err := found.Save(f.save); err != nil {
			return found, infrastructure(err)
		}
	}
	return found, nil
}

// progress rewrites one line of a terminal, and clears it at the end.
func (f auditFlags) progress(t terminal) func(done, total int) {
	if !t.tty || f.format == "json" {
		return nil
	}
	return func(done, total int) {
		line := fmt.Sprintf("reading projects: %d of %d", done, total)
		if done == total {
			line = "\x1b[K"
		}
		_, _ = fmt.Fprint(t.out, line+"\r") // what follows a carriage return waits for the next in a redacting writer
	}
}
