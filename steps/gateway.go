package steps

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/scenarios"
)

func (s *Steps) bindGateway(b Binder) {
	b.Given(`^a gateway that accepts only (Bearer tokens|"[^"]*")$`, s.gatewayAccepts)
	b.Given(`^a gateway that asks for no credential$`, s.gatewayAsksNothing)
	b.Given(`^a gateway that has revoked the token of `+ref+`$`, s.gatewayRevoked)
	b.Given(`^a gateway that serves only "([^"]*)" and answers (\d+) elsewhere$`, s.gatewayServes)
	b.Given(`^a gateway behind TLS of a private authority$`, s.gatewayTLS)
	b.Given(`^a gateway that forbids everything to the token of `+ref+`$`, s.gatewayForbids)
	b.Given(`^a gateway that lists its models to anyone$`, s.gatewayOpen)
	b.Given(`^a gateway that answers every request with a login page$`, s.gatewayLogin)
	b.Given(`^a gateway that redirects every request to another host$`, s.gatewayRedirects)
	b.Given(`^a gateway that answers every request with the JSON (.+)$`, s.gatewayJSON)
	b.Given(`^a gateway that answers (429|503) to every request, to be tried again after (\d+) s$`, s.gatewayBusy)
	b.Given(`^a gateway that answers 429 to the next request$`, s.gatewayBusyOnce)
	b.Then(`^the other host saw nothing$`, s.otherHostSawNothing)
	b.Then(`^the gateway was asked (\d+) times on "([^"]*)"$`, s.askedTimes)
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer$`, s.sawRaw)
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer every time$`, s.sawRawEveryTime)
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer on "([^"]*)" and "([^"]*)"$`, s.sawRawOn)
	b.Then(`^the gateway saw the token of `+ref+` as "([^"]*)"$`, s.sawAs)
	b.Then(`^the gateway saw Bearer twice before the token of `+ref+`$`, s.sawDoubled)
	b.Then(`^the gateway saw Bearer twice before the token of `+ref+` on "([^"]*)" and "([^"]*)"$`, s.sawDoubledOn)
	b.Then(`^the gateway saw "([^"]*)" and "([^"]*)" and no other credential$`, s.sawBoth)
	b.Then(`^the gateway saw the Braintrust key of the scorer as x-api-key$`, s.sawScorerKey)
	b.Then(`^the gateway saw (a blank between Bearer and the token of "[^"]*"|Bearer and nothing after it|no credential)$`, s.sawOdd)
	b.Then(`^the gateway saw nothing$`, s.sawNothing)
	b.Then(`^the gateway was asked (for a stream|without a stream)$`, s.askedForStream)
	b.Then(`^`+ref+` does not work end to end: the gateway refused it and answered to `+ref+`$`, s.masked)
	b.Then(`^the gateway refused it for a wrong (scheme|token), not for a wrong (?:scheme|token)$`, s.refusedFor)
}

func (s *Steps) gatewayAccepts(ctx context.Context, what string) error {
	shape := scenarios.Shape(strings.Trim(what, `"`))
	if what == "Bearer tokens" {
		shape = scenarios.Bearer
	}
	return s.World.AcceptOnly(ctx, shape)
}

func (s *Steps) gatewayAsksNothing(ctx context.Context) error {
	return s.World.AcceptOnly(ctx, scenarios.Nothing)
}

func (s *Steps) gatewayRevoked(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	return s.World.Revoke(ctx, secret)
}

func (s *Steps) gatewayServes(ctx context.Context, path string, status int) error {
	return s.World.ServeOnly(ctx, path, status)
}

func (s *Steps) sawRaw(ctx context.Context, ref string) error {
	return s.sawAs(ctx, ref, string(scenarios.Bearer))
}

// sawAs asks for the latest call: whatever reached the upstream for it was this one credential in this one shape.
func (s *Steps) sawAs(ctx context.Context, ref, shape string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	return s.sawFor(ctx, []scenarios.Probe{probe}, ref, seen(scenarios.Shape(shape)))
}

func (s *Steps) sawRawEveryTime(ctx context.Context, ref string) error {
	if len(s.World.Probes) == 0 {
		return fmt.Errorf("read calls: the scenario made none")
	}
	return s.sawFor(ctx, s.World.Probes, ref, seen(scenarios.Bearer))
}

func (s *Steps) sawDoubled(ctx context.Context, ref string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	return s.sawFor(ctx, []scenarios.Probe{probe}, ref, doubled())
}

// form says in words how a token must have travelled, and whether a credential did.
type form struct {
	words string
	fits  func(c evidence.Credential, fingerprint string) bool
}

func seen(shape scenarios.Shape) form {
	return form{string(shape) + " and the raw token", func(c evidence.Credential, fingerprint string) bool {
		return scenarios.ShapeOf(c) == shape && c.Fingerprint == fingerprint && !c.Padded
	}}
}

func doubled() form {
	return form{"Authorization: Bearer Bearer and the token", func(c evidence.Credential, fingerprint string) bool {
		return scenarios.ShapeOf(c) == scenarios.Bearer && c.Doubled && c.LastWord == fingerprint
	}}
}

