package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeproof/planeproof/remedy/verify"
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

func (s *Steps) verifyOptions() verify.Options {
	return verify.Options{Client: s.World.Client(), From: "the harness"}
}

func (s *Steps) verify(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	s.verified = verify.Token(ctx, s.verifyOptions(), s.World.GatewayURL(), secret.Token)
	return nil
}

func (s *Steps) verifyPrefixed(ctx context.Context, ref, anyway string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	o := s.verifyOptions()
	o.SendAnyway = anyway != ""
	s.verified = verify.Token(ctx, o, s.World.GatewayURL(), "Bearer "+secret.Token)
	return nil
}

func (s *Steps) verifyAt(ctx context.Context, ref, place string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	o, base := s.verifyOptions(), ""
	switch place {
	case "an address where nothing listens":
		base = stack.ClosedURL
	case "a name that does not resolve":
		base = "http://no-such-gateway.invalid" // RFC 6761: never resolves
	default:
		if err := s.World.Silence(ctx); err != nil {
			return err
		}
		base, o.Timeout = s.World.GatewayURL(), silence
	}
	s.verified = verify.Token(scenarios.MayFail(ctx), o, base, secret.Token)
	return nil
}

func (s *Steps) verdictIs(_ context.Context, verdict string) error {
	if s.verified.Verdict == "" {
		return fmt.Errorf("read verdict: no token was verified")
	}
	if err := equal("the verdict on the token", verdict, string(s.verified.Verdict)); err != nil {
		return differs("the verdict on the token", verdict, fmt.Sprintf("%s (%s)", s.verified.Verdict, s.verified.Detail))
	}
	return nil
}

func (s *Steps) verdictOn(_ context.Context, path, verdict string) error {
	i := slices.IndexFunc(s.verified.Paths, func(p verify.PathVerdict) bool { return p.Path == path })
	if i < 0 {
		return differs("the verdict on "+path, verdict, "the path was not asked")
	}
	p := s.verified.Paths[i]
	if string(p.Verdict) != verdict {
		return differs("the verdict on "+path, verdict, fmt.Sprintf("%s (%s)", p.Verdict, p.Detail))
	}
	return nil
}

func (s *Steps) adviceNames(_ context.Context, words string) error {
	if !strings.Contains(s.verified.Advice, words) {
		return differs("the advice", "one that names "+words, s.verified.Advice)
	}
	return nil
}
