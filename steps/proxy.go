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
	b.Then(`^the proxy warned for project "([^"]*)" about (unrecognized keys .+|something else than unrecognized keys)$`, (*Steps).warned)
	b.Then(`^the proxy has not warned for project "([^"]*)"$`, (*Steps).notWarned)
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

// warned reads each warning since the latest change: it names exactly these keys of metadata, or no unrecognized key at all.
func (s *Steps) warned(ctx context.Context, project, cause string) error {
	lines, err := s.warnings(ctx, project)
	if err != nil {
		return err
	}
	keys, named := strings.CutPrefix(cause, "unrecognized keys ")
	fits := func(issues []provider.Issue) bool { return !slices.ContainsFunc(issues, unrecognized) }
	if named {
		cause = "unrecognized_keys " + keys + " in metadata"
		fits = func(issues []provider.Issue) bool {
			return len(issues) == 1 && unrecognized(issues[0]) && issues[0].Where() == "metadata" && slices.Equal(issues[0].Keys, names(keys))
		}
	}
	what := fmt.Sprintf("the proxy's warning for project %q", project)
	if len(lines) == 0 {
		return differs(what, cause, "no warning")
	}
	for _, line := range lines {
		if issues, err := provider.ParseZodError(line.Text); err != nil || !fits(issues) {
			return differs(what, cause, line.Text)
		}
	}
	return nil
}

func unrecognized(i provider.Issue) bool { return i.Code == provider.CodeUnrecognizedKeys }

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
