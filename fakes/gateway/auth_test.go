package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/gateway"
	"github.com/planeproof/planeproof/provider"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refusal is a request whose credential is not accepted, and the words for it.
type refusal struct {
	name   string
	header []string
	note   string
	says   string
}

func refusals() map[provider.Shape][]refusal {
	return map[provider.Shape][]refusal{
		provider.ShapeBearer: {
			{"missing", nil, "no credential", "didn't provide an API key"},
			{"wrong token", []string{"Authorization", "Bearer nope"}, "wrong token", "Incorrect API key"},
			{"token in another case", []string{"Authorization", "Bearer " + strings.ToUpper(token)}, "wrong token", "Incorrect API key"},
			{"part of the token", []string{"Authorization", "Bearer " + token[:8]}, "wrong token", "Incorrect API key"},
			{"Api-Key", []string{"Authorization", "Api-Key " + token}, "wrong scheme: Api-Key instead of Bearer", "scheme: Api-Key"},
			{"Basic", []string{"Authorization", "basic " + token}, "wrong scheme: Basic instead of Bearer", "scheme: Basic"},
			{"unknown scheme", []string{"Authorization", "tok canary"}, "wrong scheme: an unknown one instead of Bearer", "an unknown one"},
			{"bare token", []string{"Authorization", token}, "no scheme: bare token instead of Bearer", "has no scheme"},
			{"doubled", []string{"Authorization", "Bearer Bearer " + token}, "scheme doubled", "stands twice"},
			{"doubled in another case", []string{"Authorization", "Bearer bearer " + token}, "scheme doubled", "stands twice"},
			{"doubled with another", []string{"Authorization", "Bearer Api-Key " + token}, "scheme doubled", "no `Api-Key ` prefix"},
			{"scheme alone", []string{"Authorization", "Bearer"}, "malformed: no token", "no API key where one belongs"},
			{"empty", []string{"Authorization", ""}, "malformed: empty authorization", "is empty"},
			{"two words", []string{"Authorization", "Bearer " + token + " " + token}, "malformed: more than one word", "blanks"},
			{"list", []string{"Authorization", "Bearer " + token + ", Bearer " + token}, "malformed: more than one word", "blanks"},
			{"tab", []string{"Authorization", "Bearer\t" + token}, "no scheme: bare token instead of Bearer", "has no scheme"},
			{"two kinds", []string{"Authorization", "Bearer " + token, "X-Api-Key", token}, "malformed: authorization and x-api-key", "exactly one"},
			{"x-api-key", []string{"X-Api-Key", token}, "wrong header: x-api-key instead of authorization", "in the x-api-key header"},
			{"api-key", []string{"Api-Key", token}, "wrong header: api-key instead of authorization", "in the api-key header"},
		},
		provider.ShapeAPIKeyScheme: {
			{"missing", nil, "no credential", "Authorization: Api-Key YOUR_KEY"},
			{"Bearer", []string{"Authorization", "Bearer " + token}, "wrong scheme: Bearer instead of Api-Key", "scheme: Bearer"},
			{"doubled", []string{"Authorization", "Api-Key Bearer " + token}, "scheme doubled", "no `Bearer ` prefix"},
			{"Kelvin sign", []string{"Authorization", "Api-\u212aey " + token}, "wrong scheme: an unknown one instead of Api-Key", "an unknown one"},
			{"wrong token", []string{"Authorization", "Api-Key nope"}, "wrong token", "Incorrect API key"},
			{"bare token", []string{"Authorization", token}, "no scheme: bare token instead of Api-Key", "has no scheme"},
		},
		provider.ShapeXAPIKey: {
			{"missing", nil, "no credential", "x-api-key: YOUR_KEY"},
			{"authorization", []string{"Authorization", "Bearer " + token}, "wrong header: authorization instead of x-api-key", "in the authorization header"},
			{"scheme", []string{"X-Api-Key", "Bearer " + token}, "wrong scheme: Bearer instead of none", "scheme: Bearer"},
			{"empty", []string{"X-Api-Key", ""}, "malformed: no token", "no API key where one belongs"},
			{"two words", []string{"X-Api-Key", token + " x"}, "malformed: more than one word", "blanks"},
			{"twice", []string{"X-Api-Key", token, "X-Api-Key", token}, "malformed: x-api-key and x-api-key", "exactly one"},
			{"two kinds", []string{"X-Api-Key", token, "Authorization", "Bearer " + token}, "malformed: authorization and x-api-key", "exactly one"},
			{"wrong token", []string{"X-Api-Key", "nope"}, "wrong token", "Incorrect API key"},
		},
		provider.ShapeAPIKey: {
			{"missing", nil, "no credential", "api-key: YOUR_KEY"},
			{"x-api-key", []string{"X-Api-Key", token}, "wrong header: x-api-key instead of api-key", "in the x-api-key header"},
			{"wrong token", []string{"Api-Key", "nope"}, "wrong token", "Incorrect API key"},
		},
	}
}

func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	for auth, cases := range refusals() {
		config := bearer()
		config.Auth = auth
		b := start(t, config)
		for _, tt := range cases {
			for _, request := range []struct{ method, path, body string }{
				{"GET", "/models", ""}, {"GET", "/v1/models/acme-chat", ""}, {"POST", "/v1/chat/completions", prompt},
			} {
				got := b.ask(request.method, request.path, request.body, tt.header...)
				require.Equal(t, http.StatusUnauthorized, got.StatusCode, "%s: %s on %s", auth, tt.name, request.path)
				problem := got.problem(t)
				assert.Equal(t, "invalid_api_key", problem["code"])
				assert.Contains(t, problem["message"], tt.says, "%s: %s", auth, tt.name)
				assert.Contains(t, got.Header.Get("Www-Authenticate"), "realm=", "RFC 9110: a 401 has a challenge")
				assert.NotContains(t, got.body, "canary", "a refusal repeats nothing that was sent")
				entry := b.last()
				assert.Equal(t, tt.note, entry.Note)
				assert.NotContains(t, entry.Note, "canary")
				assert.Equal(t, http.StatusUnauthorized, entry.Status)
			}
		}
	}
}

