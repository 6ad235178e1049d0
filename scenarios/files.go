package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/planeproof/planeproof/internal/file"
)

// dirPrefix begins the names of directories for files of a scenario.
const dirPrefix = "planeproof-scenario-"

// inUse is the file by which a directory is locked while its run lives.
const inUse = "in-use"

// makeDir makes a directory that no Sweep removes before release is called. Its lock is the first thing in it.
func makeDir() (dir string, release func() error, err error) {
	for range 3 { // a Sweep may try the lock in between
		if dir, err = os.MkdirTemp("", dirPrefix); err != nil {
			break
		}
		if release, err = file.Lock(filepath.Join(dir, inUse)); err == nil {
			return dir, release, nil
		}
	}
	return "", nil, fmt.Errorf("make directory for files of the scenario: %w", err)
}

// Sweep removes what killed runs have left below os.TempDir: directories of this user for files of a scenario, which may hold backups with
// credentials. One whose run still lives is locked, and stays; so does what a link leads to.
func Sweep() error {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return fmt.Errorf("sweep files of killed runs: %w", err)
	}
	var failed error
	for _, e := range entries {
		dir := filepath.Join(os.TempDir(), e.Name())
		info, err := e.Info()
		if err != nil || !info.IsDir() || !strings.HasPrefix(e.Name(), dirPrefix) || !ours(info) {
			continue
		}
		if lock, err := os.Lstat(filepath.Join(dir, inUse+".lock")); err != nil || !lock.Mode().IsRegular() {
			continue // it is being made, or of another program
		}
		release, err := file.Lock(filepath.Join(dir, inUse))
		if err != nil {
			continue // its run lives
		}
		if err := errors.Join(os.RemoveAll(dir), release()); err != nil {
			failed = errors.Join(failed, fmt.Errorf("remove files of a killed run: %w", err))
		}
	}
	return failed
}
