package docker

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// cli is the package of the program that is also the fakes.
const cli = "github.com/planeproof/planeproof/cmd/planeproof"

// program returns what to put into the image: the given executable, else the running one where it fits, else a cross-build.
func program(ctx context.Context, o Options, arch string) ([]byte, error) {
	if o.Executable != "" {
		return read(o.Executable, arch)
	}
	raw, err := running(arch)
	if err == nil {
		return raw, nil
	}
	built, buildErr := crossBuild(ctx, cli, arch)
	if buildErr != nil {
		return nil, fmt.Errorf("no program for the containers: %w; %w; run a static linux/%s build of planeproof (CGO_ENABLED=0), "+
			"or start it in planeproof's source tree with Go installed", err, buildErr, arch)
	}
	return built, nil
}

// buildable says in one line why there can be no program: this is a binary of somebody else's, such as a test's, outside planeproof's source.
func buildable(ctx context.Context) error {
	if info, ok := debug.ReadBuildInfo(); ok && info.Path == cli {
		return nil
	}
	if err := exec.CommandContext(ctx, "go", "list", cli).Run(); err != nil {
		return fmt.Errorf("no program for the containers: this is not planeproof's command line, and its source is not here: go list: %w", err)
	}
	return nil
}

func running(arch string) ([]byte, error) {
	if info, ok := debug.ReadBuildInfo(); !ok || info.Path != cli {
		return nil, errors.New("the running executable is not planeproof's command line")
	}
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the running executable: %w", err)
	}
	return read(path, arch)
}

// read reads an executable that can run alone in an image of that architecture.
func read(path, arch string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read executable: %w", err)
	}
	if err := fits(raw, arch); err != nil {
		return nil, fmt.Errorf("executable %s: %w", path, err)
	}
	return raw, nil
}

// fits says why an executable cannot run in a scratch image of that architecture.
func fits(raw []byte, arch string) error {
	file, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil || (file.OSABI != elf.ELFOSABI_NONE && file.OSABI != elf.ELFOSABI_LINUX) {
		return errors.New("not a linux executable")
	}
	if machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; file.Machine != machine {
		return fmt.Errorf("built for %s, and the docker engine is %s", file.Machine, arch)
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return errors.New("not static: it needs a loader that an image from scratch does not have")
		}
	}
	return nil
}

// crossBuild builds a command of the source tree that this runs in.
func crossBuild(ctx context.Context, command, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "planeproof-build-")
	if err != nil {
		return nil, fmt.Errorf("build for containers: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "planeproof")
	// Without version control in it, the same source gives the same bytes, and the same image.
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build for containers: %w: %s", err, strings.Join(strings.Fields(string(text)), " "))
	}
	return read(out, arch)
}
