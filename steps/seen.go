package steps

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/scenarios"
)

func bindSeen(b Binder) {
	b.Then(`^the gateway saw the raw token of `+ref+` as (`+formWords()+`)( every time)?$`, (*Steps).saw)
	b.Then(`^the gateway saw the raw token of `+ref+` as (Bearer|Bearer Bearer) on "([^"]*)" and "([^"]*)"$`, (*Steps).sawOn)
	b.Then(`^the gateway saw "([^"]*)" and "([^"]*)" and no other credential$`, (*Steps).sawBoth)
	b.Then(`^the gateway saw the Braintrust key of the scorer as x-api-key$`, (*Steps).sawScorerKey)
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

// saw asks for the latest call, or for every call of the scenario: whatever reached the upstream for it was this one credential in this one form.
func (s *Steps) saw(ctx context.Context, ref, as, always string) error {
	latest, err := s.World.Probe()
	if err != nil {
		return err
	}
	probes := []scenarios.Probe{latest}
	if always != "" {
		probes = s.World.Probes
	}
	var all []evidence.Exchange
	for _, probe := range probes {
		found, err := s.World.GatewaySaw(ctx, probe.Nonce)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return differs("what the gateway saw", forms()[as].words+" of "+ref, "no request of this call")
		}
		all = append(all, found...)
	}
	return s.sawIn(all, ref, forms()[as])
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

// forms are all forms of a raw token, as sentences name them.
func forms() map[string]form {
	all := map[string]form{"Bearer Bearer": doubled(), "Bearer and a blank": padded()}
	for words, shape := range scenarios.Shapes() {
		all[words] = seen(shape)
	}
	return all
}

func formWords() string { return strings.Join(slices.Sorted(maps.Keys(forms())), "|") }

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

// sawOn asks for requests that no call made: each path was asked with the token. A deliberately wrong token, sent to learn
// whether a path is open to anyone, is no exchange of this token and is left out.
func (s *Steps) sawOn(ctx context.Context, ref, as, one, other string) error {
	want, paths := forms()[as], []string{one, other}
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

// sawBoth asks of the whole scenario: both raw tokens came as Bearer, and nothing else came.
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
			if len(e.Credentials) == 1 && seen(provider.ShapeBearer).fits(e.Credentials[0], s.World.Fingerprint(secret.Token)) {
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

// sawScorerKey asks of the latest call whether the caller's own key was passed on.
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

// sawNothing asks of the whole scenario.
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
