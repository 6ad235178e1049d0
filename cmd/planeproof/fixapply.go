package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/fix"
)

// applyFlags are the flags of `planeproof fix apply`.
type applyFlags struct {
	api                           apiFlags
	change                        changeFlags
	org, backup, model, tokenFile string
	wave                          int
}

func newFixApply(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do what a plan says, and prove each change",
		Long: `Apply changes what the plan's remedies change and nothing else, wave by wave, reads each change back, and stops at the first that does not
hold. A plan that was edited, and a secret that has changed since, are refused before anything is written. Before the first write it writes a
backup, which may hold credentials from metadata, and beside it a change journal. After an interruption, running it again finishes.

With --model a call proves a change only where no other secret could have answered it. Else the change stays, the next wave is not begun, and
the exit code is 3.

` + requests(fix.ApplyRequests()) + `

Exit codes: 0 done; 1 refused, or seen not to hold; 2 usage, a file that cannot be used, or another organization; 3 cannot tell, the API
cannot be reached, or the key may not do this.`,
		Example: `  planeproof fix apply plan.json --org acme
  planeproof fix apply plan.json --org acme --wave 1 --model acme-chat`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := notEmpty(cmd, "model"); err != nil {
				return err
			}
			return finishable(cmd.Context(), t, f.run(cmd.Context(), t, interruptible(cmd.Context(), cmd.InOrStdin()), redactor, args[0]))
		},
	}
	f.api.add(cmd)
	f.change.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.org, "org", "", "name of the organization that is changed; asked for on a terminal")
	flags.StringVar(&f.backup, "backup", "", "file for the secrets as they were (default: PLAN.backup.json)")
	flags.IntVar(&f.wave, "wave", 0, "do this wave alone; 0 is all, in order")
	flags.StringVar(&f.model, "model", "", "prove each change with calls of this model too")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the new raw token, or - for standard input, where the plan stores one")
	return cmd
}

func (f applyFlags) run(ctx context.Context, t terminal, in io.Reader, redactor *evidence.Redactor, path string) error {
	if f.wave < 0 {
		return fmt.Errorf("%w: --wave is not negative", usage.Err)
	}
	options, err := f.change.options(t, f.api, cmp.Or(f.backup, path+".backup.json"))
	if err != nil {
		return err
	}
	plan, err := fix.ReadPlan(path)
	if err != nil {
		return err
	}
	options.Wave, options.Model = f.wave, f.model
	if f.tokenFile != "" {
		if options.Token, err = readToken(f.tokenFile, in, redactor); err != nil {
			return err
		}
	}
	client, err := f.api.client(redactor, nil)
	if err != nil {
		return err
	}
	if options.Org, err = f.organization(t, in, plan); err != nil {
		return err
	}
	result, err := fix.Apply(ctx, client, plan, options)
	if err != nil {
		return err
	}
	last := fmt.Sprintf("done: %d of %d changes are in place, %d of them written now", result.Steps, result.Steps, result.Written)
	if result.WavesLeft > 0 {
		next := f.api.command(t, "fix", "apply", path, "--org", options.Org, "--wave", strconv.Itoa(result.NextWave))
		last = "1 wave is left: " + next
		if result.WavesLeft > 1 {
			last = fmt.Sprintf("%d waves are left: %s", result.WavesLeft, next)
		}
	}
	_, _ = fmt.Fprintln(t.out, evidence.Printable(last))
	return nil
}

// organization is the name given, or the one typed after the plan was shown.
func (f applyFlags) organization(t terminal, in io.Reader, plan *fix.Plan) (string, error) {
	if f.org != "" {
		return f.org, nil
	}
	if !t.tty || f.tokenFile == "-" {
		return "", fmt.Errorf("%w: --org is needed, where nobody can be asked for the organization's name", usage.Err)
	}
	_, _ = fmt.Fprintf(t.out, "%sType the organization's name to do this:\n", plan.Text())
	name, err := bufio.NewReader(io.LimitReader(in, maxToken)).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%w: no name was typed", usage.Err)
	}
	return strings.TrimRight(name, "\r\n"), nil
}
