package docker

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// relay stands between the tests and the engine, so that it can go away.
type relay struct {
	path     string
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
	mute  bool // connections are taken and nothing is passed on
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	r := &relay{path: filepath.Join(t.TempDir(), "relay.sock")}
	r.open(t)
	t.Cleanup(r.cut)
	return r
}

func (r *relay) open(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.WithoutCancel(t.Context()), "unix", r.path)
	require.NoError(t, err)
	r.listener = listener
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.pass(conn)
		}
	}()
}

func (r *relay) pass(conn net.Conn) {
	if !r.keep(conn) {
		return
	}
	behind, err := net.Dial("unix", strings.TrimPrefix(address(), "unix://"))
	if err != nil {
		_ = conn.Close()
		return
	}
	r.keep(behind)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(behind, conn); _ = behind.(*net.UnixConn).CloseWrite() })
	wg.Go(func() { _, _ = io.Copy(conn, behind); _ = conn.Close() })
	wg.Wait()
	_ = behind.Close()
}

// keep remembers a connection, and says whether to pass it on.
func (r *relay) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conn)
	return !r.mute
}

// cut ends the relay and every connection through it.
func (r *relay) cut() {
	_ = r.listener.Close()
	r.drop(false)
}

func (r *relay) drop(mute bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute = mute
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
}

func requireUnix(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(address(), "unix://") {
		t.Skip("the engine is not at a unix socket: " + address())
	}
}

func TestEngineThatGoesAway(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	requireUnix(t)
	for name, away := range map[string]func(*relay){
		"refuses": (*relay).cut,
		"hangs":   func(r *relay) { r.drop(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, run := newRelay(t), newRun(t, e)
			c, err := start(t.Context(), "unix://"+r.path, run, Options{Executable: buildFake(t, "")})
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				output, err := c.Output(t.Context(), "gateway")
				return err == nil && strings.Contains(output, "fake gateway lease 1m0s\n")
			}, closeTime, time.Millisecond, "what the container printed came through while the engine was there")
			away(r)
			// A bound on a hang, not on speed: closeTime and as much again.
			done := make(chan error, 1)
			go func() { done <- c.Close(t.Context()) }()
			select {
			case err = <-done:
			case <-time.After(2 * closeTime):
				t.Fatal("Close hangs")
			}
			require.ErrorContains(t, err, "left: container "+run+"-gateway, container "+run+"-data-plane, container "+run+
				"-legacy-proxy, network "+run+"; what runs ends itself within 1m0s, a later start removes the rest")
			assert.NotContains(t, err.Error(), "\n")
			output, err := c.Output(t.Context(), "gateway")
			require.NoError(t, err)
			assert.Contains(t, output, "fake gateway lease 1m0s\n[container cannot be watched: ")

			r.cut()
			r.open(t)
			require.NoError(t, c.Close(t.Context()), "closing again removes what was left")
			assertNothingLeft(t, e, run)
		})
	}
}

func TestEngineThatGoesAwayDuringAStart(t *testing.T) {
	t.Parallel()
	e := requireEngine(t)
	requireUnix(t)
	r, run := newRelay(t), newRun(t, e)
	program := buildFake(t, "hangs=gateway")
	failed := make(chan error, 1)
	go func() {
		_, err := start(t.Context(), "unix://"+r.path, run, Options{Executable: program})
		failed <- err
	}()
	require.Eventually(t, func() bool {
		running := client.Filters{}.Add("label", runLabel+"="+run).Add("status", "running")
		list, err := e.ContainerList(t.Context(), client.ContainerListOptions{Filters: running})
		return err == nil && len(list.Items) == 3
	}, eventually, often)
	r.cut()
	err := <-failed
	require.ErrorContains(t, err, "left: container "+run+"-gateway, ")
	require.ErrorContains(t, err, "network "+run)
}
