package docker

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAvailableSaysInOneLineWhyNot(t *testing.T) {
	nothing := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	t.Setenv("DOCKER_HOST", nothing)
	err := Available(t.Context())
	require.ErrorContains(t, err, "docker engine does not answer at "+nothing)
	assert.NotContains(t, err.Error(), "\n")

	_, err = Start(t.Context(), Options{})
	require.ErrorContains(t, err, "docker engine does not answer at "+nothing)
}

func TestConnectRefusesWhatCannotServe(t *testing.T) {
	t.Parallel()
	closed := filepath.Join(t.TempDir(), "closed.sock")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", closed)
	require.NoError(t, err)
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
	for host, want := range map[string]string{
		"unix://" + closed:           "does not answer at unix://" + closed,
		"tcp://192.0.2.1:2375":       "docker engine at tcp://192.0.2.1:2375 is not on this machine",
		"tcp://docker:2375":          "not on this machine",
		"ssh://me:secret@build/sock": "docker engine at ssh://me:xxxxx@build/sock is not on this machine",
		"tcp://127.0.0.1:1":          "does not answer at tcp://127.0.0.1:1",
		"docker.sock":                "not on this machine",
		"unix://%zz":                 "DOCKER_HOST is no URL",
	} {
		_, err := connect(t.Context(), host)
		require.ErrorContains(t, err, want, host)
		assert.NotContains(t, err.Error(), "\n", host)
	}
}

func TestNothingIsPulled(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	c := newCluster(t.Context(), e, run)
	err := c.start(t.Context(), func(context.Context) (string, error) { return repository + ":absent", nil })
	require.ErrorContains(t, err, "image "+repository+":absent is not on the engine, and nothing is pulled")
	require.NoError(t, c.Close(t.Context()))
	assertNothingLeft(t, e, run)
}

func TestSweepRemovesWhatNoContainerUses(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	image, err := e.image(t.Context(), Options{Executable: buildFake(t, "")})
	require.NoError(t, err)
	require.NoError(t, e.createNetwork(t.Context(), run))
	_, err = e.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Name: run + "-never-started", Config: &container.Config{Image: image, Labels: map[string]string{runLabel: run}},
	})
	require.NoError(t, err)

	e.sweep(t.Context(), runLabel+"="+run, time.Now().Add(-sweepAge))
	containers, networks := ours(t, e, run)
	assert.Len(t, containers, 1, "a start under way keeps its container")
	assert.Len(t, networks, 1, "a start under way keeps its network")

	e.sweep(t.Context(), runLabel+"="+run, time.Now().Add(sweepAge))
	assertNothingLeft(t, e, run)
}

func TestSweepLeavesARunAlone(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	c, err := start(t.Context(), address(), run, Options{Executable: buildFake(t, "")})
	require.NoError(t, err)
	e.sweep(t.Context(), runLabel+"="+run, time.Now().Add(sweepAge))
	assert.Equal(t, "pong from gateway", get(t, c, "gateway:8080", "/ping"))
	require.NoError(t, c.Close(t.Context()))
}
