package steps

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/remedy/verify"
	"github.com/planeproof/planeproof/scenarios"
)

// silence is how long a gateway that never answers is waited for; one that answers is not bounded by it.
const silence = 250 * time.Millisecond

func bindToken(b Binder) {
	b.When(`^the token of `+ref+` is verified(?: at (an address where nothing listens|a name that does not resolve|a gateway that gives no answer|its own api_base|the base with "[^"]*" added))?(?: (with a Bearer prefix|with a Bearer prefix all the same|with \d+ retries|without a wrong token|over TLS|over TLS with the authority given))?$`, (*Steps).verify)
	b.Then(`^the wrong token was announced and sent once on "([^"]*)" and once on "([^"]*)"$`, (*Steps).wrongTokenSentOnce)
	b.Then(`^it is said that no wrong token was sent$`, (*Steps).noWrongTokenSaid)
	b.Then(`^the verdict(?: on "([^"]*)")? is "([^"]*)"$`, (*Steps).verdictIs)
	b.Then(`^the (advice|problem of the token|detail on "[^"]*") names "([^"]*)"$`, (*Steps).verifierNames)
	b.Then(`^of the paths the advice names "([^"]*)" alone$`, (*Steps).adviceNamesPath)
}

// verify verifies a secret's token at the gateway, as `planeproof verify-token` does.
func (s *Steps) verify(ctx context.Context, ref, place, how string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	o := verify.Options{Client: s.World.Client(), From: "the harness"}
	ctx, base, err := s.verifyAt(ctx, ref, place, &o)
	if err != nil {
		return err
	}
	token := secret.Token
	switch how {
	case "":
	case "with a Bearer prefix", "with a Bearer prefix all the same":
		token, o.SendAnyway = "Bearer "+token, how != "with a Bearer prefix"
	case "without a wrong token":
		o.SkipOpenCheck = true
	case "over TLS", "over TLS with the authority given":
		front := s.World.TLS
		if front == nil {
			return errors.New("verify token over TLS: the scenario has put no gateway behind TLS")
		}
		authorities := x509.NewCertPool()
		if how != "over TLS" {
			authorities = front.Authority
		}
		o, base = verify.Options{Client: front.Client(authorities)}, front.URL
	default:
		if _, err := fmt.Sscanf(how, "with %d retries", &o.Retries); err != nil {
			return fmt.Errorf("read %q: %w", how, err)
		}
	}
	s.verified = verify.Token(ctx, o, base, token)
	return nil
}

// verifyAt is the base of a place, empty for the gateway's own; where no answer can come, the context says that none must.
func (s *Steps) verifyAt(ctx context.Context, ref, place string, o *verify.Options) (context.Context, string, error) {
	switch place {
	case "":
		return ctx, s.World.GatewayURL(), nil
	case "an address where nothing listens":
		return scenarios.MayFail(ctx), s.World.ClosedURL(), nil
	case "a name that does not resolve":
		return scenarios.MayFail(ctx), "http://no-such-gateway.invalid", nil // RFC 6761: never resolves
	case "a gateway that gives no answer":
		s.World.Silence()
		o.Timeout = silence
		return scenarios.MayFail(ctx), s.World.GatewayURL(), nil
	case "its own api_base": // as the API shows it: whoever holds only the secret's id has no other
		_, now, err := s.read(ctx, ref)
		return ctx, gjson.GetBytes(now, "metadata.api_base").String(), err
	default:
		return ctx, s.World.GatewayURL() + names(place)[0], nil
	}
}

// verdictIs asks for the verdict on the token, or on one path.
func (s *Steps) verdictIs(_ context.Context, path, verdict string) error {
	what, found, detail := "the verdict on the token", s.verified.Verdict, s.verified.Detail
	if path != "" {
		p := s.pathVerdict(path)
		what, found, detail = "the verdict on "+path, p.Verdict, p.Detail
	}
	if found == "" {
		return fmt.Errorf("read verdict: no token was verified")
	}
	if string(found) != verdict {
		return differs(what, verdict, fmt.Sprintf("%s (%s)", found, detail))
	}
	return nil
}

// notAsked stands for what a path that was not asked said.
const notAsked = "the path was not asked"

// pathVerdict is what was found out on one path.
func (s *Steps) pathVerdict(path string) verify.PathVerdict {
	i := slices.IndexFunc(s.verified.Paths, func(p verify.PathVerdict) bool { return p.Path == path })
	if i < 0 {
		return verify.PathVerdict{Verdict: "none", Detail: notAsked, OpenCheck: notAsked}
	}
	return s.verified.Paths[i]
}

// verifierNames looks for words in what the verifier says of a thing.
func (s *Steps) verifierNames(_ context.Context, where, words string) error {
	var said string
	switch where {
	case "advice":
		said = s.verified.Advice
	case "problem of the token":
		said = strings.Join(s.verified.TokenProblems, "; ")
	default:
		said = s.pathVerdict(names(where)[0]).Detail
	}
	if !strings.Contains(said, words) {
		return differs("the "+where, "one that names "+words, cmp.Or(said, "none"))
	}
	return nil
}

// modelsPath finds the paths of a model list in a text.
var modelsPath = regexp.MustCompile(`(?:/v1)?/models`)

// adviceNamesPath reads paths whole: /models is a part of /v1/models.
func (s *Steps) adviceNamesPath(_ context.Context, path string) error {
	if !slices.Equal(modelsPath.FindAllString(s.verified.Advice, -1), []string{path}) {
		return differs("the advice", "one that names "+path+" alone", s.verified.Advice)
	}
	return nil
}

// noWrongToken is what a result says where it kept a wrong token back.
const noWrongToken = "no deliberately wrong token was sent"

// wrongTokenSentOnce looks at both sides: the result says that a wrong token was sent, and the gateway got it, once per path.
func (s *Steps) wrongTokenSentOnce(ctx context.Context, one, other string) error {
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	known := s.World.Credentials()
	strangers := map[string]int{}
	for _, e := range all {
		if len(e.Credentials) == 1 && known[e.Credentials[0].Fingerprint] == "" {
			strangers[e.Path]++
		}
	}
	if err := equal("how often each path got a wrong token", map[string]int{one: 1, other: 1}, strangers); err != nil {
		return err
	}
	for _, path := range []string{one, other} {
		if told := s.pathVerdict(path).OpenCheck; told == "" || told == notAsked || strings.Contains(told, noWrongToken) {
			return differs("what is said of the wrong token on "+path, "that it was sent", cmp.Or(told, "nothing"))
		}
	}
	return nil
}

// noWrongTokenSaid looks at both sides: every path says so, and the gateway got one request for each.
func (s *Steps) noWrongTokenSaid(ctx context.Context) error {
	if len(s.verified.Paths) == 0 {
		return differs("the paths asked", "some", "none")
	}
	for _, p := range s.verified.Paths {
		if !strings.Contains(p.OpenCheck, noWrongToken) {
			return differs("what is said of the wrong token on "+p.Path, "that none was sent", cmp.Or(p.OpenCheck, "nothing"))
		}
	}
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	return equal("requests at the gateway", len(s.verified.Paths), len(all))
}
