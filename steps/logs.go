package steps

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

func bindLogs(b Binder) {
	b.When(`^(the proxy's log|what the scorer was told) is read, as (lines|lines of kubectl|JSON lines|a CSV export|a gzip file)$`, (*Steps).readLog)
	b.Then(`^the log tells of project "([^"]*)" that keys (.+) are unrecognized, which fits ([a-z0-9-]+)$`, (*Steps).logTellsKeys)
	b.Then(`^the log tells of project "([^"]*)" another cause than unrecognized keys, and offers no workaround$`, (*Steps).logTellsOther)
	b.Then(`^the log tells that a provider refused a credential, and to check auth_format and the token$`, (*Steps).logTellsRefused)
}

// readLog reads what the proxy logged since the latest change, or what the latest call was told, as it would be exported.
func (s *Steps) readLog(ctx context.Context, what, export string) error {
	lines, err := s.World.ProxyLog(ctx)
	if err != nil {
		return err
	}
	if what == "what the scorer was told" {
		probe, err := s.World.Probe()
		if err != nil {
			return err
		}
		lines = []evidence.LogLine{{Text: probe.Refusal}}
	}
	var log bytes.Buffer
	switch export {
	case "JSON lines":
		for _, line := range lines {
			err = errors.Join(err, json.NewEncoder(&log).Encode(map[string]string{"level": line.Level, "msg": line.Text, "project_id": line.Project}))
		}
	case "a CSV export":
		rows := csv.NewWriter(&log)
		err = rows.Write([]string{"@timestamp", "project_id", "@message"})
		for _, line := range lines {
			err = errors.Join(err, rows.Write([]string{line.Time.Format(time.RFC3339), line.Project, line.Text}))
		}
		rows.Flush()
	case "a gzip file":
		zipped := gzip.NewWriter(&log)
		_, err = zipped.Write([]byte(plain(lines, "")))
		err = errors.Join(err, zipped.Close())
	case "lines of kubectl":
		log.WriteString(plain(lines, "[pod/braintrust-api-7d9f/proxy] "))
	default:
		log.WriteString(plain(lines, ""))
	}
	if err != nil {
		return fmt.Errorf("write the proxy's log as %s: %w", export, err)
	}
	s.logged, err = proxylog.Read(&log)
	return s.gaveWay("the reading of the log", err)
}

// plain writes lines as they stand in a file, with the project where there is one and a prefix before each.
func plain(lines []evidence.LogLine, prefix string) string {
	var b strings.Builder
	for _, line := range lines {
		text := line.Text
		if line.Project != "" {
			text = "[project " + line.Project + "] " + text
		}
		b.WriteString(prefix + strings.ReplaceAll(text, "\n", "\n"+prefix) + "\n")
	}
	return b.String()
}

// loggedCause is the one cause that the log has for a project.
func (s *Steps) loggedCause(ctx context.Context, project string) (proxylog.Cause, error) {
	id, err := s.World.Project(ctx, project)
	if err != nil {
		return proxylog.Cause{}, err
	}
	i := slices.IndexFunc(s.logged.Projects, func(p proxylog.Project) bool { return p.ID == id })
	if i < 0 || len(s.logged.Projects[i].Causes) != 1 {
		return proxylog.Cause{}, differs(fmt.Sprintf("what the log tells of project %q", project), "one cause", fmt.Sprintf("%+v", s.logged.Projects))
	}
	return s.logged.Projects[i].Causes[0], nil
}

// logTellsKeys asks for the keys, that the workaround can help, and that the generation fits.
func (s *Steps) logTellsKeys(ctx context.Context, project, keys, generation string) error {
	cause, err := s.loggedCause(ctx, project)
	if err != nil {
		return err
	}
	want := names(keys)
	slices.Sort(want)
	var found []string
	for _, issue := range cause.Issues {
		found = append(found, issue.Keys...)
	}
	fits := func(f proxylog.Fit) bool {
		return slices.Contains(f.Types, "openai") && slices.Contains(f.Generations, provider.Generation(generation))
	}
	switch {
	case !cause.Workaround:
		return differs("whether the workaround can help", "yes", "no")
	case !slices.ContainsFunc(cause.Fits, fits):
		return differs("the generations that fit a secret of type openai", generation, fmt.Sprint(cause.Fits))
	}
	return equal("the unrecognized keys of the log", want, found)
}

func unknownKeys(i proxylog.Issue) bool { return i.Code == provider.CodeUnrecognizedKeys }

// logTellsOther asks for a cause that names no unrecognized key, and for advice without the workaround.
func (s *Steps) logTellsOther(ctx context.Context, project string) error {
	cause, err := s.loggedCause(ctx, project)
	switch {
	case err != nil:
		return err
	case len(cause.Issues) == 0 || slices.ContainsFunc(cause.Issues, unknownKeys):
		return differs("the cause in the log", "another than unrecognized keys", fmt.Sprint(cause.Issues, cause.Why))
	case cause.Workaround || strings.Contains(strings.Join(cause.Advice, " "), "--workaround"):
		return differs("the advice of the log", "no workaround", show(cause.Advice))
	}
	return nil
}

// logTellsRefused asks for one refusal, a 401, and for what to do next.
func (s *Steps) logTellsRefused(context.Context) error {
	const what = "what the log tells of refused credentials"
	if len(s.logged.Projects) != 1 || len(s.logged.Projects[0].Refused) != 1 || s.logged.Projects[0].Refused[0].What != "401" {
		return differs(what, "one, by status 401", fmt.Sprintf("%+v", s.logged.Projects))
	}
	advice := strings.Join(s.logged.Projects[0].Advice, "\n")
	for _, want := range []string{"auth_format", "planeproof audit", "planeproof verify-token"} {
		if !strings.Contains(advice, want) {
			return differs("the advice of the log", want, advice)
		}
	}
	return nil
}
