package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/target/docker"
)

const (
	hung  = 2 * time.Minute // bounds a hang, not speed
	often = 50 * time.Millisecond
)

// binDir holds what the tests build.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "planeproof-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(binDir)
	os.Exit(code)
}

// built is the program, built once for all tests that run it.
var built = sync.OnceValues(func() (string, error) {
	out := filepath.Join(binDir, "planeproof")
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if text, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return out, nil
})

// build builds the program as `make conformance` does.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the built program is for a longer test")
	}
	out, err := built()
	require.NoError(t, err)
	return out
}

// requireEngine skips the test where no engine answers at a unix socket, or fails it where PLANEPROOF_REQUIRE_DOCKER=1 says that
// one must.
func requireEngine(t *testing.T) *client.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("containers are for a longer test")
	}
	err := docker.Available(t.Context())
	if err != nil && os.Getenv("PLANEPROOF_REQUIRE_DOCKER") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	if !strings.HasPrefix(engine.DaemonHost(), "unix://") {
		t.Skip("the engine is not at a unix socket: " + engine.DaemonHost())
	}
	return engine
}

// program is one run of the program.
type program struct {
	*exec.Cmd
	out, err lockedText
	ended    chan struct{}
}

// start starts the program on the engine behind the relay.
func start(t *testing.T, path string, r *relay, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), path, args...), ended: make(chan struct{})}
	p.Stdout, p.Stderr = &p.out, &p.err
	if r != nil {
		p.Env = append(os.Environ(), "DOCKER_HOST="+r.host)
	}
	require.NoError(t, p.Start())
	go func() { _ = p.Wait(); close(p.ended) }()
	t.Cleanup(func() { _ = p.Process.Kill(); <-p.ended })
	return p
}

// outcome waits for the program's end.
func (p *program) outcome(t *testing.T) outcome {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(hung):
		require.Fail(t, "the program hangs", p.out.String()+p.err.String())
	}
	return outcome{p.ProcessState.ExitCode(), p.out.String(), p.err.String()}
}

// await waits until the run's systems have started.
func (p *program) await(t *testing.T, r *relay) {
	t.Helper()
	select {
	case <-r.ready:
	case <-p.ended:
		require.Fail(t, "the program ended before its systems had started", p.out.String()+p.err.String())
	case <-time.After(hung):
		require.Fail(t, "the systems do not start")
	}
}

// TestProgram runs the built program, for what no function call can show: signals, containers, and what others see of it.
func TestProgram(t *testing.T) {
	t.Parallel()
	path := build(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, string, *client.Client)
	}{
		{"killed", testKilled}, // first, as it only waits
		{"passes", testPasses},
		{"fails", testFails},
		{"interrupted", testInterrupted},
		{"no engine", testEngineGoesAway},
		{"no gateway", testGatewayGoesAway},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, path, requireEngine(t))
		})
	}
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			p := start(t, path, nil, "fake", "gateway", "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0")
			require.Eventually(t, func() bool { return served.MatchString(p.out.String()) }, hung, often)
			require.NoError(t, p.Process.Signal(signal))
			o := p.outcome(t)
			assert.Equal(t, 0, o.code)
			assert.Empty(t, o.err)
		}
	})
}

