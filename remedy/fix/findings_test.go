package fix_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// audited plans what an audit of the organization asks for.
func (o *org) audited(change func(*audit.Report)) (*fix.Plan, error) {
	o.t.Helper()
	client := o.client(memberKey)
	found, err := inventory.Read(o.t.Context(), client, inventory.Options{All: true})
	require.NoError(o.t, err)
	report := audit.Run(found, audit.Options{})
	if change != nil {
		change(&report)
	}
	wanted, left, err := fix.FromAudit(o.t.Context(), client, report, found, false, nil)
	if err != nil {
		return nil, err
	}
	plane := fix.DataPlane{Version: version("2.0.0")}
	plane.Know(found)
	p := fix.NewPlan("planeproof test", found.Organization, o.url(), plane, wanted, time.Now())
	p.Left = left
	return p, nil
}

func TestNoFindingDisappears(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	for i := range 7 {
		o.secret(fmt.Sprintf("affected-%d", i), callable(""))
	}
	o.secret("odd", `{"customModels":[1],"api_base":"http://gateway:8080/v1"}`)
	p, err := o.audited(nil)
	require.NoError(t, err)
	assert.Len(t, p.Steps, 7)
	text := p.Text()
	assert.Equal(t, 1, strings.Count(text, "it cannot be known from here whether the gateway wants Bearer"), "the same note once")
	assert.Contains(t, text, "note for affected-0 (org), affected-1 (org), affected-2 (org), affected-3 (org), affected-4 (org) and 2 more:")
	assert.Contains(t, text, "not mended: note ", "notes are for people, and listed")
	for _, left := range p.Left {
		assert.NotEmpty(t, left.Reason, left.Rule)
	}
	// An error that no remedy of ours mends is left, and said so by the exit code.
	p, err = o.audited(func(r *audit.Report) {
		r.Groups = append(r.Groups, audit.Group{Rule: "made-up", Severity: audit.Error, Advice: "ask somebody", Findings: []audit.Finding{
			{Evidence: []string{"x"}}, {Secret: &audit.SecretRef{Level: inventory.Org, ID: "6d1c1a3e-0c1b-4f0e-9a57-0000000000ff", Name: "gone"}, Remedy: audit.Remedy{Name: audit.RemedyBearer}},
		}})
	})
	require.NoError(t, err)
	assert.True(t, p.Unmended())
	assert.Contains(t, p.Text(), "not mended: error made-up: no remedy of ours mends it: ask somebody")
	assert.Contains(t, p.Text(), "not mended: error made-up on gone: not applied: it does not exist any more")
	assert.Len(t, p.Steps, 7, "the others are planned")

	notes := &fix.Plan{Left: []fix.Left{{Severity: audit.Note}}}
	assert.False(t, notes.Unmended(), "notes alone fail nothing")
	warned := &fix.Plan{Left: []fix.Left{{Severity: audit.Warning}}}
	assert.True(t, warned.Unmended())
}

// TestNotesAreNotPlanned: what an audit does not fail on is for people to decide, also where a remedy would mend it.
func TestNotesAreNotPlanned(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	o.secret("affected", callable(""))
	p, err := o.audited(func(r *audit.Report) { r.FailOn = audit.Error })
	require.NoError(t, err)
	for _, g := range p.Left {
		if g.Severity != audit.Error {
			assert.Contains(t, g.Reason, "it is less severe than what the audit fails on (error)")
		}
	}
	p, err = o.audited(func(r *audit.Report) {
		for i := range r.Groups {
			r.Groups[i].Severity = audit.Note
		}
	})
	require.NoError(t, err)
	assert.Empty(t, p.Steps)
	assert.False(t, p.Unmended())
}

// large answers as an organization of many projects with ten affected secrets each, and counts.
type large struct {
	projects         int
	noMetadata       bool
	requests, flying atomic.Int32
	most             atomic.Int32
}

