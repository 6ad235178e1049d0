package dataplane_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/fakes/dataplane"
)

// object says how one kind of provider secret is written; the rules below hold for both.
type object struct {
	collection string
	create     string // members of a body that create one named acme, without braces
	value      string // the key of its value
	typ        string
}

// objects returns both kinds in an org.
func objects(o org) map[string]object {
	project := o.project("p")
	return map[string]object{
		"ai_secret": {"/v1/ai_secret", `"name":"acme"`, "secret", "type"},
		"env_var":   {"/v1/env_var", `"name":"acme","object_type":"project","object_id":"` + project + `"`, "value", "secret_type"},
	}
}

// eachObject runs a test for both kinds, each in an org of its own.
func eachObject(t *testing.T, config dataplane.Config, test func(*testing.T, org, object)) {
	t.Parallel()
	for _, kind := range []string{"ai_secret", "env_var"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := newOrg(t, config)
			test(t, o, objects(o)[kind])
		})
	}
}

// post makes one with metadata and returns its path.
func (b object) post(o org, metadata string) string {
	body := `{` + b.create + `,"` + b.typ + `":"openai","` + b.value + `":"` + canary + `","metadata":` + metadata + `}`
	return b.collection + "/" + o.admin("POST", b.collection, body).get("id").String()
}

// stored is the value of the org's first secret, as /api/secret hands it out.
func (o org) stored() string {
	o.t.Helper()
	return o.admin("POST", "/api/secret", `{"mode":"full"}`).get("0.secret").Raw
}

func TestPostWithAnExistingNameReturnsItUnmodified(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{"a":1}`)
		before := o.everything()
		got := o.admin("POST", b.collection, `{`+b.create+`,"`+b.value+`":"other","metadata":{"b":2}}`)
		assert.JSONEq(t, o.admin("GET", path, "").body, got.body)
		assert.Equal(t, before, o.everything())
	})
}

func TestPutReplacesAndKeepsTheID(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{"a":1}`)
		before := o.admin("GET", path, "")
		got := o.admin("PUT", b.collection, `{`+b.create+`,"`+b.value+`":"other-value","metadata":{"b":2}}`)
		assert.Equal(t, before.get("id").String(), got.get("id").String())
		assert.Equal(t, before.get("created").String(), got.get("created").String())
		assert.Equal(t, `{"b":2}`, got.get("metadata").Raw)
		assert.Equal(t, "null", got.get(b.typ).Raw, "a field that is left out is replaced too")
		assert.NotEqual(t, before.get("secret_updated_at").String(), got.get("secret_updated_at").String())
		assert.Len(t, o.names(b.collection), 1)
	})
}

func TestPutWithoutValue(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	kinds := objects(o)
	secret, variable := kinds["ai_secret"], kinds["env_var"]
	path := secret.post(o, `{}`)
	before := o.admin("GET", path, "")

	got := o.admin("PUT", secret.collection, `{`+secret.create+`}`)
	assert.Equal(t, before.get("preview_secret").Raw, got.get("preview_secret").Raw)
	assert.Equal(t, before.get("secret_updated_at").Raw, got.get("secret_updated_at").Raw)
	assert.Equal(t, `"`+canary+`"`, o.stored(), "ai_secret keeps its value")
	o.admin("PUT", secret.collection, `{`+secret.create+`,"secret":null}`)
	assert.Equal(t, "null", o.stored(), "null is a value")

	variable.post(o, `{}`)
	got = o.admin("PUT", variable.collection, `{`+variable.create+`}`)
	assert.Equal(t, "null", got.get("preview_secret").Raw, "env_var does not")
}

func TestCategoryIsEnvVarWhereItIsNotSent(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	b := objects(o)["env_var"]
	assert.Equal(t, "env_var", o.admin("POST", b.collection, `{`+b.create+`}`).get("secret_category").String())
	got := o.admin("PUT", b.collection, `{`+b.create+`,"secret_category":"ai_provider"}`)
	assert.Equal(t, "ai_provider", got.get("secret_category").String())
	got = o.admin("PATCH", b.collection+"/"+got.get("id").String(), `{"metadata":{}}`)
	assert.Equal(t, "ai_provider", got.get("secret_category").String(), "PATCH leaves it")
	assert.Equal(t, "env_var", o.admin("PUT", b.collection, `{`+b.create+`}`).get("secret_category").String())
}