// The five ways to be wrong that a person has to tell apart have a message each.
func TestEachRefusalHasItsOwnMessage(t *testing.T) {
	t.Parallel()
	b := start(t, bearer())
	seen := map[any]string{}
	for _, tt := range refusals()[provider.ShapeBearer] {
		switch tt.name {
		case "missing", "Api-Key", "doubled", "two kinds", "wrong token":
			message := b.ask("GET", "/models", "", tt.header...).problem(t)["message"]
			assert.Empty(t, seen[message], "%s has the message of another", tt.name)
			seen[message] = tt.name
		}
	}
	assert.Len(t, seen, 5)
}

func TestChallengeNamesTheScheme(t *testing.T) {
	t.Parallel()
	for auth, want := range map[provider.Shape]string{
		"":                         `Bearer realm="OpenAI API"`,
		provider.ShapeBearer:       `Bearer realm="OpenAI API"`,
		provider.ShapeAPIKeyScheme: `Api-Key realm="OpenAI API"`,
		provider.ShapeXAPIKey:      `ApiKey realm="OpenAI API", header="x-api-key"`,
		provider.ShapeAPIKey:       `ApiKey realm="OpenAI API", header="api-key"`,
	} {
		b := start(t, gateway.Config{Auth: auth})
		assert.Equal(t, want, b.ask("GET", "/models", "").Header.Get("Www-Authenticate"))
	}
}

func TestForbiddenTokenIsNotAuthorized(t *testing.T) {
	t.Parallel()
	config := bearer()
	config.Forbidden = []string{"tok-known"}
	b := start(t, config)
	got := b.ask("GET", "/v1/models", "", "Authorization", "Bearer tok-known")
	assert.Equal(t, http.StatusForbidden, got.StatusCode)
	assert.Equal(t, "insufficient_permissions", got.problem(t)["code"])
	assert.Empty(t, got.Header.Get("Www-Authenticate"))
	assert.Equal(t, "not authorized", b.last().Note)
}

func TestAcceptedCredentials(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		auth   provider.Shape
		header []string
	}{
		{"", []string{"Authorization", "Bearer " + token}},
		{provider.ShapeBearer, []string{"Authorization", "bearer " + token}},
		{provider.ShapeBearer, []string{"Authorization", "BEARER   " + token}},
		{provider.ShapeAPIKeyScheme, []string{"Authorization", "api-key " + token}},
		{provider.ShapeXAPIKey, []string{"X-Api-Key", token}},
		{provider.ShapeAPIKey, []string{"Api-Key", token}},
		{provider.ShapeNone, nil},
		{provider.ShapeNone, []string{"Authorization", "whatever", "X-Api-Key", "nope"}},
	} {
		config := bearer()
		config.Auth = tt.auth
		b := start(t, config)
		got := b.ask("GET", "/v1/models", "", tt.header...)
		assert.Equal(t, http.StatusOK, got.StatusCode, tt)
		entry := b.last()
		assert.Equal(t, "accepted", entry.Note)
		assert.Len(t, entry.Credentials, len(tt.header)/2)
	}
}

func TestOpenModelsNeedNoCredential(t *testing.T) {
	t.Parallel()
	config := bearer()
	config.OpenModels = true
	b := start(t, config)
	assert.Equal(t, http.StatusOK, b.ask("GET", "/models", "").StatusCode)
	assert.Equal(t, http.StatusOK, b.ask("GET", "/models/acme-chat", "", "Authorization", "Bearer nope").StatusCode)
	assert.Equal(t, http.StatusUnauthorized, b.ask("POST", "/chat/completions", prompt).StatusCode, "only the listing is open")
}

// TestAcceptedHeadersAreJournalled: a credential is taken only from a header that journals fingerprint and redactors know.
func TestAcceptedHeadersAreJournalled(t *testing.T) {
	t.Parallel()
	for _, auth := range []provider.Shape{provider.ShapeBearer, provider.ShapeAPIKeyScheme, provider.ShapeXAPIKey, provider.ShapeAPIKey, provider.ShapeApikey} {
		accepted := 0
		for _, name := range slices.Concat(evidence.CredentialHeaders(), []string{"x-auth-token", "proxy-authorization", "ocp-apim-subscription-key", "x-goog-api-key", "cookie"}) {
			for _, scheme := range []string{"", "Bearer ", "Api-Key "} {
				g := gateway.NewTenants()
				require.NoError(t, put(g, id, gateway.Config{Auth: auth, Tokens: []string{token}, Models: []string{"acme-chat"}}))
				r := httptest.NewRequest(http.MethodGet, "/"+id+"/v1/models", nil)
				r.Header.Set(name, scheme+token)
				w := httptest.NewRecorder()
				g.ServeHTTP(w, r)
				if w.Code == http.StatusOK {
					accepted++
					assert.Contains(t, evidence.CredentialHeaders(), name, "%s accepts what no journal shows", auth)
					assert.True(t, evidence.IsSecretName(name))
				}
			}
		}
		assert.Equal(t, 1, accepted, "%s accepts one shape", auth)
	}
}
