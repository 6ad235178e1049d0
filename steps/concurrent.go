package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"

	"github.com/planeproof/planeproof/scenarios"
)

func bindConcurrent(b Binder) {
	b.When(`^(the type and the metadata|two metadata) of `+ref+` are sent at the same time, (\d+) times$`, (*Steps).race)
	b.Then(`^every change of `+ref+` is there$`, (*Steps).noneLost)
	b.Then(`^the metadata of `+ref+` was one of the two each time$`, (*Steps).noneMixed)
}

// round is one turn of concurrent changes: what was sent, and the object that was there after all were answered.
type round struct {
	sent  []map[string]any
	after map[string]any
}

// changesOf are what is sent at the same time in a turn.
func changesOf(what string, turn int) []map[string]any {
	if what == "two metadata" {
		return []map[string]any{
			{"metadata": map[string]any{"turn": float64(turn), "from": "one", "one": true}},
			{"metadata": map[string]any{"turn": float64(turn), "from": "two", "two": true}},
		}
	}
	return []map[string]any{
		{"type": fmt.Sprintf("type-%d", turn)},
		{"metadata": map[string]any{"turn": float64(turn)}},
	}
}

// race sends the changes of each turn at the same time and reads the object when both were answered.
func (s *Steps) race(ctx context.Context, what, ref string, times int) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	for turn := range times {
		r := round{sent: changesOf(what, turn)}
		if err := s.sendAtOnce(ctx, secret, r.sent); err != nil {
			return err
		}
		now, err := s.World.Read(ctx, secret)
		if err != nil {
			return err
		}
		r.after = decoded(now)
		s.rounds = append(s.rounds, r)
	}
	return nil
}

func (s *Steps) sendAtOnce(ctx context.Context, secret *scenarios.Secret, changes []map[string]any) error {
	var group errgroup.Group
	for _, change := range changes {
		group.Go(func() error {
			body, err := json.Marshal(change)
			if err != nil {
				return err
			}
			answer, err := s.World.API(ctx, s.World.AdminKey(), http.MethodPatch, secret.Path(), body)
			if err == nil && answer.Status != http.StatusOK {
				err = fmt.Errorf("patch %s: answered %d: %s", secret.Name, answer.Status, answer.Excerpt())
			}
			return err
		})
	}
	return group.Wait()
}

var errNoRound = errors.New("compare changes: none were sent")

// noneLost asks that after each turn both changes were there.
func (s *Steps) noneLost(_ context.Context, ref string) error {
	if len(s.rounds) == 0 {
		return errNoRound
	}
	for turn, r := range s.rounds {
		for _, sent := range r.sent {
			for field := range sent {
				if err := sameValue(fmt.Sprintf("%s of %s after turn %d", field, ref, turn), sent, r.after, field); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// noneMixed asks that after each turn one of the two was there, whole.
func (s *Steps) noneMixed(_ context.Context, ref string) error {
	if len(s.rounds) == 0 {
		return errNoRound
	}
	for turn, r := range s.rounds {
		one, two := r.sent[0]["metadata"], r.sent[1]["metadata"]
		if !assert.ObjectsAreEqual(one, r.after["metadata"]) && !assert.ObjectsAreEqual(two, r.after["metadata"]) {
			return differs(fmt.Sprintf("metadata of %s after turn %d", ref, turn),
				jsonValue(r.sent[0], "metadata")+" or "+jsonValue(r.sent[1], "metadata"), jsonValue(r.after, "metadata"))
		}
	}
	return nil
}
