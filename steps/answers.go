package steps

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/planeproof/planeproof/stack"
)

func (s *Steps) gatewayTLS(ctx context.Context) error { return s.World.FrontWithTLS(ctx) }

func (s *Steps) gatewayForbids(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	return s.World.Forbid(ctx, secret)
}

func (s *Steps) gatewayOpen(ctx context.Context) error { return s.World.OpenModels(ctx) }

func (s *Steps) gatewayLogin(ctx context.Context) error {
	return s.World.AnswerWith(ctx, 0, http.StatusOK, map[string]string{"Content-Type": "text/html; charset=utf-8"},
		"<!doctype html><title>Sign in</title><form action=/login method=post></form>")
}

// gatewayRedirects points at the data plane, whose journal shows whoever follows.
func (s *Steps) gatewayRedirects(ctx context.Context) error {
	return s.World.AnswerWith(ctx, 0, http.StatusFound, map[string]string{"Location": s.World.APIURL() + "/login"}, "")
}

func (s *Steps) gatewayJSON(ctx context.Context, body string) error {
	return s.World.AnswerWith(ctx, 0, http.StatusOK, map[string]string{"Content-Type": "application/json"}, body)
}

func (s *Steps) gatewayBusy(ctx context.Context, status int, seconds string) error {
	return s.World.AnswerWith(ctx, 0, status, map[string]string{"Retry-After": seconds}, "")
}

func (s *Steps) gatewayBusyOnce(ctx context.Context) error {
	return s.World.AnswerWith(ctx, 1, http.StatusTooManyRequests, map[string]string{"Retry-After": "0"}, "")
}

func (s *Steps) otherHostSawNothing(ctx context.Context) error {
	all, err := s.World.Stack.Journal(ctx, stack.DataPlane(), s.World.Tenant.ID)
	if err != nil {
		return err
	}
	for _, e := range all {
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
