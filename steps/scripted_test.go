package steps

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// scripted is a share of which everything is given: what each system kept and printed, and what the API and the proxy answer.
type scripted struct {
	target.Share
	kept    map[target.System]*target.Kept
	printed map[target.System]string
	objects map[string]string // what the API stores, by path
	answers map[string]answer // by method and path, in place of what is stored
	calls   []answer          // of the proxy, in turn, the last one for ever; they reach the gateway as the latest request did
	passes  bool              // a call reaches the gateway, also where none did before
}

type answer struct {
	status int
	body   string
}

func (s *scripted) Reach() target.Reach {
	return target.Reach{API: "http://data-plane:8080", Upstream: "http://gateway:8080", Closed: "http://closed:1", Client: &http.Client{Transport: s}}
}

func (*scripted) Apply(context.Context, target.System, settings.Settings) error { return nil }

func (s *scripted) Read(_ context.Context, from target.System) (target.Kept, error) {
	kept := *s.kept[from]
	kept.System = from
	return kept, nil
}

func (s *scripted) Printed(_ context.Context, of target.System) (string, error) {
	return s.printed[of], nil
}

var (
	secretPath = regexp.MustCompile(`^/v1/(ai_secret|env_var|project)$`)
	nonceOf    = regexp.MustCompile(`n-[a-z0-9]{16}`)
)

// RoundTrip answers for the data plane.
func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	given, there := s.answers[r.Method+" "+r.URL.Path]
	switch {
	case there:
	case strings.HasPrefix(r.URL.Path, "/v1/proxy/"):
		given = s.called(nonceOf.FindString(string(body)))
	case r.Method == http.MethodPost && secretPath.MatchString(r.URL.Path):
		given = s.store(r.URL.Path, string(body))
	case s.objects[r.URL.Path] != "":
		given = answer{http.StatusOK, s.objects[r.URL.Path]}
	default:
		given = answer{http.StatusOK, `{"objects":[]}`}
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(given.status)
	_, _ = w.WriteString(given.body)
	return w.Result(), nil
}

func (s *scripted) called(nonce string) answer {
	given := s.calls[0]
	if len(s.calls) > 1 {
		s.calls = s.calls[1:]
	}
	if gateway := s.kept[target.Gateway]; s.passes || len(gateway.Exchanges) > 0 {
		var next evidence.Exchange
		if len(gateway.Exchanges) > 0 {
			next = gateway.Exchanges[len(gateway.Exchanges)-1]
		}
		next.Nonce = nonce
		gateway.Exchanges = append(gateway.Exchanges, next)
	}
	return given
}

// store keeps an object as the API would: with an id, dates and a preview, and without its value.
func (s *scripted) store(path, object string) answer {
	id := fmt.Sprintf("id-%d", len(s.objects)+1)
	for key, value := range map[string]string{"id": id, "preview_secret": "sk-…", "updated_at": "then", "secret_updated_at": "then"} {
		object, _ = sjson.Set(object, key, value)
	}
	for _, key := range []string{"secret", "value"} {
		object, _ = sjson.Delete(object, key)
	}
	s.objects[path+"/"+id] = object
	return answer{http.StatusOK, object}
}

// onlyShare is a target of one share.
type onlyShare struct {
	target.Target
	share *scripted
}

func (o onlyShare) Open(context.Context, target.Scenario) (target.Share, error) { return o.share, nil }

func (onlyShare) Describe() target.Description { return target.Description{} }

// rig is a scenario whose past is given.
type rig struct {
	*Steps
	t     *testing.T
	key   evidence.Key
	share *scripted
}

func newRig(t *testing.T) *rig {
	t.Helper()
	share := &scripted{
		kept:    map[target.System]*target.Kept{target.Gateway: {}, target.DataPlane: {}, target.LegacyProxy: {}},
		printed: map[target.System]string{}, objects: map[string]string{}, answers: map[string]answer{},
		calls: []answer{{http.StatusUnauthorized, `{"error":{"message":"no"}}`}},
	}
	key := evidence.NewKey()
	world, err := scenarios.Open(t.Context(), onlyShare{share: share}, &evidence.Redactor{}, key)
	require.NoError(t, err)
	return &rig{Steps: &Steps{World: world}, t: t, key: key, share: share}
}

// org makes an org provider secret, with metadata as a sentence gives it.
func (r *rig) org(name, with string) *scenarios.Secret {
	r.t.Helper()
	return r.make(&scenarios.Secret{Name: name, Level: scenarios.Org}, with)
}

