package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target/process"
)

// runFlags are the flags of `planeproof run`.
type runFlags struct {
	runtime, tags, report string
	features              string
	ids                   []string
	concurrency           int
	seed                  int64
	list                  bool
	proxyURL, dataPlane   string
	generation            string
	sabotage              string
	listSabotages         bool
}

func newRun(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the conformance suite and say yes or no",
		Long: `Run starts a fake OpenAI-compatible gateway, a fake data plane and a fake legacy AI proxy, runs the scenarios against them,
and says yes or no with evidence.

Exit codes: 0 everything required passed; 1 a required scenario failed; 2 usage or configuration; 3 infrastructure or
harness: nothing can be said of the system; 4 nothing was selected, or something required is not supported; 130 interrupted.
An --id that no scenario has is 1 too.`,
		Example: `  planeproof run
  planeproof run --runtime process --tags '@override and not @reproduction'
  planeproof run --id BEARER-6
  planeproof run --features features
  planeproof run --report out
  planeproof run --runtime process --sabotage patch-forgets-auth-type`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t, redactor) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.runtime, "runtime", conformance.Auto, "where the systems run: auto, docker or process; auto takes docker where an engine answers")
	flags.StringVar(&f.tags, "tags", "", "Cucumber tag expression that selects scenarios, such as '@bearer and not @reproduction'")
	flags.StringArrayVar(&f.ids, "id", nil, "run this scenario or behaviour alone, such as BEARER-6; may be given again. --list prints the ids")
	flags.StringVar(&f.features, "features", "", "folder of feature files to run in place of the built-in ones")
	flags.IntVar(&f.concurrency, "concurrency", 8, "how many scenarios run at the same time")
	flags.Int64Var(&f.seed, "seed", 0, "order of the scenarios, from 1; 0 chooses one and prints it")
	flags.StringVar(&f.report, "report", "", "directory for report.json and junit.xml; old ones of planeproof are removed first")
	flags.StringVar(&f.proxyURL, "proxy-url", "", "base URL of a running open-source AI proxy to put in the fake legacy proxy's place, such as http://127.0.0.1:8787/v1")
	flags.StringVar(&f.dataPlane, "data-plane-addr", "", "HOST:PORT where the proxy of --proxy-url looks for /api/secret; the fake data plane listens there")
	flags.StringVar(&f.generation, "proxy-generation", "", "generation of the proxy of --proxy-url: "+generationNames()+"; what is known to fail on it then decides nothing")
	flags.StringVar(&f.sabotage, "sabotage", "", "break the fakes on purpose in the way of that name, to see which scenarios fail then")
	flags.BoolVar(&f.listSabotages, "list-sabotages", false, "list the ways in which the fakes can be broken, instead of running scenarios")
	flags.BoolVar(&f.list, "list", false, "list the selected scenarios instead of running them")
	_ = cmd.RegisterFlagCompletionFunc("id", f.completeID(t)) // fails for unknown flags alone
	_ = cmd.MarkFlagDirname("features")
	return cmd
}

