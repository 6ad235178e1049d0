package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/leak"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/steps"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// spy reads the secrets of a run off the wire and off what is applied: it does not ask who mints or who hides them. It also counts what
// would be a control request if the systems ran in containers.
type spy struct {
	control atomic.Int64

	mu      sync.Mutex
	secrets []string
}

func (s *spy) start(ctx context.Context) (target.Target, error) {
	c := &targets{shape: func(d *doctoredTarget) {
		d.share = func(share target.Share) target.Share {
			return &spiedShare{Share: share, spy: s, applied: map[target.System]bool{}}
		}
	}}
	return c.start(ctx)
}

// spiedShare is a share through whose hands all goes.
type spiedShare struct {
	target.Share
	spy *spy

	mu      sync.Mutex
	applied map[target.System]bool
}

func (s *spiedShare) Reach() target.Reach {
	reach := s.Share.Reach()
	client := *reach.Client
	client.Transport = &spiedTransport{client.Transport, s.spy}
	reach.Client = &client
	return reach
}

func (s *spiedShare) Apply(ctx context.Context, to target.System, all settings.Settings) error {
	s.mu.Lock()
	s.applied[to] = true
	s.mu.Unlock()
	s.spy.control.Add(1)
	for _, secret := range slices.Concat(all.Gateway.Tokens, all.Gateway.Forbidden) {
		s.spy.add(secret)
	}
	for _, key := range all.DataPlane.Keys {
		s.spy.add(key.Key)
	}
	return s.Share.Apply(ctx, to, all)
}

func (s *spiedShare) Read(ctx context.Context, from target.System) (target.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applied[from] {
		s.spy.control.Add(1)
	}
	return s.Share.Read(ctx, from)
}

func (s *spiedShare) Close(ctx context.Context) ([]target.Kept, error) {
	s.spy.control.Add(int64(len(s.applied)))
	return s.Share.Close(ctx)
}

type spiedTransport struct {
	next http.RoundTripper
	spy  *spy
}

func (t *spiedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, name := range evidence.CredentialHeaders() {
		t.spy.addLast(r.Header.Get(name))
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		t.spy.read(gjson.ParseBytes(body))
	}
	return t.next.RoundTrip(r)
}

// read takes what provider secrets keep secret.
func (s *spy) read(body gjson.Result) {
	for _, path := range []string{"secret", "value", "metadata.additionalHeaders"} {
		body.Get(path).ForEach(func(_, value gjson.Result) bool {
			s.addLast(value.String())
			return true
		})
	}
	if base, err := url.Parse(body.Get("metadata.api_base").String()); err == nil && base.User != nil {
		password, _ := base.User.Password()
		s.add(password)
	}
}

// addLast takes the last word of a value that may begin with a scheme.
func (s *spy) addLast(value string) {
	if words := strings.Fields(value); len(words) > 0 {
		s.add(words[len(words)-1])
	}
}

func (s *spy) add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	public := strings.HasPrefix(secret, "planeproof-deliberately-wrong-") // what nobody accepts
	if len(secret) > 8 && !public && !slices.Contains(s.secrets, secret) {
		s.secrets = append(s.secrets, secret)
	}
}

func (s *spy) latest(most int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.secrets[max(0, len(s.secrets)-most):])
}

// spill says secrets in every form, whole and cut, as a careless check or an upstream that echoes them would.
func spill(secrets []string) string {
	var b strings.Builder
	for _, secret := range secrets {
		b.WriteString(secret + " Bearer%20" + url.QueryEscape(secret) + ` {"quoted":"` + secret + `"} ` + secret[:len(secret)-9] + "… …" + secret[len(secret)-11:] + " ")
		for before := range 3 {
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before)+secret)) + " ")
		}
	}
	return b.String()
}

// leaky is a Binder that makes every check fail, with secrets in what it says.
type leaky struct {
	steps.Binder
	spy *spy
}

