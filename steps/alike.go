package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/scenarios"
)

// halfUpgraded is what the harness says where one call is treated in two ways: not that it is flaky, and not that a second try passed
// (behaviour list: half-upgraded fleet).
const halfUpgraded = "the same call is treated in two ways, as by a half-upgraded fleet whose instances answer in turn"

// treatment is how one call was treated: its status, and the shapes in which credentials reached the upstream.
func (s *Steps) treatment(ctx context.Context, p scenarios.Probe) (string, error) {
	seen, err := s.World.GatewaySaw(ctx, p.Nonce)
	if err != nil {
		return "", err
	}
	shapes := []string{}
	for _, e := range seen {
		for _, c := range e.Credentials {
			if shape := shapeOf(c).Words(); !slices.Contains(shapes, shape) {
				shapes = append(shapes, shape)
			}
		}
	}
	slices.Sort(shapes)
	return fmt.Sprintf("status %d with %s", p.Status, strings.Join(shapes, " and ")), nil
}

// treatments lists how the calls since the latest change that equal the last one were treated, each way once, and the whole sequence.
func (s *Steps) treatments(ctx context.Context) (ways, all []string, err error) {
	last, err := s.World.Probe()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range s.World.Probes[s.probesBefore:] {
		call := p.Call
		if call.Nonce = last.Nonce; call != last.Call || p.Cached == "HIT" {
			continue
		}
		way, err := s.treatment(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, way)
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return ways, all, nil
}

// alike is an error where the calls since the latest change were not all treated alike, whatever the last one got.
func (s *Steps) alike(ctx context.Context) error {
	ways, all, err := s.treatments(ctx)
	if err != nil || len(ways) < 2 {
		return err
	}
	return differs(fmt.Sprintf("how %d equal calls were treated", len(all)), "all alike",
		halfUpgraded+": "+strings.Join(ways, ", then ")+" in the order "+order(ways, all))
}

// repeats is how often a failed call is sent again to tell a half-upgraded fleet from a failure. That one of them passes makes
// nothing pass.
const repeats = 3

func (s *Steps) alikeWhenRepeated(ctx context.Context, c scenarios.Call) error {
	for i := range repeats {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.World.Again(ctx, c, fmt.Sprintf("call repeated, %d of %d", i+1, repeats))
	}
	return s.alike(ctx)
}

// order writes a sequence of treatments as letters, `ABAB`.
func order(ways, all []string) string {
	var b strings.Builder
	for _, way := range all {
		b.WriteRune('A' + rune(slices.Index(ways, way)))
	}
	return b.String()
}

// treatedAlike asks for calls that reached the upstream: refusing every one of them is no treatment.
func (s *Steps) treatedAlike(ctx context.Context) error {
	ways, all, err := s.treatments(ctx)
	if err != nil || len(all) < 2 {
		return errors.Join(err, fmt.Errorf("compare calls: there are %d", len(all)))
	}
	if seen, err := s.sawLatest(ctx); err != nil || len(seen) == 0 {
		return errors.Join(err, differs("how equal calls were treated", "passed on to the gateway", strings.Join(ways, ", then ")))
	}
	return s.alike(ctx)
}

// treatedInTurn checks the alternation itself, each way by what that half must do.
func (s *Steps) treatedInTurn(ctx context.Context) error {
	ways, all, err := s.treatments(ctx)
	if err != nil {
		return err
	}
	want := []string{"status 200 with Authorization: Bearer", "status 401 with Authorization: Api-Key"}
	slices.Sort(ways)
	if err := equal("the ways in which the calls were treated", want, ways); err != nil {
		return err
	}
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			return differs("the order in which the calls were treated", "in turn", order(ways, all))
		}
	}
	return nil
}

// failsAsHalfUpgraded asks what "the scorer succeeds" would say.
func (s *Steps) failsAsHalfUpgraded(ctx context.Context) error {
	err := s.succeeds(ctx, theScorer)
	if err == nil || !strings.Contains(err.Error(), halfUpgraded) {
		return differs("what a scorer that must succeed is told", halfUpgraded, fmt.Sprint(err))
	}
	return nil
}