// project makes a provider secret of the default project.
func (r *rig) project(name, with string) *scenarios.Secret {
	r.t.Helper()
	return r.make(&scenarios.Secret{Name: name, Level: scenarios.Project, Project: scenarios.DefaultProject}, with)
}

func (r *rig) make(secret *scenarios.Secret, with string) *scenarios.Secret {
	r.t.Helper()
	metadata, err := metadataWords(with)
	require.NoError(r.t, err)
	require.NoError(r.t, r.World.AddSecret(r.t.Context(), secret, metadata))
	return secret
}

// named is a secret of the rig, the org's where there are several of that name.
func (r *rig) named(ref string) *scenarios.Secret {
	r.t.Helper()
	secret, err := r.secret(ref)
	if err != nil {
		secret, err = r.secret("the org's " + ref)
	}
	require.NoError(r.t, err)
	return secret
}

// token is that of a secret by name.
func (r *rig) token(name string) string { r.t.Helper(); return r.named(`"` + name + `"`).Token }

// projectID is the id of a project, which is made on first use.
func (r *rig) projectID(name string) string {
	r.t.Helper()
	id, err := r.World.Project(r.t.Context(), name)
	require.NoError(r.t, err)
	return id
}

// becomes changes a stored object, as somebody else would.
func (r *rig) becomes(secret *scenarios.Secret, path string, value any) {
	r.t.Helper()
	changed, err := sjson.Set(r.share.objects[secret.Path()], path, value)
	require.NoError(r.t, err)
	require.NotEqual(r.t, r.share.objects[secret.Path()], changed)
	r.share.objects[secret.Path()] = changed
}

// loses takes something from a stored object.
func (r *rig) loses(secret *scenarios.Secret, path string) {
	r.t.Helper()
	require.True(r.t, gjson.Get(r.share.objects[secret.Path()], path).Exists(), path)
	r.share.objects[secret.Path()], _ = sjson.Delete(r.share.objects[secret.Path()], path)
}

// called is a call that was answered: by the model with 200, by a refusal with anything else.
func (r *rig) called(who string, status int, edit ...func(*scenarios.Probe)) {
	p := scenarios.Probe{Call: scenarios.Call{Caller: who, Model: defaultModel, Nonce: fmt.Sprintf("call-%d", len(r.World.Probes)+1)}, Status: status}
	if status == http.StatusOK {
		p.Text = "hello"
	} else {
		p.Err, p.Refusal = fmt.Errorf("status %d", status), "refused"
	}
	for _, change := range edit {
		change(&p)
	}
	r.World.Probes = append(r.World.Probes, p)
}

// saw is a request of the latest call that reached the gateway, with headers and their values in turn.
func (r *rig) saw(status int, headers ...string) *evidence.Exchange {
	e := evidence.Exchange{System: "gateway", Method: http.MethodPost, Path: "/v1/chat/completions", Status: status}
	if len(r.World.Probes) > 0 {
		e.Nonce = r.World.Probes[len(r.World.Probes)-1].Nonce
	}
	for i := 0; i < len(headers); i += 2 {
		e.Credentials = append(e.Credentials, evidence.ReadCredential(r.key, headers[i], headers[i+1]))
	}
	gateway := r.share.kept[target.Gateway]
	gateway.Exchanges = append(gateway.Exchanges, e)
	return &gateway.Exchanges[len(gateway.Exchanges)-1]
}

// sawBearer is a request of the latest call with the raw token of a secret.
func (r *rig) sawBearer(name string) *evidence.Exchange {
	r.t.Helper()
	return r.saw(http.StatusOK, "Authorization", "Bearer "+r.token(name))
}

// answered is the latest answer of the control API.
func (r *rig) answered(status int, body string) {
	r.t.Helper()
	r.share.answers["GET /asked"] = answer{status, body}
	given, err := r.World.API(r.t.Context(), r.World.AdminKey(), http.MethodGet, "/asked", nil)
	require.NoError(r.t, err)
	r.World.Answer = given
}

// warns is a line of the legacy proxy's log about a project.
func (r *rig) warns(project, text string) {
	r.t.Helper()
	proxy := r.share.kept[target.LegacyProxy]
	proxy.Logs = append(proxy.Logs, evidence.LogLine{Level: "warn", Project: r.projectID(project), Text: text})
}
