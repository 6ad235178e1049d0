package dataplane_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/fakes/dataplane"
)

// misbehave gives the org's API bad manners around writes.
func (o org) misbehave(writes dataplane.Writes) {
	config := settings()
	config.Writes = writes
	o.configure(config)
}

func TestBadMannersAroundWrites(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{"n":1}`)
		metadata := func() string { return o.admin("GET", path, "").get("metadata").Raw }
		patch := func(body string) reply { return o.admin("PATCH", path, body) }

		o.misbehave(dataplane.Writes{StaleReads: 2})
		patch(`{"metadata":{"n":2}}`)
		assert.Equal(t, []string{`{"n":1}`, `{"n":1}`, `{"n":2}`}, []string{metadata(), metadata(), metadata()})
		o.misbehave(dataplane.Writes{StaleMS: 60_000})
		patch(`{"metadata":{"n":3}}`)
		assert.JSONEq(t, `{"n":2}`, metadata())
		o.misbehave(dataplane.Writes{RevertAfterReads: 1})
		patch(`{"metadata":{"n":4}}`)
		assert.Equal(t, []string{`{"n":4}`, `{"n":3}`, `{"n":3}`}, []string{metadata(), metadata(), metadata()})

		o.misbehave(dataplane.Writes{RoundNumbers: true})
		patch(`{"metadata":{"n":12345678901234567890}}`)
		assert.Equal(t, `{"n":12345678901234567000}`, metadata())

		o.misbehave(dataplane.Writes{})
		before := o.admin("GET", path, "").get("secret_updated_at").String()
		patch(`{"metadata":{"n":5}}`)
		assert.Equal(t, before, o.admin("GET", path, "").get("secret_updated_at").String())
		o.misbehave(dataplane.Writes{PatchMovesSecretUpdatedAt: true})
		patch(`{"metadata":{"n":6}}`)
		assert.NotEqual(t, before, o.admin("GET", path, "").get("secret_updated_at").String())

		o.misbehave(dataplane.Writes{NoSecretUpdatedAt: true, NoPreview: true})
		for _, got := range []reply{o.admin("GET", path, ""), o.admin("GET", b.collection, ""), patch(`{"metadata":{"n":7}}`)} {
			assert.NotContains(t, got.body, "secret_updated_at")
			assert.NotContains(t, got.body, "preview_secret")
			assert.Contains(t, got.body, `"metadata"`)
		}
	})
}

func TestAnAPIThatEchoes(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{"n":1}`)
		o.misbehave(dataplane.Writes{Echo: true})
		got := o.send("PATCH", path, "Bearer "+adminKey, `{"`+b.value+`":"new-canary"}`)
		assert.Equal(t, 400, got.status)
		assert.Contains(t, got.body, "new-canary")
		assert.Contains(t, got.body, canary, "the stored value too")
		journal, err := json.Marshal(o.journal())
		assert.NoError(t, err)
		assert.NotContains(t, string(journal), canary, "the journal has none of it")
	})
}

func TestAPutThatLosesTheValue(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	b := objects(o)["ai_secret"]
	b.post(o, `{"n":1}`)
	o.misbehave(dataplane.Writes{PutLosesValue: true})
	o.admin("PUT", b.collection, `{`+b.create+`,"metadata":{"n":2}}`)
	assert.Equal(t, "null", o.stored())
}
