package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/scenarios"
)

// fallbackWarning is what a proxy logs when it cannot read a project's secrets (guide: project-override-on-legacy-proxy).
const fallbackWarning = "Failed to load project secrets, continuing with org secrets only"

func bindProxy(b Binder) {
	b.Then(`^the proxy warned for project "([^"]*)" about unrecognized keys (.+)$`, (*Steps).warned)
	b.Then(`^the proxy warned for project "([^"]*)" about something else than unrecognized keys$`, (*Steps).warnedOtherwise)
	b.Then(`^the proxy has not warned(?: again)? for project "([^"]*)"$`, (*Steps).notWarned)
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
		issues, err := provider.ParseZodError(line.Text)
		if err != nil || len(issues) != 1 || issues[0].Code != provider.CodeUnrecognizedKeys || issues[0].Where() != "metadata" ||
			!slices.Equal(issues[0].Keys, names(keys)) {
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
		issues, err := provider.ParseZodError(line.Text)
		if err != nil || slices.ContainsFunc(issues, func(i provider.Issue) bool { return i.Code == provider.CodeUnrecognizedKeys }) {
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
