package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
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
	b.When(`^`+caller+` is run(?: with (model "[^"]*"|a wrong Braintrust key|its Braintrust key as x-api-key|the answer cache|the credential cache))?(?: (\d+) times)?$`, (*Steps).run)
	b.When(`^`+caller+` is run until the gateway saw (.+), at most (\d+) times$`, (*Steps).runUntilSeen)
	b.Then(`^`+caller+` succeeds$`, (*Steps).succeeds)
	b.Then(`^`+caller+` fails with an authentication error of the provider$`, (*Steps).refusedByProvider)
	b.Then(`^`+caller+` is refused by the data plane for its (Braintrust key|project)$`, (*Steps).refusedByPlane)
	b.Then(`^`+caller+` fails with status (\d+) and says "([^"]*)"$`, (*Steps).failsWith)
	b.Then(`^the Braintrust key of the scorer still works on the API$`, (*Steps).keyWorks)
	b.Then(`^the answer (is fresh|comes from the answer cache)$`, (*Steps).answerComes)
	b.Then(`^the used endpoint is "([^"]*)"$`, (*Steps).usedEndpoint)
	b.Then(`^every call was treated alike$`, (*Steps).treatedAlike)
	b.Then(`^the calls were treated in turn as by v1 and by v2, which is told as a half-upgraded fleet$`, (*Steps).treatedInTurn)
	b.Then(`^a scorer that must succeed fails with that explanation$`, (*Steps).failsAsHalfUpgraded)
}

// call makes what the caller sends: a prompt run is a streamed completion with project context.
func (s *Steps) call(ctx context.Context, who string) (scenarios.Call, error) {
	c := scenarios.Call{Caller: who, Model: defaultModel, Key: s.World.ScorerKey()}
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

// run calls a model as the caller does, once or several times, with what the sentence says in place of the defaults. With the answer cache it
// is the same call to the letter each time, at temperature 0; without, both caches of the proxy are off.
func (s *Steps) run(ctx context.Context, who, with, times string) error {
	c, err := s.call(ctx, who)
	if err != nil {
		return err
	}
	s.callWith(&c, with)
	count := 1
	if times != "" {
		if count, err = strconv.Atoi(times); err != nil {
			return err
		}
	}
	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.World.Run(ctx, c)
		if c.AnswerCache {
			c.Nonce = s.World.Probes[len(s.World.Probes)-1].Nonce
		}
	}
	return nil
}

// callWith changes a call as a sentence says.
func (s *Steps) callWith(c *scenarios.Call, with string) {
	switch with {
	case "":
	case "a wrong Braintrust key":
		c.Key = s.World.Mint("wrong Braintrust key", "sk-bt-")
	case "its Braintrust key as x-api-key":
		c.AsAPIKey = true
	case "the credential cache":
		c.CredentialCache = true
	case "the answer cache":
		c.AnswerCache = true
		if i := slices.IndexFunc(s.World.Probes, func(p scenarios.Probe) bool { return p.AnswerCache }); i >= 0 {
			c.Nonce = s.World.Probes[i].Nonce
		}
	default:
		c.Model = names(with)[0]
	}
}

// runUntilSeen needs chance: the proxy starts at a random secret. 64 runs miss one of two secrets once in 2^63 suites.
func (s *Steps) runUntilSeen(ctx context.Context, who, list string, most int) error {
	c, err := s.call(ctx, who)
	if err != nil {
		return err
	}
	wanted, err := s.secrets(list)
	if err != nil {
		return err
	}
	for range most {
		s.World.Run(ctx, c)
		all, err := s.World.GatewaySaw(ctx, "")
		if err != nil {
			return err
		}
		missing := slices.ContainsFunc(wanted, func(secret *scenarios.Secret) bool {
			return !slices.ContainsFunc(all, func(e evidence.Exchange) bool {
				return len(e.Credentials) == 1 && seen(provider.ShapeBearer).fits(e.Credentials[0], s.World.Fingerprint(secret.Token))
			})
		})
		if !missing {
			return nil
		}
	}
	return nil // which were seen is for the Then to say
}

// answerComes goes by the proxy's own word about its answer cache.
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

// usedEndpoint asks for the name that the proxy itself gives (facts: used-endpoint).
func (s *Steps) usedEndpoint(_ context.Context, name string) error {
	p, err := s.World.Probe()
	if err != nil {
		return err
	}
	return equal("x-bt-used-endpoint of the answer", name, p.UsedEndpoint)
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

// refusedByProvider tells the two authentication failures apart by what reached the upstream: a provider's refusal was answered by it with
// 401, a data plane's never got there.
func (s *Steps) refusedByProvider(ctx context.Context, who string) error {
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

// refusedByPlane asks that a refusal is the data plane's own, a 401 for a key and a 4xx for a project: no provider was asked, ours or another
// to which the call may have gone, and the good call, which differs only in what was refused, reaches the gateway. Without it a plane that
// refuses everyone would pass.
func (s *Steps) refusedByPlane(ctx context.Context, who, what string) error {
	p, err := s.calledBy(who)
	if err != nil {
		return err
	}
	asked, err := s.World.GatewaySaw(ctx, p.Nonce)
	if err != nil {
		return err
	}
	good, status, refused := p.Call, "status 401", p.Status == http.StatusUnauthorized
	good.Key = s.World.ScorerKey()
	if what == "project" {
		good.ProjectID, status, refused = "", "a 4xx", p.Status >= 400 && p.Status <= 499
	}
	if p.Err == nil || !refused {
		return differs("the outcome of "+who, status, outcome(p)+s.gatewaySaid(asked))
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

// failsWith asks for the status and for words of the refusal that the caller got.
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

// keyWorks asks the control API, with the key that the scorers use.
func (s *Steps) keyWorks(ctx context.Context) error {
	answer, err := s.World.API(ctx, s.World.ScorerKey(), http.MethodGet, "/v1/organization", nil)
	if err != nil {
		return err
	}
	return equal("the status of GET /v1/organization with the scorer's key", http.StatusOK, answer.Status)
}
