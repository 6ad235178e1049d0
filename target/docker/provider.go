package docker

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"os"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// provider is testcontainers' way to an engine, told to keep to itself: no reaper, whose image would have to be pulled, no log, no
// search for the engine, and nothing made beside the run's network.
func (e *engine) provider(ctx context.Context, run string) (*testcontainers.DockerProvider, error) {
	for name, value := range map[string]string{
		"TESTCONTAINERS_RYUK_DISABLED":          "true",
		"TESTCONTAINERS_HOST_OVERRIDE":          "127.0.0.1",
		"TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE": "/var/run/docker.sock", // or it asks the engine, and panics without an answer
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	if logger, ok := log.Default().(*stdlog.Logger); ok {
		logger.SetOutput(io.Discard)
	}
	provider, err := bounded(ctx, func() (*testcontainers.DockerProvider, error) {
		return testcontainers.NewDockerProvider(
			testcontainers.WithLogger(log.NewNoopLogger()), testcontainers.WithDefaultBridgeNetwork(run))
	})
	if err != nil {
		return nil, fmt.Errorf("prepare containers: %w", err)
	}
	provider.SetClient(e)
	return provider, nil
}
