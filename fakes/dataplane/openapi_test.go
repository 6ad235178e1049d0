package dataplane_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// description is the vendor's OpenAPI description, and which of its operations were answered as it says.
type description struct {
	doc     *openapi3.T
	options *openapi3filter.Options
	checked map[string]bool // "GET /v1/project 200"
}

// loadDescription reads the description from OPENAPI_FILE, or from where it lies beside the checkout. It is not validated itself:
// it uses `"type": "null"`, which OpenAPI 3.0 does not have.
func loadDescription(t *testing.T) *description {
	t.Helper()
	file := os.Getenv("OPENAPI_FILE")
	if file == "" {
		file = filepath.Join("..", "..", "..", "shared", "openapi", "braintrust-api.subset.json")
		if _, err := os.Stat(file); err != nil {
			t.Skip("NOT CHECKED against the OpenAPI description: there is none beside the checkout, and OPENAPI_FILE is not set")
		}
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	require.NoError(t, err)
	uuid := openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC4122)
	options := &openapi3filter.Options{
		IncludeResponseStatus: true,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
				"uuid":      uuid,
				"date-time": openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringDateTime),
			}),
		},
	}
	return &description{doc, options, map[string]bool{}}
}

var (
	described   = regexp.MustCompile(`^/v1/(project|ai_secret|env_var)`)
	lastSegment = regexp.MustCompile(`/[^/]*$`)
	placeholder = regexp.MustCompile(`/\{[^/]*\}$`)
)

// operation finds the description's path and operation for a path of the API.
func (d *description) operation(method, path string) (string, *openapi3.PathItem, *openapi3.Operation) {
	if item := d.doc.Paths.Value(path); item != nil {
		return path, item, item.GetOperation(method)
	}
	for template, item := range d.doc.Paths.Map() {
		if placeholder.MatchString(template) && placeholder.ReplaceAllString(template, "") == lastSegment.ReplaceAllString(path, "") {
			return template, item, item.GetOperation(method)
		}
	}
	return "", nil, nil
}

// check says whether an answer is one that the description allows.
func (d *description) check(method, path string, got reply) error {
	path, _, _ = strings.Cut(path, "?")
	template, item, operation := d.operation(method, path)
	if operation == nil {
		return fmt.Errorf("the description has no %s %s", method, path)
	}
	d.checked[method+" "+template] = true
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: httptest.NewRequest(method, path, nil),
			Route:   &routers.Route{Spec: d.doc, Path: template, PathItem: item, Method: method, Operation: operation},
		},
		Status: got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)), Options: d.options,
	})
}

