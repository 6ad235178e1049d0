// Package target is where scenarios run: what any system must offer for it, and what one can and cannot do. Its subpackages start systems
// of ours in one process or in containers; what wraps a Target or a Share changes what scenarios meet, and nothing else has to know.
package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target/settings"
)

// Target is the systems under test, running.
type Target interface {
	Describe() Description
	// Open makes a share of the target for one scenario. It is cheap: nothing is asked of a system before settings are applied.
	Open(ctx context.Context, s Scenario) (Share, error)
	// Renew keeps the systems alive, which end by themselves where nobody does; an error says which gives no answer.
	Renew(ctx context.Context) error
	// Close ends the systems and removes what was created; its error names what is left.
	Close(ctx context.Context) error
}

// Description is what is known of a target before anything runs on it.
type Description struct {
	// Runtime is where the systems run: `process` or `docker`.
	Runtime string
	// Fakes says that all systems are ours.
	Fakes bool
	// Lacks says for each capability that is missing why it is.
	Lacks map[Capability]string
}

// Scenario is what a share is made for.
type Scenario struct {
	// ID is `t-` and 16 of [a-z0-9], unique among the scenarios of a run.
	ID string
	// Key is what credentials are fingerprinted under.
	Key evidence.Key
	// WithoutProxy says that the scenario is about something else than a proxy in the middle: it is served as if there were none.
	WithoutProxy bool
}

// Share is one scenario's part of a target: systems that nobody else sees.
type Share interface {
	Reach() Reach
	// Apply gives one system its part of the settings; what it stores stays.
	Apply(ctx context.Context, to System, s settings.Settings) error
	// Read returns what a system kept of the scenario so far, nothing where no settings were applied to it.
	Read(ctx context.Context, from System) (Kept, error)
	// Printed is what a system has printed, of all scenarios.
	Printed(ctx context.Context, of System) (string, error)
	// Close ends the share and returns what each system kept, for the last time. An error of one system does not keep the others' back.
	Close(ctx context.Context) ([]Kept, error)
}

// Reach is how a scenario gets to its share of the systems.
type Reach struct {
	// API is $BRAINTRUST_API_URL, Upstream the gateway's base URL without /v1, as the systems can reach it: it goes into every api_base.
	API, Upstream string
	// Closed is a base URL at which nothing listens.
	Closed string
	// Client reaches these and nothing else, and follows no redirect. Its Timeout bounds each request of the scenario; 0 is no bound.
	Client *http.Client
}

// AnswerTime bounds one request of a scenario with its answer on the systems that are started here. None of them needs as much: what
// gives no answer by then gives none.
const AnswerTime = 30 * time.Second

// System is one of the systems under test.
type System string

// The systems.
const (
	Gateway     System = "gateway"      // the OpenAI-compatible upstream
	DataPlane   System = "data-plane"   // the control API, /api/secret and /v1/proxy
	LegacyProxy System = "legacy-proxy" // the AI proxy that a data plane on v1 uses
)

// Systems lists the three in the order in which requests travel backwards.
func Systems() []System { return []System{Gateway, DataPlane, LegacyProxy} }

// Kept is what one system kept of a scenario, in order of arrival. What was dropped found no room.
type Kept struct {
	System      System
	Exchanges   []evidence.Exchange
	Dropped     int
	Logs        []evidence.LogLine
	DroppedLogs int
}

// ErrIncomplete is the error of a journal or a log that found no room for everything: what it holds proves nothing.
var ErrIncomplete = errors.New("not all was kept")

// Whole is an error where something was dropped.
func (k Kept) Whole() error {
	switch {
	case k.Dropped > 0:
		return fmt.Errorf("read journal of %s: %w: %d exchanges dropped", k.System, ErrIncomplete, k.Dropped)
	case k.DroppedLogs > 0:
		return fmt.Errorf("read log of %s: %w: %d lines dropped", k.System, ErrIncomplete, k.DroppedLogs)
	}
	return nil
}

// NotSupported is the error of whoever asks a target for something it cannot do.
type NotSupported struct{ Reason string }

func (e *NotSupported) Error() string { return e.Reason }

// Capability is something a scenario may need and a target may lack.
type Capability string

// The capabilities; a scenario asks for one by the tag `@needs-` and its name.
const (
	Journal          Capability = "journal"           // what each system received can be read
	Logs             Capability = "logs"              // the systems' log entries can be read
	ChooseGeneration Capability = "choose-generation" // the harness decides v1 or v2, and the proxy's generation
	Upgrade          Capability = "upgrade"           // a data plane can be upgraded while its secrets stay
	OrgWrites        Capability = "org-writes"        // org provider secrets can be made and changed
	ProjectWrites    Capability = "project-writes"    // project provider secrets can be made and changed
	ProjectCalls     Capability = "project-calls"     // a call with project context is served with the project's secrets
	TestKey          Capability = "test-key"          // the console's Test key can be pressed
)

// Capabilities lists all of them.
func Capabilities() []Capability {
	return []Capability{Journal, Logs, ChooseGeneration, Upgrade, OrgWrites, ProjectWrites, ProjectCalls, TestKey}
}
