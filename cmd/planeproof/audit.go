package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// auditFlags are the flags of `planeproof audit`.
type auditFlags struct {
	api                           apiFlags
	inventory, save               string
	projects                      []string
	all, notes                    bool
	expect                        int
	model, legacy, failOn, output string
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

A data plane that says it is v2 is judged by the current generation of the proxy, unless --legacy names another.

Exit codes: 0 clean; 1 findings of the severity of --fail-on or worse, a --model that nothing serves, or a --project that the key does not
see; 2 usage, or another organization than the key's; 3 incomplete or wrong key: something could not be read, or may have been cut;
130 interrupted.`,
		Example: `  planeproof audit --api-url https://braintrust.example.com
  planeproof audit --legacy legacy-2026-02 --model acme-chat --save inventory.json
  planeproof audit --inventory inventory.json --notes -o json > audit.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "model", "project", "org", "save", "inventory", "legacy"); err != nil {
				return err
			}
			return f.run(cmd.Context(), t, redactor)
		},
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
	addOutput(cmd, &f.output)
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
	case f.expect < 0:
		return o, fmt.Errorf("%w: --expect-projects %d is less than 0", usage.Err, f.expect)
	case f.all && len(f.projects) > 0:
		return o, fmt.Errorf("%w: --project and --all-projects exclude each other", usage.Err)
	case f.inventory != "" && (f.api.url != "" || f.all || len(f.projects) > 0 || f.expect > 0 || f.org != "" || f.save != ""):
		return o, fmt.Errorf("%w: --inventory is a file of what was read before: it goes with no flag that says what to read", usage.Err)
	}
	generation, err := parseLegacy(f.legacy)
	o.Generation = generation
	err = errors.Join(err, checkOutput(f.output), oneOf("--fail-on", f.failOn, string(audit.Error), string(audit.Warning), string(audit.Note)))
	for _, id := range f.projects {
		err = errors.Join(err, checkID("--project", id))
	}
	if f.save != "" && err == nil {
		if err = file.Check(f.save); err != nil {
			err = fmt.Errorf("%w: --save: %w", usage.Err, err)
		}
	}
	return o, err
}

// gcPercent trades time for memory: an organization may have thousands of projects, and an audit runs beside other things.
const gcPercent = 40

func (f auditFlags) run(ctx context.Context, t terminal, redactor *evidence.Redactor) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	options.Commands = f.commands(t)
	debug.SetGCPercent(gcPercent)
	found, err := f.take(ctx, t, redactor)
	if err != nil {
		return err
	}
	result := audit.Run(found, options)
	if f.output == "json" {
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

// commands are how what is printed can be run: with the program and the flags of this call, and from the file that it was saved to.
func (f auditFlags) commands(t terminal) audit.Commands {
	c := audit.Commands{Program: t.program, Key: "$" + f.api.keyEnv}
	access := f.api.access()
	if f.api.keyFile != "" {
		c.Key = "$(cat " + audit.Shell(f.api.keyFile) + ")"
	}
	c.KeyFlags = access
	if f.org != "" {
		c.Org = []string{"--org", f.org}
	}
	if read := cmp.Or(f.inventory, f.save); read != "" {
		c.Again = []string{"--inventory", read}
	} else {
		c.Again = slices.Concat([]string{"--api-url", f.api.address()}, access, c.Org)
		for _, id := range f.projects {
			c.Again = append(c.Again, "--project", id)
		}
	}
	if f.legacy != "" {
		c.Again = append(c.Again, "--legacy", f.legacy)
	}
	if f.model != "" {
		c.Again = append(c.Again, "--model", f.model)
	}
	return c
}

// take reads the inventory from the file or from the API, and keeps it where that is asked for.
func (f auditFlags) take(ctx context.Context, t terminal, redactor *evidence.Redactor) (inventory.Inventory, error) {
	if f.inventory != "" {
		return inventory.Load(f.inventory)
	}
	client, err := f.api.client(redactor, nil)
	if err != nil {
		return inventory.Inventory{}, err
	}
	found, err := inventory.Read(ctx, client, inventory.Options{
		Projects: f.projects, All: len(f.projects) == 0, ExpectProjects: f.expect, Org: f.org,
		Tool: "planeproof " + version(), Progress: t.progress("reading projects"),
	})
	switch {
	case ctx.Err() != nil:
		return found, ctx.Err()
	case err == nil && f.save != "":
		if err := found.Save(f.save); err != nil {
			return found, infrastructure(err)
		}
	}
	return found, err
}
