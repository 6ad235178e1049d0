package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/fix"
)

// restoreFlags are the flags of `planeproof restore`.
type restoreFlags struct {
	api          apiFlags
	change       changeFlags
	backup       string
	apply, merge bool
}

func newRestore(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore --backup FILE [--apply]",
		Short: "Put back what fix apply has changed",
		Long: `Restore compares a backup, what the plan did and the present state, and says what would be written back and what cannot be undone.
Nothing is changed without --apply. What somebody else has changed since is left as it is, or, with --merge, kept beside what is put back.

` + requests(fix.RestoreRequests()) + `

Exit codes: 0 restored, or could be; 1 something cannot be; 2 usage, a file that cannot be used, or another organization; 3 the API cannot
be reached.`,
		Example: `  planeproof restore --backup plan.json.backup.json
  planeproof restore --backup plan.json.backup.json --apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return finishable(cmd.Context(), t, f.run(cmd.Context(), t, redactor))
		},
	}
	f.api.add(cmd)
	f.change.add(cmd)
	cmd.Flags().StringVar(&f.backup, "backup", "", "the file that fix apply wrote")
	cmd.Flags().BoolVar(&f.apply, "apply", false, "write back")
	cmd.Flags().BoolVar(&f.merge, "merge", false, "where others changed further keys since, keep theirs and put ours back")
	return cmd
}

func (f restoreFlags) run(ctx context.Context, t terminal, redactor *evidence.Redactor) error {
	if f.backup == "" {
		return fmt.Errorf("%w: --backup is needed", usage.Err)
	}
	options, err := f.change.options(t, f.api, f.backup)
	if err != nil {
		return err
	}
	options.Merge = f.merge
	backup, err := fix.ReadBackup(f.backup)
	if err != nil {
		return err
	}
	client, err := f.api.client(redactor, nil)
	if err != nil {
		return err
	}
	undos, err := fix.Compare(ctx, client, backup, options)
	if err != nil {
		return err
	}
	impossible := 0
	for _, undo := range undos {
		_, _ = fmt.Fprint(t.out, undo.Text())
		impossible += min(1, len(undo.Obstacles))
	}
	switch {
	case f.apply:
		if err := fix.Restore(ctx, client, backup, undos, options); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(t.out, "done")
		return nil
	case impossible > 0:
		_, _ = fmt.Fprintf(t.err, "planeproof: %d of %d secrets cannot be restored wholly; nothing was written\n", impossible, len(undos))
		return exitCode(1)
	}
	_, _ = fmt.Fprintln(t.out, "nothing was written: --apply does it")
	return nil
}
