package steps

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/scenarios"
)

func bindGateway(b Binder) {
	b.Given(`^a gateway that (`+strings.Join(scenarios.GatewayManners(), "|")+`)$`, (*Steps).gatewayThat)
	b.Given(`^a gateway that (has revoked|forbids everything to) the token of `+ref+`$`, (*Steps).gatewayTreats)
	b.Given(`^a gateway that serves only "([^"]*)" and answers (\d+) elsewhere$`, (*Steps).gatewayServes)
	b.Given(`^a gateway that answers (every request|the next request) with (a login page|a redirect to another host|the JSON .+|\d+ and Retry-After \d+)$`, (*Steps).gatewayAnswers)
	b.Then(`^the other host saw nothing$`, (*Steps).otherHostSawNothing)
	b.Then(`^the gateway was asked (\d+) times on "([^"]*)"$`, (*Steps).askedTimes)
	b.Then(`^the gateway was asked (for a stream|without a stream)$`, (*Steps).askedForStream)
	b.Then(`^`+ref+` does not work end to end: the gateway refused it and answered to `+ref+`$`, (*Steps).masked)
	b.Then(`^the gateway refused it for a wrong (scheme, not for a wrong token|token, not for a wrong scheme)$`, (*Steps).refusedFor)
}

// gatewayThat gives the gateway a manner.
func (s *Steps) gatewayThat(ctx context.Context, manner string) error {
	return s.World.GatewayThat(ctx, manner)
}

// gatewayTreats makes the gateway forget a token, which is a 401, or know it and allow it nothing, which is a 403.
func (s *Steps) gatewayTreats(_ context.Context, how, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	map[string]func(*scenarios.Secret){"has revoked": s.World.Revoke, "forbids everything to": s.World.Forbid}[how](secret)
	return nil
}

// gatewayServes makes the gateway serve a model list on one path alone.
func (s *Steps) gatewayServes(_ context.Context, path string, status int) error {
	s.World.ServeOnly(path, status)
	return nil
}

// doubled is a Bearer before the Bearer of the stored value.
func doubled() form {
	return form{"Authorization: Bearer Bearer and the token", func(c evidence.Credential, fingerprint string) bool {
		return shapeOf(c) == provider.ShapeBearer && c.Doubled && c.LastWord == fingerprint
	}}
}

// refusedFor reads the gateway's own reason in its journal: the provider's error text need not survive the way back.
func (s *Steps) refusedFor(ctx context.Context, reasons string) error {
	reason, _, _ := strings.Cut(reasons, ",")
	all, err := s.sawLatest(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return differs("why the gateway refused", "a wrong "+reason, "no request of this call")
	}
	for _, e := range all {
		if !strings.Contains(e.Note, "wrong "+reason) {
			return differs("why the gateway refused", "a wrong "+reason, e.Note)
		}
	}
	return nil
}

// askedForStream looks at what the gateway was asked for by the latest call.
func (s *Steps) askedForStream(ctx context.Context, how string) error {
	all, err := s.sawLatest(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return differs("how the gateway was asked", how, "no request of this call")
	}
	for _, e := range all {
		asked := "without a stream"
		if e.Stream != nil && *e.Stream {
			asked = "for a stream"
		}
		if err := equal("how the gateway was asked", how, asked); err != nil {
			return err
		}
	}
	return nil
}

// refusedToken says whether the gateway refused a secret's token during the latest call.
func (s *Steps) refusedToken(ctx context.Context, ref string) (bool, error) {
	all, err := s.sawLatest(ctx)
	return slices.ContainsFunc(all, func(e evidence.Exchange) bool {
		return e.Status == http.StatusUnauthorized && s.sawIn([]evidence.Exchange{e}, ref, seen(provider.ShapeBearer)) == nil
	}), err
}

// masked is the failure that a 200 hides: the caller is served, but not with the credential that it should be served with.
func (s *Steps) masked(ctx context.Context, ref, instead string) error {
	refused, err := s.refusedToken(ctx, ref)
	if err != nil {
		return err
	}
	if !refused {
		return differs("what the gateway did with the token of "+ref, "refused it", "it never saw it")
	}
	all, err := s.sawLatest(ctx)
	if err != nil {
		return err
	}
	answered := slices.DeleteFunc(all, func(e evidence.Exchange) bool { return e.Status != http.StatusOK })
	if len(answered) == 0 {
		return differs("what the gateway answered in its place", "the token of "+instead, "nothing")
	}
	return s.sawIn(answered, instead, seen(provider.ShapeBearer))
}