// completeID offers the ids of the behaviours, and those of a behaviour's scenarios once it is written.
func (f *runFlags) completeID(t terminal) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		folder, err := f.folder(t)
		all, listErr := conformance.List(conformance.Options{Features: folder})
		if errors.Join(err, listErr) != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var ids []string
		for _, scenario := range all {
			id := scenario.Behaviour
			if strings.Contains(begun, "/") {
				id = scenario.ID
			}
			if strings.HasPrefix(id, begun) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

// folder is where the feature files are, nil for the built-in ones.
func (f *runFlags) folder(t terminal) (fs.FS, error) {
	if f.features == "" {
		return t.features, nil
	}
	if is, err := os.Stat(f.features); err != nil {
		return nil, fmt.Errorf("%w: --features: %w", usage.Err, err)
	} else if !is.IsDir() {
		return nil, fmt.Errorf("%w: --features %s is not a folder", usage.Err, f.features)
	}
	return os.DirFS(f.features), nil
}

func (f runFlags) options(t terminal, redactor *evidence.Redactor) (conformance.Options, error) {
	switch {
	case f.runtime != conformance.Auto && f.runtime != conformance.Docker && f.runtime != conformance.Process:
		return conformance.Options{}, fmt.Errorf("%w: --runtime %q is not auto, docker or process", usage.Err, f.runtime)
	case f.concurrency < 1:
		return conformance.Options{}, fmt.Errorf("%w: --concurrency %d is less than 1", usage.Err, f.concurrency)
	case (f.proxyURL == "") != (f.dataPlane == ""):
		return conformance.Options{}, fmt.Errorf("%w: --proxy-url and --data-plane-addr go together", usage.Err)
	case f.generation != "" && f.proxyURL == "":
		return conformance.Options{}, fmt.Errorf("%w: --proxy-generation needs --proxy-url", usage.Err)
	case f.proxyURL != "" && f.runtime == conformance.Docker:
		return conformance.Options{}, fmt.Errorf("%w: --proxy-url needs --runtime process", usage.Err)
	case f.seed < 0:
		return conformance.Options{}, fmt.Errorf("%w: --seed %d is less than 0", usage.Err, f.seed)
	}
	var proxy *process.Proxy
	if f.proxyURL != "" {
		proxy = &process.Proxy{URL: strings.TrimRight(f.proxyURL, "/"), DataPlaneAddr: f.dataPlane, Generation: provider.Generation(f.generation)}
	}
	folder, err := f.folder(t)
	return conformance.Options{
		Runtime: f.runtime, Proxy: proxy, Tags: f.tags, IDs: f.ids, Concurrency: f.concurrency, Seed: f.seed, Sabotage: f.sabotage, Version: version(),
		Terminal: report.NewTerminal(t.out, t.tty, t.color, redactor), Redactor: redactor, Features: folder, Folder: f.features,
	}, err
}

func (f runFlags) run(ctx context.Context, t terminal, redactor *evidence.Redactor) error {
	if f.listSabotages {
		return listSabotages(t)
	}
	broken, err := findSabotage(f.sabotage)
	if err != nil {
		return err
	}
	options, err := f.options(t, redactor)
	if err != nil {
		return err
	}
	if f.list {
		return list(t, options)
	}
	if err := f.prepareReport(); err != nil {
		return fmt.Errorf("%w: %w", usage.Err, err)
	}
	if f.features != "" {
		_, _ = fmt.Fprintf(t.out, "FEATURES of %s, not the built-in ones\n", evidence.Printable(f.features)) // the summary tells of a writer that is gone
	}
	if broken.Name != "" { // whatever follows must not be taken for a verdict on a system
		_, _ = fmt.Fprintf(t.out, "BROKEN ON PURPOSE by --sabotage %s: %s\n", broken.Name, broken.Says)
	}
	result, err := conformance.Run(ctx, options)
	if err != nil {
		return t.classed(err)
	}
	return f.conclude(t, result, options)
}

// prepareReport comes before anything runs: an old report must not be taken for this run's, and a folder that cannot be made is
// better known now.
func (f runFlags) prepareReport() error {
	if f.report == "" {
		return nil
	}
	if err := report.Clear(f.report); err != nil {
		return err
	}
	if err := os.MkdirAll(f.report, 0o755); err != nil {
		return fmt.Errorf("make report directory: %w", err)
	}
	return nil
}

// classed marks an error of the suite itself, such as feature files that cannot be read; others are the caller's.
func (t terminal) classed(err error) error {
	switch {
	case errors.Is(err, usage.Err):
		return err
	case errors.Is(err, conformance.ErrUnknownID):
		// Not by complain, to which TOKEN-1 looks like a token.
		_, _ = fmt.Fprintf(t.err, "planeproof: %s\n", evidence.Printable(err.Error()))
		return exitCode(exitFindings)
	}
	return infrastructure(err)
}

// conclude writes the summary and the report and turns the run into an exit code. The summary is for standard output; standard error
// gets one line where the run has not passed: why, what went wrong outside every scenario, and what is left of it.
func (f runFlags) conclude(t terminal, result *report.Run, options conformance.Options) error {
	fault := func(err error) { result.Infrastructure = append(result.Infrastructure, err.Error()) }
	if err := options.Terminal.Summary(result); err != nil {
		fault(fmt.Errorf("write summary: %w", err))
	}
	if f.report != "" { // after the summary, so that report.json knows what became of it
		if err := report.WriteFiles(f.report, result, options.Redactor); err != nil {
			fault(err)
		}
	}
	code := result.ExitCode()
	if code == 0 {
		return nil
	}
	line := result.Headline()
	if len(result.Infrastructure) > 0 {
		line += ": " + strings.Join(result.Infrastructure, "; ")
	}
	t.complain(line, options.Redactor)
	return exitCode(code)
}

func list(t terminal, options conformance.Options) error {
	all, err := conformance.List(options)
	if err != nil {
		return t.classed(err)
	}
	for _, scenario := range all {
		if _, err := fmt.Fprintln(t.out, evidence.Printable(scenario.ID)); err != nil {
			return infrastructure(err)
		}
	}
	if len(all) == 0 {
		t.complain(fmt.Sprintf("no scenario has tags for which %q holds", options.Tags), options.Redactor)
		return exitCode((&report.Run{}).ExitCode())
	}
	return nil
}
