package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/file"
)

func TestSweepRemovesWhatKilledRunsLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	elsewhere := t.TempDir()
	backup := func(dir string) string {
		path := filepath.Join(dir, "backup.json")
		require.NoError(t, os.WriteFile(path, []byte("credentials"), 0o600))
		return path
	}
	live, release, err := makeDir()
	require.NoError(t, err)
	killed, err := os.MkdirTemp("", dirPrefix)
	require.NoError(t, err)
	endOfProcess, err := file.Lock(filepath.Join(killed, inUse))
	require.NoError(t, err)
	require.NoError(t, endOfProcess(), "the kernel drops a lock with its process")
	inTheMaking, err := os.MkdirTemp("", dirPrefix)
	require.NoError(t, err)
	other := filepath.Join(os.TempDir(), "planeproof-build-1")
	require.NoError(t, os.Mkdir(other, 0o700))
	for _, dir := range []string{other, elsewhere} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, inUse+".lock"), nil, 0o600))
	}
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(os.TempDir(), dirPrefix+"link")))
	require.NoError(t, os.Symlink(backup(elsewhere), filepath.Join(killed, "link")))
	kept := []string{backup(live), backup(inTheMaking), backup(other), backup(elsewhere)}

	require.NoError(t, Sweep())
	assert.NoDirExists(t, killed)
	for _, path := range kept {
		assert.FileExists(t, path)
	}
	require.NoError(t, release())
	require.NoError(t, Sweep())
	assert.NoDirExists(t, live)
}

// Another run may sweep while a directory is made: what is handed out is there, and stays.
func TestSweepTakesNoDirectoryThatIsBeingMade(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var sweeping sync.WaitGroup
	for range 4 {
		sweeping.Go(func() {
			for ctx.Err() == nil {
				_ = Sweep()
			}
		})
	}
	for range 500 {
		dir, end, err := makeDir()
		if !assert.NoError(t, err) {
			break
		}
		assert.NoError(t, os.WriteFile(filepath.Join(dir, "backup"), nil, 0o600))
		assert.NoError(t, end())
	}
	cancel()
	sweeping.Wait()
}
