package proxylog

import (
	"cmp"
	"regexp"
	"strings"
)

const (
	// maxOpen is how many ZodErrors may be unfinished at once, each by another writer.
	maxOpen = 64
	// maxError is the longest ZodError that is read, in bytes.
	maxError = 256 << 10
	// maxBetween is how many other lines may stand between two lines of one ZodError.
	maxBetween = 200
	// maxBefore is how many may stand between a warning and the ZodError that its line lacks.
	maxBefore = 4
)

// The texts looked for (facts: how the real systems behave; recorded: proxy-routing).
const (
	unreadableText = "Failed to load project secrets"
	retriedText    = "Received retryable error. Will try the next endpoint"
	noKeysText     = "No API keys found"
)

var (
	marker = regexp.MustCompile(regexp.QuoteMeta(unreadableText) + "|" + regexp.QuoteMeta(retriedText) + "|" + regexp.QuoteMeta(noKeysText))
	// fragment is a line of JSON as zod indents it.
	fragment = regexp.MustCompile(`^(?:[\[\]{}]+,?|"(?:[^"\\]|\\.)*"(?:\s*:.*|,?)|(?:-?\d[\d.eE+-]*|null|true|false),?)$`)
	// projectInText is a project's id as a line may name it: `project 1111…`, `projectId: '1111…'`, `x-bt-project-id=1111…`.
	projectInText = regexp.MustCompile(`(?i)project(?:[ _-]?u?u?id)?["'\]]*\s*[:=]?\s*["'\[(]?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b`)
	statusInText  = regexp.MustCompile(`^\s*["']?\s*([1-5]\d\d)\b`)
	modelInText   = regexp.MustCompile(`^ \(for ([^()\s]{1,256})\)`)
	errorInText   = regexp.MustCompile(`\b([A-Z][A-Za-z]{2,30}Error|Error)\b`)
)

// A scanner goes through the lines of a log.
type scanner struct {
	tally
	open map[string]*pending // by writer
}

func newScanner() *scanner {
	return &scanner{tally: tally{projects: map[[2]string]*entry{}}, open: map[string]*pending{}}
}

// pending is a warning whose ZodError has not ended.
type pending struct {
	context context
	text    strings.Builder // from the array's beginning on
	array   array
	between int // lines since the last one that belonged to it
}

// line reads one line and says whether it knew it.
func (s *scanner) line(raw string) bool {
	if len(s.open) == 0 && !marked(raw) {
		return false
	}
	stream, text := undecorate(raw)
	if object, ok := decodeObject(text); ok {
		return s.object(stream, object, context{}, 0)
	}
	return s.text(stream, text, context{}, nil)
}

// marked says whether a text has one of the warnings; it is quicker than the expression.
func marked(text string) bool {
	return strings.Contains(text, unreadableText) || strings.Contains(text, retriedText) || strings.Contains(text, noKeysText)
}

// text reads a text that may hold warnings or go on with a ZodError; issues are those that came beside it.
func (s *scanner) text(stream, text string, c context, beside []issue) bool {
	text = plain(text)
	if !marked(text) {
		return s.goOn(stream, text)
	}
	at := marker.FindAllStringIndex(text, -1)
	if c.projectID == "" {
		if before := projectInText.FindStringSubmatch(text[:at[0][0]]); before != nil {
			c.projectID = strings.ToLower(before[1])
		}
	}
	for i, found := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		s.warning(stream, text[found[0]:found[1]], text[found[1]:end], c, beside)
	}
	return true
}

// warning counts one warning by its text and what follows it.
func (s *scanner) warning(stream, which, rest string, c context, beside []issue) {
	if id := projectInText.FindStringSubmatch(rest); id != nil && c.projectID == "" {
		c.projectID = strings.ToLower(id[1])
	}
	switch which {
	case retriedText:
		var status string
		if found := statusInText.FindStringSubmatch(rest); found != nil {
			status = found[1]
		}
		s.retried(c, status)
	case noKeysText:
		var model string
		if found := modelInText.FindStringSubmatch(rest); found != nil && found[1] != "null" {
			model = found[1]
		}
		s.noKeys(c, model)
	default:
		s.close(stream)
		s.failure(stream, rest, c, beside)
	}
}

// failure reads why project secrets could not be loaded; a ZodError that does not end here is waited for.
func (s *scanner) failure(stream, rest string, c context, beside []issue) {
	if beside != nil {
		s.unreadable(c, reason{issues: beside, typ: c.secretType})
		return
	}
	rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(rest, " "), ", continuing with org secrets only"))
	_, zod, isZod := strings.Cut(rest, "ZodError")
	if other := errorInText.FindString(rest); !isZod && other != "" {
		s.unreadable(c, reason{why: "the log has an error of another kind: " + name(other)})
		return
	}
	s.wait(stream, c)
	if isZod {
		s.add(stream, zod)
	}
}

// wait opens a ZodError of a writer.
func (s *scanner) wait(stream string, c context) {
	if len(s.open) >= maxOpen {
		s.closeAll()
	}
	s.open[strings.Clone(stream)] = &pending{context: c}
}

// goOn takes a line that may belong to the writer's unfinished ZodError.
func (s *scanner) goOn(stream, text string) bool {
	p := s.open[stream]
	if p == nil {
		return false
	}
	text = strings.TrimSpace(text)
	_, zod, isZod := strings.Cut(text, "ZodError")
	switch {
	case isZod && p.text.Len() == 0:
		return s.add(stream, zod)
	case fragment.MatchString(text) && (p.text.Len() > 0 || strings.HasPrefix(text, "[")):
		return s.add(stream, text)
	}
	p.between++
	if p.between > maxBetween || p.text.Len() == 0 && p.between > maxBefore {
		s.close(stream)
	}
	return false
}

// add appends to a writer's ZodError, which begins with its array, and counts it when the array has ended.
func (s *scanner) add(stream, text string) bool {
	p := s.open[stream]
	p.between = 0
	if p.text.Len() == 0 {
		begin := strings.IndexByte(text, '[')
		if begin < 0 {
			return true
		}
		text = unescape(text[begin:])
	}
	end := p.array.end(text)
	if !p.array.done {
		end = len(text)
	}
	p.text.WriteString(text[:end])
	p.text.WriteByte('\n')
	if p.array.done || p.text.Len() > maxError {
		s.close(stream)
	}
	return true
}

// close counts a writer's ZodError as far as it came.
func (s *scanner) close(stream string) {
	p := s.open[stream]
	if p == nil {
		return
	}
	delete(s.open, stream)
	issues, typ, ok := decodeIssues(p.text.String())
	switch {
	case ok:
		s.unreadable(p.context, reason{issues: issues, typ: cmp.Or(p.context.secretType, typ)})
	case p.text.Len() > 0:
		s.unreadable(p.context, reason{why: "the log's ZodError is cut off or not in one piece"})
	default:
		s.unreadable(p.context, reason{why: "the log has no ZodError with the warning"})
	}
}

func (s *scanner) closeAll() {
	for stream := range s.open {
		s.close(stream)
	}
}
