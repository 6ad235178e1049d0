package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/target"
)

// caller is who calls a model in a sentence.
const caller = `(the scorer|the project's scorer|the project's streaming scorer|the prompt|the scorer of project "[^"]*"|the scorer of an unknown project)`

// theScorer calls without project context.
const theScorer = "the scorer"

// projectsScorer calls with the context of scenarios.DefaultProject.
const projectsScorer = "the project's scorer"

// unknownProjects is the scorer whose project id the data plane does not know.
const unknownProjects = "the scorer of an unknown project"

// defaultModel is the custom model of scenarios that are not about default models: no proxy routes it anywhere but to the chat path.
const defaultModel = "acme-chat"

func bindScorer(b Binder) {
	b.When(`^`+caller+` is run(?: with model "([^"]*)")?$`, (*Steps).run)
	b.When(`^`+caller+` is run(?: with model "([^"]*)")? (\d+) times$`, (*Steps).runTimes)
	b.When(`^the scorer is run with a wrong Braintrust key$`, (*Steps).runWithWrongKey)
	b.When(`^the scorer is run with its Braintrust key as x-api-key$`, (*Steps).runWithXAPIKey)
	b.When(`^the project's scorer is run until both "([^"]*)" and "([^"]*)" were seen, at most (\d+) times$`, (*Steps).runUntilBoth)
	b.Then(`^`+caller+` succeeds$`, (*Steps).succeeds)
	b.Then(`^`+caller+` fails with an authentication error of the (provider|data plane)$`, (*Steps).failsToAuthenticate)
	b.Then(`^`+caller+` fails with status (\d+) and says "([^"]*)"$`, (*Steps).failsWith)
	b.Then(`^the Braintrust key of the scorer still works on the API$`, (*Steps).keyWorks)
	b.When(`^the scorer is run at temperature 0 with the answer cache$`, (*Steps).runWithAnswerCache)
	b.When(`^the same call is run again( for the project)?$`, (*Steps).runAgain)
	b.When(`^the scorer is run with the credential cache$`, (*Steps).runWithCredentialCache)
	b.When(`^the project's scorer is run until the gateway refused `+ref+`, at most (\d+) times$`, (*Steps).runUntilRefused)
	b.Then(`^the answer (is fresh|comes from the answer cache)$`, (*Steps).answerComes)
	b.Then(`^the used endpoint is "([^"]*)"$`, (*Steps).usedEndpoint)
	b.Then(`^every call was treated alike$`, (*Steps).treatedAlike)
	b.Then(`^the calls were treated in turn as by v1 and by v2, which is told as a half-upgraded fleet$`, (*Steps).treatedInTurn)
	b.Then(`^a scorer that must succeed fails with that explanation$`, (*Steps).failsAsHalfUpgraded)
	b.Then(`^the unknown project gets a refusal by the data plane$`, (*Steps).unknownRefused)
	b.Then(`^the unknown project gets the org's credential `+ref+`$`, (*Steps).unknownGetsOrg)
}

// call makes what the caller sends: a prompt run is a streamed completion with project context.
func (s *Steps) call(ctx context.Context, who, model string) (scenarios.Call, error) {
	c := scenarios.Call{Caller: who, Model: model, Key: s.World.ScorerKey()}
	if model == "" {
		c.Model = defaultModel
	}
	project := scenarios.DefaultProject
	switch {
	case who == theScorer:
		return c, nil
	case who == unknownProjects:
		c.ProjectID = uuid.NewString()
		return c, s.World.Supports(target.ProjectCalls)
	case who == "the prompt", who == "the project's streaming scorer":
		c.Stream = true
	case strings.HasPrefix(who, "the scorer of project "):
		project = names(who)[0]
	}
	if err := s.World.Supports(target.ProjectCalls); err != nil {
		return c, err
	}
	id, err := s.World.Project(ctx, project)
	c.ProjectID = id
	return c, err
}

func (s *Steps) run(ctx context.Context, who, model string) error {
	return s.runTimes(ctx, who, model, 1)
}

func (s *Steps) runTimes(ctx context.Context, who, model string, times int) error {
	c, err := s.call(ctx, who, model)
	if err != nil {
		return err
	}
	for range times {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.World.Run(ctx, c)
	}
	return nil
}

func (s *Steps) runWithWrongKey(ctx context.Context) error {
	s.World.Run(ctx, scenarios.Call{Caller: theScorer, Model: defaultModel, Key: s.World.Mint("wrong Braintrust key", "sk-bt-")})
	return nil
}

