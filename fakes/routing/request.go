package routing

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target/settings"
)

// maxBody is the largest request body that is read, in bytes; drained is how much more is thrown away so that a caller that is
// still sending gets to read the refusal.
const (
	maxBody = 8 << 20
	drained = 32 << 20
)

var nonce = regexp.MustCompile(`n-[a-z0-9]{16}`)

// Refusal is an error that is answered to the caller as text/plain with its own status.
type Refusal struct {
	Status int
	Text   string
	// thrown says that the proxy's code threw it.
	thrown bool
}

func (r *Refusal) Error() string { return r.Text }

// thrown is an Error that the proxy's code throws, which the edge answers as it is written (facts: thrown-errors).
func thrown(format string, args ...any) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Text: "Error: " + fmt.Sprintf(format, args...), thrown: true}
}

// thrownType is a TypeError.
func thrownType(text string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Text: "TypeError: " + text, thrown: true}
}

// request is what a caller asks, read once.
type request struct {
	method       string
	path         string // below the proxy's base, escaped, without the query
	query        string
	key          string // the caller's Braintrust key
	project      string
	org          string
	endpointName string
	header       http.Header // what of it goes upstream
	body         []byte
	fields       gjson.Result // the body, read where it lies; empty where it is no JSON object
	model        string       // empty where the body names none
	stream       bool
	answers      cachePolicy
	freshSecrets bool // the credential cache must not be read
}

func readRequest(r *http.Request, call Call) (*request, error) {
	path := call.Path
	switch {
	case r.Method == http.MethodPost:
	case r.Method == http.MethodGet && path == "/models" && !call.Rules.Closed: // facts: no-model
	case r.Method == http.MethodGet: // the real proxy knows a few more such paths; no scorer and no prompt run uses them
		return nil, &Refusal{Status: http.StatusNotFound, Text: "no such path for GET"}
	default:
		return nil, &Refusal{Status: http.StatusMethodNotAllowed, Text: "Method not allowed"}
	}
	key := callerKey(r.Header)
	if key == "" {
		return nil, thrown("Missing Authentication header")
	}
	credentials, err := cacheMode(r.Header, "x-bt-use-creds-cache") // whose error names the other header (facts: thrown-errors)
	if err != nil {
		return nil, err
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	req := &request{
		method: r.Method, path: path, query: r.URL.RawQuery, key: key, body: body, header: forwarded(r.Header),
		project: r.Header.Get("x-bt-project-id"), org: r.Header.Get("x-bt-org-name"),
		endpointName: r.Header.Get("x-bt-endpoint-name"), freshSecrets: credentials == "never",
	}
	if !json.Valid(body) { // nothing is passed on of it
		req.body = nil
	} else if whole := gjson.ParseBytes(body); whole.IsObject() {
		req.fields = whole
	}
	if project := req.project; project != "" && call.Rules.Variant == settings.VariantEdge {
		return nil, thrown("x-bt-project-id is not supported") // facts: org-unchecked
	} else if call.Rules.Variant == settings.VariantNode {
		req.project = ""
	}
	if model := req.fields.Get("model"); model.Type == gjson.String { // a model that is no string is none
		req.model = strings.Clone(model.String()) // not with the whole body into the cache of credentials
	}
	req.stream = req.fields.Get("stream").Type == gjson.True
	req.answers, err = newCachePolicy(r.Header, req)
	return req, err
}

// callerKey takes the second of exactly two words of Authorization, whatever the scheme; x-api-key counts only where there is
// no Authorization (recorded: proxy-routing auth-no-scheme, auth-basic-scheme; facts: caller-auth).
func callerKey(h http.Header) string {
	authorization := h.Get("Authorization")
	if authorization == "" {
		return h.Get("X-Api-Key")
	}
	words := strings.Split(authorization, " ")
	if len(words) != 2 {
		return ""
	}
	return words[1]
}

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, thrown("read request body: %v", err)
	}
	if len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, drained)
		return nil, &Refusal{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("request body is larger than %d bytes", maxBody)}
	}
	return body, nil
}

// forwarded keeps the headers that go upstream (facts: not-forwarded). The caller's x-api-key goes with them, as it does in
// the real proxy. What concerns the caller's connection stays behind, as in any HTTP client.
func forwarded(from http.Header) http.Header {
	out := http.Header{}
	for name, values := range from {
		lower := strings.ToLower(name)
		withheld := slices.ContainsFunc([]string{"x-bt", "x-amzn", "sec-"}, func(prefix string) bool {
			return strings.HasPrefix(lower, prefix)
		})
		switch lower {
		case "user-agent", "origin", "referer", "priority", "cache-control", "content-length",
			"authorization", "accept-encoding", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade":
			withheld = true
		}
		if !withheld {
			out[name] = slices.Clone(values)
		}
	}
	return out
}

// Describe fills in what the journal keeps of a request to a proxy: project context, model, stream and nonce.
func Describe(entry *evidence.Exchange, header http.Header, body []byte) {
	if project := header.Get("x-bt-project-id"); project != "" {
		entry.Header = map[string]string{"x-bt-project-id": project}
	}
	entry.Nonce = string(nonce.Find(body))
	if !json.Valid(body) {
		return
	}
	if model := gjson.GetBytes(body, "model"); model.Type == gjson.String {
		entry.Model = model.String()
	}
	if stream := gjson.GetBytes(body, "stream"); stream.IsBool() { // of another type: not said
		entry.Stream = new(stream.Bool())
	}
}
