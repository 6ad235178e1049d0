// Command planeproof tells whether a data plane treats provider secrets as the guides say, and is itself the fakes that it
// tells it of.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/usage"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// Exit codes that are not those of a report.Run.
const (
	exitFindings       = 1
	exitUsage          = 2
	exitInfrastructure = 3
)

func main() {
	// A terminal that is closed ends a run as Ctrl-C does.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A reader that has gone (`| head -1`) ends nothing: what was started is removed, and a report is written. Writing to it is an error.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	tty := term.IsTerminal(int(os.Stdout.Fd()))
	t := terminal{program: os.Args[0], out: os.Stdout, err: os.Stderr, tty: tty, color: tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	os.Exit(execute(ctx, t, os.Args[1:]))
}

// terminal is where the program writes.
type terminal struct {
	out, err   io.Writer
	tty, color bool
	// program is this program as it was called, which printed commands begin with; empty in tests.
	program string
	// features stand in for the suite's own in tests.
	features fs.FS
}

// complain writes one line to standard error. Secrets are hidden before the line is made one: escapes would change them. What looks
// like a secret is hidden too, as errors quote what was given.
func (t terminal) complain(text string, redactor *evidence.Redactor) {
	t.line(evidence.Mask(redactor.String(text)))
}

// line writes one line to standard error.
func (t terminal) line(text string) {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	_, _ = fmt.Fprintf(t.err, "planeproof: %s\n", evidence.Printable(text))
}

// exitCode is an error that carries an exit code and has been told already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// foreignLog takes the lines of Go's own logger, in which net/http quotes what a server sent.
type foreignLog struct {
	redactor *evidence.Redactor
	out      io.Writer
}

// maxLogged is how much of such a line is shown, in characters.
const maxLogged = 500

func (l foreignLog) Write(line []byte) (int, error) {
	_, err := fmt.Fprintln(l.out, l.redactor.Foreign(string(line), maxLogged))
	return len(line), err
}

// givenURLs are the places outside every flag from which URLs are taken; all may hold user information.
func givenURLs() []string {
	var given []string
	for _, name := range []string{"BRAINTRUST_API_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		given = append(given, os.Getenv(name))
	}
	return given
}

// execute runs one command line and returns its exit code. Everything written passes one redactor, which knows at once what the URLs
// on the command line hold beside an address.
func execute(ctx context.Context, t terminal, args []string) int {
	redactor := &evidence.Redactor{}
	for _, given := range append(givenURLs(), args...) {
		if _, value, isFlag := strings.Cut(given, "="); isFlag && strings.HasPrefix(given, "-") {
			given = value
		}
		if strings.Contains(given, "//") {
			redactor.AddURL(given)
		}
	}
	out, errs := redactor.Writer(t.out), redactor.Writer(t.err)
	defer func() { _ = errs.Close() }() // whom could one tell
	t.out, t.err = out, errs
	log.SetOutput(foreignLog{redactor, errs})
	defer log.SetOutput(io.Discard)
	root := newRoot(t, redactor)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := exitOf(ctx, err)
	var told exitCode
	switch {
	case err == nil, errors.As(err, &told):
	case code == exitInterrupted:
		t.complain("interrupted", redactor)
	case code == exitFindings: // it tells of what the API holds by its id, and quotes no argument
		t.line(redactor.String(err.Error()))
	default:
		t.complain(err.Error(), redactor)
	}
	if lost := out.Close(); lost != nil && code != exitInterrupted {
		code = exitInfrastructure // whoever reads a part of it knows nothing
		if err == nil {
			t.complain(fmt.Sprintf("write output: %v", lost), redactor)
		}
	}
	return code
}

// exitOf is the exit code for an error: the one place where the kinds of error get theirs. What is not marked is cobra's, about usage.
func exitOf(ctx context.Context, err error) int {
	var told exitCode
	var api *control.Error
	var system *fs.PathError
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
	}
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return int(told)
	case is(errInfrastructure):
		return exitInfrastructure
	case ctx.Err() != nil:
		return exitInterrupted
	case is(usage.Err, file.ErrUnusable, inventory.ErrOrganization, fix.ErrOrganization, fix.ErrEdited, fix.ErrTokenNeeded),
		control.KindOf(err) == control.Unusable:
		return exitUsage
	case is(errUnknown, inventory.ErrProject, fix.ErrNotApplied, fix.ErrInPlace, fix.ErrValueLost):
		return exitFindings
	case errors.As(err, &api) && api.Kind == control.Refused && api.Method != http.MethodGet: // the change, not the question
		return exitFindings
	case api != nil, is(fix.ErrCannotTell, file.ErrLocked), errors.As(err, &system):
		return exitInfrastructure
	}
	return exitUsage
}

// errUnknown marks what is not there: an id that the API does not know.
var errUnknown = errors.New("")

// errInfrastructure marks errors that are not the caller's: a port in use, a report that cannot be written.
var errInfrastructure = errors.New("")

// infrastructure marks an error without changing its words.
func infrastructure(err error) error { return fmt.Errorf("%w%w", err, errInfrastructure) }

func newRoot(t terminal, redactor *evidence.Redactor) *cobra.Command {
	root := &cobra.Command{
		Use:           "planeproof",
		Short:         "Prove that provider secrets survive the migration from data plane v1 to v2",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Usage()
			return fmt.Errorf("%w: a command is needed", usage.Err)
		},
		Version: version(),
	}
	root.SetVersionTemplate("planeproof {{.Version}}\n")
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.AddCommand(newRun(t, redactor), newFake(t), newVersion(t))
	root.AddCommand(newLogs(t), newVerifyToken(t, redactor))
	root.AddCommand(newAudit(t, redactor))
	root.AddCommand(newFix(t, redactor), newRestore(t, redactor))
	root.InitDefaultCompletionCmd()
	return mannered(root)
}

func newVersion(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(t.out, "planeproof %s\n", version())
			return err
		},
	}
}

// version is the module's version, or the commit that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	found := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && found == "(devel)" {
			found = "devel " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return found
}
