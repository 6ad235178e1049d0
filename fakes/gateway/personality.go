package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// Products and habits that a gateway can take after, the values of Config.Personality.
const (
	PersonalityOpenAI      = "openai"
	PersonalityVLLM        = "vllm"
	PersonalityLiteLLM     = "litellm"
	PersonalityKong        = "kong"
	PersonalityAzure       = "azure"
	PersonalityBaseten     = "baseten"
	PersonalitySSO         = "sso"          // answers everything with a login page
	PersonalitySSORedirect = "sso-redirect" // sends everything to a login page on another host
	PersonalityOpenModels  = "open-models"  // lets anyone list models
)

// personality is what one product does otherwise than a gateway without personality.
type personality struct {
	settings Config
	// guards is the prefix of the paths where the credential is judged before it is known whether the path is served.
	guards *string
	// deaf means that no header but the wanted one is looked at.
	deaf bool
	// exact takes what follows the scheme and one blank for the token, and judges no OPTIONS.
	exact bool
	// deployments are served below /openai/deployments, to a request that names an api-version.
	deployments bool
	// page is answered to every request.
	page *canned
	// canned are the product's own words for refusals; where it has none, OpenAI's are used.
	canned []canned
}

// canned is an answer in a product's own words.
type canned struct {
	to     []reason
	status int
	header map[string]string
	body   string
}

// unauthorized are the reasons for which no product known here says anything else than 401.
func unauthorized() []reason {
	return []reason{noCredential, wrongHeader, wrongScheme, malformed, doubled, wrongToken}
}

// personalities holds for each name what facts (upstream gateways as seen in the wild) say of it. Wording that facts leave out is
// that of the product's source or documentation.
func personalities() map[string]personality {
	return map[string]personality{
		// facts: openai-errors; a missing key has no code.
		PersonalityOpenAI: {settings: Config{Serve: []string{"/v1"}}, canned: []canned{
			{to: []reason{noCredential}, status: http.StatusUnauthorized,
				header: map[string]string{"Www-Authenticate": `Bearer realm="OpenAI API"`},
				body: `{"error":{"message":"You didn't provide an API key. You need to provide your API key in an Authorization header using ` +
					`Bearer auth (i.e. Authorization: Bearer YOUR_KEY).","type":"invalid_request_error","param":null,"code":null}}`},
		}},
		// facts: vllm. It refuses `Bearer Bearer` and two blanks, looks at no other header, and lets OPTIONS through.
		PersonalityVLLM: {settings: Config{Serve: []string{"/v1"}}, guards: new("/v1"), deaf: true, exact: true, canned: []canned{
			{to: unauthorized(), status: http.StatusUnauthorized, body: `{"error":"Unauthorized"}`},
			{to: []reason{notServed}, status: http.StatusNotFound, body: `{"detail":"Not Found"}`},
		}},
		// facts: litellm; "Malformed API Key ... Ensure Key has `Bearer ` prefix" is a 401. It cuts one `Bearer `
		// off, so that a doubled one is a token it does not know.
		PersonalityLiteLLM: {settings: Config{Serve: []string{"", "/v1"}}, canned: []canned{
			liteLLM("auth_error", "None", "No api key passed in.", noCredential, wrongHeader),
			liteLLM("auth_error", "None", "Malformed API Key passed in. Ensure Key has `Bearer ` prefix.", wrongScheme, malformed),
			liteLLM("token_not_found_in_db", "key", "Invalid proxy server token passed.", doubled, wrongToken),
			{to: []reason{notServed}, status: http.StatusNotFound, body: `{"detail":"Not Found"}`},
		}},
		// facts: api-key-products; `apikey` header, 401 {"message":"No API key found in request"}. It looks at no other header, and stands before all paths.
		PersonalityKong: {settings: Config{Auth: provider.ShapeApikey}, guards: new(""), deaf: true, canned: []canned{
			kong("No API key found in request", noCredential),
			kong("Unauthorized", wrongScheme, malformed, wrongToken),
		}},
		// facts: api-key-products, azure-path; `api-key` header, beside which the proxy sends a Bearer.
		PersonalityAzure: {settings: Config{Auth: provider.ShapeAPIKey, Serve: []string{"/openai/v1"}}, deaf: true, deployments: true, canned: []canned{
			{to: unauthorized(), status: http.StatusUnauthorized,
				body: `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to ` +
					`provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}`},
			{to: []reason{notServed}, status: http.StatusNotFound, body: `{"error":{"code":"404","message":"Resource not found"}}`},
		}},
		// facts: api-key-products; `Authorization: Api-Key`.
		PersonalityBaseten: {settings: Config{Auth: provider.ShapeAPIKeyScheme}},
		// facts: login-pages
		PersonalitySSO:         {page: &canned{status: http.StatusOK, header: html(), body: loginPage}},
		PersonalitySSORedirect: {page: &canned{status: http.StatusFound, header: toLogin(), body: loginPage}},
		// facts: models-paths
		PersonalityOpenModels: {settings: Config{OpenModels: true}},
	}
}

func liteLLM(typ, param, message string, to ...reason) canned {
	return canned{to: to, status: http.StatusUnauthorized,
		body: `{"error":{"message":"Authentication Error, ` + message + `","type":"` + typ + `","param":"` + param + `","code":"401"}}`}
}

func kong(message string, to ...reason) canned {
	return canned{to: to, status: http.StatusUnauthorized,
		header: map[string]string{"Www-Authenticate": `Key realm="kong"`}, body: `{"message":"` + message + `"}`}
}

const loginPage = `<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form method="post" action="/login"><input name="user"><input name="password" type="password"></form></body></html>
`

func html() map[string]string { return map[string]string{"Content-Type": "text/html; charset=utf-8"} }

// toLogin leads to a host that nobody has (RFC 2606): a client that follows is seen to fail.
func toLogin() map[string]string {
	header := html()
	header["Location"] = "https://login.example.com/authorize"
	return header
}

// answer returns the product's own words for a refusal, where it has some.
func (p *personality) answer(why reason) (reply, bool) {
	if p == nil {
		return reply{}, false
	}
	for _, c := range p.canned {
		if slices.Contains(c.to, why) {
			return c.reply(), true
		}
	}
	return reply{}, false
}

// guarded says whether the credential is judged on this path whether or not the path is served.
func (p *personality) guarded(method, path string) bool {
	return p != nil && p.guards != nil && strings.HasPrefix(path, *p.guards+"/") && !(p.exact && method == http.MethodOptions)
}

// deploys says whether the request may be one to a deployment, as azure's own libraries send them.
func (c call) deploys() bool {
	return c.personality != nil && c.personality.deployments && c.URL.Query().Get("api-version") != ""
}

func noDeployment() reply {
	return reply{status: http.StatusNotFound, raw: `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}`}.
		noting("unknown model")
}

func (c canned) reply() reply { return reply{status: c.status, header: c.header, raw: c.body} }
