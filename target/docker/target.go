package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/planeproof/planeproof/fakes/sabotage"
	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target"
)

// Target is the three fakes in containers.
type Target struct {
	cluster  *Cluster
	client   *http.Client
	token    string // of the control listeners
	requests atomic.Int64
}

// Start starts the three fakes and returns when each answers. When it fails, or ctx ends first, what it created is removed; its
// error names what could not be. Nothing is pulled.
func Start(ctx context.Context, o Options) (*Target, error) {
	cluster, err := start(ctx, address(), "planeproof-"+strings.ToLower(rand.Text()[:8]), o)
	if err != nil {
		return nil, err
	}
	routes := tenancy.ClosedRoute()
	for address, behind := range cluster.Routes {
		routes[address] = behind
	}
	if broken, err := sabotage.Find(o.Sabotage); err == nil {
		broken.Network(routes)
	}
	client := routes.Client()
	client.Timeout = target.AnswerTime
	return &Target{cluster: cluster, client: client, token: cluster.token}, nil
}

// Describe tells what the target is.
func (t *Target) Describe() target.Description {
	return target.Description{Runtime: "docker", Fakes: true}
}

// Open makes a share of the systems.
func (t *Target) Open(_ context.Context, s target.Scenario) (target.Share, error) {
	return &share{target: t, scenario: s, applied: map[target.System]bool{}}, nil
}

// Renew renews the lease of every system. Of one whose container has ended the error says how.
func (t *Target) Renew(ctx context.Context) error {
	systems := target.Systems()
	failed := make([]error, len(systems))
	var done sync.WaitGroup
	for i, system := range systems {
		done.Go(func() {
			err := t.control(ctx, system, http.MethodPost, "/lease", nil, nil)
			if how := t.cluster.Ended(string(system)); err != nil && how != "" {
				err = fmt.Errorf("%s: %s", system, how)
			}
			failed[i] = err
		})
	}
	done.Wait()
	return errors.Join(failed...)
}

// Close removes the containers and their network.
func (t *Target) Close(ctx context.Context) error {
	t.client.CloseIdleConnections()
	return t.cluster.Close(ctx)
}
