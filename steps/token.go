package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/remedy"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/stack"
)

// silence is how long a gateway that never answers is waited for; one that answers is not bounded by it.
const silence = 250 * time.Millisecond

func (s *Steps) bindToken(b Binder) {
	b.When(`^the token of `+ref+` is verified$`, s.verify)
	b.When(`^the token of `+ref+` is verified with a Bearer prefix( all the same)?$`, s.verifyPrefixed)
	b.When(`^the token of `+ref+` is verified at (an address where nothing listens|a name that does not resolve|a gateway that gives no answer)$`, s.verifyAt)
	b.Then(`^the verdict is "([^"]*)"$`, s.verdictIs)
	b.Then(`^the verdict on "([^"]*)" is "([^"]*)"$`, s.verdictOn)
	b.Then(`^the advice names "([^"]*)"$`, s.adviceNames)
}

func (s *Steps) verifier() remedy.Verifier {
	return remedy.Verifier{Client: s.World.Client(), From: "the harness"}
}

func (s *Steps) verify(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	s.verification = s.verifier().VerifyToken(ctx, s.World.GatewayURL(), secret.Token)
	return nil
}

func (s *Steps) verifyPrefixed(ctx context.Context, ref, anyway string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	v := s.verifier()
	v.SendAnyway = anyway != ""
	s.verification = v.VerifyToken(ctx, s.World.GatewayURL(), "Bearer "+secret.Token)
	return nil
}

func (s *Steps) verifyAt(ctx context.Context, ref, place string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	v, base := s.verifier(), ""
	switch place {
	case "an address where nothing listens":
		base = stack.ClosedURL
	case "a name that does not resolve":
		base = "http://no-such-gateway.invalid" // RFC 6761: never resolves
	default:
		if err := s.World.Silence(ctx); err != nil {
			return err
		}
		base, v.Timeout = s.World.GatewayURL(), silence
	}
	s.verification = v.VerifyToken(scenarios.MayFail(ctx), base, secret.Token)
	return nil
}

func (s *Steps) verdictIs(_ context.Context, verdict string) error {
	if s.verification.Verdict == "" {
		return fmt.Errorf("read verdict: no token was verified")
	}
	if err := equal("the verdict on the token", verdict, string(s.verification.Verdict)); err != nil {
		return differs("the verdict on the token", verdict, fmt.Sprintf("%s (%s)", s.verification.Verdict, s.verification.Detail))
	}
	return nil
}

func (s *Steps) verdictOn(_ context.Context, path, verdict string) error {
	i := slices.IndexFunc(s.verification.Paths, func(p remedy.PathVerdict) bool { return p.Path == path })
	if i < 0 {
		return differs("the verdict on "+path, verdict, "the path was not asked")
	}
	p := s.verification.Paths[i]
	if string(p.Verdict) != verdict {
		return differs("the verdict on "+path, verdict, fmt.Sprintf("%s (%s)", p.Verdict, p.Detail))
	}
	return nil
}

func (s *Steps) adviceNames(_ context.Context, words string) error {
	if !strings.Contains(s.verification.Advice, words) {
		return differs("the advice", "one that names "+words, s.verification.Advice)
	}
	return nil
}
