package fix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// attempts is how often a call is made until the proxy names the secret meant: several may be candidates, and it takes them in turn
// (facts: routing, order).
const attempts = 5

var (
	// errCallFails is a call that was seen to fail, or to be served by another secret.
	errCallFails = errors.New("a call fails")
	// errCached is a failure that only the caches cause: the change itself is right.
	errCached = fmt.Errorf("%w through the caches", errCallFails)
)

// call is what came of a model call.
type call struct {
	works  bool
	status int // 0 where no call was made
	// named says that the proxy named the secret meant; why is what speaks against it.
	named bool
	why   string
	// unsure says that a failure says nothing of the secret: too many calls, or an error of the server.
	unsure bool
}

// readRivals reads who could answer a call, and refuses a model that no secret of the plan serves.
func (a *applier) readRivals(ctx context.Context) (err error) {
	if a.Model == "" {
		return nil
	}
	var projects, models []string
	served := false
	for _, t := range a.tasks {
		if t.Project != nil && !slices.Contains(projects, t.Project.ID) {
			projects = append(projects, t.Project.ID)
		}
		secret, _ := t.before.secret() // it was compared
		served = served || routed(secret).Eligible(a.Model)
		models = append(models, customModels(secret.Metadata)...)
	}
	if !served {
		slices.Sort(models)
		known := "they have no custom models"
		if len(models) > 0 {
			known = "their custom models are " + someOf(printable(slices.Compact(models)))
		}
		return fmt.Errorf("%w: nothing was written: no secret of the plan serves the model %s; %s", ErrNotApplied, evidence.Printable(a.Model), known)
	}
	a.rivals, err = inventory.Read(ctx, a.client, inventory.Options{Org: a.org.Name, Projects: projects})
	return err
}

// others are the other secrets that could answer a call of the model in the task's context.
func (a *applier) others(t *task, model string) ([]inventory.Secret, error) {
	project := ""
	if t.Project != nil {
		project = t.Project.ID
	}
	all, err := a.rivals.Candidates(project, model)
	return slices.DeleteFunc(all, func(s inventory.Secret) bool { return s.ID == t.SecretID }), err
}

// ownModel is a custom model that this secret alone serves, empty for none.
func (a *applier) ownModel(t *task) string {
	for _, model := range customModels(t.after.Metadata) {
		secret, err := t.after.secret()
		if others, errOthers := a.others(t, model); err == nil && errOthers == nil && len(others) == 0 && routed(secret).Eligible(model) {
			return model
		}
	}
	return ""
}

// callBefore says what a call gives before the change, so that a change that breaks it can be told from one that does not help.
func (a *applier) callBefore(ctx context.Context, t *task) (call, error) {
	secret, err := t.before.secret()
	if a.Model == "" || err != nil || !routed(secret).Eligible(a.Model) {
		return call{}, err
	}
	return a.call(ctx, t, a.Model, false)
}

// proveByCalls proves the change by real calls, first past the caches and then through them. A call proves this secret only where its
// answer can be attributed to it (architecture: claims). It returns what to add to the line of a success, empty without a call.
func (a *applier) proveByCalls(ctx context.Context, t *task, earlier call) (said string, err error) {
	if a.Model == "" {
		return "", nil
	}
	secret, err := t.after.secret()
	if err != nil {
		return "", err
	}
	if !routed(secret).Eligible(a.Model) {
		return "; no call was made, as it does not serve " + evidence.Printable(a.Model), nil
	}
	past, err := a.mustWork(ctx, t, a.Model, false)
	if err != nil {
		return "", err
	}
	if _, err := a.mustWork(ctx, t, a.Model, true); err != nil {
		return "", err
	}
	said = "; a call of " + evidence.Printable(a.Model) + " works with and without the caches"
	if earlier.status != 0 && !earlier.works {
		said += fmt.Sprintf(" (refused before the change: status %d)", earlier.status)
	}
	others, err := a.others(t, a.Model)
	namesake := slices.ContainsFunc(others, func(s inventory.Secret) bool { return told(s.Name) == told(t.Name) })
	switch {
	case err == nil && len(others) == 0:
		return said + ", and no other secret could have answered it", nil
	case err == nil && !namesake && past.named:
		return said + ", and the proxy named this secret", nil
	}
	if own := a.ownModel(t); own != "" {
		a.Say("    calling " + evidence.Printable(own) + " too, which only " + t.label() + " serves")
		if _, err := a.mustWork(ctx, t, own, false); err != nil {
			return "", err
		}
		return said + "; so does one of " + evidence.Printable(own) + ", which only this secret serves", nil
	}
	return "", a.untellable(others, namesake, err, said)
}