func (s *Steps) runWithAnswerCache(ctx context.Context) error {
	s.World.Run(ctx, scenarios.Call{Caller: theScorer, Model: defaultModel, Key: s.World.ScorerKey(), AnswerCache: true})
	return nil
}

// runAgain sends the latest call that may be answered from the cache again, to the letter.
func (s *Steps) runAgain(ctx context.Context, forProject string) error {
	i := slices.IndexFunc(s.World.Probes, func(p scenarios.Probe) bool { return p.AnswerCache })
	if i < 0 {
		return errors.New("run call again: none was made with the answer cache")
	}
	c := s.World.Probes[i].Call
	if forProject != "" {
		if err := s.World.Supports(target.ProjectCalls); err != nil {
			return err
		}
		id, err := s.World.Project(ctx, scenarios.DefaultProject)
		if err != nil {
			return err
		}
		c.Caller, c.ProjectID = projectsScorer, id
	}
	s.World.Run(ctx, c)
	return nil
}

func (s *Steps) runWithCredentialCache(ctx context.Context) error {
	s.World.Run(ctx, scenarios.Call{Caller: theScorer, Model: defaultModel, Key: s.World.ScorerKey(), CredentialCache: true})
	return nil
}

// runUntilRefused needs chance like runUntilBoth: the proxy must start at that secret once.
func (s *Steps) runUntilRefused(ctx context.Context, ref string, most int) error {
	c, err := s.call(ctx, projectsScorer, "")
	if err != nil {
		return err
	}
	for range most {
		s.World.Run(ctx, c)
		refused, err := s.refusedToken(ctx, ref)
		if err != nil || refused {
			return err
		}
	}
	return nil // that it was never refused is for the Then to say
}

func (s *Steps) answerComes(_ context.Context, from string) error {
	p, err := s.World.Probe()
	if err != nil {
		return err
	}
	want := map[string]string{"is fresh": "MISS", "comes from the answer cache": "HIT"}[from]
	if !p.Succeeded() {
		return differs("the outcome of the call", "an answer of the model", outcome(p))
	}
	return equal("x-bt-cached of the answer", want, p.Cached)
}

func (s *Steps) usedEndpoint(_ context.Context, name string) error {
	p, err := s.World.Probe()
	if err != nil {
		return err
	}
	return equal("x-bt-used-endpoint of the answer", name, p.UsedEndpoint)
}

func (s *Steps) runWithXAPIKey(ctx context.Context) error {
	s.World.Run(ctx, scenarios.Call{Caller: theScorer, Model: defaultModel, Key: s.World.ScorerKey(), AsAPIKey: true})
	return nil
}

// runUntilBoth needs chance: the proxy starts at a random secret. 64 runs miss one of two secrets once in 2^63 suites.
func (s *Steps) runUntilBoth(ctx context.Context, one, other string, most int) error {
	c, err := s.call(ctx, projectsScorer, "")
	if err != nil {
		return err
	}
	for range most {
		s.World.Run(ctx, c)
		all, err := s.World.GatewaySaw(ctx, "")
		if err != nil {
			return err
		}
		found, err := s.tokensSeen(all)
		if err != nil {
			return err
		}
		if len(found) > 1 {
			return nil
		}
	}
	return nil // which were seen is for the Then to say
}

// calledBy is the latest call, which must be the caller's: what another was answered says nothing of it.
func (s *Steps) calledBy(who string) (scenarios.Probe, error) {
	p, err := s.World.Probe()
	if err == nil && p.Caller != who {
		err = fmt.Errorf("read latest call: no call of %s was made: the latest is one of %s", who, p.Caller)
	}
	return p, err
}

// succeeds asks for an answer of the model, and that equal calls since the latest change got one too.
func (s *Steps) succeeds(ctx context.Context, who string) error {
	p, err := s.calledBy(who)
	if err != nil {
		return err
	}
	if err := s.alike(ctx); err != nil || p.Succeeded() {
		return err
	}
	if err := s.alikeWhenRepeated(ctx, p.Call); err != nil {
		return err
	}
	asked, err := s.World.GatewaySaw(ctx, p.Nonce)
	if err != nil {
		return err
	}
	return differs("the outcome of "+who, "an answer of the model", outcome(p)+s.gatewaySaid(asked))
}

