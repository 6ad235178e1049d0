package verify_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/verify"
)

func TestWrongTokenIsRefusedOnBothPaths(t *testing.T) { // TOKEN-3
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list})}
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, g), "sk-some-other")
	assert.Equal(t, verify.Refused, got.Verdict)
	assert.Equal(t, []verify.Verdict{verify.Refused, verify.Refused}, verdicts(got))
	assert.Equal(t, 401, got.Paths[0].Status)
	assert.Equal(t, "answered 401: Incorrect API key provided", got.Paths[0].Detail)
	assert.Empty(t, got.Paths[0].OpenCheck)
	assert.Equal(t, 1, got.Verdict.ExitCode())
	assert.Len(t, g.requests(), 2, "a refused token needs no wrong one beside it")
}

func TestProblemTokenIsNamedAndNotSent(t *testing.T) { // TOKEN-4
	t.Parallel()
	for _, bad := range []string{"Bearer " + token, "bEARER\t" + token, " " + token, token + "\n", "sk-can\x00ary", ""} {
		g := &gateway{paths: both(reply{status: 200, body: list})}
		got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, g), bad)
		assert.Equal(t, verify.NotRaw, got.Verdict, "%q", bad)
		assert.NotEmpty(t, got.TokenProblems)
		assert.Equal(t, 1, got.Verdict.ExitCode())
		assert.Empty(t, g.requests())
	}
}

func TestProblemTokenSentAnyway(t *testing.T) { // TOKEN-4
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list})}
	got := verify.Token(t.Context(), verify.Options{Client: ownClient(), SendAnyway: true}, serve(t, g), "Bearer "+token)
	assert.Equal(t, verify.Refused, got.Verdict)
	assert.NotEmpty(t, got.TokenProblems)
	assert.Contains(t, got.Advice, "raw token only")
	assert.Equal(t, "Bearer Bearer "+token, g.requests()[0].Header.Get("Authorization"))

	g = &gateway{paths: both(reply{status: 200, body: list})}
	verify.Token(t.Context(), verify.Options{Client: ownClient(), SendAnyway: true}, serve(t, g), " "+token)
	assert.Equal(t, "Bearer  "+token, g.requests()[0].Header.Get("Authorization"), "a blank in front is sent, as the proxy sends it")

	got = verify.Token(t.Context(), verify.Options{Client: ownClient(), SendAnyway: true}, serve(t, g), token+"\n")
	assert.Equal(t, verify.Verified, got.Verdict, "the end is trimmed, as the proxy's HTTP client does")
	assert.NotEmpty(t, got.TokenProblems)

	got = verify.Token(t.Context(), verify.Options{Client: ownClient(), SendAnyway: true}, serve(t, g), "sk-can\nary")
	assert.Equal(t, verify.NotRaw, got.Verdict)
	assert.Contains(t, got.Detail, "no HTTP header can hold it")
}

func TestNothingListensIsUnreachable(t *testing.T) { // TOKEN-5
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	got := verify.Token(t.Context(), verify.Options{Client: ownClient(), Retries: 2}, "http://"+listener.Addr().String(), token)
	unreachable(t, got, "refused")
}

func TestUnknownNameIsUnreachable(t *testing.T) { // TOKEN-5
	t.Parallel()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "gateway.invalid", IsNotFound: true}
	}}}
	got := verify.Token(t.Context(), verify.Options{Client: client}, "http://gateway.invalid", token)
	unreachable(t, got, "no such host")
}

func unreachable(t *testing.T, got verify.Result, why string) {
	t.Helper()
	assert.Equal(t, verify.Unreachable, got.Verdict)
	assert.Equal(t, []verify.Verdict{verify.Unreachable, verify.Unreachable}, verdicts(got))
	assert.Contains(t, got.Paths[0].Detail, why)
	assert.NotContains(t, got.Paths[0].Detail, "http://", "the error is quoted without the URL")
	assert.Zero(t, got.Paths[0].Status)
	assert.Equal(t, 3, got.Verdict.ExitCode())
}

func TestBrokenAnswersSayNothingOfTheToken(t *testing.T) { // TOKEN-5
	t.Parallel()
	reset := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, reset), token)
	assert.Equal(t, verify.Unreachable, got.Verdict)

	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, list)
	})
	got = verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, cut), token)
	assert.Equal(t, verify.Inconclusive, got.Verdict)
	assert.Contains(t, got.Paths[0].Detail, "broke off")
}

func TestLoginPageIsNotVerified(t *testing.T) { // TOKEN-6
	t.Parallel()
	page := reply{status: 200, body: "<!doctype html><title>Sign in</title>", header: map[string]string{"Content-Type": "text/html"}}
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, &gateway{paths: both(page)}), token)
	assert.Equal(t, verify.NotModelList, got.Verdict)
	assert.Contains(t, got.Paths[0].Detail, "login page")
	assert.Equal(t, 1, got.Verdict.ExitCode())
}

