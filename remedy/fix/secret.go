package fix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// state is a stored secret as the API showed it at one time, its project by the id alone.
type state struct {
	inventory.Secret
	raw   json.RawMessage // the API's whole answer
	gone  bool            // a 404, and nothing else is known
	alien error           // why it is none that a remedy is for
}

// newState reads an answer of the API.
func newState(raw json.RawMessage) (state, error) {
	o, err := control.Answer{Body: raw}.Object()
	s := state{raw: raw, Secret: inventory.Secret{
		ID: o.ID, Name: o.Name, Type: o.Type, Preview: o.Preview, Metadata: o.Metadata, SecretUpdatedAt: o.SecretUpdatedAt,
	}}
	if o.Metadata == nil {
		s.Metadata = json.RawMessage("null")
	}
	switch {
	case o.ObjectType == "":
		s.Level = inventory.Org
	case o.Category != "ai_provider" && (o.Category != "" || o.Type == ""):
		s.alien = fmt.Errorf("%w: %s is an environment variable and no AI provider", ErrNotApplied, evidence.Printable(o.Name))
	case o.ObjectType == "organization":
		s.Level = inventory.OrgEnv
	case o.ObjectType == "project":
		s.Level, s.Project = inventory.Project, &inventory.ProjectRef{ID: o.ObjectID}
	default:
		s.alien = fmt.Errorf("%w: %s belongs to a %s, which no remedy knows", ErrNotApplied, evidence.Printable(o.Name), evidence.Printable(o.ObjectType))
	}
	return s, err
}

// get reads a secret from its own path.
func get(ctx context.Context, client *control.Client, path string) (state, error) {
	answer, err := client.Get(ctx, path)
	if control.KindOf(err) == control.NotFound {
		return state{gone: true}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read provider secret: %w", err)
	}
	s, err := newState(answer.Body)
	if err != nil {
		return state{}, fmt.Errorf("read provider secret %s: %w", path, err)
	}
	client.HideMetadata(s.Metadata)
	return s, nil
}

// Find reads one provider secret by its id, whichever level it belongs to, its project by the id alone. It sends GET alone. What is no
// provider secret is refused.
func Find(ctx context.Context, client *control.Client, id string) (inventory.Secret, error) {
	for _, level := range []inventory.Level{inventory.Org, inventory.Project} {
		found, err := get(ctx, client, inventory.Secret{ID: url.PathEscape(id), Level: level}.Path())
		if err != nil || !found.gone {
			return found.Secret, errors.Join(err, found.alien)
		}
	}
	return inventory.Secret{}, fmt.Errorf("%w: find provider secret %s: neither ai_secret nor env_var has this id (404)",
		ErrNotApplied, evidence.Printable(id))
}

// The pauses between two readings of what looks unchanged grow from the first to the longest.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 4 * time.Second
)

// readAll reads secrets, several at once, and those that are not settled again with growing pauses, for at most Wait for all together:
// what an API shows after a write can be old. settled is told how often the secret was read, this time included.
func (s *session) readAll(ctx context.Context, n int, path func(i int) string, settled func(i int, now state, times int) bool) ([]state, error) {
	all, open := make([]state, n), make([]int, n) // places in all
	for i := range open {
		open[i] = i
	}
	end, pause := s.Now().Add(s.Wait), firstPause
	for times := 1; ; times++ {
		err := control.Each(ctx, len(open), func(ctx context.Context, i int) (err error) {
			all[open[i]], err = get(ctx, s.client, path(open[i]))
			return err
		}, s.Progress)
		if err != nil {
			return nil, err
		}
		open = slices.DeleteFunc(open, func(i int) bool { return settled(i, all[i], times) })
		left := end.Sub(s.Now())
		if len(open) == 0 || left <= 0 {
			return all, nil
		}
		if err := s.Sleep(ctx, min(pause, left)); err != nil {
			return nil, err
		}
		pause = min(2*pause, longestPause)
	}
}

// once is content with one reading.
func once(int, state, int) bool { return true }

// readUntil reads one secret until it is settled, for at most Wait. One that is gone is an ErrNotApplied.
func (s *session) readUntil(ctx context.Context, path string, settled func(state) bool) (state, error) {
	one := *s
	one.Progress = nil
	itself := func(int) string { return path }
	all, err := one.readAll(ctx, 1, itself, func(_ int, now state, _ int) bool { return now.gone || settled(now) })
	if err == nil && all[0].gone {
		err = fmt.Errorf("%w: it does not exist any more", ErrNotApplied)
	}
	if err != nil {
		return state{}, err
	}
	return all[0], nil
}