func (l *large) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	flying := l.flying.Add(1)
	defer l.flying.Add(-1)
	for most := l.most.Load(); flying > most && !l.most.CompareAndSwap(most, flying); most = l.most.Load() {
	}
	w.Header().Set("Content-Type", "application/json")
	metadata := `{"auth_format":"api_key","api_base":"http://gateway:8080/v1"}`
	object := func(project, n int, metadata string) string {
		return fmt.Sprintf(`{"id":"s-%d-%d","name":"s%d","object_type":"project","object_id":"p-%d","secret_category":"ai_provider","secret_type":"openai",`+
			`"preview_secret":"sk-***","metadata":%s}`, project, n, n, project, metadata)
	}
	var objects []string
	var project, n int
	switch q := r.URL.Query(); {
	case r.URL.Path == "/v1/organization" && !q.Has("starting_after"):
		objects = append(objects, `{"id":"o","name":"acme"}`)
	case r.URL.Path == "/v1/project":
		after := -1
		_, _ = fmt.Sscanf(q.Get("starting_after"), "p-%d", &after)
		for i := after + 1; i < l.projects && len(objects) < 1000; i++ {
			objects = append(objects, fmt.Sprintf(`{"id":"p-%d","name":"p%d","org_id":"o"}`, i, i))
		}
	case q.Get("object_type") == "project":
		_, _ = fmt.Sscanf(q.Get("object_id"), "p-%d", &project)
		listed := metadata
		if l.noMetadata {
			listed = "null"
		}
		for i := range 9 {
			objects = append(objects, object(project, i, listed))
		}
	default:
		if _, err := fmt.Sscanf(r.URL.Path, "/v1/env_var/s-%d-%d", &project, &n); err == nil {
			_, _ = fmt.Fprint(w, object(project, n, metadata))
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v1/ai_secret/") || strings.HasPrefix(r.URL.Path, "/v1/project/") {
			http.NotFound(w, r)
			return
		}
	}
	_, _ = fmt.Fprint(w, `{"objects":[`+strings.Join(objects, ",")+`]}`)
}

// plan plans every finding and returns how many steps there are.
func (l *large) plan(t testing.TB) int {
	server := httptest.NewServer(l)
	defer server.Close()
	client := control.New(server.URL, adminKey, nil)
	found, err := inventory.Read(t.Context(), client, inventory.Options{All: true})
	require.NoError(t, err)
	require.Empty(t, found.Incomplete)
	for i := range found.Secrets {
		found.Secrets[i].Metadata = []byte(`{"auth_format":"api_key","api_base":"http://gateway:8080/v1"}`)
	}
	report := audit.Run(found, audit.Options{})
	if l.noMetadata {
		for i := range found.Secrets {
			found.Secrets[i].Metadata = []byte("null")
		}
	}
	l.requests.Store(0)
	l.most.Store(0)
	if !l.noMetadata {
		found, err = inventory.Read(t.Context(), client, inventory.Options{All: true})
		require.NoError(t, err)
	}
	told := 0
	wanted, _, err := fix.FromAudit(t.Context(), client, report, found, false, func(done, _ int) { told = done })
	require.NoError(t, err)
	if l.noMetadata {
		assert.Positive(t, told, "progress")
	}
	plane := fix.DataPlane{Version: version("2.0.0")}
	plane.Know(found)
	p := fix.NewPlan("test", found.Organization, server.URL, plane, wanted, time.Now())
	require.Empty(t, p.Refused)
	assert.LessOrEqual(t, strings.Count(p.Text(), "it cannot be known from here"), 1)
	return len(p.Steps)
}

func TestAListingIsEnoughForAPlan(t *testing.T) {
	t.Parallel()
	l := &large{projects: 20}
	require.Equal(t, 180, l.plan(t))
	assert.LessOrEqual(t, l.requests.Load(), int32(40), "listings alone, for 180 findings")
	assert.LessOrEqual(t, l.most.Load(), int32(8), "in flight")
	l = &large{projects: 20, noMetadata: true}
	require.Equal(t, 180, l.plan(t))
	assert.Equal(t, int32(180), l.requests.Load(), "a listing without metadata costs one GET for each")
	assert.LessOrEqual(t, l.most.Load(), int32(8), "in flight")
}

// BenchmarkPlanOfAnAudit plans 10,000 findings and more, and prints the requests for each.
func BenchmarkPlanOfAnAudit(b *testing.B) {
	for b.Loop() {
		l := &large{projects: 1112}
		steps := l.plan(b)
		b.ReportMetric(float64(l.requests.Load())/float64(steps), "requests/finding")
		b.ReportMetric(float64(l.most.Load()), "in-flight")
		b.ReportMetric(float64(steps), "findings")
	}
}
