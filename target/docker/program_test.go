package docker

import (
	"bytes"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeCommand is the package of the tests' stand-in for planeproof.
const fakeCommand = "github.com/planeproof/planeproof/target/docker/testdata/fake"

func TestFitsRefuses(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(buildFake(t, ""))
	require.NoError(t, err)
	require.NoError(t, fits(raw, runtime.GOARCH))
	edited := func(at int, value byte) []byte {
		out := bytes.Clone(raw)
		out[at] = value
		return out
	}
	for name, c := range map[string]struct {
		raw  []byte
		arch string
		want string
	}{
		"text":                 {[]byte("#!/bin/sh\n"), runtime.GOARCH, "not a linux executable"},
		"nothing":              {nil, runtime.GOARCH, "not a linux executable"},
		"another system":       {edited(7, 9), runtime.GOARCH, "not a linux executable"}, // EI_OSABI: FreeBSD
		"another architecture": {edited(18, 2), runtime.GOARCH, "and the docker engine is " + runtime.GOARCH},
		"unknown architecture": {raw, "riscv64", "and the docker engine is riscv64"},
		"dynamic":              {edited(64, 3), runtime.GOARCH, "not static"}, // type of the first program header: PT_INTERP
	} {
		require.ErrorContains(t, fits(c.raw, c.arch), c.want, name)
	}
}

func TestProgramSaysWhatToDo(t *testing.T) {
	t.Chdir(t.TempDir()) // no source here
	_, err := program(t.Context(), Options{}, "amd64")
	require.ErrorContains(t, err, "no program for the containers: the running executable is not planeproof's command line; build for containers: ")
	require.ErrorContains(t, err, "run a static linux/amd64 build of planeproof")
	assert.NotContains(t, err.Error(), "\n")

	_, err = program(t.Context(), Options{Executable: "absent"}, "amd64")
	require.ErrorContains(t, err, "read executable: open absent")
}

func TestCrossBuildIsReproducible(t *testing.T) {
	t.Parallel()
	first, err := crossBuild(t.Context(), fakeCommand, runtime.GOARCH)
	require.NoError(t, err)
	second, err := crossBuild(t.Context(), fakeCommand, runtime.GOARCH)
	require.NoError(t, err)
	assert.Equal(t, tag(first, runtime.GOARCH), tag(second, runtime.GOARCH))
	assert.NotEqual(t, tag(first, "amd64"), tag(first, "arm64"))
	assert.NotEqual(t, tag(first, "amd64"), tag(append(first, 0), "amd64"))
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var kept tail
	for range 3 {
		n, err := kept.Write(bytes.Repeat([]byte("a"), tailLimit))
		require.NoError(t, err)
		assert.Equal(t, tailLimit, n)
	}
	_, err := kept.Write([]byte("end"))
	require.NoError(t, err)
	assert.Len(t, kept.String(), tailLimit)
	assert.Equal(t, "aend", kept.String()[tailLimit-4:])
}
