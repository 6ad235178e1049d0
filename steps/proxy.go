package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/scenarios"
)

// fallbackWarning is what a proxy logs when it cannot read a project's secrets (guide: project-override-on-legacy-proxy).
const fallbackWarning = "Failed to load project secrets, continuing with org secrets only"

func (s *Steps) bindProxy(b Binder) {
	b.Then(`^the proxy warned for project "([^"]*)" about unrecognized keys (.+)$`, s.warned)
	b.Then(`^the proxy warned for project "([^"]*)" about something else than unrecognized keys$`, s.warnedOtherwise)
	b.Then(`^the proxy has not warned(?: again)? for project "([^"]*)"$`, s.notWarned)
}

// warnings are the proxy's fallback warnings for a project since the latest change.
func (s *Steps) warnings(ctx context.Context, project string) ([]evidence.LogLine, error) {
	id, err := s.World.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	lines, err := s.World.ProxyLog(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(lines, func(line evidence.LogLine) bool {
		return line.Project != id || !strings.Contains(line.Text, fallbackWarning)
	}), nil
}

// issue is one entry of a ZodError, as far as the guide speaks of it.
type issue struct {
	Code string   `json:"code"`
	Keys []string `json:"keys"`
	Path []any    `json:"path"`
}

// issuesOf reads the ZodError of a warning; one that cannot be read has none.
func issuesOf(line evidence.LogLine) []issue {
	_, zodError, _ := strings.Cut(line.Text, "ZodError: ")
	var issues []issue
	if json.Unmarshal([]byte(zodError), &issues) != nil {
		return nil
	}
	return issues
}

func (s *Steps) warned(ctx context.Context, project, keys string) error {
	lines, err := s.warnings(ctx, project)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("the proxy's warning for project %q", project)
	expected := "unrecognized_keys " + keys + " in metadata"
	if len(lines) == 0 {
		return differs(what, expected, "no warning")
	}
	for _, line := range lines {
		want := []issue{{Code: "unrecognized_keys", Keys: names(keys), Path: []any{"metadata"}}}
		if equal(what, want, issuesOf(line)) != nil {
			return differs(what, expected, line.Text)
		}
	}
	return nil
}

func (s *Steps) warnedOtherwise(ctx context.Context, project string) error {
	lines, err := s.warnings(ctx, project)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("the proxy's warning for project %q", project)
	if len(lines) == 0 {
		return differs(what, "one about something else than unrecognized keys", "no warning")
	}
	for _, line := range lines {
		issues := issuesOf(line)
		if len(issues) == 0 || slices.ContainsFunc(issues, func(i issue) bool { return i.Code == "unrecognized_keys" }) {
			return differs(what, "one about something else than unrecognized keys", line.Text)
		}
	}
	return nil
}

// notWarned asks for calls of the project since the latest change first: a proxy that was not asked has no reason to warn.
func (s *Steps) notWarned(ctx context.Context, project string) error {
	id, err := s.World.Project(ctx, project)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.World.Probes[s.probesBefore:], func(p scenarios.Probe) bool { return p.ProjectID == id }) {
		return fmt.Errorf("read warnings: project %q made no call since the latest change", project)
	}
	lines, err := s.warnings(ctx, project)
	if err != nil {
		return err
	}
	if len(lines) > 0 {
		return differs(fmt.Sprintf("the proxy's warnings for project %q", project), "none", lines[0].Text)
	}
	return nil
}
