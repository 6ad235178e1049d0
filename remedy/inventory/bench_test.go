//go:build unix

package inventory_test

import (
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// benchURL tells a process of the benchmark where the data plane is.
const benchURL = "PLANEPROOF_BENCH_URL"

// BenchmarkInventory reads and audits 1,000 projects with 10 providers each, in a process of its own so that its memory is not mixed
// with the fake's, and prints the requests, the most in flight, and that process's peak memory.
func BenchmarkInventory(b *testing.B) {
	p := newPlane(b)
	p.fill(1000, 10)
	for b.Loop() {
		p.requests.Store(0)
		p.most.Store(0)
		command := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestReadInAProcessOfItsOwn$", "-test.v")
		command.Env = append(os.Environ(), benchURL+"="+p.url)
		start := time.Now()
		out, err := command.CombinedOutput()
		require.NoError(b, err, string(out))
		require.Contains(b, string(out), "10010 secrets")
		assert.LessOrEqual(b, p.most.Load(), int32(8), "requests in flight")
		assert.LessOrEqual(b, p.requests.Load(), int32(1024), "requests for 1004 listings")
		usage, known := command.ProcessState.SysUsage().(*syscall.Rusage)
		require.True(b, known)
		b.ReportMetric(float64(usage.Maxrss)/1024, "MiB-peak") // in KiB on Linux
		b.ReportMetric(time.Since(start).Seconds(), "s/read")
		b.ReportMetric(float64(p.requests.Load()), "requests")
		b.ReportMetric(float64(p.most.Load()), "in-flight")
	}
}

// TestReadInAProcessOfItsOwn is what BenchmarkInventory measures; without it there is nothing to do.
func TestReadInAProcessOfItsOwn(t *testing.T) {
	url := os.Getenv(benchURL)
	if url == "" {
		t.Skip("only in a process of BenchmarkInventory")
	}
	debug.SetGCPercent(40) // as the command does
	found, err := inventory.Read(t.Context(), control.New(strings.TrimSpace(url), adminKey, nil), inventory.Options{All: true})
	require.NoError(t, err)
	require.Empty(t, found.Incomplete)
	require.NoError(t, audit.Run(found, audit.Options{}).JSON(io.Discard))
	t.Logf("%d secrets", len(found.Secrets))
}
