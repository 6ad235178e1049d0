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
	b.When(`^the token of `+ref+` is verified$`, (*Steps).verify)
	b.When(`^the token of `+ref+` is verified with a Bearer prefix( all the same)?$`, (*Steps).verifyPrefixed)
	b.When(`^the token of `+ref+` is verified at (an address where nothing listens|a name that does not resolve|a gateway that gives no answer)$`, (*Steps).verifyAt)
	b.When(`^the token of `+ref+` is verified over TLS( with the authority given)?$`, (*Steps).verifyOverTLS)
	b.When(`^the token of `+ref+` is verified at the base with "([^"]*)" added$`, (*Steps).verifyAtSuffix)
	b.When(`^the token of `+ref+` is verified at its own api_base$`, (*Steps).verifyAtOwnBase)
	b.When(`^the token of `+ref+` is verified with (\d+) retries$`, (*Steps).verifyWithRetries)
	b.When(`^the token of `+ref+` is verified without a wrong token$`, (*Steps).verifyWithoutOpenCheck)
	b.Then(`^the detail on "([^"]*)" names "([^"]*)"$`, (*Steps).detailNames)
	b.Then(`^the wrong token was announced and sent once on "([^"]*)" and once on "([^"]*)"$`, (*Steps).wrongTokenSentOnce)
	b.Then(`^it is said that no wrong token was sent$`, (*Steps).noWrongTokenSaid)
	b.Then(`^the verdict is "([^"]*)"$`, (*Steps).verdictIs)
	b.Then(`^the verdict on "([^"]*)" is "([^"]*)"$`, (*Steps).verdictOn)
	b.Then(`^the advice names "([^"]*)"$`, (*Steps).adviceNames)
	b.Then(`^of the paths the advice names "([^"]*)" alone$`, (*Steps).adviceNamesPath)
	b.Then(`^the word "([^"]*)" is named as a problem of the token$`, (*Steps).problemNames)
}

func (s *Steps) verifyOptions() verify.Options {
	return verify.Options{Client: s.World.Client(), From: "the harness"}
}

func (s *Steps) verify(ctx context.Context, ref string) error {
	return s.verifyAs(ctx, ref, s.World.GatewayURL(), s.verifyOptions())
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
		base = s.World.ClosedURL()
	case "a name that does not resolve":
		base = "http://no-such-gateway.invalid" // RFC 6761: never resolves
	default:
		s.World.Silence()
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

func (s *Steps) verdictOn(_ context.Context, path, verdict string) error {
	if p := s.pathVerdict(path); string(p.Verdict) != verdict {
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

// modelsPath finds the paths of a model list in a text.
var modelsPath = regexp.MustCompile(`(?:/v1)?/models`)

// adviceNamesPath reads paths whole: /models is a part of /v1/models.
func (s *Steps) adviceNamesPath(_ context.Context, path string) error {
	if !slices.Equal(modelsPath.FindAllString(s.verified.Advice, -1), []string{path}) {
		return differs("the advice", "one that names "+path+" alone", s.verified.Advice)
	}
	return nil
}

func (s *Steps) problemNames(_ context.Context, word string) error {
	if !strings.Contains(strings.Join(s.verified.TokenProblems, "; "), "the word "+word) {
		return differs("the problems of the token", "one that names "+word, show(s.verified.TokenProblems))
	}
	return nil
}

func (s *Steps) verifyOverTLS(ctx context.Context, ref, known string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	front := s.World.TLS
	if front == nil {
		return errors.New("verify token over TLS: the scenario has put no gateway behind TLS")
	}
	authorities := x509.NewCertPool()
	if known != "" {
		authorities = front.Authority
	}
	s.verified = verify.Token(ctx, verify.Options{Client: front.Client(authorities)}, front.URL, secret.Token)
	return nil
}

func (s *Steps) verifyAtSuffix(ctx context.Context, ref, suffix string) error {
	return s.verifyAs(ctx, ref, s.World.GatewayURL()+suffix, s.verifyOptions())
}

// verifyAtOwnBase takes the base from the object that the API shows, as whoever holds only the secret's id must.
func (s *Steps) verifyAtOwnBase(ctx context.Context, ref string) error {
	_, now, err := s.read(ctx, ref)
	if err != nil {
		return err
	}
	return s.verifyAs(ctx, ref, gjson.GetBytes(now, "metadata.api_base").String(), s.verifyOptions())
}

func (s *Steps) verifyWithRetries(ctx context.Context, ref string, retries int) error {
	o := s.verifyOptions()
	o.Retries = retries
	return s.verifyAs(ctx, ref, s.World.GatewayURL(), o)
}

func (s *Steps) verifyWithoutOpenCheck(ctx context.Context, ref string) error {
	o := s.verifyOptions()
	o.SkipOpenCheck = true
	return s.verifyAs(ctx, ref, s.World.GatewayURL(), o)
}

func (s *Steps) verifyAs(ctx context.Context, ref, base string, o verify.Options) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	s.verified = verify.Token(ctx, o, base, secret.Token)
	return nil
}

func (s *Steps) detailNames(_ context.Context, path, words string) error {
	if p := s.pathVerdict(path); !strings.Contains(p.Detail, words) {
		return differs("the detail on "+path, "one that names "+words, p.Detail)
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
