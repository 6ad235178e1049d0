// Package scenarios is the life of one scenario: a World is a tenant of the systems under test, the provider secrets it was given,
// what was done to it, and what came back.
package scenarios

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/fakes/legacyproxy"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/stack"
)

// DefaultProject is the project meant where a sentence says only "the project".
const DefaultProject = "alpha"

// World is one scenario's tenant and what happened to it. It is used by one scenario, from one goroutine.
type World struct {
	Stack    *stack.Stack
	Redactor *evidence.Redactor
	Tenant   stack.Tenant
	// Probes are the calls of scorers and prompts, in order.
	Probes []Probe
	// Answer is the latest answer of the control API to a When, refusals included.
	Answer Answer
	// TLS is the gateway's front, where the scenario wants one.
	TLS *TLS

	adminKey, memberKey string
	projects            map[string]string // name → id
	secrets             []*Secret
	client              *http.Client
	logMark             int    // log lines that were there at the last change
	dir                 string // for files of the scenario, empty until one is wanted

	mu       sync.Mutex
	recorded []*Recorded
	broken   error
}

// Open makes a World with a tenant of its own on the stack: an organization with an admin's and a member's key, a gateway that
// accepts Bearer tokens, and a data plane on v2.
func Open(ctx context.Context, s *stack.Stack, redactor *evidence.Redactor, key evidence.Key) (*World, error) {
	w := &World{Stack: s, Redactor: redactor, projects: map[string]string{}}
	w.client = &http.Client{Transport: &recorder{world: w, next: s.Client.Transport}, CheckRedirect: s.Client.CheckRedirect}
	w.Tenant = stack.Tenant{ID: "t-" + random(16), Key: key}
	w.adminKey = w.Mint("Braintrust key of the org admin", "sk-bt-admin-")
	w.memberKey = w.Mint("Braintrust key of the scorer", "sk-bt-member-")
	w.Tenant.Gateway = gateway.Config{Auth: gateway.AuthBearer, Models: []string{"acme-chat"}}
	w.Tenant.DataPlane = dataplane.Config{
		Organization: dataplane.Organization{ID: uuid.NewString(), Name: "acme"},
		Keys: []dataplane.Key{
			{Key: w.adminKey, Role: dataplane.RoleAdmin},
			{Key: w.memberKey, Role: dataplane.RoleMember},
		},
	}
	w.Tenant.LegacyProxy = legacyproxy.Config{Generation: provider.Current202608}
	return w, w.Serve(ctx, "v2")
}

// Apply gives the systems the tenant's present settings.
func (w *World) Apply(ctx context.Context) error { return w.Stack.Put(ctx, w.Tenant) }

// Close forgets the tenant.
func (w *World) Close(ctx context.Context) error {
	if w.TLS != nil {
		_ = w.TLS.server.Close() // nothing of the verdict hangs on how a front ends
	}
	if w.dir != "" {
		if err := os.RemoveAll(w.dir); err != nil {
			return fmt.Errorf("remove files of the scenario: %w", err)
		}
	}
	return w.Stack.Delete(ctx, w.Tenant.ID)
}

// Dir is a directory for files of the scenario, such as backups; it is removed with the World.
func (w *World) Dir() (string, error) {
	if w.dir != "" {
		return w.dir, nil
	}
	dir, err := os.MkdirTemp("", "planeproof-")
	if err != nil {
		return "", fmt.Errorf("make directory for files of the scenario: %w", err)
	}
	w.dir = dir
	return dir, nil
}

// Broken returns why nothing can be said of the systems: one that the harness started gave no answer.
func (w *World) Broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

func (w *World) breakDown(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = errors.Join(w.broken, err)
}

// Mint makes a secret of 24 random characters after the prefix and tells the redactor of it.
func (w *World) Mint(shown, prefix string) string {
	secret := prefix + random(24)
	w.hide(shown, secret)
	return secret
}

// hide makes the redactor show the secret by its name and the fingerprint that journals show.
func (w *World) hide(shown, secret string) {
	w.Redactor.Add(shown+" "+w.Tenant.Key.Fingerprint(secret), secret)
}

// random returns n characters of [a-z0-9].
func random(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails, by its documentation
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(raw)
}

// APIURL is $BRAINTRUST_API_URL of the tenant.
func (w *World) APIURL() string { return stack.DataPlane().URL + "/" + w.Tenant.ID }

// GatewayURL is the upstream's base URL for the tenant, without /v1.
func (w *World) GatewayURL() string { return w.Stack.GatewayURL + "/" + w.Tenant.ID }

// Fingerprint is how a secret shows in journals.
func (w *World) Fingerprint(secret string) string { return w.Tenant.Key.Fingerprint(secret) }

// ScorerKey is the Braintrust API key that scorers use; it is a member's.
func (w *World) ScorerKey() string { return w.memberKey }

// MarkLogs makes later questions about warnings count from here.
func (w *World) MarkLogs(ctx context.Context) error {
	lines, err := w.Stack.Log(ctx, stack.LegacyProxy(), w.Tenant.ID)
	w.logMark = len(lines)
	return err
}

// ProxyLog returns the legacy proxy's log lines since the last mark.
func (w *World) ProxyLog(ctx context.Context) ([]evidence.LogLine, error) {
	lines, err := w.Stack.Log(ctx, stack.LegacyProxy(), w.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return lines[min(w.logMark, len(lines)):], nil
}

// GatewaySaw returns what the upstream received with the nonce; with an empty one, everything.
func (w *World) GatewaySaw(ctx context.Context, nonce string) ([]evidence.Exchange, error) {
	all, err := w.Stack.Journal(ctx, stack.Gateway(), w.Tenant.ID)
	if err != nil || nonce == "" {
		return all, err
	}
	var seen []evidence.Exchange
	for _, e := range all {
		if e.Nonce == nonce {
			seen = append(seen, e)
		}
	}
	return seen, nil
}

// Project returns the id of a project, which is made on first use.
func (w *World) Project(ctx context.Context, name string) (string, error) {
	if id, known := w.projects[name]; known {
		return id, nil
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := w.create(ctx, "/v1/project", map[string]any{"name": name}, &made); err != nil {
		return "", fmt.Errorf("make project %s: %w", name, err)
	}
	w.projects[name] = made.ID
	return made.ID, nil
}

// create posts an object as org admin for a Given, where anything but success is an error.
func (w *World) create(ctx context.Context, path string, object, into any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	answer, err := w.API(ctx, w.adminKey, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return fmt.Errorf("post %s: answered %d: %s", path, answer.Status, answer.Excerpt())
	}
	return json.Unmarshal(answer.Body, into)
}

// Expand replaces {name} by the id of the secret or project of that name, and {unknown} by an id that nothing has.
func (w *World) Expand(text string) string {
	pairs := []string{"{unknown}", uuid.NewString()}
	for _, s := range w.secrets {
		pairs = append(pairs, "{"+s.Name+"}", s.ID)
	}
	for name, id := range w.projects {
		pairs = append(pairs, "{"+name+"}", id)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