// unchecked lists the described operations of project, ai_secret and env_var that no answer was checked for.
func (d *description) unchecked() []string {
	var missing []string
	for template, item := range d.doc.Paths.Map() {
		for method := range item.Operations() {
			name := method + " " + template
			if described.MatchString(template) && !d.checked[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := loadDescription(t)
	o := newOrg(t, settings())
	project := o.admin("POST", "/v1/project", `{"name":"p","description":"d"}`).get("id").String()
	secret := o.admin("POST", "/v1/ai_secret", `{"name":"s","type":"openai","secret":"`+canary+`","metadata":{"a":null}}`).get("id").String()
	inProject := `{"object_type":"project","object_id":"` + project + `","name":`
	variable := o.admin("POST", "/v1/env_var", inProject+`"v","value":"`+canary+`","secret_category":"ai_provider"}`).get("id").String()

	for _, call := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/organization", "", 200},
		{"GET", "/v1/organization/" + orgID, "", 200},
		{"PATCH", "/v1/organization/" + orgID, `{"proxy_url":"https://proxy.example.com","is_universal_api":true}`, 200},
		{"PATCH", "/v1/organization/" + orgID, `{"api_url":1}`, 400},
		{"POST", "/v1/project", `{"name":"q"}`, 200},
		{"POST", "/v1/project", `{"name":""}`, 400},
		{"GET", "/v1/project?limit=1", "", 200},
		{"GET", "/v1/project?limit=x", "", 400},
		{"GET", "/v1/project/" + project, "", 200},
		{"PATCH", "/v1/project/" + project, `{"description":"e"}`, 200},
		{"PATCH", "/v1/project/" + project, `{`, 400},
		{"POST", "/v1/ai_secret", `{"name":"bare"}`, 200},
		{"POST", "/v1/ai_secret", `{}`, 400},
		{"PUT", "/v1/ai_secret", `{"name":"bare","type":"azure","secret":"","metadata":{}}`, 200},
		{"PUT", "/v1/ai_secret", `[]`, 400},
		{"GET", "/v1/ai_secret", "", 200},
		{"GET", "/v1/ai_secret/" + secret, "", 200},
		{"GET", "/v1/ai_secret/x", "", 400},
		{"PATCH", "/v1/ai_secret/" + secret, `{"metadata":{"auth_format":"bearer"},"secret":"x"}`, 200},
		{"PATCH", "/v1/ai_secret/" + secret, `{"metadata":1}`, 400},
		{"POST", "/v1/env_var", inProject + `"bare"}`, 200},
		{"PUT", "/v1/env_var", inProject + `"bare","secret_type":"openai","metadata":{}}`, 200},
		{"PUT", "/v1/env_var", inProject + `1}`, 400},
		{"GET", "/v1/env_var?object_type=project&object_id=" + project + "&secret_category=ai_provider", "", 200},
		{"GET", "/v1/env_var/" + variable, "", 200},
		{"PATCH", "/v1/env_var/" + variable, `{"secret_type":"openai","metadata":{"excludeDefaultModels":false}}`, 200},
		{"DELETE", "/v1/env_var/" + variable, "", 200},
		{"DELETE", "/v1/env_var/x", "", 400},
		{"DELETE", "/v1/ai_secret", `{"name":"bare"}`, 200},
		{"DELETE", "/v1/ai_secret", `{}`, 400},
		{"DELETE", "/v1/ai_secret/" + secret, "", 200},
		{"DELETE", "/v1/project/" + project, "", 200},
	} {
		o.faults(`[{"times":1,"status":429,"header":{"Content-Type":"text/plain","Retry-After":"1"},"body":"slow down"},
			{"times":1,"status":500,"header":{"Content-Type":"application/json"},"body":"null"}]`)
		for _, status := range []int{429, 500} {
			got := o.send(call.method, call.path, "Bearer "+adminKey, call.body)
			assert.Equal(t, status, got.status)
			assert.NoError(t, d.check(call.method, call.path, got), "%s %s: %d", call.method, call.path, status)
		}
		preflight := o.send("OPTIONS", call.path, "", "")
		assert.NoError(t, d.check("OPTIONS", call.path, preflight), "OPTIONS %s", call.path)
		refusals := map[string]int{"nobody": 401}
		if call.method != http.MethodGet && !strings.HasPrefix(call.path, "/v1/project") {
			refusals[memberKey] = 403
		}
		for key, status := range refusals {
			got := o.send(call.method, call.path, "Bearer "+key, call.body)
			assert.Equal(t, status, got.status, "%s %s", call.method, call.path)
			assert.NoError(t, d.check(call.method, call.path, got), "%s %s: %d", call.method, call.path, status)
		}
		got := o.send(call.method, call.path, "Bearer "+adminKey, call.body)
		assert.Equal(t, call.status, got.status, "%s %s: %s", call.method, call.path, got.body)
		assert.NoError(t, d.check(call.method, call.path, got), "%s %s", call.method, call.path)
	}
	assert.Empty(t, d.unchecked())
}

func TestTheDescriptionIsHeld(t *testing.T) {
	t.Parallel()
	d := loadDescription(t)
	o := newOrg(t, settings())
	o.project("p")
	good := o.admin("GET", "/v1/project", "")
	require.NoError(t, d.check("GET", "/v1/project", good))
	for name, bad := range map[string]reply{
		"id is no uuid":       {200, good.header, strings.Replace(good.body, `"id":"`, `"id":"x`, 1)},
		"name is missing":     {200, good.header, strings.Replace(good.body, `"name"`, `"title"`, 1)},
		"date is no date":     {200, good.header, strings.Replace(good.body, `"created":"20`, `"created":"`, 1)},
		"list is no list":     {200, good.header, `{"objects":null}`},
		"status is unknown":   {404, good.header, good.body},
		"body is of no type":  {200, http.Header{"Content-Type": {"text/html"}}, good.body},
		"field is not listed": {200, good.header, `{"objects":[],"next":null}`},
	} {
		assert.Error(t, d.check("GET", "/v1/project", bad), name)
	}
}
