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

// attempts is how often a call is made until the proxy names the secret meant: it begins with a random one of its candidates (facts:
// order), so that one of two is missed once in a million times.
const attempts = 20

var (
	// errCallFails is a call that was seen to fail, or to be served by another secret.
	errCallFails = errors.New("a call fails")
	// errCached is a failure that only the caches cause: the change itself is right.
	errCached = fmt.Errorf("%w through the caches", errCallFails)
	// errUntoldValue is that nothing tells of a stored value that was replaced.
	errUntoldValue = fmt.Errorf("%w: the API tells neither a preview nor a date of the stored value; a call of a model would (--model)", ErrCannotTell)
)

// call is what came of a model call.
type call struct {
	control.CallResult // status 0 where no call was made
	works              bool
	why                string // what speaks against it
	unsure             bool   // a failure says nothing of the secret: too many calls, an error of the server, a cache
}

// serves says whether a proxy may serve the model with the secret.
func (s state) serves(model string) bool { return s.alien == nil && s.Provider().MayServe(model) }

// readRivals reads who could answer a call, and refuses a model that no secret of the plan serves.
func (a *applier) readRivals(ctx context.Context) (err error) {
	if a.Model == "" {
		return nil
	}
	var models []string
	for _, t := range a.tasks {
		models = append(models, customModels(t.before.Secret)...)
	}
	if !slices.ContainsFunc(a.tasks, func(t *task) bool { return t.before.serves(a.Model) }) {
		slices.Sort(models)
		known := "they have no custom models"
		if len(models) > 0 {
			known = "their custom models are " + someOf(printable(slices.Compact(models)))
		}
		return fmt.Errorf("%w: nothing was written: no secret of the plan serves the model %s; %s", ErrNotApplied, evidence.Printable(a.Model), known)
	}
	a.rivals, err = a.inventory(ctx, a.tasks...)
	return err
}

// inventory reads the organization, and the projects of the tasks.
func (a *applier) inventory(ctx context.Context, tasks ...*task) (inventory.Inventory, error) {
	options := inventory.Options{Org: a.org.Name}
	for _, t := range tasks {
		if t.Project != nil && !slices.Contains(options.Projects, t.Project.ID) {
			options.Projects = append(options.Projects, t.Project.ID)
		}
	}
	return inventory.Read(ctx, a.client, options)
}

