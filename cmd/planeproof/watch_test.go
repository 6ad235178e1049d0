package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/leak"
)

// watch takes what the engine and the kernel tell of the run until it ends.
func (p *program) watch(t *testing.T, r *relay) map[string]string {
	t.Helper()
	places := map[string]string{}
	containers, _ := r.made()
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		p.look(t, "planeproof", p.Process.Pid, places)
		for _, name := range containers {
			inspected, err := r.engine.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
			if err != nil {
				continue // it is being removed
			}
			raw, err := json.Marshal(inspected.Container)
			require.NoError(t, err)
			places["docker inspect "+name] += string(raw)
			p.look(t, name, inspected.Container.State.Pid, places)
		}
		select {
		case <-p.ended:
			require.Contains(t, places["arguments of planeproof"], "--runtime")
			for _, name := range containers {
				require.Contains(t, places["docker inspect "+name], "--control")
			}
			return places
		case <-tick.C:
		}
	}
}

// look reads the arguments and the environment of a process.
func (p *program) look(t *testing.T, name string, pid int, places map[string]string) {
	t.Helper()
	for what, file := range map[string]string{"arguments": "cmdline", "environment": "environ"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err == nil { // else it has ended, or the engine has processes of its own
			places[what+" of "+name] += string(raw) + "\n"
		}
	}
}

func assertShowsNoSecret(t *testing.T, o outcome, dir string, places map[string]string) {
	t.Helper()
	places["standard output"], places["standard error"] = o.out, o.err
	for _, name := range []string{"report.json", "junit.xml"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		places[name] = string(raw)
	}
	for place, text := range places {
		assert.Empty(t, leak.Minted.FindString(text), "%s shows a secret", place)
	}
}
