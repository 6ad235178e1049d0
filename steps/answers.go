package steps

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/planeproof/planeproof/target"
)

func (s *Steps) gatewayTLS(ctx context.Context) error { return s.World.FrontWithTLS(ctx) }

func (s *Steps) gatewayForbids(_ context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	s.World.Forbid(secret)
	return nil
}

func (s *Steps) gatewayOpen(context.Context) error {
	s.World.OpenModels()
	return nil
}

func (s *Steps) gatewayLogin(context.Context) error {
	s.World.AnswerWith(0, http.StatusOK, map[string]string{"Content-Type": "text/html; charset=utf-8"},
		"<!doctype html><title>Sign in</title><form action=/login method=post></form>")
	return nil
}

// gatewayRedirects points at the data plane, whose journal shows whoever follows.
func (s *Steps) gatewayRedirects(context.Context) error {
	s.World.AnswerWith(0, http.StatusFound, map[string]string{"Location": s.World.APIURL() + "/login"}, "")
	return nil
}

func (s *Steps) gatewayJSON(_ context.Context, body string) error {
	s.World.AnswerWith(0, http.StatusOK, map[string]string{"Content-Type": "application/json"}, body)
	return nil
}

func (s *Steps) gatewayBusy(_ context.Context, status int, seconds string) error {
	s.World.AnswerWith(0, status, map[string]string{"Retry-After": seconds}, "")
	return nil
}

func (s *Steps) gatewayBusyOnce(context.Context) error {
	s.World.AnswerWith(1, http.StatusTooManyRequests, map[string]string{"Retry-After": "0"}, "")
	return nil
}

func (s *Steps) otherHostSawNothing(ctx context.Context) error {
	plane, err := s.World.Kept(ctx, target.DataPlane)
	if err != nil {
		return err
	}
	for _, e := range plane.Exchanges {
		if strings.HasPrefix(e.Path, "/login") {
			return differs("what the other host saw", "nothing", e.String())
		}
	}
	return nil
}

func (s *Steps) askedTimes(ctx context.Context, times int, path string) error {
	all, err := s.World.GatewaySaw(ctx, "")
	if err != nil {
		return err
	}
	asked := 0
	for _, e := range all {
		if e.Path == path {
			asked++
		}
	}
	return equal("how often the gateway was asked on "+path, strconv.Itoa(times), strconv.Itoa(asked))
}
