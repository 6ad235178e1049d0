package report

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/planeproof/planeproof/evidence"
)

// Terminal tells a run as it goes, without its secrets. It may be used from several goroutines. Whatever it writes at once
// ends a line, by a newline or a carriage return, so a writer that works by lines holds nothing back.
type Terminal struct {
	out    io.Writer
	tty    bool
	color  bool
	redact *evidence.Redactor

	mu   sync.Mutex
	bad  int
	line bool // the progress line is on the screen
	err  error
}

// NewTerminal writes to w; tty allows progress on a line that is rewritten, color allows colors. The redactor is asked
// before texts are escaped, which no writer behind the terminal could do.
func NewTerminal(w io.Writer, tty, color bool, redact *evidence.Redactor) *Terminal {
	return &Terminal{out: w, tty: tty, color: color, redact: redact}
}

// Progress shows how many scenarios are done; off a terminal it shows nothing.
func (t *Terminal) Progress(done, total int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d of %d scenarios", done, total)
	if t.bad > 0 {
		text += t.paint(Failed, fmt.Sprintf(", %d failed or broken", t.bad))
	}
	t.rewrite(text)
}

// Phase shows what is going on while no scenario is; off a terminal it shows nothing.
func (t *Terminal) Phase(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rewrite(evidence.Printable(t.redact.String(text)))
}

// rewrite puts a text on the progress line.
func (t *Terminal) rewrite(text string) {
	if !t.tty {
		return
	}
	t.write(text + eraseRest + "\r")
	t.line = true
}

// Failure shows at once why a scenario failed or broke.
func (t *Terminal) Failure(s Scenario) {
	text := explain(redacted(s, t.redact), t.paint)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad++
	t.write(t.clearLine() + text + "\n")
}

// Summary shows what the run came to, the verdict first. The error is the first that the writer gave since the start.
func (t *Terminal) Summary(r *Run) error {
	brief := *r
	brief.Scenarios = slices.Clone(r.Scenarios)
	for i := range brief.Scenarios { // of which a summary shows nothing, and there is much to redact
		brief.Scenarios[i].Exchanges, brief.Scenarios[i].Logs = nil, nil
	}
	safe := redacted(brief, t.redact)
	text := summarize(&safe, t.paint)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(t.clearLine() + text)
	return t.err
}

// clearLine returns what removes the progress line, on which the cursor stands at the start.
func (t *Terminal) clearLine() string {
	if !t.line {
		return ""
	}
	t.line = false
	return eraseRest
}

func (t *Terminal) write(text string) {
	if _, err := io.WriteString(t.out, text); err != nil && t.err == nil {
		t.err = fmt.Errorf("write to terminal: %w", err)
	}
}

// Control sequences of ECMA-48.
const (
	eraseRest = "\x1b[K"
	red       = "\x1b[1;31m"
	green     = "\x1b[1;32m"
	yellow    = "\x1b[1;33m"
	plain     = "\x1b[0m"
)

// painter colors a text by a verdict.
type painter func(v Verdict, text string) string

func unpainted(_ Verdict, text string) string { return text }

func (t *Terminal) paint(v Verdict, text string) string {
	if !t.color {
		return text
	}
	switch v {
	case Passed:
		return green + text + plain
	case Failed, Broken:
		return red + text + plain
	default:
		return yellow + text + plain
	}
}
