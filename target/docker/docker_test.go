package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const eventually, often = 20 * time.Second, 20 * time.Millisecond

// TestMain sets what a user may have set, and what testcontainers reads once: a mirror does not make another image of ours.
func TestMain(m *testing.M) {
	if err := os.Setenv("TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX", "mirror.invalid"); err != nil {
		panic(err)
	}
	var err error
	if binDir, err = os.MkdirTemp("", "planeproof-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(binDir)
	os.Exit(code)
}

// binDir holds what the tests build, each thing once.
var (
	binDir string
	built  sync.Map // set of buildFake → a function that builds it once
)

// requireEngine skips the test where no engine answers, or fails it where PLANEPROOF_REQUIRE_DOCKER=1 says that one must.
func requireEngine(t *testing.T) *engine {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are for a longer test")
	}
	e, err := connect(t.Context(), address())
	if err != nil && os.Getenv("PLANEPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	return e
}

// newRun names a run, and removes after the test what a failure left of it.
func newRun(t *testing.T, e *engine) string {
	t.Helper()
	run := "planeproof-test-" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.Eventually(t, func() bool { // the engine lists a container for a while before it can remove it
			containers, networks := ours(t, e, run)
			for _, name := range containers {
				_, _ = e.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true})
			}
			for _, name := range networks {
				_, _ = e.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
			}
			return len(containers)+len(networks) == 0
		}, eventually, often)
	})
	return run
}

// ours lists the containers and networks of a run.
func ours(t *testing.T, e *engine, run string) (containers, networks []string) {
	t.Helper()
	filters := client.Filters{}.Add("label", runLabel+"="+run)
	ctx := context.WithoutCancel(t.Context())
	list, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	require.NoError(t, err)
	for _, c := range list.Items {
		containers = append(containers, strings.TrimPrefix(c.Names[0], "/"))
	}
	nets, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	require.NoError(t, err)
	for _, n := range nets.Items {
		networks = append(networks, n.Name)
	}
	return containers, networks
}

func assertNothingLeft(t *testing.T, e *engine, run string) {
	t.Helper()
	containers, networks := ours(t, e, run)
	assert.Empty(t, containers)
	assert.Empty(t, networks)
}

// buildFake builds the stand-in for planeproof; set is a variable of it, `name=value`, or empty.
func buildFake(t *testing.T, set string) string {
	t.Helper()
	once, _ := built.LoadOrStore(set, sync.OnceValues(func() (string, error) {
		out, flags := filepath.Join(binDir, "fake "+set), "-s -w"
		if set != "" {
			flags += " -X main." + set
		}
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", out, fakeCommand)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		text, err := build.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return out, err
	}))
	out, err := once.(func() (string, error))()
	require.NoError(t, err)
	return out
}

// get asks an address of the network by way of its published port.
func get(t *testing.T, c *Cluster, address, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	answer, err := c.Routes.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return strings.TrimSpace(string(body))
}

// requireOutput waits for what a container printed, which arrives in its own time.
func requireOutput(t *testing.T, c *Cluster, system, want string) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		output, err := c.Output(context.Background(), system)
		require.NoError(t, err)
		assert.Equal(t, want, output)
	}, eventually, often)
}

func TestStartGivesThreeSystems(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	c, err := start(t.Context(), address(), run, Options{Executable: buildFake(t, "")})
	require.NoError(t, err)
	assert.Equal(t, []string{run + "-gateway", run + "-data-plane", run + "-legacy-proxy"}, c.Containers())
	assert.Len(t, c.Routes, 6)
	for _, system := range systems() {
		assert.Equal(t, "pong from "+system, get(t, c, system+":8080", "/ping"))
		assert.Equal(t, system, get(t, c, system+":8081", "/health"))
		requireOutput(t, c, system, "fake "+system+" lease 1m0s\n")
	}
	// The systems find each other by name, and know no address but those they need.
	assert.Empty(t, get(t, c, "data-plane:8080", "/dial/gateway:8080"))
	assert.Empty(t, get(t, c, "data-plane:8080", "/dial/legacy-proxy:8080"))
	assert.Empty(t, get(t, c, "legacy-proxy:8080", "/dial/gateway:8080"))
	assert.Empty(t, get(t, c, "legacy-proxy:8080", "/dial/data-plane:8080"))
	assert.Equal(t, "not given", get(t, c, "gateway:8080", "/dial/data-plane:8080"))
	_, err = c.Output(t.Context(), "braintrust")
	require.ErrorContains(t, err, "read output of braintrust: no such system")

	require.NoError(t, c.Close(t.Context()))
	assertNothingLeft(t, e, run)
	require.NoError(t, c.Close(t.Context()), "closing again finds nothing to do")
}

