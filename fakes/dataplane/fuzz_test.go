package dataplane_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/planeproof/planeproof/fakes/dataplane"
)

// FuzzAPIBody: no body makes a 5xx or a panic, and every answer is one that the API gives: JSON on 200, text on a refusal.
func FuzzAPIBody(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"name":"acme"}`, `{"name":"acme","name":1}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}",
		`{"secret_type":"openai","metadata":{"excludeDefaultModels":false,"supportsStreaming":true,"api_base":"https://us.api.openai.com/v1"}}`,
		`{"name":"acme","type":"openai","secret":"Bearer sk","metadata":{"customModels":{"gpt-4.1":{}},"auth_format":null}}`,
		`{"name":"v","object_type":"organization","object_id":"` + orgID + `","value":" sk\n","metadata":{"a":{"b":[1e999]}}}`,
		`{"model":"acme-chat","org_name":"acme","mode":"full","project_id":"` + unknownID + `"}`,
	} {
		for mode := range uint8(3) {
			f.Add(mode, body)
		}
	}
	f.Fuzz(func(t *testing.T, mode uint8, body string) {
		config := settings()
		config.Patch = []string{dataplane.PatchReplace, dataplane.PatchMerge, dataplane.PatchIgnore}[mode%3]
		config.PatchNeedsName = mode&4 != 0
		o := newOrg(t, config)
		kinds := objects(o)
		secret, variable := kinds["ai_secret"].post(o, `{"a":{"b":1}}`), kinds["env_var"].post(o, `{"a":{"b":1}}`)
		project := o.admin("GET", "/v1/project", "").get("objects.0.id").String()
		for _, call := range []struct{ method, path string }{
			{"POST", "/v1/project"}, {"PATCH", "/v1/project/" + project},
			{"PATCH", secret}, {"POST", "/v1/ai_secret"}, {"PUT", "/v1/ai_secret"},
			{"PATCH", variable}, {"POST", "/v1/env_var"}, {"PUT", "/v1/env_var"},
			{"POST", "/api/secret"}, {"DELETE", "/v1/ai_secret"},
			{"GET", "/v1/ai_secret"}, {"GET", "/v1/env_var"}, {"GET", "/v1/project"},
		} {
			got := o.send(call.method, call.path, "Bearer "+adminKey, body)
			switch {
			case got.status >= 500:
				t.Fatalf("%s %s: %d %s", call.method, call.path, got.status, got.body)
			case got.status == 200 && !json.Valid([]byte(got.body)):
				t.Fatalf("%s %s: not JSON: %s", call.method, call.path, got.body)
			case got.status != 200 && !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain"):
				t.Fatalf("%s %s: %d as %s", call.method, call.path, got.status, got.header.Get("Content-Type"))
			}
		}
	})
}
