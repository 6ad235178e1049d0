package steps

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
)

func bindGateway(b Binder) {
	b.Given(`^a gateway that accepts only (Bearer tokens|"[^"]*")$`, (*Steps).gatewayAccepts)
	b.Given(`^a gateway that asks for no credential$`, (*Steps).gatewayAsksNothing)
	b.Given(`^a gateway that has revoked the token of `+ref+`$`, (*Steps).gatewayRevoked)
	b.Given(`^a gateway that serves only "([^"]*)" and answers (\d+) elsewhere$`, (*Steps).gatewayServes)
	b.Given(`^a gateway behind TLS of a private authority$`, (*Steps).gatewayTLS)
	b.Given(`^a gateway that forbids everything to the token of `+ref+`$`, (*Steps).gatewayForbids)
	b.Given(`^a gateway that lists its models to anyone$`, (*Steps).gatewayOpen)
	b.Given(`^a gateway that answers every request with a login page$`, (*Steps).gatewayLogin)
	b.Given(`^a gateway that redirects every request to another host$`, (*Steps).gatewayRedirects)
	b.Given(`^a gateway that answers every request with the JSON (.+)$`, (*Steps).gatewayJSON)
	b.Given(`^a gateway that answers (429|503) to every request, to be tried again after (\d+) s$`, (*Steps).gatewayBusy)
	b.Given(`^a gateway that answers 429 to the next request$`, (*Steps).gatewayBusyOnce)
	b.Then(`^the other host saw nothing$`, (*Steps).otherHostSawNothing)
	b.Then(`^the gateway was asked (\d+) times on "([^"]*)"$`, (*Steps).askedTimes)
	b.Then(`^the gateway was asked (for a stream|without a stream)$`, (*Steps).askedForStream)
	b.Then(`^`+ref+` does not work end to end: the gateway refused it and answered to `+ref+`$`, (*Steps).masked)
	b.Then(`^the gateway refused it for a wrong (scheme, not for a wrong token|token, not for a wrong scheme)$`, (*Steps).refusedFor)
}

func (s *Steps) gatewayAccepts(_ context.Context, what string) error {
	shape := provider.ShapeBearer
	if what != "Bearer tokens" {
		var err error
		if shape, err = provider.ParseShape(strings.Trim(what, `"`)); err != nil {
			return err
		}
	}
	s.World.AcceptOnly(shape)
	return nil
}

func (s *Steps) gatewayAsksNothing(context.Context) error {
	s.World.AcceptOnly(provider.ShapeNone)
	return nil
}

func (s *Steps) gatewayRevoked(_ context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	s.World.Revoke(secret)
	return nil
}

func (s *Steps) gatewayServes(_ context.Context, path string, status int) error {
	s.World.ServeOnly(path, status)
	return nil
}

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
