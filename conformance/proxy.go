package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/target"
)

// Why a scenario has no part in the verdict on a proxy of somebody else's.
const (
	notAboutProxy   = "judges something else than the proxy"
	notThroughProxy = "made no call through the proxy"
	onlyReenacts    = "re-enacts a known failure, which decides nothing about a deployed proxy"
	knownToFail     = "known to fail on "
	yetPassed       = ", and yet it passed: is the proxy of that generation?"
)

// excuse says why a scenario has no part in the verdict on somebody else's proxy of that generation; empty where it has one. What broke has
// one always: then nothing can be said.
func (r *record) excuse(generation string) string {
	switch {
	case r.Verdict == report.Broken || r.Verdict == report.NotRun:
		return ""
	case !slices.Contains(r.Judges, report.Plane):
		return notAboutProxy
	case r.Verdict == report.NotSupported:
		return r.Reason
	case !slices.ContainsFunc(r.Exchanges, throughProxy):
		return notThroughProxy
	case slices.Contains(r.Tags, failsOn+generation) && r.Verdict == report.Passed:
		return knownToFail + generation + yetPassed
	case slices.Contains(r.Tags, failsOn+generation):
		return knownToFail + generation
	case r.Reproduction:
		return onlyReenacts
	}
	return ""
}

// beside is a target as what is not about the proxy in the middle sees it: that proxy holds nothing up.
type beside struct{ target.Target }

func (b beside) Describe() target.Description {
	d := b.Target.Describe()
	d.Lacks = nil
	return d
}

func (b beside) Open(ctx context.Context, s target.Scenario) (target.Share, error) {
	s.WithoutProxy = true
	return b.Target.Open(ctx, s)
}

// targetFor is the target as a scenario sees it.
func (s *execution) targetFor(r *record) target.Target {
	if s.options.Proxy == nil || slices.Contains(r.Judges, report.Plane) {
		return s.target
	}
	return beside{s.target}
}

// throughProxy says whether the data plane passed a request on: with a proxy in the middle it serves no model call itself.
func throughProxy(e evidence.Exchange) bool {
	return e.System == string(target.DataPlane) && strings.HasPrefix(e.Path, "/v1/proxy/")
}

// proofTime bounds the one call of the proof.
const proofTime = 20 * time.Second

// prove shows, before the first scenario, that the proxy in the middle gets its credentials from our data plane and calls our gateway. One
// that asks another data plane, or answers by itself, would otherwise be judged by what never reached it.
func (s *execution) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(scenarios.MayFail(ctx), proofTime)
	defer cancel()
	w, err := scenarios.Open(ctx, s.target, s.options.Redactor, s.key)
	if err != nil {
		return fmt.Errorf("prove the proxy's way: %w", err)
	}
	defer func() { _, _ = w.Close(context.WithoutCancel(ctx)) }()
	const model = "planeproof-proof"
	w.ServeModel(model)
	secret := &scenarios.Secret{Name: "planeproof-proof", Level: scenarios.Org}
	err = w.AddSecret(ctx, secret, scenarios.Metadata{{Key: "customModels", Value: scenarios.CustomModel(model)}})
	if err != nil {
		return fmt.Errorf("prove the proxy's way: %w", err)
	}
	w.Run(ctx, scenarios.Call{Model: model, Key: w.ScorerKey()})
	return s.readProof(ctx, w)
}

// readProof reads both journals: who was asked for credentials, and what reached the gateway.
func (s *execution) readProof(ctx context.Context, w *scenarios.World) error {
	call, noCall := w.Probe()
	plane, notRead := w.Kept(ctx, target.DataPlane)
	seen, notSeen := w.GatewaySaw(ctx, call.Nonce)
	if err := errors.Join(noCall, notRead, notSeen); err != nil {
		return fmt.Errorf("prove the proxy's way: %w", err)
	}
	asked := slices.ContainsFunc(plane.Exchanges, func(e evidence.Exchange) bool {
		return e.Method == http.MethodPost && strings.HasPrefix(e.Path, "/api/secret")
	})
	ours := slices.ContainsFunc(seen, func(e evidence.Exchange) bool { return slices.ContainsFunc(e.Credentials, w.OfSecret) })
	answered := fmt.Sprintf("it answered status %d: %s", call.Status, s.options.Redactor.Foreign(call.Refusal, 200))
	if call.Status == 0 {
		answered = "it gave no answer"
	}
	proxy := s.options.Proxy
	switch {
	case !asked:
		return fmt.Errorf("the proxy at %s did not ask our data plane for provider secrets; %s. Start it with BRAINTRUST_APP_URL=http://%s, and "+
			"give its base path in --proxy-url (docs/fakes.md)", proxy.Shown(), answered, proxy.DataPlaneAddr)
	case len(seen) == 0:
		return fmt.Errorf("the proxy at %s asked our data plane for provider secrets, but its call did not reach our gateway; %s. "+
			"Let it dial the api_base it was given, on %s (docs/fakes.md)", proxy.Shown(), answered, w.GatewayURL())
	case !ours:
		return fmt.Errorf("the proxy at %s called our gateway with another credential than that of the provider secret (docs/fakes.md)", proxy.Shown())
	}
	return nil
}
