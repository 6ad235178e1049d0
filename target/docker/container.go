package docker

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

const (
	lease  = 60 * time.Second // how long a fake lives that nobody renews
	memory = 512 << 20        // bytes, per container
	pids   = 256              // per container
)

func systems() []string { return []string{"gateway", "data-plane", "legacy-proxy"} }

// command is what a container runs: the fake of that system, with the addresses it may dial and no others.
func command(system, sabotage string) []string {
	args := []string{"fake", system, "--addr", "0.0.0.0:8080", "--control", "0.0.0.0:8081", "--lease", lease.String()}
	switch system {
	case "data-plane":
		args = append(args, "--dial", "gateway:8080", "--dial", "legacy-proxy:8080")
	case "legacy-proxy":
		args = append(args, "--dial", "gateway:8080", "--dial", "data-plane:8080")
	}
	if sabotage != "" {
		args = append(args, "--sabotage", sabotage)
	}
	return args
}

// fake is one container.
type fake struct {
	system, name string
	token        string // of the control listener, sent with the first request to it, before anyone is told its address
	engine       *engine
	life         context.Context // ends with Close
	data         string          // published address of the data port
	control      string          // published address of the control listener

	asked   bool // the engine was asked for the container
	printed tail
	output  client.HijackedResponse
	ended   chan struct{} // closed when the container has ended, or can no longer be watched; nil before it is watched

	mu          sync.Mutex
	how         string // it ended
	outOfMemory bool   // the engine said so
}

// request is one container as testcontainers takes it: ports on loopback, no rights, nothing to write to, gone when it ends.
func request(f *fake, run, image, sabotage string) testcontainers.ContainerRequest {
	bindings := network.PortMap{}
	for _, port := range []network.Port{dataPort(), controlPort()} {
		bindings[port] = []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
	}
	limit := int64(pids)
	return testcontainers.ContainerRequest{
		Name:         f.name,
		Image:        image,
		Cmd:          command(f.system, sabotage),
		ExposedPorts: []string{dataPort().String(), controlPort().String()},
		Labels:       map[string]string{label: mark, runLabel: run},
		ConfigModifier: func(c *container.Config) {
			c.User = user
		},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode(run)
			h.PortBindings = bindings
			h.AutoRemove = true
			h.ReadonlyRootfs = true
			h.CapDrop = []string{"ALL"}
			h.SecurityOpt = []string{"no-new-privileges:true"}
			h.Resources = container.Resources{Memory: memory, PidsLimit: &limit}
		},
		// Given here, as testcontainers would leave out a network that it cannot look up, and say nothing.
		EndpointSettingsModifier: func(m map[string]*network.EndpointSettings) {
			m[run] = &network.EndpointSettings{Aliases: []string{f.system}}
		},
	}
}

func dataPort() network.Port    { return network.MustParsePort("8080/tcp") }
func controlPort() network.Port { return network.MustParsePort("8081/tcp") }

// start creates the container, follows it, starts it, and waits until it is ready.
func (f *fake) start(ctx context.Context, provider *testcontainers.DockerProvider, r testcontainers.ContainerRequest) error {
	if err := f.run(ctx, provider, r); err != nil {
		return err
	}
	if err := f.findPorts(ctx); err != nil {
		return err
	}
	return f.ready(ctx)
}

func (f *fake) run(ctx context.Context, provider *testcontainers.DockerProvider, r testcontainers.ContainerRequest) error {
	longer, cancel := grace(ctx)
	defer cancel()
	f.asked = true
	c, err := provider.CreateContainer(longer, r)
	if err != nil {
		return fmt.Errorf("create container %s: %w", f.name, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start container %s: %w", f.name, err)
	}
	if err := f.follow(longer); err != nil {
		return fmt.Errorf("follow container %s: %w", f.name, err)
	}
	if err := c.Start(longer); err != nil {
		return fmt.Errorf("start container %s: %w", f.name, err)
	}
	return nil
}

// follow keeps what the container prints and learns how it ends. It begins before the container runs: one that ends at once takes
// its log and its exit code with it.
func (f *fake) follow(ctx context.Context) error {
	w, err := bounded(ctx, func() (watch, error) {
		output, err := f.engine.ContainerAttach(f.life, f.name, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
		if err != nil {
			return watch{}, err
		}
		exit := f.engine.ContainerWait(f.life, f.name, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
		return watch{output: output.HijackedResponse, exit: exit}, nil
	})
	if err != nil {
		return err
	}
	f.output = w.output
	f.ended = make(chan struct{})
	go func() {
		defer close(f.ended)
		_, _ = stdcopy.StdCopy(&f.printed, &f.printed, w.output.Reader) // until the container ends or the engine is lost
		f.end(w.exit)
	}()
	return nil
}

// watch is the engine's two long answers about a container.
type watch struct {
	output client.HijackedResponse
	exit   client.ContainerWaitResult
}

// end notes how the container ended.
func (f *fake) end(exit client.ContainerWaitResult) {
	var how string
	select {
	case r := <-exit.Result:
		how = fmt.Sprintf("ended with exit code %d", r.StatusCode)
		if r.StatusCode == killed {
			how += " (killed)"
		}
	case err := <-exit.Error:
		how = "cannot be watched: " + err.Error()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.how = how
}

// failure says how the container ended, with what it printed.
func (f *fake) failure() error {
	text := strings.TrimSpace(f.printed.String())
	if text == "" {
		text = "it printed nothing"
	}
	return fmt.Errorf("container %s %s: %s", f.name, f.fate(), text)
}

// told is what the container printed and, once it has ended, how.
func (f *fake) told() string {
	text := f.printed.String()
	if how := f.fate(); how != "" {
		text += "[container " + how + "]\n"
	}
	return text
}

// killed is the exit code of a process that was ended by SIGKILL.
const killed = 128 + 9

// fate is how the container ended, empty while it runs. The news that memory was short may come after that of the end.
func (f *fake) fate() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.how != "" && f.outOfMemory {
		return fmt.Sprintf("%s: out of memory, of which it has %d MiB", f.how, memory>>20)
	}
	return f.how
}

// noteMemory notes each of the containers of which the engine says that it ran out of memory.
func noteMemory(fakes []*fake, news client.EventsResult) {
	for {
		select {
		case m := <-news.Messages:
			for _, f := range fakes {
				if f.name == m.Actor.Attributes["name"] {
					f.mu.Lock()
					f.outOfMemory = true
					f.mu.Unlock()
				}
			}
		case <-news.Err: // the run has ended, or the engine
			return
		}
	}
}

// remove kills and removes the container, where it may exist. By name, as the answer with its id may have been lost.
func (f *fake) remove(ctx context.Context) error {
	if !f.asked {
		return nil
	}
	tick := time.NewTicker(pollTime)
	defer tick.Stop()
	for {
		_, err := f.engine.ContainerRemove(ctx, f.name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if !errdefs.IsConflict(err) { // it ended just now and the engine is removing it already
			return fmt.Errorf("remove container %s: %w", f.name, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("remove container %s: %w", f.name, err)
		case <-tick.C:
		}
	}
}

// forget ends the following of the container.
func (f *fake) forget() {
	if f.ended != nil {
		f.output.Close()
		<-f.ended
	}
}
