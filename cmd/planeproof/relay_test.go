package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// relay stands between one run and the engine: it knows what the run made, and can go away.
type relay struct {
	host     string // DOCKER_HOST of the run
	engine   *client.Client
	ready    chan struct{} // closed when the run was told the ports of three containers
	edit     func(name string, create []byte) []byte
	listener net.Listener
	proxy    *httputil.ReverseProxy

	mu                            sync.Mutex
	containers, networks, volumes []string
	told                          map[string]bool
	conns                         []net.Conn
}

// newRelay makes a relay; edit may change what is asked of the engine for a container, nil for nothing.
func newRelay(t *testing.T, engine *client.Client, edit func(name string, create []byte) []byte) *relay {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relay.sock")
	listener, err := new(net.ListenConfig).Listen(context.WithoutCancel(t.Context()), "unix", path)
	require.NoError(t, err)
	socket := strings.TrimPrefix(engine.DaemonHost(), "unix://")
	r := &relay{host: "unix://" + path, engine: engine, edit: edit, ready: make(chan struct{}), listener: listener, told: map[string]bool{}}
	r.proxy = &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.Out.URL.Scheme, p.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}},
		FlushInterval:  -1,
		ModifyResponse: r.listen,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := &http.Server{Handler: r, ConnState: r.note}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { r.cut(); r.removeAll(t) })
	return r
}

// note keeps connections, those that change hands too.
func (r *relay) note(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conns = append(r.conns, conn)
	}
}

// cut ends the relay and every connection through it.
func (r *relay) cut() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
}

var (
	creates  = regexp.MustCompile(`/(containers|networks|volumes)/create$`)
	inspects = regexp.MustCompile(`/containers/([^/]+)/json$`)
	hostPort = regexp.MustCompile(`"HostPort":"[1-9]`)
)

func (r *relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if m := creates.FindStringSubmatch(q.URL.Path); m != nil {
		body, _ := io.ReadAll(q.Body)
		var named struct{ Name string }
		_ = json.Unmarshal(body, &named)
		r.mu.Lock()
		switch m[1] {
		case "containers":
			name := q.URL.Query().Get("name")
			r.containers = append(r.containers, name)
			if r.edit != nil {
				body = r.edit(name, body)
			}
		case "networks":
			r.networks = append(r.networks, named.Name)
		default:
			r.volumes = append(r.volumes, named.Name)
		}
		r.mu.Unlock()
		q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	r.proxy.ServeHTTP(w, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.told) == 3 {
		select {
		case <-r.ready:
		default:
			close(r.ready)
		}
	}
}

// listen learns which containers have published ports.
func (r *relay) listen(answer *http.Response) error {
	m := inspects.FindStringSubmatch(answer.Request.URL.Path)
	if m == nil || answer.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	if hostPort.Match(body) {
		r.told[m[1]] = true
	}
	return nil
}

// made returns the names of the containers and networks that the run asked for.
func (r *relay) made() (containers, networks []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.containers, r.networks
}

// left returns what the engine still has of what the run made.
func (r *relay) left(t *testing.T) (containers, networks []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	asked, nets := r.made()
	for _, name := range asked {
		if _, err := r.engine.ContainerInspect(ctx, name, client.ContainerInspectOptions{}); !errdefs.IsNotFound(err) {
			require.NoError(t, err)
			containers = append(containers, name)
		}
	}
	for _, name := range nets {
		if _, err := r.engine.NetworkInspect(ctx, name, client.NetworkInspectOptions{}); !errdefs.IsNotFound(err) {
			require.NoError(t, err)
			networks = append(networks, name)
		}
	}
	return containers, networks
}

// assertNothingLeft also asks that there was something, and that none of it was a volume.
func (r *relay) assertNothingLeft(t *testing.T) {
	t.Helper()
	containers, networks := r.made()
	assert.Len(t, containers, 3)
	assert.Len(t, networks, 1)
	assert.Empty(t, r.volumes)
	containers, networks = r.left(t)
	assert.Empty(t, containers, "containers are left")
	assert.Empty(t, networks, "networks are left")
}

// removeAll removes what a test has left on purpose, or by failing.
func (r *relay) removeAll(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	require.Eventually(t, func() bool {
		containers, networks := r.left(t)
		for _, name := range containers {
			_, _ = r.engine.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true})
		}
		for _, name := range networks {
			_, _ = r.engine.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
		}
		return len(containers)+len(networks) == 0
	}, hung, often)
}