func TestPatchOfMetadata(t *testing.T) {
	const before = `{"z":1,"auth_type":"api_key","nested":{"b":1.50,"a":[1]},"<&>":"<&>"}`
	const patch = `{"y":2,"auth_type":null,"nested":{"a":[2]}}`
	for mode, want := range map[string]string{
		"":                     `{"y":2,"auth_type":null,"nested":{"a":[2]}}`,
		dataplane.PatchReplace: `{"y":2,"auth_type":null,"nested":{"a":[2]}}`,
		dataplane.PatchMerge:   `{"<&>":"<&>","auth_type":"api_key","nested":{"a":[2],"b":1.50},"y":2,"z":1}`,
		dataplane.PatchIgnore:  before,
	} {
		t.Run(mode, func(t *testing.T) {
			config := settings()
			config.Patch = mode
			eachObject(t, config, func(t *testing.T, o org, b object) {
				path := b.post(o, before)
				assert.Equal(t, before, o.admin("GET", path, "").get("metadata").Raw, "stored as it was written")
				got := o.admin("PATCH", path, `{"metadata":`+patch+`}`)
				assert.Equal(t, want, got.get("metadata").Raw)
				assert.Equal(t, got.body, o.admin("GET", path, "").body)
			})
		})
	}
}

func TestPatchChangesWhatIsGivenAndNothingElse(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{"a":1}`)
		before := o.admin("GET", path, "")

		got := o.admin("PATCH", path, `{"`+b.typ+`":"anthropic"}`)
		assert.Equal(t, "anthropic", got.get(b.typ).String())
		got = o.admin("PATCH", path, `{"name":"renamed"}`)
		assert.Equal(t, "renamed", got.get("name").String())
		got = o.admin("PATCH", path, `{"name":null,"metadata":null,"`+b.typ+`":null,"`+b.value+`":null}`)
		assert.Equal(t, "renamed", got.get("name").String(), "null is not given")
		for _, key := range []string{"id", "created", "metadata", "preview_secret", "secret_updated_at", "secret_updated_by_user_id"} {
			assert.Equal(t, before.get(key).Raw, got.get(key).Raw, key)
		}
	})
}

func TestSecretUpdatedAtMovesOnlyWithTheValue(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{}`)
		first := o.admin("GET", path, "")
		assert.Equal(t, adminID, first.get("secret_updated_by_user_id").String())
		same := o.admin("PATCH", path, `{"metadata":{"a":1},"`+b.value+`":"`+canary+`"}`)
		assert.Equal(t, first.get("secret_updated_at").Raw, same.get("secret_updated_at").Raw)
		changed := o.admin("PATCH", path, `{"`+b.value+`":"sk-another-0123456789-abcdefghijk"}`)
		assert.True(t, changed.get("secret_updated_at").Time().After(first.get("secret_updated_at").Time()), "the date moves")
		assert.NotEqual(t, first.get("preview_secret").Raw, changed.get("preview_secret").Raw)
	})
}

func TestPatchNeedsName(t *testing.T) {
	config := settings()
	config.PatchNeedsName = true
	eachObject(t, config, func(t *testing.T, o org, b object) {
		path := b.post(o, `{"a":1}`)
		got := o.send("PATCH", path, "Bearer "+adminKey, `{"metadata":{}}`)
		if b.collection == "/v1/ai_secret" {
			assert.Equal(t, 200, got.status, "the spec requires it of env_var alone")
			return
		}
		assert.Equal(t, 400, got.status)
		assert.Equal(t, "name: required\n", got.body)
		assert.Equal(t, `{"a":1}`, o.admin("GET", path, "").get("metadata").Raw)
		assert.Equal(t, `{}`, o.admin("PATCH", path, `{"name":"acme","metadata":{}}`).get("metadata").Raw)
	})
}

