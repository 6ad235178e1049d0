package conformance

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
)

func TestEveryScenarioSaysWhatItJudges(t *testing.T) {
	t.Parallel()
	all, err := List(Options{})
	require.NoError(t, err)
	for _, s := range all {
		assert.NotEmpty(t, s.Judges, "%s has no @judges-… tag", s.ID)
	}
}

// answers is an answer that a data plane gives to everything; the zero value closes the connection.
type answers struct {
	status     int
	kind, body string
}

// uselessAnswers are what a data plane gives that does nothing of what is asked of it; the refusals are those of a model call.
func uselessAnswers() (whatever, refusals map[string]answers) {
	whatever = map[string]answers{
		"599": {599, "text/plain", ""}, "{}": {200, "application/json", `{}`}, "HTML": {200, "text/html", "<!doctype html><title>Welcome</title>"}, "closes": {},
	}
	return whatever, map[string]answers{
		"refuses": {401, "application/json", `{"error":{"message":"Incorrect API key provided"}}`},
		"no keys": {400, "text/plain", "No API keys found (for acme-chat)"},
	}
}

// useless makes the data plane of a scenario useless below a path from its first When on: what was given is there.
type useless struct {
	path   string
	answer answers

	mu     sync.Mutex
	ruined []string // base URLs of data planes
}

func (u *useless) start(ctx context.Context) (target.Target, error) {
	started, err := startProcess(ctx)
	if err != nil {
		return nil, err
	}
	return &doctoredTarget{Target: started, end: started.Close, share: func(s target.Share) target.Share { return uselessShare{s, u} }}, nil
}

// uselessShare reaches its systems through what may answer in their place.
type uselessShare struct {
	target.Share
	useless *useless
}

func (s uselessShare) Reach() target.Reach {
	reach := s.Share.Reach()
	client := *reach.Client
	client.Transport = inPlace{client.Transport, s.useless}
	reach.Client = &client
	return reach
}

type inPlace struct {
	next    http.RoundTripper
	useless *useless
}

func (t inPlace) RoundTrip(r *http.Request) (*http.Response, error) {
	t.useless.mu.Lock()
	ruined := slices.ContainsFunc(t.useless.ruined, func(base string) bool { return strings.HasPrefix(r.URL.String(), base+t.useless.path) })
	t.useless.mu.Unlock()
	if !ruined {
		return t.next.RoundTrip(r)
	}
	a := t.useless.answer
	if a.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	_, _ = w.WriteString(a.body)
	return w.Result(), nil
}

// ruins hands phrases on to a Binder; each When ruins the scenario's data plane first.
type ruins struct {
	steps.Binder
	useless *useless
}

func (b ruins) When(expr, do any) {
	method := reflect.ValueOf(do)
	b.Binder.When(expr, reflect.MakeFunc(method.Type(), func(args []reflect.Value) []reflect.Value {
		b.useless.mu.Lock()
		b.useless.ruined = append(b.useless.ruined, args[0].Interface().(*steps.Steps).World.APIURL()+"/")
		b.useless.mu.Unlock()
		return method.Call(args)
	}).Interface())
}

// TestNothingUselessPasses keeps the tags honest: what says that it judges a system does not pass on one that does nothing.
func TestNothingUselessPasses(t *testing.T) {
	t.Parallel()
	everything, refusals := uselessAnswers()
	modelCalls := maps.Clone(everything)
	maps.Copy(modelCalls, refusals)
	for where, c := range map[string]struct {
		path, tags string
		answers    map[string]answers
	}{
		"model calls": {"v1/proxy", "@judges-plane", modelCalls},
		"everything":  {"", "@judges-plane or @judges-api", everything},
	} {
		for what, answer := range c.answers {
			t.Run(where+" "+what, func(t *testing.T) {
				t.Parallel()
				if testing.Short() && what != "599" {
					t.Skip("one of them is enough for a short test")
				}
				u := &useless{path: c.path, answer: answer}
				result := run(t.Context(), t, Options{Concurrency: 4, Tags: c.tags, start: u.start,
					phrases: func(b steps.Binder) { steps.Bind(ruins{b, u}) }})
				assert.NotEmpty(t, result.Scenarios)
				for _, s := range result.Scenarios {
					bad := s.Verdict == report.Failed || s.Verdict == report.Broken
					assert.True(t, bad, "%s %v: %s", s.ID, s.Judges, s.Verdict)
				}
			})
		}
	}
}

func TestWhatHasNoPartInTheVerdictOnAProxy(t *testing.T) {
	t.Parallel()
	through := []evidence.Exchange{{System: "client", Path: "/v1/proxy/chat/completions"}, {System: "data-plane", Path: "/v1/proxy/chat/completions"}}
	about := func(v report.Verdict, exchanges []evidence.Exchange, tags ...string) *record {
		return &record{Scenario: report.Scenario{Judges: []string{report.Remedies, report.Plane}, Verdict: v, Exchanges: exchanges, Tags: tags, Reason: "cannot"}}
	}
	other := about(report.Failed, through)
	other.Judges = []string{report.Remedies}
	reenacts, broken := about(report.Failed, through), about(report.Broken, nil)
	reenacts.Reproduction = true
	broken.Judges = nil
	for name, c := range map[string]struct {
		r    *record
		want string
	}{
		"judges it":          {about(report.Failed, through), ""},
		"another generation": {about(report.Failed, through, "@fails-on-legacy-2026-03"), ""},
		"not run":            {about(report.NotRun, nil), ""},
		"broken":             {broken, ""},
		"another judge":      {other, "judges something else than the proxy"},
		"not supported":      {about(report.NotSupported, through), "cannot"},
		"no call":            {about(report.Passed, through[:1]), "made no call through the proxy"},
		"known":              {about(report.Failed, through, "@fails-on-legacy-2026-02"), "known to fail on legacy-2026-02"},
		"reproduction":       {reenacts, "re-enacts a known failure, which decides nothing about a deployed proxy"},
		"yet it passed": {about(report.Passed, through, "@fails-on-legacy-2026-02"),
			"known to fail on legacy-2026-02, and yet it passed: is the proxy of that generation?"},
	} {
		assert.Equal(t, c.want, c.r.excuse("legacy-2026-02"), name)
	}
}