func TestRedirectIsNotFollowed(t *testing.T) { // TOKEN-6
	t.Parallel()
	login := &gateway{paths: both(reply{status: 200, body: list})}
	address := serve(t, login)
	for _, status := range []int{301, 302, 303, 307, 308} {
		there := reply{status: status, header: map[string]string{"Location": address + "/v1/models?next=" + token}}
		// The caller's own policy follows redirects; it is not used.
		got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, &gateway{paths: both(there)}), token)
		assert.Equal(t, verify.NotModelList, got.Verdict)
		assert.Contains(t, got.Paths[0].Detail, "a redirect to "+strings.TrimPrefix(address, "http://")+",")
		assert.NotContains(t, got.Paths[0].Detail, "next=")
	}
	assert.Empty(t, login.requests(), "the credential is not sent to the other host")
}

func TestUnknownAuthority(t *testing.T) { // TOKEN-7
	t.Parallel()
	g := &gateway{paths: both(reply{status: 200, body: list})}
	server := httptest.NewUnstartedServer(g)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is expected
	server.StartTLS()
	t.Cleanup(server.Close)

	roots := x509.NewCertPool()
	stranger := &http.Transport{TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}
	stranger.TLSClientConfig.RootCAs = roots
	got := verify.Token(t.Context(), verify.Options{Client: &http.Client{Transport: stranger}}, server.URL, token)
	assert.Equal(t, verify.Unreachable, got.Verdict)
	assert.Contains(t, got.Paths[0].Detail, "authority that is unknown here")
	assert.Contains(t, got.Advice, "--ca-file")
	assert.Empty(t, g.requests())

	known := stranger.Clone()
	known.TLSClientConfig.RootCAs = x509.NewCertPool()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.True(t, known.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca))
	got = verify.Token(t.Context(), verify.Options{Client: &http.Client{Transport: known}}, server.URL, token)
	assert.Equal(t, verify.Verified, got.Verdict)
}

func TestNeitherPathServed(t *testing.T) { // TOKEN-8
	t.Parallel()
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, serve(t, &gateway{}), token)
	assert.Equal(t, verify.NotBase, got.Verdict)
	assert.Equal(t, []verify.Verdict{verify.NotServed, verify.NotServed}, verdicts(got))
	assert.Equal(t, 1, got.Verdict.ExitCode())
}

func TestGoodTokenIsVerified(t *testing.T) { // TOKEN-1
	t.Parallel()
	for _, body := range []string{list, `{"data":[{"id":"a"},{"id":"b"}]}`} {
		g := &gateway{paths: both(reply{status: 200, body: body})}
		base := serve(t, g)
		got := verify.Token(t.Context(), verify.Options{Client: ownClient(), From: "a laptop"}, base, token)
		assert.Equal(t, verify.Verified, got.Verdict)
		assert.Equal(t, []verify.Verdict{verify.Verified, verify.Verified}, verdicts(got))
		assert.Equal(t, "a laptop", got.From)
		assert.Equal(t, base+"/v1/models", got.Paths[1].URL)
		assert.Equal(t, 2, got.Paths[1].Models)
		assert.Contains(t, got.Paths[0].OpenCheck, "was not accepted (401)")
		assert.Zero(t, got.Verdict.ExitCode())
		for _, r := range g.requests() {
			assert.Equal(t, http.MethodGet, r.Method)
		}
		first := g.requests()[0]
		assert.Equal(t, "Bearer "+token, first.Header.Get("Authorization"))
		assert.Equal(t, "*/*", first.Header.Get("Accept"))
	}
}

func TestOnePathServed(t *testing.T) { // TOKEN-2
	t.Parallel()
	good := reply{status: 200, body: list}
	for _, other := range []struct {
		reply   reply
		verdict verify.Verdict
	}{{reply{status: 404}, verify.NotServed}, {refusal(), verify.Refused}} {
		g := &gateway{paths: map[string]reply{"/models": other.reply, "/v1/models": good}}
		base := serve(t, g)
		got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, base, token)
		assert.Equal(t, verify.Verified, got.Verdict)
		assert.Equal(t, []verify.Verdict{other.verdict, verify.Verified}, verdicts(got))
		assert.Contains(t, got.Detail, "/v1/models: verified (200)")
		assert.Contains(t, got.Advice, "only /v1/models confirms the token: the api_base that goes with it is "+base+"/v1")
	}
}

func TestBaseAsTheSecretHasIt(t *testing.T) { // TOKEN-9
	t.Parallel()
	good := reply{status: 200, body: list}
	g := &gateway{paths: map[string]reply{"/t-abc/models": good, "/t-abc/v1/models": good}}
	base := serve(t, g)
	for _, suffix := range []string{"/t-abc", "/t-abc/", "/t-abc/v1", "/t-abc/v1/", "/t-abc//v1//"} {
		got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, base+suffix, token)
		assert.Equal(t, verify.Verified, got.Verdict, suffix)
		assert.Equal(t, base+"/t-abc", got.Base)
		assert.Equal(t, base+"/t-abc/models", got.Paths[0].URL)
	}
}

func TestBaseThatIsNoURL(t *testing.T) { // TOKEN-9
	t.Parallel()
	got := verify.Token(t.Context(), verify.Options{Client: ownClient()}, "gateway:8080/v1", token)
	assert.Equal(t, verify.NotBase, got.Verdict)
	assert.Contains(t, got.Detail, "http://")
	assert.Empty(t, got.Paths)
}