// gatewaySaid adds to an outcome what the gateway made of each credential it got: there the cause is seldom far.
func (s *Steps) gatewaySaid(asked []evidence.Exchange) string {
	var said string
	for _, e := range asked {
		said += fmt.Sprintf("; the gateway got %s, and said: %s", s.describe(e), e.Note)
	}
	if said == "" {
		return "; the gateway got no request of this call"
	}
	return said
}

// outcome says in one phrase what came back for a call.
func outcome(p scenarios.Probe) string {
	switch {
	case p.Succeeded():
		return "an answer of the model"
	case p.Status == 0:
		return fmt.Sprintf("no answer: %v", p.Err)
	case p.Refusal != "":
		return fmt.Sprintf("status %d: %s", p.Status, strings.Join(strings.Fields(p.Refusal), " "))
	default:
		return fmt.Sprintf("status %d: %v", p.Status, p.Err)
	}
}

// failsToAuthenticate tells the two failures apart by what reached the upstream: a provider's refusal was answered by it, a data
// plane's never got there.
func (s *Steps) failsToAuthenticate(ctx context.Context, who, by string) error {
	p, err := s.calledBy(who)
	if err != nil {
		return err
	}
	asked, err := s.World.GatewaySaw(ctx, p.Nonce)
	if err != nil {
		return err
	}
	if p.Err == nil || p.Status != http.StatusUnauthorized {
		return differs("the outcome of "+who, "status 401", outcome(p)+s.gatewaySaid(asked))
	}
	if by == "data plane" {
		good := p.Call
		good.Key = s.World.ScorerKey()
		return s.refusedByPlane(ctx, p, good)
	}
	for _, e := range asked {
		if e.Status != http.StatusUnauthorized {
			return differs("the gateway's own answer to the call", "401", fmt.Sprint(e.Status))
		}
		if !slices.ContainsFunc(e.Credentials, s.World.OfSecret) {
			return differs("what the provider refused", "the credential of a provider secret", s.describe(e))
		}
	}
	if len(asked) == 0 {
		return differs("who refused the call", "the provider", "the data plane: the gateway saw no request of it")
	}
	return nil
}

// providerRefused begins what a proxy says of a provider's refusal (facts: wrapped-errors).
const providerRefused = "AI provider returned"

// refusedByPlane asks that a refusal is the data plane's own: no provider was asked, ours or another to which the call may have gone, and
// the good call, which differs only in what was refused, reaches the gateway. Without it a plane that refuses everyone would pass.
func (s *Steps) refusedByPlane(ctx context.Context, p scenarios.Probe, good scenarios.Call) error {
	asked, err := s.World.GatewaySaw(ctx, p.Nonce)
	if err != nil {
		return err
	}
	if len(asked) > 0 || strings.Contains(p.Refusal, providerRefused) {
		return differs("who refused the call", "the data plane", "a provider: "+outcome(p)+s.gatewaySaid(asked))
	}
	reached, err := s.World.Control(ctx, good)
	if err != nil {
		return err
	}
	if len(reached) == 0 {
		return differs("what the gateway saw of the same call as it should be", "a request", "nothing: the data plane refuses that call too")
	}
	return nil
}

func (s *Steps) failsWith(_ context.Context, who string, status int, words string) error {
	p, err := s.calledBy(who)
	if err != nil {
		return err
	}
	if p.Err == nil || p.Status != status || !strings.Contains(p.Refusal, words) {
		return differs("the outcome of "+who, fmt.Sprintf("status %d with %q", status, words), outcome(p))
	}
	return nil
}

func (s *Steps) keyWorks(ctx context.Context) error {
	answer, err := s.World.API(ctx, s.World.ScorerKey(), http.MethodGet, "/v1/organization", nil)
	if err != nil {
		return err
	}
	return equal("the status of GET /v1/organization with the scorer's key", http.StatusOK, answer.Status)
}

func (s *Steps) unknownRefused(ctx context.Context) error {
	p, err := s.calledBy(unknownProjects)
	if err != nil {
		return err
	}
	if p.Status < 400 || p.Status > 499 {
		return differs("the outcome of the scorer of an unknown project", "a 4xx", outcome(p))
	}
	good := p.Call
	good.ProjectID = ""
	if err := s.refusedByPlane(ctx, p, good); err != nil {
		return err
	}
	return s.sawNothing(ctx)
}

func (s *Steps) unknownGetsOrg(ctx context.Context, ref string) error {
	if err := s.succeeds(ctx, unknownProjects); err != nil {
		return err
	}
	return s.sawRaw(ctx, ref)
}
