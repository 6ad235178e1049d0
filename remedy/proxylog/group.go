package proxylog

import (
	"cmp"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/planeproof/planeproof/provider"
)

const (
	maxGroups  = 64        // sources with an unfinished ZodError
	maxMixed   = 8         // unfinished ZodErrors of one source
	maxError   = 256 << 10 // bytes of the unfinished ZodErrors of one source
	maxBetween = 200       // other lines between two lines of a ZodError
	maxBefore  = 4         // other lines between a warning and its ZodError
	maxSteps   = 300_000   // attempts to tell mixed lines apart, in a whole log
)

var (
	// fragment is a line of JSON as zod indents it.
	fragment   = regexp.MustCompile(`^(?:[\[\]{}]+,?|"(?:[^"\\]|\\.)*"(?:\s*:.*|,?)|(?:-?\d[\d.eE+-]*|null|true|false),?)$`)
	jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// group is the warnings of one source whose ZodErrors have not ended. Sources without a mark are one, so that the lines of
// several errors may be mixed in it.
type group struct {
	waiting []context // of those whose ZodError has not begun
	begun   []context
	starts  []int // where in lines each that has begun does
	lines   []string
	size    int // bytes of the lines
	depth   int // of brackets that are open at their end
	between int // other lines since the last one
}

// group returns the group of a source.
func (s *scanner) group(source string) *group {
	if s.open[source] == nil {
		if len(s.open) >= maxGroups {
			s.closeAll()
		}
		s.open[strings.Clone(source)] = &group{}
	}
	return s.open[source]
}

// goOn takes a line that may belong to an unfinished ZodError. Some collectors mark only the first line of a text, and stern's mark
// may be none: then the line belongs to the only other source there is.
func (s *scanner) goOn(source, line string) bool {
	g := s.open[source]
	if g == nil && len(s.open) == 1 {
		for source, g = range s.open {
			break
		}
	}
	if g == nil {
		return false
	}
	trimmed := strings.TrimSpace(line)
	_, zod, isZod := strings.Cut(trimmed, "ZodError")
	switch {
	case len(g.waiting) > 0 && isZod:
		return s.begin(source, g, zod)
	case len(g.waiting) > 0 && strings.HasPrefix(trimmed, "[") && fragment.MatchString(trimmed):
		return s.begin(source, g, trimmed)
	case len(g.begun) > 0 && fragment.MatchString(trimmed):
		s.add(source, g, strings.TrimRight(line, " \t"))
		return true
	}
	if g.between++; g.between > maxBetween || len(g.begun) == 0 && g.between > maxBefore {
		s.close(source)
	}
	return false
}

// begin takes the first lines of a ZodError, which belong to the warning that waits longest.
func (s *scanner) begin(source string, g *group, zod string) bool {
	c := g.waiting[0]
	if begin := strings.IndexByte(zod, '['); begin < 0 {
		return true // it begins on another line
	} else if zod = zod[begin:]; len(g.begun) == maxMixed {
		s.finish(g)
	}
	g.waiting = g.waiting[1:]
	if issues, err := provider.ParseZodError(zod); err == nil {
		s.unreadable(c, issues, "")
		s.add(source, g, "")
		return true
	}
	g.begun, g.starts = append(g.begun, c), append(g.starts, len(g.lines))
	s.add(source, g, zod)
	return true
}

// add appends a line, and counts the group's ZodErrors when all have ended.
func (s *scanner) add(source string, g *group, line string) {
	g.depth += brackets(line)
	g.lines, g.size, g.between = append(g.lines, strings.Clone(line)), g.size+len(line), 0
	if g.depth > 0 && g.size <= maxError {
		return
	}
	if s.finish(g); len(g.waiting) == 0 {
		delete(s.open, source)
	}
}

// brackets is how many more brackets a line opens than it closes.
func brackets(line string) int {
	bare := jsonString.ReplaceAllString(line, "")
	return strings.Count(bare, "[") + strings.Count(bare, "{") - strings.Count(bare, "]") - strings.Count(bare, "}")
}

// close counts what a source's group has, as far as it came.
func (s *scanner) close(source string) {
	g := s.open[source]
	delete(s.open, source)
	s.finish(g)
	for _, c := range g.waiting {
		s.unreadable(c, nil, "the log has no ZodError with the warning")
	}
}

func (s *scanner) closeAll() {
	for source := range s.open {
		s.close(source)
	}
}

// finish counts the ZodErrors that have begun.
func (s *scanner) finish(g *group) {
	errors := make([]partial, len(g.begun))
	for i, start := range g.starts {
		end := len(g.lines)
		if i+1 < len(g.starts) {
			end = g.starts[i+1]
		}
		errors[i].text = strings.Join(g.lines[start:end], "\n")
		errors[i].read()
	}
	broken := func(e partial) bool { return e.issues == nil }
	if len(errors) > 1 && g.depth == 0 && slices.ContainsFunc(errors, broken) {
		t := tangle{lines: g.lines, starts: g.starts, errors: make([]partial, len(errors)), steps: &s.steps}
		if t.solve(0) {
			errors = t.errors
			differs := func(e partial) bool { return !reflect.DeepEqual(e.issues, errors[0].issues) }
			if !sameContext(g.begun) && slices.ContainsFunc(errors, differs) {
				clear(g.begun) // which of them is whose, the log does not tell
			}
		}
	}
	for i, c := range g.begun {
		why := ""
		if broken(errors[i]) {
			why = "the log's ZodError is cut off or not in one piece"
		}
		s.unreadable(c, errors[i].issues, why)
	}
	g.begun, g.starts, g.lines, g.size, g.depth = nil, nil, nil, 0, 0
}

// tangle is the lines of several ZodErrors that were written at the same time.
type tangle struct {
	lines  []string
	starts []int
	errors []partial
	steps  *int // made so far
}

// partial is a ZodError as far as its lines are known.
type partial struct {
	text    string
	closing string           // the brackets that would end it
	issues  []provider.Issue // once it is whole
}

// solve gives each line from n on to an error whose JSON it continues, so that each error ends and agrees with itself.
func (t *tangle) solve(n int) bool {
	if n == len(t.lines) {
		return true // as all brackets are closed
	}
	var tried []string
	order := make([]int, len(t.errors)) // the longest first: of equal errors it is the one that goes on
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(len(t.errors[j].text), len(t.errors[i].text)) })
	for _, i := range order {
		e := t.errors[i]
		starts := slices.Contains(t.starts, n)
		if e.issues != nil || slices.Contains(tried, e.text) || starts != (t.starts[i] == n) || t.starts[i] > n || !e.indents(t.lines[n]) {
			continue
		}
		if *t.steps++; *t.steps > maxSteps {
			return false
		}
		tried = append(tried, e.text)
		next := partial{text: e.text + t.lines[n] + "\n", closing: e.closing}
		for _, bracket := range jsonString.ReplaceAllString(t.lines[n], "") {
			if closing, opens := map[rune]string{'[': "]", '{': "}"}[bracket]; opens {
				next.closing = closing + next.closing
			} else if bracket == ']' || bracket == '}' {
				next.closing = next.closing[min(1, len(next.closing)):]
			}
		}
		if next.read() && next.coherent(t.lines[n]) {
			t.errors[i] = next
			if t.solve(n + 1) {
				return true
			}
			t.errors[i] = e
		}
	}
	return false
}

// indents says whether a line is as far to the right as zod would put it, or not at all, as some collectors do.
func (p *partial) indents(line string) bool {
	bare := strings.TrimLeft(line, " ")
	depth := len(p.closing)
	if strings.IndexAny(bare, "]}") == 0 {
		depth--
	}
	return bare == line || len(line)-len(bare) == 2*depth
}

// read reads the issues of a whole text; it is not ok where no error begins so.
func (p *partial) read() (ok bool) {
	err := jsontext.NewDecoder(strings.NewReader(p.text)).SkipValue() // refuses a key that stands twice
	if err == nil {
		p.issues, err = provider.ParseZodError(p.text)
	}
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF)
}

// coherent looks at the issues as soon as they have their messages.
func (p *partial) coherent(line string) bool {
	issues := p.issues
	if strings.Contains(line, `"message"`) {
		issues, _ = provider.ParseZodError(strings.TrimRight(p.text, ",\n") + p.closing)
	}
	return !slices.ContainsFunc(issues, func(i provider.Issue) bool { return i.Message != "" && !i.Coherent() })
}

func sameContext(all []context) bool {
	return !slices.ContainsFunc(all, func(c context) bool { return c != all[0] })
}