// sawFor checks every exchange of the gateway that belongs to the calls.
func (s *Steps) sawFor(ctx context.Context, probes []scenarios.Probe, ref string, want form) error {
	var all []evidence.Exchange
	for _, probe := range probes {
		found, err := s.World.GatewaySaw(ctx, probe.Nonce)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return differs("what the gateway saw", want.words+" of "+ref, "no request of this call")
		}
		all = append(all, found...)
	}
	return s.sawIn(all, ref, want)
}

func (s *Steps) sawIn(all []evidence.Exchange, ref string, want form) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	fingerprint := s.World.Fingerprint(secret.Token)
	for _, e := range all {
		if len(e.Credentials) != 1 || !want.fits(e.Credentials[0], fingerprint) {
			return differs("the credential that the gateway saw", want.words+" of "+ref, s.describe(e))
		}
	}
	return nil
}

// describe shows the credentials of an exchange, with the names of the tokens that the scenario knows.
func (s *Steps) describe(e evidence.Exchange) string {
	if len(e.Credentials) == 0 {
		return "no credential"
	}
	known := s.World.Credentials()
	var all []string
	for _, c := range e.Credentials {
		text := c.String()
		for _, fingerprint := range []string{c.Fingerprint, c.LastWord} {
			if name := known[fingerprint]; name != "" {
				text += ", " + name
				break
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func (s *Steps) sawRawOn(ctx context.Context, ref, one, other string) error {
	return s.sawOn(ctx, ref, seen(scenarios.Bearer), one, other)
}

func (s *Steps) sawDoubledOn(ctx context.Context, ref, one, other string) error {
	return s.sawOn(ctx, ref, doubled(), one, other)
}

// sawOn asks for requests that no call made: each path was asked with the token. A deliberately wrong token, sent to learn
// whether a path is open to anyone, is no exchange of this token and is left out.
func (s *Steps) sawOn(ctx context.Context, ref string, want form, paths ...string) error {
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	fingerprint := s.World.Fingerprint(secret.Token)
	var asked []string
	for _, e := range all {
		if len(e.Credentials) == 1 && want.fits(e.Credentials[0], fingerprint) && !slices.Contains(asked, e.Path) {
			asked = append(asked, e.Path)
		}
	}
	slices.Sort(asked)
	slices.Sort(paths)
	return equal("the paths on which the gateway saw "+want.words+" of "+ref, paths, asked)
}

func (s *Steps) sawBoth(ctx context.Context, one, other string) error {
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	found, err := s.tokensSeen(all)
	if err != nil {
		return err
	}
	want := []string{one, other}
	slices.Sort(want)
	return equal("the secrets whose token the gateway saw as Bearer", want, found)
}

// tokensSeen names the secrets whose raw token came as Bearer; another credential is shown as it came.
func (s *Steps) tokensSeen(all []evidence.Exchange) ([]string, error) {
	var found []string
	for _, e := range all {
		name := s.describe(e)
		for _, secret := range s.World.Secrets() {
			if s.sawIn([]evidence.Exchange{e}, `"`+secret.Name+`"`, seen(scenarios.Bearer)) == nil {
				name = secret.Name
			}
		}
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

func (s *Steps) sawScorerKey(ctx context.Context) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
	if err != nil {
		return err
	}
	for _, e := range all {
		for _, c := range e.Credentials {
			if scenarios.ShapeOf(c) == scenarios.XAPIKeyHeader && c.Fingerprint == s.World.Fingerprint(s.World.ScorerKey()) {
				return nil
			}
		}
	}
	return differs("the credentials that the gateway saw", "x-api-key and the Braintrust key of the scorer", s.describeAll(all))
}

func (s *Steps) describeAll(all []evidence.Exchange) string {
	if len(all) == 0 {
		return "no request"
	}
	var shown []string
	for _, e := range all {
		shown = append(shown, s.describe(e))
	}
	return strings.Join(shown, "; ")
}

// sawOdd is about what a stored value that is no raw token becomes on the wire.
func (s *Steps) sawOdd(ctx context.Context, what string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return differs("what the gateway saw", what, "no request of this call")
	}
	for _, e := range all {
		found := s.describe(e)
		switch {
		case what == "no credential" && len(e.Credentials) == 0,
			len(e.Credentials) == 1 && what == "Bearer and nothing after it" && e.Credentials[0].Scheme == "Bearer" && e.Credentials[0].Length == 0,
			len(e.Credentials) == 1 && strings.HasPrefix(what, "a blank") && e.Credentials[0].Scheme == "Bearer" && e.Credentials[0].Padded:
		default:
			return differs("what the gateway saw", what, found)
		}
	}
	return nil
}

func (s *Steps) sawNothing(ctx context.Context) error {
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return nil
	}
	return differs("what the gateway saw", "nothing", s.describeAll(all))
}

// refusedFor reads the gateway's own reason in its journal: the provider's error text need not survive the way back.
func (s *Steps) refusedFor(ctx context.Context, reason string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
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
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
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
	probe, err := s.World.Probe()
	if err != nil {
		return false, err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
	return slices.ContainsFunc(all, func(e evidence.Exchange) bool {
		return e.Status == http.StatusUnauthorized && s.sawIn([]evidence.Exchange{e}, ref, seen(scenarios.Bearer)) == nil
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
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	all, err := s.World.GatewaySaw(ctx, probe.Nonce)
	if err != nil {
		return err
	}
	return s.sawIn(slices.DeleteFunc(all, func(e evidence.Exchange) bool { return e.Status != http.StatusOK }), instead, seen(scenarios.Bearer))
}