// others are the other secrets that could answer a call of the model in the task's context, before the changes or now: those of the plan
// may have come to serve the model, and somebody may have added one.
func (a *applier) others(t *task, model string, now inventory.Inventory) (all []inventory.Secret, err error) {
	project := ""
	if t.Project != nil {
		project = t.Project.ID
	}
	seen := map[string]bool{t.SecretID: true}
	for _, i := range []inventory.Inventory{a.rivals, now} {
		candidates, err := i.Candidates(project, model)
		if err != nil {
			return nil, err
		}
		for _, s := range candidates {
			if !seen[s.ID] {
				seen[s.ID] = true
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// attribute says why a call that works proves the secret, or what else could be: others could have answered it too, and endpoint is the
// name that the proxy told, empty for none (facts: used-endpoint).
func attribute(name string, others []inventory.Secret, endpoint string) (proof, doubt string) {
	among := " (" + someOf(labels(others)) + ")"
	switch {
	case len(others) == 0:
		return "no other secret could have answered it", ""
	case slices.ContainsFunc(others, func(o inventory.Secret) bool { return told(o.Name) == told(name) }):
		return "", "another secret of the same name could have answered" + among
	case endpoint == told(name):
		return "the proxy named this secret", ""
	}
	return "", "the proxy did not say which secret answered" + among
}

// callBefore says what a call gives before the change, so that a change that breaks it can be told from one that does not help.
func (a *applier) callBefore(ctx context.Context, t *task) (call, error) {
	if a.Model == "" || !t.before.serves(a.Model) {
		return call{}, nil
	}
	return a.call(ctx, t, a.Model, false)
}

// proveByCalls proves the change by real calls, where they are asked for, and says what to add to the line of a success. One that broke a
// working call is put back. Where none is made and the API does not tell of a stored value either, the error is errUntoldValue.
func (a *applier) proveByCalls(ctx context.Context, t *task, earlier call) (said string, err error) {
	if a.Model == "" || !t.after.serves(a.Model) {
		if a.Model != "" {
			said = "; no call was made, as it does not serve " + evidence.Printable(a.Model)
		}
		if moved, known := t.after.valueMoved(t.before); t.ReplaceValue && !moved && (!known || t.after.SecretUpdatedAt == "") {
			err = errUntoldValue
		}
		return said, err
	}
	said, err = a.callAfter(ctx, t, earlier)
	switch {
	case err == nil, errors.Is(err, ErrCannotTell):
		return said, err
	case !errors.Is(err, errCallFails):
		return "", fmt.Errorf("the change is in place and read back, but nothing tells whether a call works: %w", err)
	case t.ReplaceValue:
		return "", fmt.Errorf("%w: %w; the stored value was replaced, which cannot be undone", ErrInPlace, err)
	case earlier.works && !errors.Is(err, errCached):
		return "", a.undo(ctx, t, err.Error()+"; it worked before the change")
	}
	return "", fmt.Errorf("%w: %w", ErrInPlace, err)
}

// callAfter calls past the caches and then through them, and says why the answer came from this secret: a call proves it only then.
func (a *applier) callAfter(ctx context.Context, t *task, earlier call) (said string, err error) {
	past, err := a.mustWork(ctx, t, a.Model, false)
	if err == nil {
		_, err = a.mustWork(ctx, t, a.Model, true)
	}
	if err != nil {
		return "", err
	}
	said = "; a call of " + evidence.Printable(a.Model) + " works with and without the caches"
	if earlier.Status != 0 && !earlier.OK {
		said += fmt.Sprintf(" (refused before the change: status %d)", earlier.Status)
	}
	now, err := a.inventory(ctx, t)
	if err != nil {
		return "", err
	}
	others, err := a.others(t, a.Model, now)
	proof, doubt := attribute(t.Name, others, past.UsedEndpoint)
	if err != nil {
		proof, doubt = "", err.Error()
	}
	if proof != "" {
		return said + ", and " + proof, nil
	}
	for _, own := range customModels(t.after.Secret) {
		if others, err := a.others(t, own, now); err != nil || len(others) > 0 || !t.after.serves(own) {
			continue
		}
		a.Say("    calling " + evidence.Printable(own) + " too, which only " + t.label() + " serves")
		_, err := a.mustWork(ctx, t, own, false)
		return said + "; so does one of " + evidence.Printable(own) + ", which only this secret serves", err
	}
	return "", fmt.Errorf("%w: %s, but %s; what would tell: rename one of the two, or add a custom model that only this secret has, and run apply "+
		"again with it", ErrCannotTell, strings.TrimPrefix(said, "; "), doubt)
}

// mustWork makes a call of which the error says that it fails, or that nothing can be said.
func (a *applier) mustWork(ctx context.Context, t *task, model string, caches bool) (call, error) {
	got, err := a.call(ctx, t, model, caches)
	model = evidence.Printable(model)
	switch {
	case err != nil || got.works:
		return got, err
	case got.unsure:
		return got, fmt.Errorf("%w: a call of %s does not tell: %s", ErrCannotTell, model, got.why)
	case caches:
		return got, fmt.Errorf("%w: one of %s works past the caches and fails through them (credentials are kept for up to an hour): %s", errCached, model, got.why)
	}
	return got, fmt.Errorf("%w: one of %s past the caches: %s", errCallFails, model, got.why)
}

// call makes a call in the task's project, of which the journal tells first, until the proxy names no other secret.
func (a *applier) call(ctx context.Context, t *task, model string, caches bool) (made call, err error) {
	request := control.Call{Model: model, Caches: caches}
	if t.Level == inventory.Project {
		request.ProjectID = t.Project.ID
	}
	line := entry{Event: eventCall, Request: http.MethodPost + " /v1/proxy/chat/completions", Said: "model " + evidence.Printable(model)}
	for range attempts {
		if err := a.tell(t.Step, line); err != nil {
			return made, err
		}
		made = call{}
		if made.CallResult, err = a.client.Proxy(ctx, request); err != nil {
			return made, fmt.Errorf("call model: %w", err)
		}
		switch endpoint := made.UsedEndpoint; {
		case !made.OK:
			made.why = fmt.Sprintf("status %d: %s", made.Status, made.Said)
			made.unsure = made.Status == http.StatusTooManyRequests || made.Status >= http.StatusInternalServerError
			return made, nil
		case made.Cached: // each call asks something new, so that it proves nothing of the caches of credentials either
			made.why, made.unsure = "the answer came from the proxy's cache, although it was asked something new", true
			return made, nil
		case endpoint == told(t.Name), endpoint == "", strings.ContainsAny(endpoint, `‹…\`): // nothing is told, or it was hidden on the way
			made.works = true
			return made, nil
		}
		made.why = fmt.Sprintf("it was served by %q, another secret", made.UsedEndpoint)
	}
	return made, nil
}

// told is a secret's name as the proxy's header tells it.
func told(name string) string { return evidence.Printable(strings.Join(strings.Fields(name), " ")) }
