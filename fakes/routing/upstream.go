package routing

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/sjson"

	"github.com/planeproof/planeproof/provider"
)

// maxErrorBody is how much of an upstream's error is kept, in bytes.
const maxErrorBody = 1 << 20

// answer is what goes back to the caller.
type answer struct {
	status int
	header http.Header
	body   io.ReadCloser
	// endpoint is the name of the secret that was used.
	endpoint string
}

// failed says whether the loop goes on to the next secret: everything but success and 400
// (recorded: proxy-routing project-401-masked-by-org, project-500-masked-by-org).
func (a *answer) failed() bool {
	return (a.status < 200 || a.status > 299) && a.status != http.StatusBadRequest
}

// wrapped says whether the last failure is dressed up as text: any 4xx but 404 and 429
// (recorded: proxy-routing upstream-401, upstream-403, upstream-418).
func (a *answer) wrapped() bool {
	return a.status >= 400 && a.status < 500 && a.status != http.StatusNotFound && a.status != http.StatusTooManyRequests
}

// round is one request on its way through the candidates.
type round struct {
	proxy *Proxy
	call  Call
	req   *request
	// body is what the next secret gets; a secret without streaming takes `stream` out for those after it too. model is the one in it.
	body  []byte
	model string
	// contentType replaces the upstream's, once a stream was faked.
	contentType string
}

// run tries the candidates round robin from a random start and returns the answer that counts.
func (r *round) run(ctx context.Context, candidates []provider.Secret) (*answer, error) {
	if r.call.Rules.Sends != provider.Legacy202602 {
		r.override(candidates[0].Decode())
	}
	var last *answer
	var failure error
	start := r.call.start(len(candidates))
	for i := range candidates {
		secret := candidates[(start+i)%len(candidates)]
		got, err := r.try(ctx, secret)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			failure = err
			r.call.Log("info", r.req.project, "Failed to fetch with a generic error (could be an invalid URL or an unhandled network error) "+
				secret.ID+" TypeError: fetch failed: "+err.Error())
			r.retryable("undefined")
			r.call.note("upstream of " + secret.Name + " failed: " + err.Error())
		case !got.failed():
			return got, nil
		case i < len(candidates)-1:
			last = got
			r.retryable(strconv.Itoa(got.status))
			r.call.note(secret.Name + " answered " + strconv.Itoa(got.status))
		case got.wrapped() && !r.call.Rules.Closed:
			return wrap(got)
		default:
			last = got
			r.retryable("undefined")
		}
	}
	if last == nil {
		return nil, r.call.Rules.unreachable(failure)
	}
	return last, nil
}

// retryable logs as the real proxy does, which has no code to show for the last in order (recorded: proxy-routing upstream-500).
func (r *round) retryable(code string) {
	r.call.Log("warn", r.req.project, "Received retryable error. Will try the next endpoint "+code)
}

// override puts model and system message of the first secret, whichever is tried first, into the request (facts: first-secret-only,
// override-system-prompt).
func (r *round) override(first provider.Metadata) {
	if first.OverrideModel != "" {
		r.model = first.OverrideModel
		r.edit(func(body []byte) ([]byte, error) { return sjson.SetBytes(body, "model", first.OverrideModel) })
	}
	if first.OverrideSystemPrompt == "" {
		return
	}
	own := r.req.fields.Get("messages")
	if !own.IsArray() {
		return
	}
	all := "[" + string(encode(map[string]string{"role": "system", "content": first.OverrideSystemPrompt}))
	if own.Get("0").Exists() {
		all += ","
	}
	r.edit(func(body []byte) ([]byte, error) { return sjson.SetRawBytes(body, "messages", []byte(all+own.Raw[1:])) })
}

// unreachable is the answer where no secret's upstream gave one.
func (r Rules) unreachable(err error) *Refusal {
	own := (*typeError)(nil)
	switch {
	case r.Closed:
		return &Refusal{Status: http.StatusBadGateway, Text: "fetch failed: " + err.Error()}
	case errors.As(err, &own):
		return thrownType(own.text)
	}
	return thrownType("fetch failed: " + err.Error())
}

