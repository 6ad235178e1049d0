package fix_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/fix"
)

// breaking makes a file that this process has open unwritable once a PATCH was answered.
type breaking struct {
	t    *testing.T
	next http.RoundTripper
	path string
}

func (b breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if r.Method != http.MethodPatch {
		return resp, err
	}
	null, errNull := os.Open(os.DevNull) // for reading alone
	require.NoError(b.t, errNull)
	defer func() { _ = null.Close() }()
	all, errAll := os.ReadDir("/proc/self/fd")
	require.NoError(b.t, errAll)
	for _, fd := range all {
		if target, _ := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); target == b.path {
			n, errN := strconv.Atoi(fd.Name())
			require.NoError(b.t, errN)
			require.NoError(b.t, syscall.Dup3(int(null.Fd()), n, syscall.O_CLOEXEC))
		}
	}
	return resp, err
}

func TestAJournalThatBreaksAfterTheWrite(t *testing.T) {
	t.Parallel()
	o := newOrg(t, nil)
	one := o.secret("one", affected(""))
	p := o.plan(fix.Bearer, fix.DataPlane{}, one)
	err := o.applyWith(p, breaking{t, o.server.Client().Transport, fix.JournalPath(o.dir + "/backup.json")}, nil)
	require.Error(t, err)
	assert.ErrorContains(t, err, "the change is in, as the API accepted it, but the change journal cannot be written")
	assert.NotErrorIs(t, err, fix.ErrNotApplied)
	assert.Contains(t, o.metadata(one), `"auth_format":"bearer"`)
}
