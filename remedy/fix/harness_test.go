package fix_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

const (
	tenantID    = "t-0123456789abcdef"
	orgID       = "6d1c1a3e-0c1b-4f0e-9a57-000000000001"
	adminKey    = "bt-admin-key-canary"
	memberKey   = "bt-member-key-canary"
	headerValue = "hdr-canary-4711"
	password    = "pw-canary-4711"
)

// org is one organization on a fake data plane behind a real listener.
type org struct {
	t      testing.TB
	fake   *dataplane.Tenants
	config dataplane.Config
	server *httptest.Server
	// upstream is a gateway that takes the scheme below and any token; only it can be dialled, as gateway:8080.
	upstream *httptest.Server
	dir      string
	clock    *clock
}

// clock stands still but for those who sleep by it.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.slept = c.at.Add(d), append(c.slept, d)
	return ctx.Err()
}

func newOrg(t testing.TB, change func(*dataplane.Config)) *org {
	t.Helper()
	o := &org{t: t, dir: t.TempDir(), clock: &clock{at: time.Unix(1_800_000_000, 0)}, config: dataplane.Config{
		Organization: dataplane.Organization{ID: orgID, Name: "acme"},
		Keys: []dataplane.Key{
			{Key: adminKey, Role: dataplane.RoleAdmin},
			{Key: memberKey, Role: dataplane.RoleMember},
		},
		Serving: dataplane.ServingV2,
	}}
	if change != nil {
		change(&o.config)
	}
	o.upstream = httptest.NewServer(http.HandlerFunc(bearerOnly))
	t.Cleanup(o.upstream.Close)
	routes := tenancy.Routes{"gateway:8080": strings.TrimPrefix(o.upstream.URL, "http://")}
	o.fake = dataplane.NewTenants(routes, "http://legacy-proxy:8080")
	o.configure(func(*dataplane.Config) {})
	o.server = httptest.NewServer(o.fake)
	t.Cleanup(o.server.Close)
	return o
}

// bearerOnly is a gateway of vLLM's kind, but for the path /apikey, where it wants Api-Key.
func bearerOnly(w http.ResponseWriter, r *http.Request) {
	scheme := "Bearer "
	if strings.HasPrefix(r.URL.Path, "/apikey") {
		scheme = "Api-Key "
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
	w.Header().Set("Content-Type", "application/json")
	if !ok || token == "" || strings.Contains(token, " ") {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"Unauthorized"}`)
		return
	}
	_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"acme-chat",
		"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"OK"}}]}`)
}

// configure changes the settings and keeps what is stored.
func (o *org) configure(change func(*dataplane.Config)) {
	o.t.Helper()
	change(&o.config)
	settings, err := json.Marshal(o.config)
	require.NoError(o.t, err)
	doc, err := json.Marshal(tenancy.Document{Schema: tenancy.Schema, ID: tenantID, FingerprintKey: []byte("run"), Settings: settings})
	require.NoError(o.t, err)
	require.NoError(o.t, o.fake.Put(doc))
}

// faults makes the fake misbehave.
func (o *org) faults(faults ...tenancy.Fault) {
	o.t.Helper()
	body, err := json.Marshal(faults)
	require.NoError(o.t, err)
	w := httptest.NewRecorder()
	o.fake.Control().ServeHTTP(w, httptest.NewRequest("PUT", "/tenants/"+tenantID+"/faults", strings.NewReader(string(body))))
	require.Equal(o.t, http.StatusOK, w.Code, w.Body)
}

// journal is what the server saw.
func (o *org) journal() []evidence.Exchange {
	o.t.Helper()
	w := httptest.NewRecorder()
	o.fake.Control().ServeHTTP(w, httptest.NewRequest("GET", "/tenants/"+tenantID+"/journal", nil))
	var j tenancy.Journal
	require.NoError(o.t, json.Unmarshal(w.Body.Bytes(), &j))
	require.Zero(o.t, j.Dropped)
	return j.Entries
}

// writes are the changes that the server was asked for since the first n exchanges, calls of models left out.
func (o *org) writes(since int) []string {
	o.t.Helper()
	var all []string
	for _, e := range o.journal()[since:] {
		if e.Method != http.MethodGet && !strings.HasPrefix(e.Path, "/v1/proxy") {
			all = append(all, fmt.Sprintf("%s %s %d", e.Method, e.Path, e.Status))
		}
	}
	return all
}

