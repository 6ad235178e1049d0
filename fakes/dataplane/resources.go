package dataplane

import (
	"net/http"

	"github.com/planeproof/planeproof/evidence"
)

// secretPath is where a proxy fetches credentials.
const secretPath = "/api/secret"

// call is one request that found its endpoint.
type call struct {
	r      *http.Request
	config Config
	caller Key // the zero Key where the resource is open
	store  *store
	entry  *evidence.Exchange
	id     string // from the path, in lower case; empty on a collection
	client *http.Client
}

// methods are the endpoints at one path. An endpoint returns what is answered, a string as text and all else as JSON, or a refusal.
type methods map[string]func(*call) (any, error)

// resource is a collection and what lies one segment below it.
type resource struct {
	name             string
	collection, item methods
	// open resources ask for no key.
	open bool
	// adminWrites are refused to members (guide: bearer-after-v2-migration, step 2, for ai_secret; assumed for env_var).
	adminWrites bool
	// showQuery journals the query, which holds filters and no secret.
	showQuery bool
}

func resources() map[string]resource {
	return map[string]resource{
		"/v1":       {name: "index", open: true, collection: methods{http.MethodGet: hello}},
		"/version":  {name: "version", open: true, collection: methods{http.MethodGet: version}},
		secretPath:  {name: "secret", collection: methods{http.MethodPost: apiSecret}},
		testKeyPath: {name: "test-key", collection: methods{http.MethodPost: testKey}},
		"/v1/organization": {
			name: "organization", adminWrites: true,
			collection: methods{http.MethodGet: listOrganizations},
			item:       methods{http.MethodGet: getOrganization, http.MethodPatch: patchOrganization},
		},
		"/v1/project": {
			name: "project", showQuery: true,
			collection: methods{http.MethodGet: listProjects, http.MethodPost: postProject},
			item:       methods{http.MethodGet: getProject, http.MethodPatch: patchProject, http.MethodDelete: deleteProject},
		},
		"/v1/ai_secret": {
			name: "ai_secret", adminWrites: true, showQuery: true,
			collection: methods{
				http.MethodGet: listAISecrets, http.MethodPost: postAISecret, http.MethodPut: putAISecret,
				http.MethodDelete: deleteNamedAISecret,
			},
			item: methods{http.MethodGet: getAISecret, http.MethodPatch: patchAISecret, http.MethodDelete: deleteAISecret},
		},
		"/v1/env_var": {
			name: "env_var", adminWrites: true, showQuery: true,
			collection: methods{http.MethodGet: listEnvVars, http.MethodPost: postEnvVar, http.MethodPut: putEnvVar},
			item:       methods{http.MethodGet: getEnvVar, http.MethodPatch: patchEnvVar, http.MethodDelete: deleteEnvVar},
		},
	}
}

// hello is the body that facts quote.
func hello(*call) (any, error) { return "Hello, World!", nil }

// version tells a version in a field that is a guess, as the real one's is unknown; the numbers are those that facts have for the
// data planes before and after pass-through.
func version(c *call) (any, error) {
	if c.config.Serving == ServingV1 {
		return map[string]string{"version": "1.1.32"}, nil
	}
	return map[string]string{"version": "2.0.0"}, nil
}