func TestPreviews(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	for value, want := range map[string]string{
		"":                 "",
		"Bearer ":          "Bearer ",
		"short":            "***",
		"12345678":         "1***8",
		canary:             "sk-***ijkl",
		"Bearer " + canary: "Bearer sk-***ijkl",
		"bearer short":     "bearer ***",
		"Bearer":           "***",
		"schlüssel-schlüssel-schlüssel-schlüssel": "sch***ssel",
	} {
		got := o.admin("PUT", "/v1/ai_secret", `{"name":"acme","secret":"`+value+`"}`)
		assert.Equal(t, want, got.get("preview_secret").String(), value)
	}
}

func TestValuesNeverComeBack(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{}`)
		body := `{` + b.create + `,"` + b.value + `":"` + canary + `"}`
		for _, got := range []reply{
			o.admin("POST", b.collection, body),
			o.admin("PUT", b.collection, body),
			o.admin("PATCH", path, `{"`+b.value+`":"`+canary+`"}`),
			o.admin("GET", path, ""),
			o.admin("GET", b.collection, ""),
			o.send("PATCH", path, "Bearer "+memberKey, `{"`+b.value+`":"`+canary+`"}`),
			o.send("POST", b.collection, "Bearer "+adminKey, `{"name":{},"`+b.value+`":"`+canary+`"}`),
			o.admin("DELETE", path, ""),
		} {
			assert.NotContains(t, got.body, canary)
			assert.NotContains(t, got.body, canary[4:28])
		}
	})
}

func TestDeleted(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{}`)
		before := o.admin("GET", path, "").body
		assert.Equal(t, before, o.admin("DELETE", path, "").body)
		assert.Equal(t, http.StatusNotFound, o.send("GET", path, "Bearer "+adminKey, "").status)
		assert.Empty(t, o.names(b.collection))
	})
}

func TestAISecretIsDeletedByName(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	o.admin("POST", "/v1/ai_secret", `{"name":"a"}`)
	o.admin("POST", "/v1/ai_secret", `{"name":"b"}`)
	assert.Equal(t, "a", o.admin("DELETE", "/v1/ai_secret", `{"name":"a"}`).get("name").String())
	assert.Equal(t, []string{"b"}, o.names("/v1/ai_secret"))
}

func TestNamesAreUniqueWithinTheirObject(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	a, b := o.project("a"), o.project("b")
	for _, scope := range []string{`"project","object_id":"` + a, `"project","object_id":"` + b, `"function","object_id":"` + a, `"organization","object_id":"` + orgID} {
		o.admin("POST", "/v1/env_var", `{"name":"acme","object_type":`+scope+`"}`)
	}
	assert.Len(t, o.names("/v1/env_var?env_var_name=acme"), 4)
}

func TestProjects(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	got := o.admin("POST", "/v1/project", `{"name":"p","description":"one"}`)
	path := "/v1/project/" + got.get("id").String()
	assert.Equal(t, adminID, got.get("user_id").String())
	again := o.admin("POST", "/v1/project", `{"name":"p","description":"two"}`)
	assert.Equal(t, got.body, again.body, "POST with an existing name returns it unmodified")
	other := o.project("q")
	assert.Equal(t, 400, o.send("PATCH", "/v1/project/"+other, "Bearer "+adminKey, `{"name":"p"}`).status)

	got = o.admin("PATCH", path, `{"name":"renamed"}`)
	assert.Equal(t, "renamed one", got.get("name").String()+" "+got.get("description").String())

	id := got.get("id").String()
	o.admin("POST", "/v1/env_var", `{"name":"v","object_type":"project","object_id":"`+id+`"}`)
	o.admin("POST", "/v1/env_var", `{"name":"w","object_type":"project","object_id":"`+other+`"}`)
	got = o.admin("DELETE", path, "")
	require.NotEqual(t, "null", got.get("deleted_at").Raw)
	assert.Equal(t, []string{"q"}, o.names("/v1/project"))
	assert.Equal(t, []string{"w"}, o.names("/v1/env_var"), "its env_vars go with it")
}
