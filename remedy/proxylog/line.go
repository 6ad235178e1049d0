package proxylog

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// The texts looked for (facts: strict-schema; recorded: proxy-routing).
const (
	unreadableText = "Failed to load project secrets"
	retriedText    = "Received retryable error. Will try the next endpoint"
	noKeysText     = "No API keys found"
	refusedText    = "AI provider returned "
)

var (
	marker = regexp.MustCompile(unreadableText + `(?:, continuing with org secrets only)?|` + regexp.QuoteMeta(retriedText) + `\s*["']?\s*([1-5]\d\d\b)?` +
		`|` + noKeysText + `(?: \(for ([^()\s]{1,256})\))?|` + refusedText + `([1-5]\d\d) error`)
	// projectInText is a project's id as a line may name it: `project 1111…`, `projectId: '1111…'`, `x-bt-project-id=1111…`.
	projectInText = regexp.MustCompile(`(?i)project(?:[ _-]?u?u?id)?["'\]]*\s*[:=]?\s*["'\[(]?(` + uuidForm + `)\b`)
	errorInText   = regexp.MustCompile(`\b([A-Z][A-Za-z]{2,30}Error|Error)\b`)
	uuid          = regexp.MustCompile(`^(?i)` + uuidForm + `$`)

	colors = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)`)
	// sourceMark tells one source from another: `kubectl logs --prefix`, docker compose and services.
	sourceMark = regexp.MustCompile(`^(?:\[pod/[^\]\s]+\] ?|[A-Za-z0-9][\w.@-]* *\| ?)`)
	// sternMark is stern's: pod and container, or namespace, pod and container. They are words like others, so what follows decides.
	sternMark = regexp.MustCompile(`^((?:[a-z0-9][a-z0-9-]* )?[a-z0-9][a-z0-9.-]*-[a-z0-9]+ [a-z0-9][a-z0-9-]* )` +
		`(?:\d{4}-\d\d-\d\dT\S+ )?\s*(?:[\[\]{}"]|ZodError|Failed to|Received|AI provider|(?:Error: )?No API)`)
	// stamp is a time as RFC 3339 or with a blank, and what the container runtime writes behind it.
	stamp = regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?\]?(?:\s|$)(?:(?:stdout|stderr) [FP] )?`)
)

const uuidForm = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// marked says whether a text has one of the warnings; it is quicker than the expression.
func marked(text []byte) bool {
	for _, mark := range [][]byte{[]byte(unreadableText), []byte(retriedText), []byte(noKeysText), []byte(refusedText)} {
		if bytes.Contains(text, mark) {
			return true
		}
	}
	return false
}

// undecorate takes from a line what was put around it on its way, in any order, and returns by which source it came.
func undecorate(line string) (source, text string) {
	text = colors.ReplaceAllString(strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n"), "")
	for {
		mark := sourceMark.FindString(text)
		if found := sternMark.FindStringSubmatch(text); mark == "" && source == "" && found != nil {
			mark = found[1]
		}
		source += mark
		rest := text[len(mark):]
		rest = rest[len(stamp.FindString(rest)):]
		if rest == text {
			return source, text
		}
		text = rest
	}
}

// line reads one line, or a piece of one, and says whether it is about provider secrets.
func (s *scanner) line(raw []byte) bool {
	if len(s.open) == 0 && !marked(raw) {
		return false
	}
	source, text := undecorate(strings.ToValidUTF8(string(raw), "\ufffd"))
	c := context{source: source}
	if v, ok := decodeJSON(text); ok && s.value(c, v) {
		return true
	}
	return s.text(c, text)
}

// text reads a text that may hold warnings, or go on with a ZodError.
func (s *scanner) text(c context, text string) (known bool) {
	text = colors.ReplaceAllString(text, "")
	found := marker.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		for line := range strings.Lines(text) {
			_, line = undecorate(line)
			known = s.goOn(c.source, line) || known
		}
		return known
	}
	c = c.in(text[:found[0][0]])
	for i, at := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		rest, detail := text[at[1]:end], ""
		for n := 2; n < len(at); n += 2 {
			detail += text[max(0, at[n]):max(0, at[n+1])]
		}
		s.warning(c.in(rest), text[at[0]:at[1]], detail, rest)
	}
	return true
}

// warning counts one warning by its text, the status or the model in it, and what follows it.
func (s *scanner) warning(c context, which, detail, rest string) {
	if strings.HasPrefix(which, unreadableText) {
		s.failure(c, rest)
		return
	}
	p := s.project(c)
	switch {
	case p == nil:
	case strings.HasPrefix(which, retriedText):
		add(&p.Retried, cmp.Or(detail, "none"))
	case strings.HasPrefix(which, refusedText):
		add(&p.Refused, detail)
	default:
		add(&p.NoKeys, cmp.Or(name(strings.TrimPrefix(detail, "null")), "not named"))
	}
}

// failure reads why project secrets could not be loaded; a ZodError that does not end here is waited for.
func (s *scanner) failure(c context, rest string) {
	isZod := strings.Contains(rest, "ZodError")
	issues, err := provider.ParseZodError(rest)
	other := errorInText.FindString(rest)
	switch {
	case err == nil && (isZod || other == ""):
		s.unreadable(c, issues, "")
	case !isZod && other != "":
		s.unreadable(c, nil, "the log has an error of another kind: "+name(other))
	default:
		s.wait(c, rest)
	}
}

// in is the context in a text: that of the project that the text names.
func (c context) in(text string) context {
	if found := projectInText.FindStringSubmatch(text); found != nil && c.projectID == "" {
		c.projectID = strings.ToLower(found[1])
	}
	return c
}
