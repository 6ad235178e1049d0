package steps

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/planeproof/planeproof/target"
)

// gatewayAnswers makes the gateway give an answer in place of its own. The other host of a redirect is the data plane, whose journal shows
// whoever follows.
func (s *Steps) gatewayAnswers(_ context.Context, requests, answer string) error {
	times := map[string]int{"every request": 0, "the next request": 1}[requests]
	body, isJSON := strings.CutPrefix(answer, "the JSON ")
	switch {
	case isJSON:
		s.World.AnswerWith(times, http.StatusOK, map[string]string{"Content-Type": "application/json"}, body)
	case answer == "a login page":
		s.World.AnswerWith(times, http.StatusOK, map[string]string{"Content-Type": "text/html; charset=utf-8"},
			"<!doctype html><title>Sign in</title><form action=/login method=post></form>")
	case answer == "a redirect to another host":
		s.World.AnswerWith(times, http.StatusFound, map[string]string{"Location": s.World.APIURL() + "/login"}, "")
	default:
		status, seconds, _ := strings.Cut(answer, " and Retry-After ")
		code, err := strconv.Atoi(status)
		if err != nil {
			return fmt.Errorf("read answer %q: %w", answer, err)
		}
		s.World.AnswerWith(times, code, map[string]string{"Retry-After": seconds}, "")
	}
	return nil
}

// otherHostSawNothing asks that no redirect was followed.
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

// askedTimes counts the requests of the whole scenario on a path.
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
