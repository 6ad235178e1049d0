package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/moby/moby/client"
)

const (
	readyTime = 30 * time.Second
	pollTime  = 10 * time.Millisecond
	endTime   = time.Second // how long the news of a container's end may lag behind it
)

// findPorts reads which ports of 127.0.0.1 the engine chose.
func (f *fake) findPorts(ctx context.Context) error {
	found, err := f.engine.ContainerInspect(ctx, f.name, client.ContainerInspectOptions{})
	if err == nil && found.Container.NetworkSettings != nil {
		ports := found.Container.NetworkSettings.Ports
		data, control := ports[dataPort()], ports[controlPort()]
		if len(data) > 0 && len(control) > 0 {
			f.data, f.control = net.JoinHostPort("127.0.0.1", data[0].HostPort), net.JoinHostPort("127.0.0.1", control[0].HostPort)
			return nil
		}
		err = errors.New("no port is published")
	}
	select { // a container without ports has ended, or is about to
	case <-f.ended:
		return f.failure()
	case <-time.After(endTime):
	case <-ctx.Done():
	}
	return fmt.Errorf("find ports of container %s: %w", f.name, err)
}

// ready polls the control listener until it answers. The first request that is answered makes the token the owner's; whoever came before
// makes the start fail.
func (f *fake) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(pollTime)
	defer tick.Stop()
	last := errors.New("no answer yet")
	for {
		err := healthy(ctx, "http://"+f.control+"/health", f.token)
		if err == nil || errors.Is(err, errTaken) {
			return err
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-f.ended:
			return f.failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for container %s at %s: %w: %w", f.name, f.control, ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// errTaken is the error of a control listener that somebody else was the first to use.
var errTaken = errors.New("the control listener belongs to somebody else of this machine")

func healthy(ctx context.Context, address, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second} // by no proxy
	answer, err := direct.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusForbidden {
		return errTaken
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("health is %s", answer.Status)
	}
	return nil
}