func volumes(t *testing.T, engine *client.Client) []string {
	t.Helper()
	list, err := engine.VolumeList(t.Context(), client.VolumeListOptions{})
	require.NoError(t, err)
	var names []string
	for _, v := range list.Items {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return names
}

// testPasses runs the whole suite, and looks at it from outside while it runs.
func testPasses(t *testing.T, path string, engine *client.Client) {
	before := volumes(t, engine)
	r, dir := newRelay(t, engine, nil), t.TempDir()
	p := start(t, path, r, "run", "--runtime", "docker", "--report", dir)
	p.await(t, r)
	places := p.watch(t, r)
	o := p.outcome(t)
	assert.Equal(t, 0, o.code, o.out)
	assert.Empty(t, o.err)
	r.assertNothingLeft(t)
	assert.Equal(t, before, volumes(t, engine))
	assertShowsNoSecret(t, o, dir, places)
}

// testFails cuts the data plane off from its provider: every call fails, and is told of.
func testFails(t *testing.T, path string, engine *client.Client) {
	before := volumes(t, engine)
	r, dir := newRelay(t, engine, func(name string, create []byte) []byte {
		if strings.HasSuffix(name, "-data-plane") {
			return []byte(strings.ReplaceAll(string(create), `"gateway:8080"`, `"nowhere:8080"`))
		}
		return create
	}), t.TempDir()
	p := start(t, path, r, "run", "--runtime", "docker", "--tags", "@BEARER-6 or @BEARER-7 or @BEARER-20", "--report", dir)
	p.await(t, r)
	places := p.watch(t, r)
	o := p.outcome(t)
	assert.Equal(t, 1, o.code, o.out+o.err)
	assertOneLine(t, o, "FAIL  ")
	verdict, _, _, _ := readReport(t, dir)
	assert.Equal(t, "fail", verdict)
	r.assertNothingLeft(t)
	assert.Equal(t, before, volumes(t, engine))
	assertShowsNoSecret(t, o, dir, places)
}

func testInterrupted(t *testing.T, path string, engine *client.Client) {
	r, dir := newRelay(t, engine, nil), t.TempDir()
	p := start(t, path, r, "run", "--runtime", "docker", "--concurrency", "1", "--report", dir)
	p.await(t, r)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	o := p.outcome(t)
	assert.Equal(t, 130, o.code)
	assertOneLine(t, o, "INTERRUPTED  ")
	verdict, code, scenarios, _ := readReport(t, dir)
	assert.Equal(t, "interrupted", verdict)
	assert.Equal(t, 130, code)
	assert.Positive(t, scenarios)
	r.assertNothingLeft(t)
}

// testEngineGoesAway takes the engine away once the systems run: nothing can be removed, and all of it is named.
func testEngineGoesAway(t *testing.T, path string, engine *client.Client) {
	r, dir := newRelay(t, engine, nil), t.TempDir()
	p := start(t, path, r, "run", "--runtime", "docker", "--tags", "@bearer", "--report", dir)
	p.await(t, r)
	r.cut()
	o := p.outcome(t)
	assert.Equal(t, exitInfrastructure, o.code, o.out)
	containers, networks := r.left(t)
	assert.Len(t, containers, 3)
	assert.Len(t, networks, 1)
	assertOneLine(t, o, "BROKEN: nothing can be said of the system")
	for _, name := range containers {
		assert.Contains(t, o.err, "container "+name)
	}
	for _, name := range networks {
		assert.Contains(t, o.err, "network "+name)
	}
	verdict, _, _, _ := readReport(t, dir)
	assert.Equal(t, "broken", verdict)
}

// testGatewayGoesAway kills a container: what its scenarios find says nothing of a data plane.
func testGatewayGoesAway(t *testing.T, path string, engine *client.Client) {
	r := newRelay(t, engine, nil)
	p := start(t, path, r, "run", "--runtime", "docker", "--tags", "@token", "--concurrency", "1")
	p.await(t, r)
	containers, _ := r.made()
	for _, name := range containers {
		if strings.HasSuffix(name, "-gateway") {
			_, err := engine.ContainerKill(t.Context(), name, client.ContainerKillOptions{Signal: "KILL"})
			require.NoError(t, err)
		}
	}
	o := p.outcome(t)
	assert.Equal(t, exitInfrastructure, o.code, o.out)
	assertOneLine(t, o, "BROKEN: nothing can be said of the system")
	assert.NotContains(t, o.out, "FAILED", "no scenario tells of a failure of the system")
	r.assertNothingLeft(t)
}

// testKilled leaves the containers to their leases.
func testKilled(t *testing.T, path string, engine *client.Client) {
	const leased, promised = "20s", 90 * time.Second
	r := newRelay(t, engine, func(_ string, create []byte) []byte { // a minute would be long to wait
		return bytes.ReplaceAll(create, []byte(`"--lease","1m0s"`), []byte(`"--lease","`+leased+`"`))
	})
	p := start(t, path, r, "run", "--runtime", "docker", "--concurrency", "1")
	p.await(t, r)
	require.NoError(t, p.Process.Kill())
	assert.Equal(t, -1, p.outcome(t).code)
	containers, _ := r.left(t)
	assert.Len(t, containers, 3, "the run had no chance to remove them")
	require.Eventually(t, func() bool {
		containers, _ := r.left(t)
		return len(containers) == 0
	}, promised, time.Second, "containers outlive a killed run")
}
