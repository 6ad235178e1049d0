package proxylog

import (
	"regexp"
	"strings"
)

var (
	ansi = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)`)
	// source is what tells one writer from another: `kubectl logs --prefix` and docker compose.
	source = regexp.MustCompile(`^(?:\[pod/[^\]\s]+\] ?|[A-Za-z0-9][\w.-]* *\| ?)`)
	// stamp is a time as RFC 3339 or with a blank, and what the container runtime writes behind it.
	stamp = regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?\]?(?:\s+|$)(?:(?:stdout|stderr) [FP] )?`)
)

// undecorate takes from a line what was put around it on its way, in any order, and returns by which writer it came.
func undecorate(line string) (stream, text string) {
	text = strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n")
	text = plain(text)
	for {
		mark := source.FindString(text)
		stream += mark
		rest := text[len(mark):]
		rest = rest[len(stamp.FindString(rest)):]
		if rest == text {
			return stream, text
		}
		text = rest
	}
}

// plain is the text without colors.
func plain(text string) string {
	if !strings.ContainsRune(text, '\x1b') {
		return text
	}
	return ansi.ReplaceAllString(text, "")
}
