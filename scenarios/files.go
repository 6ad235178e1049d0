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

// attempts is how often a directory is made anew that a Sweep of another run has taken for one of a killed run.
const attempts = 10

// makeDir makes a directory that no Sweep removes before end, which removes it. Its lock is the first thing in it.
func makeDir() (dir string, end func() error, err error) {
	var release func() error
	for range attempts {
		if dir, err = os.MkdirTemp("", dirPrefix); err != nil {
			break
		}
		if release, err = file.Lock(filepath.Join(dir, inUse)); err != nil {
			continue // a Sweep has it just now
		}
		if file.Exists(filepath.Join(dir, inUse+".lock")) {
			return dir, func() error { return remove(dir, release) }, nil
		}
		err = errors.Join(fmt.Errorf("%s was removed while it was made", dir), release()) // a Sweep had it before
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
		if err := remove(dir, release); err != nil {
			failed = errors.Join(failed, fmt.Errorf("remove files of a killed run: %w", err))
		}
	}
	return failed
}

// remove removes a directory that is locked, and its lock last. A Sweep of another run may try the lock, and so make its file anew, meanwhile.
func remove(dir string, release func() error) (err error) {
	for range attempts {
		if err = os.RemoveAll(dir); err == nil {
			break
		}
	}
	return errors.Join(err, release())
}
