package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// badDay is one run of the built program in a place that lets it down.
func badDay(t *testing.T, shell string, stdout io.Writer, env ...string) (code int, errs string) {
	t.Helper()
	var said strings.Builder
	command := exec.CommandContext(t.Context(), "sh", "-c", shell)
	command.Env = append(append(os.Environ(), "TMPDIR="+t.TempDir()), env...)
	command.Stdout, command.Stderr = stdout, &said
	if err := command.Run(); err != nil {
		var ended *exec.ExitError
		require.ErrorAs(t, err, &ended)
	}
	return command.ProcessState.ExitCode(), said.String()
}

// reported is the exit code that a report tells.
func reported(t *testing.T, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "report.json"))
	require.NoError(t, err)
	var told struct {
		ExitCode int `json:"exit_code"`
	}
	require.NoError(t, json.Unmarshal(raw, &told))
	return told.ExitCode
}

// sockets counts those that a process has open.
func sockets(pid int) (count int) {
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, descriptor := range open {
		if to, _ := os.Readlink(descriptor); strings.HasPrefix(to, "socket:") {
			count++
		}
	}
	return count
}

// TestBadDays runs the built program where a disk, a reader or a terminal is lost. None of that says anything of a system.
func TestBadDays(t *testing.T) {
	t.Parallel()
	path := build(t)
	suite := path + " run --runtime process"

	t.Run("reader gone", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		read, write, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, read.Close()) // as `| head -1` does, sooner
		code, errs := badDay(t, suite+" --report "+dir, write)
		assert.Equal(t, exitInfrastructure, code)
		assert.Contains(t, errs, "write summary: ")
		assert.Equal(t, code, reported(t, dir))
	})
	t.Run("output full", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		code, errs := badDay(t, suite+" --tags @bearer --report "+dir+" >/dev/full", nil)
		assert.Equal(t, exitInfrastructure, code)
		assert.Contains(t, errs, "no space left on device")
		assert.Equal(t, code, reported(t, dir))
	})
	t.Run("no directory for files", func(t *testing.T) {
		t.Parallel()
		code, errs := badDay(t, suite, io.Discard, "TMPDIR=/nonexistent")
		assert.Equal(t, exitInfrastructure, code)
		assert.Contains(t, errs, "/nonexistent")
	})
	t.Run("directory for files full", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4k"); err != nil {
			t.Skip("no file system of a size of its own: ", err)
		}
		t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
		require.Error(t, os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 8192), 0o600), "it is full")
		var out strings.Builder
		code, _ := badDay(t, suite, &out, "TMPDIR="+dir)
		assert.Equal(t, exitInfrastructure, code)
		assert.NotContains(t, out.String(), "FAILED", "no scenario tells of a failure of the system")
	})
	t.Run("no descriptors", func(t *testing.T) {
		t.Parallel()
		var out strings.Builder
		code, _ := badDay(t, "ulimit -n 24; exec "+suite+" --tags @token --concurrency 4", &out)
		assert.Contains(t, []int{0, exitInfrastructure}, code, out.String())
		assert.NotContains(t, out.String(), "FAILED", "no scenario tells of a failure of the system")
	})
	t.Run("terminal closed", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		p := start(t, path, nil, "run", "--runtime", "process", "--concurrency", "1", "--report", dir)
		require.Eventually(t, func() bool { return sockets(p.Process.Pid) >= 3 }, hung, often, "the systems run")
		require.NoError(t, p.Process.Signal(syscall.SIGHUP))
		assert.Equal(t, exitInterrupted, p.outcome(t).code)
		assert.Equal(t, exitInterrupted, reported(t, dir))
	})
}
