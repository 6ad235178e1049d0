package fix_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/dataplane"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// crash ends the program, as seen by the server, with its n-th request: that one arrives, or not, and nobody reads the answer.
type crash struct {
	next    http.RoundTripper
	cancel  context.CancelFunc
	left    atomic.Int64 // secrets are read several at a time
	arrives bool
}

func newCrash(next http.RoundTripper, cancel context.CancelFunc, n int, arrives bool) *crash {
	c := &crash{next: next, cancel: cancel, arrives: arrives}
	c.left.Store(int64(n))
	return c
}

func (c *crash) RoundTrip(r *http.Request) (*http.Response, error) {
	left := c.left.Add(-1)
	if left > 0 {
		return c.next.RoundTrip(r)
	}
	if left == 0 && c.arrives {
		if resp, err := c.next.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	}
	c.cancel()
	return nil, errors.New("killed")
}

// TestKilledAfterEachRequest: a plan of 12 is killed after every one of its requests, and a smaller one before every one, and run again:
// it ends fixed, and nothing was written twice.
func TestKilledAfterEachRequest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		arrives bool
		secrets int
	}{{true, 12}, {false, 4}} {
		t.Run(fmt.Sprintf("arrives=%t", row.arrives), func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				if finished := killAndRerun(t, n, row.secrets, row.arrives); finished {
					require.Greater(t, n, row.secrets*4, "the plan has more requests than that")
					return
				}
			}
		})
	}
}

// killAndRerun says whether the plan was finished before its n-th request.
func killAndRerun(t *testing.T, n, secrets int, arrives bool) (finished bool) {
	t.Helper()
	o := newOrg(t, func(c *dataplane.Config) { c.PatchNeedsName = true })
	var all []inventory.Secret
	for i := range secrets {
		if i%2 == 0 {
			all = append(all, o.secret(fmt.Sprintf("s%d", i), affected("")))
		} else {
			all = append(all, o.projectSecret("evals", fmt.Sprintf("s%d", i), affected("")))
		}
	}
	p := o.plan(fix.Bearer, fix.DataPlane{Version: version("2.0.0")}, all...)
	since := len(o.journal())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	killed := &http.Client{Transport: newCrash(o.server.Client().Transport, cancel, n, arrives)}
	var said strings.Builder
	_, err := fix.Apply(ctx, control.New(o.url(), adminKey, killed), p, o.options(&said))
	if err == nil {
		return true
	}
	_, err = o.apply(p, nil)
	require.NoError(t, err, "request %d", n)
	written := map[string]int{}
	for _, w := range o.writes(since) {
		if strings.HasSuffix(w, " 200") {
			written[w]++
		}
	}
	require.Len(t, written, secrets, "request %d", n)
	for w, times := range written {
		require.Equal(t, 1, times, "request %d: %s", n, w)
	}
	for _, secret := range all {
		require.JSONEq(t, strings.Replace(affected(""), `"auth_format":"api_key"`, `"auth_format":"bearer"`, 1), o.metadata(secret))
	}
	backup, err := fix.ReadBackup(o.dir + "/backup.json")
	require.NoError(t, err, "request %d", n)
	require.Len(t, backup.Secrets, secrets, "request %d: the backup is whole", n)
	for _, saved := range backup.Secrets {
		require.JSONEq(t, affected(""), gjson.GetBytes(saved.Object, "metadata").Raw, "request %d", n)
	}
	return false
}

// TestKilledWhileATokenIsStored: the value cannot be read back, so the date and the journal must tell together.
func TestKilledWhileATokenIsStored(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		o := newOrg(t, nil)
		one := o.secret("one", affected(""))
		p := o.plan(fix.RawToken, fix.DataPlane{}, one)
		since := len(o.journal())
		ctx, cancel := context.WithCancel(context.Background())
		killed := &http.Client{Transport: newCrash(o.server.Client().Transport, cancel, n, true)}
		var said strings.Builder
		options := o.options(&said)
		options.Token = "sk-canary-new-token"
		_, err := fix.Apply(ctx, control.New(o.url(), adminKey, killed), p, options)
		cancel()
		if err == nil {
			require.Greater(t, n, 4)
			return
		}
		_, err = o.apply(p, func(o *fix.Options) { o.Token = "sk-canary-new-token" })
		require.NoError(t, err, "request %d", n)
		require.Equal(t, []string{"PATCH " + one.Path() + " 200"}, o.writes(since), "request %d", n)
	}
}
