package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/scenarios"
)

func bindSeen(b Binder) {
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer$`, (*Steps).sawRaw)
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer every time$`, (*Steps).sawRawEveryTime)
	b.Then(`^the gateway saw the raw token of `+ref+` as Bearer on "([^"]*)" and "([^"]*)"$`, (*Steps).sawRawOn)
	b.Then(`^the gateway saw the token of `+ref+` as "([^"]*)"$`, (*Steps).sawAs)
	b.Then(`^the gateway saw Bearer twice before the token of `+ref+`$`, (*Steps).sawDoubled)
	b.Then(`^the gateway saw Bearer twice before the token of `+ref+` on "([^"]*)" and "([^"]*)"$`, (*Steps).sawDoubledOn)
	b.Then(`^the gateway saw "([^"]*)" and "([^"]*)" and no other credential$`, (*Steps).sawBoth)
	b.Then(`^the gateway saw the Braintrust key of the scorer as x-api-key$`, (*Steps).sawScorerKey)
	b.Then(`^the gateway saw a blank between Bearer and the token of `+ref+`$`, (*Steps).sawPadded)
	b.Then(`^the gateway saw (Bearer and nothing after it|no credential)$`, (*Steps).sawOdd)
	b.Then(`^the gateway saw nothing$`, (*Steps).sawNothing)
}

// sawLatest is what reached the upstream for the latest call.
func (s *Steps) sawLatest(ctx context.Context) ([]evidence.Exchange, error) {
	probe, err := s.World.Probe()
	if err != nil {
		return nil, err
	}
	return s.World.GatewaySaw(ctx, probe.Nonce)
}

func (s *Steps) sawRaw(ctx context.Context, ref string) error {
	return s.sawLast(ctx, ref, provider.ShapeBearer)
}

// sawAs asks for the latest call: whatever reached the upstream for it was this one credential in this one shape.
func (s *Steps) sawAs(ctx context.Context, ref, words string) error {
	shape, err := provider.ParseShape(words)
	if err != nil {
		return err
	}
	return s.sawLast(ctx, ref, shape)
}

func (s *Steps) sawLast(ctx context.Context, ref string, shape provider.Shape) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	return s.sawFor(ctx, []scenarios.Probe{probe}, ref, seen(shape))
}

func (s *Steps) sawRawEveryTime(ctx context.Context, ref string) error {
	if len(s.World.Probes) == 0 {
		return fmt.Errorf("read calls: the scenario made none")
	}
	return s.sawFor(ctx, s.World.Probes, ref, seen(provider.ShapeBearer))
}

func (s *Steps) sawDoubled(ctx context.Context, ref string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	return s.sawFor(ctx, []scenarios.Probe{probe}, ref, doubled())
}

func (s *Steps) sawPadded(ctx context.Context, ref string) error {
	probe, err := s.World.Probe()
	if err != nil {
		return err
	}
	return s.sawFor(ctx, []scenarios.Probe{probe}, ref, padded())
}

// shapeOf says in which shape a credential was seen.
func shapeOf(c evidence.Credential) provider.Shape { return provider.ShapeOf(c.Header, c.Scheme) }

// form says in words how a token must have travelled, and whether a credential did.
type form struct {
	words string
	fits  func(c evidence.Credential, fingerprint string) bool
}

func seen(shape provider.Shape) form {
	return form{shape.Words() + " and the raw token", func(c evidence.Credential, fingerprint string) bool {
		return shapeOf(c) == shape && c.Fingerprint == fingerprint && !c.Padded
	}}
}

func padded() form {
	return form{"a blank between Bearer and the token", func(c evidence.Credential, fingerprint string) bool {
		return shapeOf(c) == provider.ShapeBearer && c.Fingerprint == fingerprint && c.Padded
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
	return s.sawOn(ctx, ref, seen(provider.ShapeBearer), one, other)
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
			if s.sawIn([]evidence.Exchange{e}, `"`+secret.Name+`"`, seen(provider.ShapeBearer)) == nil {
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
	all, err := s.sawLatest(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		for _, c := range e.Credentials {
			if shapeOf(c) == provider.ShapeXAPIKey && c.Fingerprint == s.World.Fingerprint(s.World.ScorerKey()) {
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

// sawOdd is about what a stored value that is no token at all becomes on the wire.
func (s *Steps) sawOdd(ctx context.Context, what string) error {
	all, err := s.sawLatest(ctx)
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
			len(e.Credentials) == 1 && what == "Bearer and nothing after it" && e.Credentials[0].Scheme == "Bearer" && e.Credentials[0].Length == 0:
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
