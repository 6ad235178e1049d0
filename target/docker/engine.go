package docker

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

const (
	label    = "io.planeproof" // marks all that is ours; its value is mark
	mark     = "fakes"
	runLabel = "io.planeproof.run" // names the start

	answerTime = 5 * time.Second
	sweepAge   = time.Minute // leaves a start under way in another process alone
)

// engine is a Docker engine whose loopback ports can be reached from here. It cannot pull.
type engine struct {
	client.APIClient
	arch string
}

// connect asks the engine at host what it is.
func connect(ctx context.Context, host string) (*engine, error) {
	if err := local(host); err != nil {
		return nil, err
	}
	cli, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, fmt.Errorf("use docker engine at %s: %w", host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	version, err := cli.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		_ = cli.Close()
		return nil, fmt.Errorf("docker engine does not answer at %s: %w", host, err)
	}
	if version.Os != "linux" {
		_ = cli.Close()
		return nil, fmt.Errorf("docker engine at %s runs %s containers, not linux", host, version.Os)
	}
	return &engine{APIClient: cli, arch: version.Arch}, nil
}

// address is where the engine is: DOCKER_HOST, else the first socket that exists.
func address() string {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return host
	}
	sockets := []string{strings.TrimPrefix(client.DefaultDockerHost, "unix://")}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		sockets = append(sockets, filepath.Join(dir, "docker.sock"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		sockets = append(sockets, filepath.Join(home, ".docker/run/docker.sock"), filepath.Join(home, ".docker/desktop/docker.sock"))
	}
	sockets = append(sockets, "/run/user/"+strconv.Itoa(os.Getuid())+"/docker.sock")
	for _, socket := range sockets {
		if _, err := os.Stat(socket); err == nil {
			return "unix://" + socket
		}
	}
	return client.DefaultDockerHost
}

// local refuses an engine on another machine: ports are published on its 127.0.0.1 only.
func local(host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return fmt.Errorf("use docker engine: DOCKER_HOST is no URL: %w", err)
	}
	switch u.Scheme {
	case "unix", "npipe":
		return nil
	case "tcp", "http", "https":
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip.IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf("docker engine at %s is not on this machine: the ports its containers publish on 127.0.0.1 cannot be reached from here", u.Redacted())
}

// ImagePull refuses: what runs was built here, and nothing is fetched that was not asked for.
func (e *engine) ImagePull(_ context.Context, ref string, _ client.ImagePullOptions) (client.ImagePullResponse, error) {
	return nil, fmt.Errorf("image %s is not on the engine, and nothing is pulled: %w", ref, errdefs.ErrNotFound)
}

func (e *engine) createNetwork(ctx context.Context, run string) error {
	ctx, cancel := grace(ctx)
	defer cancel()
	_, err := e.NetworkCreate(ctx, run, client.NetworkCreateOptions{
		Driver: "bridge",
		Labels: map[string]string{label: mark, runLabel: run},
	})
	if err != nil {
		return fmt.Errorf("create network %s: %w", run, err)
	}
	return nil
}

func (e *engine) removeNetwork(ctx context.Context, run string) error {
	_, err := e.NetworkRemove(ctx, run, client.NetworkRemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove network %s: %w", run, err)
	}
	return nil
}

// sweep removes what killed runs left before that time: containers that never ran, and networks that hold none; the engine
// refuses to remove a network in use. Leftovers are no reason not to start, so it does what it can.
func (e *engine) sweep(ctx context.Context, labelled string, before time.Time) {
	ours := client.Filters{}.Add("label", labelled)
	idle := ours.Clone().Add("status", "created", "exited", "dead")
	if list, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: idle}); err == nil {
		for _, c := range list.Items {
			if time.Unix(c.Created, 0).Before(before) {
				_, _ = e.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			}
		}
	}
	if list, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: ours}); err == nil {
		for _, n := range list.Items {
			if n.Created.Before(before) {
				_, _ = e.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			}
		}
	}
}

// grace lets a call that changes the engine end after an interruption, so that what it made is known and can be removed.
func grace(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(graceTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}

// bounded returns when ctx ends, for a call that does not heed it.
func bounded[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