// untellable says why a call that works proves nothing, and what would tell.
func (a *applier) untellable(others []inventory.Secret, namesake bool, incomplete error, said string) error {
	why := "the proxy did not say which secret answered"
	switch {
	case incomplete != nil:
		why = incomplete.Error()
	case namesake:
		why = "another secret of the same name could have answered"
	}
	var names []string
	for _, o := range others {
		names = append(names, label(o.Name, o.Level, o.Project))
	}
	if len(names) > 0 {
		why += " (" + someOf(names) + ")"
	}
	return fmt.Errorf("%w: %s, but %s; what would tell: rename one of the two, or add a custom model that only this secret has, and run apply "+
		"again with it", ErrCannotTell, strings.TrimPrefix(said, "; "), why)
}

// mustWork makes a call of which the error says that it fails, or that nothing can be said.
func (a *applier) mustWork(ctx context.Context, t *task, model string, caches bool) (call, error) {
	got, err := a.call(ctx, t, model, caches)
	switch {
	case err != nil:
		return got, err
	case got.works:
		return got, nil
	case got.unsure:
		return got, fmt.Errorf("%w: a call of %s does not tell: %s", ErrCannotTell, evidence.Printable(model), got.why)
	case caches:
		return got, fmt.Errorf("%w: one of %s works past the caches and fails through them (credentials are kept for up to an hour): %s",
			errCached, evidence.Printable(model), got.why)
	}
	return got, fmt.Errorf("%w: one of %s past the caches: %s", errCallFails, evidence.Printable(model), got.why)
}

// call makes a call in the task's project, of which the journal tells first, until the proxy names no other secret.
func (a *applier) call(ctx context.Context, t *task, model string, caches bool) (made call, err error) {
	request := control.Call{Model: model, Caches: caches}
	if t.Level == inventory.Project {
		request.ProjectID = t.Project.ID
	}
	line := a.line(eventCall, t.Step)
	line.Request, line.Said = methodCall, "model "+evidence.Printable(model)
	for range attempts {
		if err := a.journal.add(line); err != nil {
			return made, err
		}
		got, err := a.client.Proxy(ctx, request)
		if err != nil {
			return made, fmt.Errorf("call model: %w", err)
		}
		made = call{status: got.Status, named: got.UsedEndpoint == told(t.Name)}
		switch {
		case !got.OK:
			made.why = fmt.Sprintf("status %d: %s", got.Status, got.Said)
			made.unsure = got.Status == http.StatusTooManyRequests || got.Status >= http.StatusInternalServerError
			return made, nil
		case got.Cached && !caches:
			made.why, made.unsure = "the answer came from the proxy's cache, although it was asked past it", true
			return made, nil
		case made.named || got.UsedEndpoint == "" || strings.ContainsAny(got.UsedEndpoint, "‹…"): // nothing is told, or it was hidden on the way
			made.works = true
			return made, nil
		}
		made.why = fmt.Sprintf("it was served by %q, another secret", got.UsedEndpoint)
	}
	return made, nil
}

// told is a secret's name as the proxy's header tells it.
func told(name string) string { return evidence.Printable(strings.Join(strings.Fields(name), " ")) }
