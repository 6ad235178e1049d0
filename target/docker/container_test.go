package docker

import (
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/tenancy"
)

// exited is the engine's news of an exit code.
func exited(code int64) client.ContainerWaitResult {
	result := make(chan container.WaitResponse, 1)
	result <- container.WaitResponse{StatusCode: code}
	return client.ContainerWaitResult{Result: result}
}

func TestContainersAreToldHowToBeBroken(t *testing.T) {
	t.Parallel()
	for _, system := range systems() {
		assert.NotContains(t, command(system, ""), "--sabotage")
		assert.Equal(t, []string{"--sabotage", "log-silent"}, command(system, "log-silent")[len(command(system, "")):])
	}
}

// TestFateTellsWhatTheEngineKnew has the news of memory come before, after and never; what never ended has no fate.
func TestFateTellsWhatTheEngineKnew(t *testing.T) {
	t.Parallel()
	gone, wentLater, running, failed := &fake{name: "gone"}, &fake{name: "later"}, &fake{name: "running"}, &fake{name: "failed"}
	messages, errs := make(chan events.Message), make(chan error)
	done := make(chan struct{})
	go func() {
		defer close(done)
		noteMemory([]*fake{gone, wentLater, running, failed}, client.EventsResult{Messages: messages, Err: errs})
	}()
	short := func(name string) {
		messages <- events.Message{Actor: events.Actor{Attributes: map[string]string{"name": name}}}
	}
	short("gone")
	gone.end(exited(137))
	wentLater.end(exited(137))
	short("later")
	short("running")
	failed.end(exited(3))
	close(errs)
	<-done
	assert.Equal(t, "ended with exit code 137 (killed): out of memory, of which it has 512 MiB", gone.fate())
	assert.Equal(t, gone.fate(), wentLater.fate())
	assert.Empty(t, running.fate())
	assert.Equal(t, "ended with exit code 3", failed.fate())

	c := &Cluster{fakes: []*fake{{system: "gateway", name: "planeproof-x-gateway"}, {system: "data-plane", name: "planeproof-x-data-plane"}}}
	c.fakes[1].end(exited(137))
	assert.Empty(t, c.Ended("gateway"))
	assert.Equal(t, "container planeproof-x-data-plane ended with exit code 137 (killed)", c.Ended("data-plane"))

	err := (&Target{cluster: c, client: tenancy.Routes{}.Client()}).Renew(t.Context())
	require.ErrorContains(t, err, "control gateway: ")
	require.ErrorContains(t, err, "data-plane: container planeproof-x-data-plane ended with exit code 137 (killed)")
}