func (r *round) edit(change func([]byte) ([]byte, error)) {
	if changed, err := change(r.body); err == nil {
		r.body = changed
	}
}

// try sends the request with one secret. A failure's body is read whole: it may be needed after the next secret was tried.
func (r *round) try(ctx context.Context, s provider.Secret) (*answer, error) {
	metadata := s.Decode()
	passes := r.req.path == provider.Responses // before supportsStreaming is looked at (facts: fake-stream)
	fakes := !metadata.SupportsStreaming && !passes
	leaves := metadata.SupportsStreaming && r.req.path == "/chat/completions" && !r.call.Rules.Closed &&
		provider.LeavesChat(r.call.Rules.Sends, r.model)
	if fakes {
		r.edit(func(body []byte) ([]byte, error) { return sjson.DeleteBytes(body, "stream") })
		r.edit(func(body []byte) ([]byte, error) { return sjson.DeleteBytes(body, "stream_options") })
	}
	path, body := r.req.path, r.body
	if leaves {
		path, body = provider.Responses, asResponses(r.body)
	}
	out, err := r.outgoing(ctx, s, metadata, path, body)
	if err != nil {
		return nil, err
	}
	response, err := r.call.Send(out)
	if err != nil {
		return nil, withoutURL(err)
	}
	got := &answer{status: response.StatusCode, header: response.Header, body: response.Body, endpoint: s.Name}
	switch {
	case got.failed():
		return got, got.buffer(maxErrorBody)
	case got.status == http.StatusBadRequest:
		return got, nil
	case leaves:
		if err := got.asChat(); err != nil {
			return nil, err
		}
	}
	if r.req.stream && (fakes || leaves) {
		r.contentType = "text/event-stream; charset=utf-8"
		return got, got.fakeStream()
	}
	return got, nil
}

// outgoing builds the request for one secret.
func (r *round) outgoing(ctx context.Context, s provider.Secret, metadata provider.Metadata, path string, body []byte) (*http.Request, error) {
	if r.req.query != "" {
		path += "?" + r.req.query
	}
	called := r.call.Rules.url(s, r.model, path)
	target, err := url.Parse(called)
	switch {
	case err != nil || target.Host == "":
		return nil, errors.New("invalid URL") // without the URL, which may hold credentials
	case target.User != nil:
		return nil, &typeError{"Request cannot be constructed from a URL that includes credentials: " + called, "invalid URL: it has a user"}
	}
	header, err := r.call.Rules.outgoingHeader(r.req.header, s, metadata)
	if err != nil {
		return nil, err
	}
	out, err := http.NewRequestWithContext(ctx, r.req.method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("invalid URL")
	}
	out.URL, out.Header = target, header
	header["User-Agent"] = []string{""} // or net/http adds its own
	if len(body) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "text/plain;charset=UTF-8") // what fetch says of a string
	}
	return out, nil
}

// withoutURL takes the URL out of a client's error: it may hold credentials.
func withoutURL(err error) error {
	if inURL := (*url.Error)(nil); errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

// buffer reads the body whole and closes the connection's.
func (a *answer) buffer(limit int64) error {
	defer a.body.Close()
	body, err := io.ReadAll(io.LimitReader(a.body, limit))
	a.body = io.NopCloser(bytes.NewReader(body))
	return err
}

// wrap dresses a failure up as text without headers of its own (recorded: proxy-routing upstream-401).
func wrap(a *answer) (*answer, error) {
	body, err := io.ReadAll(a.body)
	if err != nil {
		return nil, err
	}
	lines := make([]string, 0, len(a.header))
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		lines = append(lines, strings.ToLower(name)+": "+strings.Join(a.header[name], ", "))
	}
	text := "AI provider returned " + strconv.Itoa(a.status) + " error:\n\n" + string(body) + "\n\nHeaders:\n" + strings.Join(lines, "\n")
	return &answer{status: a.status, header: http.Header{}, body: io.NopCloser(strings.NewReader(text)), endpoint: a.endpoint}, nil
}