func TestContainersHaveNoRights(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	c, err := start(t.Context(), address(), run, Options{Executable: buildFake(t, "")})
	require.NoError(t, err)
	for _, name := range c.Containers() {
		inspected, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
		require.NoError(t, err)
		settings, host := inspected.Container.Config, inspected.Container.HostConfig
		assert.Equal(t, "65534:65534", settings.User)
		for _, variable := range settings.Env {
			assert.True(t, strings.HasPrefix(variable, "PATH="), variable) // the engine's own
		}
		assert.Equal(t, mark, settings.Labels[label])
		assert.Equal(t, run, settings.Labels[runLabel])
		assert.True(t, host.ReadonlyRootfs)
		assert.True(t, host.AutoRemove)
		assert.False(t, host.Privileged)
		assert.Equal(t, []string{"ALL"}, []string(host.CapDrop))
		assert.Empty(t, host.CapAdd)
		assert.Equal(t, []string{"no-new-privileges:true"}, host.SecurityOpt)
		assert.EqualValues(t, memory, host.Memory)
		assert.EqualValues(t, pids, *host.PidsLimit)
		assert.Empty(t, inspected.Container.Mounts, "no volumes, nothing of the host")
		require.Len(t, inspected.Container.NetworkSettings.Networks, 1)
		assert.Contains(t, inspected.Container.NetworkSettings.Networks, run)
		for port, bindings := range inspected.Container.NetworkSettings.Ports {
			require.Len(t, bindings, 1, port)
			assert.Equal(t, "127.0.0.1", bindings[0].HostIP.String(), port)
		}
	}
	assert.Contains(t, get(t, c, "gateway:8080", "/write"), "read-only file system")
	require.NoError(t, c.Close(t.Context()))
}

func TestFailedStartTellsWhyAndLeavesNothing(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	_, err := start(t.Context(), address(), run, Options{Executable: buildFake(t, "fails=gateway")})
	require.ErrorContains(t, err, "container "+run+"-gateway ended with exit code 7: ")
	require.ErrorContains(t, err, "no such luck")
	assertNothingLeft(t, e, run)
}

func TestInterruptedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	program := buildFake(t, "hangs=data-plane")
	for name, reached := range map[string]func(containers, networks []string) bool{
		"with a network":     func(_, networks []string) bool { return len(networks) == 1 },
		"with a container":   func(containers, _ []string) bool { return len(containers) > 0 },
		"before it is ready": func(containers, _ []string) bool { return len(containers) == 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := newRun(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, err := start(ctx, address(), run, Options{Executable: program})
				failed <- err
			}()
			require.Eventually(t, func() bool { return reached(ours(t, e, run)) }, eventually, often)
			cancel()
			require.ErrorIs(t, <-failed, context.Canceled)
			assertNothingLeft(t, e, run)
		})
	}
}

func TestOutputTellsHowAContainerEnded(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	run := newRun(t, e)
	c, err := start(t.Context(), address(), run, Options{Executable: buildFake(t, "")})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://legacy-proxy:8081/end", nil)
	require.NoError(t, err)
	_, err = c.Routes.Client().Do(r) //nolint:bodyclose // it has none
	require.Error(t, err)
	requireOutput(t, c, "legacy-proxy", "fake legacy-proxy lease 1m0s\n[container ended with exit code 3]\n")
	require.NoError(t, c.Close(t.Context()))
	assertNothingLeft(t, e, run)
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	program := buildFake(t, "salt="+rand.Text()) // an image that was never built
	var wg sync.WaitGroup
	runs := []string{newRun(t, e), newRun(t, e)}
	for _, run := range runs {
		wg.Go(func() {
			c, err := start(t.Context(), address(), run, Options{Executable: program})
			if assert.NoError(t, err) {
				assert.NoError(t, c.Close(t.Context()))
				assertNothingLeft(t, e, run)
			}
		})
	}
	wg.Wait()
	raw, err := os.ReadFile(program)
	require.NoError(t, err)
	// Without its parents, which the build of another package's tests may just be using; make clean removes what that leaves.
	_, err = e.ImageRemove(t.Context(), repository+":"+tag(raw, e.arch), client.ImageRemoveOptions{})
	require.NoError(t, err)
}
