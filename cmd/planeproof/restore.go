package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
)

// restoreFlags are the flags of `planeproof restore`.
type restoreFlags struct {
	api    apiFlags
	backup string
	apply  bool
}

func newRestore(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore --backup FILE [--apply]",
		Short: "Put back what fix apply has changed",
		Long: `Restore compares a backup, what the plan did and the present state, and says what would be written back and what cannot be undone.
Nothing is changed without --apply. What somebody else has changed since is left as it is.

Exit codes: 0 restored, or could be; 1 something cannot be; 2 usage; 3 the API cannot be reached.`,
		Example: `  planeproof restore --backup plan.json.backup.json
  planeproof restore --backup plan.json.backup.json --apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t, redactor) },
	}
	f.api.add(cmd)
	cmd.Flags().StringVar(&f.backup, "backup", "", "the file that fix apply wrote")
	cmd.Flags().BoolVar(&f.apply, "apply", false, "write back")
	return cmd
}

func (f restoreFlags) run(ctx context.Context, t terminal, redactor *evidence.Redactor) error {
	if f.backup == "" {
		return fmt.Errorf("%w: --backup is needed", conformance.ErrUsage)
	}
	backup, err := fix.ReadBackup(f.backup)
	if err != nil {
		return fixError(ctx, t, err)
	}
	url, key, err := f.api.resolve(redactor)
	if err != nil {
		return err
	}
	client := control.New(url, key, nil)
	undos, err := fix.Compare(ctx, client, backup, f.backup)
	if err != nil {
		return fixError(ctx, t, err)
	}
	impossible := 0
	for _, undo := range undos {
		_, _ = fmt.Fprint(t.out, undo.Text())
		impossible += min(1, len(undo.Obstacles))
	}
	if f.apply {
		return f.write(ctx, t, client, backup, undos)
	}
	_, _ = fmt.Fprintln(t.out, "nothing was written: --apply does it")
	if impossible > 0 {
		_, _ = fmt.Fprintf(t.err, "planeproof: %d of %d secrets cannot be restored wholly\n", impossible, len(undos))
		return exitCode(1)
	}
	return nil
}

func (f restoreFlags) write(ctx context.Context, t terminal, client *control.Client, backup *fix.Backup, undos []fix.Undo) error {
	err := fix.Restore(ctx, client, backup, undos, fix.Options{
		Backup: f.backup, Tool: "planeproof " + version(), Who: f.api.who(), Now: time.Now,
		Say: func(line string) { _, _ = fmt.Fprintln(t.out, line) },
	})
	if err != nil {
		return fixError(ctx, t, err)
	}
	_, _ = fmt.Fprintln(t.out, "done")
	return nil
}
