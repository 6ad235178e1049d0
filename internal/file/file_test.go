package file_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/internal/file"
)

type document struct {
	Schema string `json:"schema"`
	Text   string `json:"text"`
}

func TestWriteNarrowsAndReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	want := document{Schema: "planeproof/doc/v1", Text: "<&>"}
	require.NoError(t, file.WriteJSON(path, want))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	raw, err := file.Read(path)
	require.NoError(t, err)
	assert.Contains(t, string(raw), "<&>")
	var got document
	require.NoError(t, file.ReadJSON(path, "planeproof/doc/v1", &got))
	assert.Equal(t, want, got)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing temporary stays")
}

func TestWriteRefusesLinksDevicesAndFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(target, []byte("kept"), 0o600))
	require.NoError(t, os.Symlink(target, link))
	for _, path := range []string{link, "/dev/full", dir, filepath.Join(dir, "no", "folder"), ""} {
		assert.Error(t, file.Check(path), path)
		assert.Error(t, file.WriteJSON(path, document{}), path)
	}
	raw, err := os.ReadFile(target)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(raw))
}

func TestWriteKeepsWhatIsThereWhereItFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.json")
	require.NoError(t, os.WriteFile(path, []byte("kept"), 0o600))
	require.NoError(t, file.Check(path))
	err := file.Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("no more")
	})
	require.ErrorContains(t, err, "no more")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "kept", string(raw))
}

func TestReadJSONRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tt := range map[string]struct{ content, want string }{
		"other":   {`{"schema":"planeproof/plan/v1"}`, `its schema is "planeproof/plan/v1", want planeproof/doc/v1`},
		"newer":   {`{"schema":"planeproof/doc/v2"}`, `its schema is "planeproof/doc/v2" and this program knows planeproof/doc/v1: use the program that wrote it`},
		"none":    {`{}`, `its schema is "", want planeproof/doc/v1`},
		"no-json": {`secret-text`, "it is not JSON of ours"},
		"type":    {`{"schema":"planeproof/doc/v1","text":7}`, "its content is not that of planeproof/doc/v1"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
		err := file.ReadJSON(path, "planeproof/doc/v1", new(document))
		require.ErrorIs(t, err, file.ErrUnusable)
		assert.EqualError(t, err, "file "+path+" cannot be used: "+tt.want)
	}
	for _, path := range []string{filepath.Join(dir, "absent"), dir, "/dev/null"} {
		assert.ErrorIs(t, file.ReadJSON(path, "planeproof/doc/v1", new(document)), file.ErrUnusable, path)
	}
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "wide"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, file.Narrow(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, file.Narrow(filepath.Join(dir, "absent")))
	require.NoError(t, os.Symlink(path, link))
	require.ErrorIs(t, file.Narrow(link), file.ErrUnusable)
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.json")
	release, err := file.Lock(path)
	require.NoError(t, err)
	_, err = file.Lock(path)
	require.ErrorIs(t, err, file.ErrLocked)
	require.NoError(t, release())
	release, err = file.Lock(path)
	require.NoError(t, err)
	require.NoError(t, release())
}