// admin sends a request of the org admin that must succeed.
func (o *org) admin(method, path, body string) gjson.Result {
	o.t.Helper()
	r := httptest.NewRequest(method, "/"+tenantID+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	w := httptest.NewRecorder()
	o.fake.ServeHTTP(w, r)
	require.Equal(o.t, http.StatusOK, w.Code, "%s %s: %s", method, path, w.Body)
	return gjson.Parse(w.Body.String())
}

func (o *org) project(name string) string {
	o.t.Helper()
	return o.admin("POST", "/v1/project", `{"name":"`+name+`"}`).Get("id").String()
}

// secret stores an org secret of type openai and finds it as a plan does.
func (o *org) secret(name, metadata string) inventory.Secret {
	o.t.Helper()
	id := o.admin("POST", "/v1/ai_secret", fmt.Sprintf(`{"name":%q,"type":"openai","secret":"sk-canary-stored-%s","metadata":%s}`,
		name, name, metadata)).Get("id").String()
	return o.find(id)
}

// projectSecret stores a project secret of type openai.
func (o *org) projectSecret(project, name, metadata string) inventory.Secret {
	o.t.Helper()
	id := o.admin("POST", "/v1/env_var", fmt.Sprintf(`{"name":%q,"object_type":"project","object_id":%q,"secret_category":"ai_provider",
		"secret_type":"openai","value":"sk-canary-stored-%s","metadata":%s}`, name, o.project(project), name, metadata)).Get("id").String()
	return o.find(id)
}

func (o *org) find(id string) inventory.Secret {
	o.t.Helper()
	secret, err := fix.Find(context.Background(), o.client(adminKey), id)
	require.NoError(o.t, err)
	if secret.Project != nil {
		secret.Project.Name = o.admin("GET", "/v1/project/"+secret.Project.ID, "").Get("name").String()
	}
	return secret
}

// object is the secret as the API shows it now.
func (o *org) object(secret inventory.Secret) gjson.Result {
	o.t.Helper()
	return o.admin("GET", secret.Path(), "")
}

func (o *org) metadata(secret inventory.Secret) string {
	o.t.Helper()
	return o.object(secret).Get("metadata").Raw
}

func (o *org) url() string { return o.server.URL + "/" + tenantID }

func (o *org) client(key string) *control.Client { return control.New(o.url(), key, o.server.Client()) }

// plan makes a plan with one remedy for some secrets, through the file as the CLI does.
func (o *org) plan(remedy fix.Remedy, s fix.DataPlane, secrets ...inventory.Secret) *fix.Plan {
	o.t.Helper()
	var wanted []fix.Wanted
	for _, secret := range secrets {
		wanted = append(wanted, fix.Wanted{Secret: secret, Remedy: remedy})
	}
	p := fix.NewPlan("planeproof test", inventory.Organization{ID: orgID, Name: "acme"}, o.url(), s, wanted, time.Now())
	file := filepath.Join(o.t.TempDir(), "plan.json")
	require.NoError(o.t, p.Write(file))
	p, err := fix.ReadPlan(file)
	require.NoError(o.t, err)
	return p
}

// options are those of a usual run; what it says is in said.
func (o *org) options(said *strings.Builder) fix.Options {
	return fix.Options{
		Org: "acme", Backup: filepath.Join(o.dir, "backup.json"), Tool: "planeproof test",
		Who:  fix.Who{Key: "test key", OSUser: "tester"},
		Say:  func(line string) { said.WriteString(line + "\n") },
		Wait: 15 * time.Second, Now: o.clock.now, Sleep: o.clock.sleep,
	}
}

// apply applies a plan as org admin and returns what was said.
func (o *org) apply(p *fix.Plan, change func(*fix.Options)) (said string, err error) {
	var b strings.Builder
	options := o.options(&b)
	if change != nil {
		change(&options)
	}
	_, err = fix.Apply(context.Background(), o.client(adminKey), p, options)
	return b.String(), err
}

// restore restores the backup of the usual run.
func (o *org) restore(change ...func(*fix.Options)) (undos []fix.Undo, said string, err error) {
	var b strings.Builder
	options := o.options(&b)
	for _, c := range change {
		c(&options)
	}
	backup, err := fix.ReadBackup(options.Backup)
	if err != nil {
		return nil, "", err
	}
	client := o.client(adminKey)
	if undos, err = fix.Compare(context.Background(), client, backup, options); err != nil {
		return nil, b.String(), err
	}
	err = fix.Restore(context.Background(), client, backup, undos, options)
	return undos, b.String(), err
}

// affected is the metadata of the first guide's failure, with credentials in it.
func affected(more string) string {
	return `{"api_base":"http://svc:` + password + `@gateway:8080/v1","auth_type":"api_key","auth_format":"api_key",` +
		`"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}},"additionalHeaders":{"x-acme":"` + headerValue + `"}` + more + `}`
}

// callable is the same without the password, which no HTTP client would send.
func callable(more string) string { return strings.Replace(affected(more), "svc:"+password+"@", "", 1) }

// applyWith applies a plan through another transport.
func (o *org) applyWith(p *fix.Plan, transport http.RoundTripper, change func(*fix.Options)) error {
	var b strings.Builder
	options := o.options(&b)
	if change != nil {
		change(&options)
	}
	_, err := fix.Apply(context.Background(), control.New(o.url(), adminKey, &http.Client{Transport: transport}), p, options)
	return err
}