func (l leaky) Then(expr, do any) {
	l.Binder.Then(expr, reflect.MakeFunc(reflect.TypeOf(do), func([]reflect.Value) []reflect.Value {
		said := spill(l.spy.latest(4))
		var err error = &evidence.Mismatch{What: "what was said", Expected: "nothing of " + said, Actual: said}
		return []reflect.Value{reflect.ValueOf(&err).Elem()}
	}).Interface())
}

// written is all that a run says: terminal, report files and the line on standard error.
func written(t *testing.T, o Options) (*report.Run, map[string]string) {
	t.Helper()
	var terminal bytes.Buffer
	o.Redactor = &evidence.Redactor{}
	o.Terminal = report.NewTerminal(&terminal, false, true, o.Redactor)
	result := run(t.Context(), t, o)
	require.NoError(t, o.Terminal.Summary(result))
	dir := t.TempDir()
	require.NoError(t, report.WriteFiles(dir, result, o.Redactor))
	all := map[string]string{"terminal": terminal.String(), "headline": result.Headline()}
	for _, name := range []string{"report.json", "junit.xml"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		all[name] = string(raw)
	}
	return result, all
}

func assertNoSecret(t *testing.T, secrets []string, places map[string]string) {
	t.Helper()
	require.NotEmpty(t, secrets)
	for _, secret := range secrets {
		require.Regexp(t, leak.Minted, secret, "the tests of the command line know secrets by their form")
	}
	leak.Check(t, secrets, places)
}

func TestSuitePassesAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	var s spy
	result, all := written(t, Options{start: s.start, Concurrency: 4, phrases: steps.Bind})
	assert.Equal(t, 0, result.ExitCode(), all["terminal"])
	assert.Greater(t, len(s.secrets), len(result.Scenarios))
	mean := float64(s.control.Load()) / float64(len(result.Scenarios))
	t.Logf("control requests per scenario, where the systems run in containers: %.1f", mean)
	assert.LessOrEqual(t, mean, 12.0)
	assertNoSecret(t, s.secrets, all)
	for _, scenario := range result.Scenarios {
		assert.Contains(t, all["report.json"], strconv.Quote(scenario.ID), "an id holds no part of a secret, so none of it is hidden")
	}
}

func TestFailingSuiteShowsNoSecret(t *testing.T) {
	t.Parallel()
	var s spy
	result, all := written(t, Options{start: s.start, Concurrency: 4, Tags: "@api or @token",
		phrases: func(b steps.Binder) { steps.Bind(leaky{b, &s}) }})
	assert.Equal(t, 1, result.ExitCode(), result.Headline())
	for _, place := range []string{"terminal", "report.json", "junit.xml"} {
		assert.Contains(t, all[place], "‹token of ", "%s shows what stands for a secret", place)
	}
	assertNoSecret(t, s.secrets, all)
}

// TestEchoingGatewayShowsNoSecret lets real checks quote an upstream that repeats the credential it got.
func TestEchoingGatewayShowsNoSecret(t *testing.T) {
	t.Parallel()
	var s spy
	result, all := written(t, Options{start: s.start,
		phrases: phrases(func(b steps.Binder) {
			b.Given(`^a gateway that repeats every token$`, func(bound *steps.Steps, _ context.Context) error {
				said := `{"error":{"message":"Incorrect API key provided: ` + strings.ReplaceAll(spill(s.latest(4)), `"`, `\"`) + `"}}`
				bound.World.Misbehave(settings.Fault{Status: 401, Body: said})
				return nil
			})
		}),
		Features: doctored(`
  @BEARER-1
  Scenario: is refused
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And a gateway that repeats every token
    When the scorer is run
    Then the scorer succeeds
`)})
	assert.Equal(t, 1, result.ExitCode(), all["terminal"])
	assert.Contains(t, all["terminal"], "Incorrect API key provided: ‹")
	assertNoSecret(t, s.secrets, all)
}
