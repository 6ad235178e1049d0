package verify

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// chat is the request path of a chat completion, which is what a scorer asks for.
const chat = "/chat/completions"

// Call is the request that the proxy makes upstream for a chat completion with the secret. It is not sent: only GET is.
type Call struct {
	// URL is the address called (docs/facts.md, URL called), empty where it cannot be called.
	URL string `json:"url"`
	// Detail says in one line what is known of it.
	Detail string `json:"detail"`
	// list is the model list beside URL, by which the call is judged; empty where the URL tells of none.
	list string
}

// generation is the one whose calls are judged.
func (v Options) generation() provider.Generation {
	if v.Generation == "" {
		return provider.Current202608
	}
	return v.Generation
}

// call is that of the secret, nil without one. A list on another host than the base's is never asked.
func (v Options) call(base string) *Call {
	if v.Secret == nil {
		return nil
	}
	called, ok := provider.CalledURL(provider.Endpoint(v.generation(), *v.Secret, chat))
	if !ok {
		return &Call{Detail: "the proxy cannot call what api_base and endpoint_path make: it is no URL of http or https"}
	}
	c := &Call{URL: called}
	if root, isChat := strings.CutSuffix(called, chat); isChat && sameHost(root, base) {
		c.list = root + "/models"
	}
	return c
}

func sameHost(a, b string) bool {
	one, err := url.Parse(a)
	b, _ = provider.CalledURL(b)
	other, errOther := url.Parse(b)
	return err == nil && errOther == nil && one.Scheme == other.Scheme && one.Host == other.Host
}

// lists are the model lists to ask: the guide's two below the base, and the one beside the call where that is another.
func (c *Call) lists(base string) []string {
	lists := []string{base + "/models", base + "/v1/models"}
	isIt := func(list string) bool { called, _ := provider.CalledURL(list); return called == c.list }
	if c != nil && c.list != "" && !slices.ContainsFunc(lists, isIt) {
		lists = append(lists, c.list)
	}
	return lists
}

// judge takes a good verdict back where the call goes to another place than the one where the token was seen to work. The list beside
// the call tells of its place, not of the token: that was tried already.
func (c *Call) judge(r *Result) {
	if c == nil {
		return
	}
	verdict := Verdict("")
	for _, p := range r.Paths {
		if called, _ := provider.CalledURL(p.requested); called == c.list {
			verdict = p.Verdict
		}
	}
	judged := CallUnknown
	switch verdict {
	case Verified, OpenEndpoint, NotAuthorized:
		c.Detail = "the model list beside it is served"
		return
	case Refused, NotServed, NotModelList:
		judged = CallElsewhere
	}
	switch {
	case verdict != "":
		c.Detail = "the model list beside it: " + string(verdict)
	case c.URL != "":
		c.Detail = "there is no model list by which it could be judged"
	default:
		judged = CallElsewhere
	}
	if r.Verdict == Verified {
		r.Verdict, r.Advice = judged, judged.advice()
		r.Detail += "; the proxy calls " + cmp.Or(c.URL, "nothing")
	}
}

// header is what the proxy sends beside the content: the secret's additionalHeaders, and the credential, which is joined with an
// Authorization that they hold (docs/facts.md; behaviour BEARER-22). Headers whose names differ in case alone are joined too.
func (v Options) header(credential string) http.Header {
	header := http.Header{"Accept": {"*/*"}, "Authorization": {credential}}
	if v.Secret == nil {
		return header
	}
	joined := map[string][]string{}
	more := v.Secret.Decode().AdditionalHeaders
	for _, name := range sortedKeys(more) {
		key := http.CanonicalHeaderKey(name)
		joined[key] = append(joined[key], strings.Trim(more[name], " \t\r\n"))
	}
	if own := joined["Authorization"]; own != nil && v.generation() == provider.Current202608 {
		joined["Authorization"] = append(own, credential)
	} else if own != nil {
		joined["Authorization"] = append([]string{credential}, own...)
	}
	for key, values := range joined {
		header[key] = []string{strings.Join(values, ", ")}
	}
	return header
}

// stored says what of the secret, as it is stored, stands between a good token and a call that works; it quotes no value.
func (v Options) stored() []string {
	if v.Secret == nil {
		return nil
	}
	var all []string
	m := v.Secret.Decode()
	if scheme, sure := SchemeIn(v.Preview); sure {
		all = append(all, fmt.Sprintf("the stored value begins with `%s `: the proxy sends it behind another scheme", scheme))
	} else if scheme != "" {
		all = append(all, fmt.Sprintf("the stored value may begin with `%s `: its preview does; the token tried here is the one given", scheme))
	}
	if v.Secret.Type == "openai" && m.AuthFormat == "api_key" && v.Generation != provider.Legacy202602 {
		all = append(all, "auth_format is api_key: the proxy sends the token as Api-Key, and as Bearer, as it was tried here, only where that is changed")
	}
	if HasAuthorization(m) {
		all = append(all, "additionalHeaders has an Authorization of its own: the proxy sends both in one header, which gateways refuse; it was sent so here")
	}
	return all
}

// HasAuthorization says that additionalHeaders has an Authorization, which the proxy joins with the token's.
func HasAuthorization(m provider.Metadata) bool {
	return slices.ContainsFunc(sortedKeys(m.AdditionalHeaders), func(name string) bool { return strings.EqualFold(name, "Authorization") })
}
