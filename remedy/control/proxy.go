package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
)

// Call is one model call through the data plane's own proxy.
type Call struct {
	// ProjectID gives the call a project context, empty for the organization's secrets alone.
	ProjectID string
	Model     string
	// Caches lets the proxy answer from its caches; else both are bypassed, as a check that they can serve proves nothing
	// (facts: answer-cache, credential-cache).
	Caches bool
}

// CallResult is what came of a model call. It holds no credential and nothing of a completion.
type CallResult struct {
	Status int
	// OK says that the answer is a 200 with a completion.
	OK bool
	// UsedEndpoint is the name of the secret that served the call, where the proxy tells (facts: used-endpoint).
	UsedEndpoint string
	// Cached says that the answer came from the proxy's cache.
	Cached bool
	// Said is the beginning of an error's text in one line, or what is wrong with an answer of status 200.
	Said       string
	RequestIDs map[string]string
}

// Proxy sends one short chat completion to `/v1/proxy/chat/completions` with the key. It is sent again only where no model answered:
// after a 429, as a busy plane says nothing of a credential, or where no connection came about. An error is that there was no answer;
// a refusal by the proxy or by what is behind it is a result.
func (c *Client) Proxy(ctx context.Context, call Call) (CallResult, error) {
	const path = "/v1/proxy/chat/completions"
	body, err := json.Marshal(map[string]any{
		"model":    call.Model,
		"messages": []map[string]string{{"role": "user", "content": "Answer with OK. (planeproof " + rand.Text() + ")"}},
	})
	if err != nil {
		return CallResult{}, &Error{Method: http.MethodPost, Path: path, Kind: Unusable, Reason: "the request cannot be made"}
	}
	header := map[string]string{}
	if !call.Caches {
		header["x-bt-use-cache"], header["x-bt-use-creds-cache"] = "never", "never"
	}
	if call.ProjectID != "" {
		header["x-bt-project-id"] = call.ProjectID
	}
	resp, err := c.do(ctx, http.MethodPost, path, body, header)
	if err != nil {
		failed := c.noAnswer(ctx, http.MethodPost, path, err)
		failed.Uncertain = false // a call changes nothing
		return CallResult{}, failed
	}
	answer := new(bytes.Buffer)
	_, _ = answer.ReadFrom(resp.Body) // it is in memory
	_ = resp.Body.Close()
	result := CallResult{
		Status: resp.StatusCode, UsedEndpoint: c.quote(resp.Header.Get("x-bt-used-endpoint")),
		Cached: resp.Header.Get("x-bt-cached") == "HIT", RequestIDs: requestIDs(resp.Header),
	}
	result.OK, result.Said = c.judgeCompletion(resp, answer.Bytes())
	return result, nil
}

// judgeCompletion says whether an answer is a completion, and quotes what it is instead.
func (c *Client) judgeCompletion(resp *http.Response, body []byte) (ok bool, said string) {
	if resp.StatusCode != http.StatusOK {
		return false, c.quote(Message(body))
	}
	if reason := notJSON(body); reason != "" {
		return false, reason
	}
	var completion struct {
		Choices []json.RawMessage `json:"choices"`
	}
	if json.Unmarshal(body, &completion) != nil || len(completion.Choices) == 0 {
		return false, "the answer is JSON, but not a completion"
	}
	return true, ""
}
