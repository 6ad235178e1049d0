package proxylog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

const (
	maxGroups  = 64        // sources with an unfinished ZodError
	maxMixed   = 8         // unfinished ZodErrors of one source
	maxError   = 256 << 10 // bytes of the unfinished ZodErrors of one source
	maxBetween = 200       // other lines between two lines of a ZodError
	maxBefore  = 4         // other lines between a warning and its ZodError

	brokenError = "the log's ZodError is cut off or not in one piece"
)

var (
	// fragment is a line of JSON as zod indents it.
	fragment   = regexp.MustCompile(`^(?:[\[\]{}]+,?|"(?:[^"\\]|\\.)*"(?:\s*:.*|,?)|(?:-?\d[\d.eE+-]*|null|true|false),?)$`)
	jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// group is the warnings of one source whose ZodErrors have not ended. Sources without a mark are one, so that the lines of
// several errors may be mixed in it.
type group struct {
	warnings []context
	begun    int             // ZodErrors that have begun
	text     strings.Builder // their lines
	depth    int             // of brackets that are open at the end
	between  int             // other lines since the last one
}

// wait has a warning wait for its ZodError, or for what is not in rest of it. If that begins in rest, each has its own there: the
// warnings before have none.
func (s *scanner) wait(c context, rest string) {
	g := s.open[c.source]
	if g != nil && (len(g.warnings) == maxMixed || g.begun == 0 && strings.Contains(rest, "ZodError")) {
		s.close(c.source)
		g = nil
	}
	if g == nil {
		if len(s.open) >= maxGroups {
			s.closeAll()
		}
		g = &group{}
		s.open[strings.Clone(c.source)] = g
	}
	g.warnings, g.between = append(g.warnings, c), -1 // rest is no other line
	s.goOn(c.source, rest)
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
	waits, trimmed := g.begun < len(g.warnings), strings.TrimSpace(line)
	_, zod, isZod := strings.Cut(trimmed, "ZodError")
	begin := strings.IndexByte(zod, '[')
	switch isFragment := fragment.MatchString(trimmed); {
	case waits && isFragment && trimmed[0] == '[':
		g.begun++
	case g.begun > 0 && isFragment:
	case waits && begin >= 0:
		g.begun++
		line = zod[begin:]
	case waits && isZod:
		return true // it begins on another line
	default:
		if g.between++; g.between > maxBetween || g.begun == 0 && g.between > maxBefore {
			s.close(source)
		}
		return false
	}
	g.between = 0
	g.text.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
	bare := jsonString.ReplaceAllString(line, "")
	g.depth += strings.Count(bare, "[") + strings.Count(bare, "{") - strings.Count(bare, "]") - strings.Count(bare, "}")
	if g.depth <= 0 && g.begun == len(g.warnings) || g.text.Len() > maxError {
		s.close(source)
	}
	return true
}

// close counts the warnings of a source, with what there is of their ZodErrors.
func (s *scanner) close(source string) {
	g := s.open[source]
	delete(s.open, source)
	issues, err := provider.ParseZodError(g.text.String())
	switch {
	case g.begun > 0 && len(g.warnings) > 1:
		s.mixed(g)
	case err == nil:
		s.unreadable(g.warnings[0], issues, "")
	default:
		why := brokenError
		if g.begun == 0 {
			why = "the log has no ZodError with the warning"
		}
		for _, c := range g.warnings {
			s.unreadable(c, nil, why)
		}
	}
}

// mixed counts warnings whose ZodErrors' lines are mixed. Which line is whose is not guessed: only what single lines say is told. An
// error that refuses keys and nothing else is known whole by its message, but not whose it is, unless all are the same.
func (s *scanner) mixed(g *group) {
	found, otherCodes := provider.ParseMixedLines(g.text.String())
	whole := g.depth == 0 && len(otherCodes) == 0 && len(found) == len(g.warnings)
	differs := func(i provider.Issue) bool { return !slices.Equal(i.Keys, found[0].Keys) }
	isOther := func(c context) bool { return c != g.warnings[0] }
	if slices.ContainsFunc(g.warnings, isOther) && (!whole || slices.ContainsFunc(found, differs)) {
		clear(g.warnings)
	}
	why := brokenError
	if len(found)+len(otherCodes) > 0 {
		why = "the lines of several ZodErrors are mixed, and not all of them can be read"
	}
	if len(otherCodes) > 0 {
		why += "; other codes: " + strings.Join(names(head(otherCodes, maxKeys)), ", ")
	}
	for n, c := range g.warnings {
		if whole {
			s.unreadable(c, found[n:n+1], "")
		} else {
			s.unreadable(c, merged(found), why)
		}
	}
}

// merged is one issue with the keys of all.
func merged(issues []provider.Issue) []provider.Issue {
	var keys []string
	for _, i := range issues {
		keys = append(keys, i.Keys...)
	}
	if keys == nil {
		return nil
	}
	slices.Sort(keys)
	return []provider.Issue{{Code: issues[0].Code, Path: issues[0].Path, Keys: slices.Compact(keys)}}
}

func (s *scanner) closeAll() {
	for source := range s.open {
		s.close(source)
	}
}
