// Package scenarios is the life of one scenario: a World is its share of a target, the provider secrets it was given,
// what was done to it, and what came back.
package scenarios

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

// DefaultProject is the project meant where a sentence says only "the project".
const DefaultProject = "alpha"

// World is one scenario's share of a target and what happened to it. It is used by one scenario, from one goroutine.
type World struct {
	Redactor *evidence.Redactor
	// Probes are the calls of scorers and prompts, in order.
	Probes []Probe
	// Answer is the latest answer of the control API to a When, refusals included.
	Answer Answer
	// TLS is the gateway's front, where the scenario wants one.
	TLS *TLS

	scenario            target.Scenario
	share               target.Share
	reach               target.Reach
	adminKey, memberKey string
	projects            map[string]string // name → id
	secrets             []*Secret
	client              *http.Client
	told                map[string]told // by nonce
	controls            []string        // nonces of calls that are none of the scenario's
	lacks               map[target.Capability]string
	logMark             int    // log lines that were there at the last change
	dir                 string // for files of the scenario, empty until one is wanted
	removeDir           func() error

	settingsMu sync.Mutex
	settings   settings.Settings
	unsettled  map[target.System]bool // systems whose settings were chosen and not yet applied

	mu       sync.Mutex
	recorded []*Recorded
	broken   error
	sent     int                    // requests, by whatever client
	read     map[target.System]kept // latest evidence
}

// kept is what a system kept when so many requests had been sent.
type kept struct {
	target.Kept
	sent int
}

// Open makes a World with a share of its own of the target: an organization with an admin's and a member's key, a gateway that
// accepts Bearer tokens, and a data plane on v2.
func Open(ctx context.Context, on target.Target, redactor *evidence.Redactor, key evidence.Key) (*World, error) {
	w := &World{
		Redactor: redactor, scenario: target.Scenario{ID: "t-" + random(16), Key: key},
		projects: map[string]string{}, told: map[string]told{}, lacks: on.Describe().Lacks, unsettled: map[target.System]bool{}, read: map[target.System]kept{},
	}
	var err error
	if w.share, err = on.Open(ctx, w.scenario); err != nil {
		return nil, err
	}
	w.reach = w.share.Reach()
	client := *w.reach.Client
	client.Transport = &recorder{world: w, next: client.Transport}
	w.client = &client
	w.adminKey = w.Mint("Braintrust key of the org admin", "sk-bt-")
	w.memberKey = w.Mint("Braintrust key of the scorer", "sk-bt-")
	w.chosen(target.Gateway).Gateway = settings.Gateway{Auth: provider.ShapeBearer, Models: []string{"acme-chat"}}
	w.chosen(target.DataPlane).DataPlane = settings.DataPlane{
		Organization: settings.Organization{ID: uuid.NewString(), Name: "acme"},
		Keys: []settings.Key{
			{Key: w.adminKey, Role: settings.RoleAdmin},
			{Key: w.memberKey, Role: settings.RoleMember},
		},
		Serving: settings.ServingV2,
	}
	w.chosen(target.LegacyProxy).LegacyProxy = settings.LegacyProxy{Generation: provider.Current202608}
	return w, nil
}

// Close forgets the share and returns what each system kept of it.
func (w *World) Close(ctx context.Context) ([]target.Kept, error) {
	if w.TLS != nil {
		_ = w.TLS.server.Close() // nothing of the verdict hangs on how a front ends
	}
	var left error
	if w.dir != "" {
		if err := w.removeDir(); err != nil {
			left = fmt.Errorf("remove files of the scenario: %w", err)
		}
	}
	all, err := w.share.Close(ctx)
	return all, errors.Join(left, err)
}

// Dir is a directory for files of the scenario, such as backups; it is removed with the World.
func (w *World) Dir() (string, error) {
	if w.dir != "" {
		return w.dir, nil
	}
	var err error
	w.dir, w.removeDir, err = makeDir()
	return w.dir, err
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

// Mint makes a secret of 24 random characters after the prefix and tells the redactor of it, which hides any eight characters in a row: a
// longer prefix than six characters would hide words.
func (w *World) Mint(shown, prefix string) string {
	secret := prefix + random(24)
	w.hide(shown, secret)
	return secret
}

// hide makes the redactor show the secret by its name and the fingerprint that journals show.
func (w *World) hide(shown, secret string) {
	w.Redactor.Add(shown+" "+w.scenario.Key.Fingerprint(secret), secret)
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

// APIURL is $BRAINTRUST_API_URL of the scenario.
func (w *World) APIURL() string { return w.reach.API }

// GatewayURL is the upstream's base URL for the scenario, without /v1.
func (w *World) GatewayURL() string { return w.reach.Upstream }

// ClosedURL is a base URL at which nothing listens.
func (w *World) ClosedURL() string { return w.reach.Closed }

// Fingerprint is how a secret shows in journals.
func (w *World) Fingerprint(secret string) string { return w.scenario.Key.Fingerprint(secret) }

// ScorerKey is the Braintrust API key that scorers use; it is a member's.
func (w *World) ScorerKey() string { return w.memberKey }

// Kept is what a system kept of the scenario so far, whole; it is asked for again only after another request was sent.
func (w *World) Kept(ctx context.Context, system target.System) (target.Kept, error) {
	w.mu.Lock()
	sent, latest := w.sent, w.read[system]
	w.mu.Unlock()
	if latest.System != "" && latest.sent == sent {
		return latest.Kept, nil
	}
	now, err := w.share.Read(ctx, system)
	if err = errors.Join(err, now.Whole()); err != nil {
		return target.Kept{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read[system] = kept{now, sent}
	return now, nil
}

// Printed is what a system has printed, of all scenarios.
func (w *World) Printed(ctx context.Context, of target.System) (string, error) {
	return w.share.Printed(ctx, of)
}

// MarkLogs makes later questions about warnings count from here.
func (w *World) MarkLogs(ctx context.Context) error {
	now, err := w.Kept(ctx, target.LegacyProxy)
	w.logMark = len(now.Logs)
	return err
}

// ProxyLog returns the legacy proxy's log lines since the last mark.
func (w *World) ProxyLog(ctx context.Context) ([]evidence.LogLine, error) {
	now, err := w.Kept(ctx, target.LegacyProxy)
	if err != nil {
		return nil, err
	}
	return slices.Clone(now.Logs[min(w.logMark, len(now.Logs)):]), nil
}

// GatewaySaw returns what the upstream received with the nonce; with an empty one, everything but control calls.
func (w *World) GatewaySaw(ctx context.Context, nonce string) ([]evidence.Exchange, error) {
	now, err := w.Kept(ctx, target.Gateway)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(now.Exchanges), func(e evidence.Exchange) bool {
		if nonce == "" {
			return slices.Contains(w.controls, e.Nonce)
		}
		return e.Nonce != nonce
	}), nil
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
