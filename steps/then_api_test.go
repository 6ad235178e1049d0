package steps

import (
	"net/http"
	"slices"

	"github.com/planeproof/planeproof/scenarios"
)

func apiRows() []row {
	answered := func(status int, body string) func(*rig) { return func(r *rig) { r.answered(status, body) } }
	listed := func(status int, names ...string) func(*rig) {
		return func(r *rig) { r.answered(status, `{"objects":[]}`); r.listing = append([]string{}, names...) }
	}
	turn := func(after map[string]any, sent ...map[string]any) func(*rig) {
		return func(r *rig) {
			all := map[string]any{"type": "t", "metadata": map[string]any{"a": 1.0}}
			r.rounds = []round{{sent: []map[string]any{all, all}, after: all}, {sent: sent, after: after}}
		}
	}
	kind, metadata := map[string]any{"type": "new"}, map[string]any{"metadata": map[string]any{"turn": 1.0}}
	one, two := map[string]any{"metadata": map[string]any{"one": true}}, map[string]any{"metadata": map[string]any{"two": true}}
	both := map[string]any{"metadata": map[string]any{"one": true, "two": true}}
	return []row{
		{`the listing is "a" and "b"`, nil, listed(http.StatusOK, "a", "b"), []fault{
			{"the status of the listing", "200", "500", listed(http.StatusInternalServerError, "a", "b")},
			{"the names listed", "a, b", "b, a", listed(http.StatusOK, "b", "a")},
			{"the names listed", "a, b", "a", listed(http.StatusOK, "a")},
			{"the names listed", "a, b", "none", listed(http.StatusOK)},
			{"the listing", "an array of objects", "{}", func(r *rig) { r.answered(http.StatusOK, "{}") }},
		}},
		{"the listing is none", nil, listed(http.StatusOK), []fault{
			{"the status of the listing", "200", "500", listed(http.StatusInternalServerError)},
			{"the names listed", "none", "a", listed(http.StatusOK, "a")},
			{"the listing", "an array of objects", "{}", func(r *rig) { r.answered(http.StatusOK, "{}") }},
		}},
		{`the API refuses with status 400 and says "Limit"`, nil, answered(http.StatusBadRequest, "no such LIMIT"), []fault{
			{"the API's answer", `status 400 with "Limit"`, "status 404: no such limit", answered(http.StatusNotFound, "no such limit")},
			{"the API's answer", `status 400 with "Limit"`, "status 400: no", answered(http.StatusBadRequest, "no")},
			{"the API's answer", `status 400 with "Limit"`, "status 200: limit", answered(http.StatusOK, "limit")},
		}},
		{"nothing at all has changed", func(r *rig) { r.before, _ = r.everything(r.t.Context()) }, nil, changedListings()},
		{"no answer of the API, no log and no output holds a stored value", func(r *rig) {
			r.org("acme", "")
			r.answered(http.StatusOK, "{}")
		}, nil, leaky()},
		{`every change of "acme" is there`, nil, turn(map[string]any{"type": "new", "metadata": map[string]any{"turn": 1.0}}, kind, metadata), []fault{
			{`type of "acme" after turn 1`, `"new"`, `"old"`, turn(map[string]any{"type": "old", "metadata": metadata["metadata"]}, kind, metadata)},
			{`metadata of "acme" after turn 1`, `{"turn":1}`, `{"turn":0}`, turn(map[string]any{"type": "new", "metadata": map[string]any{"turn": 0.0}}, kind, metadata)},
			{`metadata of "acme" after turn 1`, `{"turn":1}`, "(absent)", turn(kind, kind, metadata)},
		}},
		{`the metadata of "acme" was one of the two each time`, nil, turn(two, one, two), []fault{
			{`metadata of "acme" after turn 1`, `{"one":true} or {"two":true}`, `{"one":true,"two":true}`, turn(both, one, two)},
			{`metadata of "acme" after turn 1`, `{"one":true} or {"two":true}`, "(absent)", turn(kind, one, two)},
		}},
	}
}

func changedListings() []fault {
	var all []fault
	for _, path := range []string{"/v1/organization", "/v1/project", "/v1/ai_secret", "/v1/env_var"} {
		all = append(all, fault{"what the control API lists", path + ` {"objects":[]}`, path + ` {"objects":[7]}`, func(r *rig) {
			r.share.answers["GET "+path] = answer{http.StatusOK, `{"objects":[7]}`}
		}})
	}
	return all
}

func secretRows() []row {
	answers := func(id, format string, status int) func(*rig) {
		return func(r *rig) { r.answered(status, `{"id":"`+id+`","metadata":{"auth_format":"`+format+`"}}`) }
	}
	return []row{{`the API answers 200 with the "acme" that was there, auth_format "bearer"`, acme, answers("id-1", "bearer", http.StatusOK), []fault{
		{"the status of the answer", "200", "409", answers("id-1", "bearer", http.StatusConflict)},
		{"the id answered", "id-1", "id-2", answers("id-2", "bearer", http.StatusOK)},
		{"metadata.auth_format answered", "bearer", "api_key", answers("id-1", "api_key", http.StatusOK)},
	}}}
}

// meddled changes one thing of a secret's stored object.
func meddled(ref, path string, value any) func(*rig) {
	return func(r *rig) {
		secret := r.named(ref)
		if value == nil {
			r.loses(secret, path)
			return
		}
		r.becomes(secret, path, value)
	}
}

// meddlings are all that anything about a secret can be, each with what is told of it.
func meddlings(ref string) []fault {
	return []fault{
		{"id of " + ref, `"id-`, `"id-9"`, meddled(ref, "id", "id-9")},
		{"name of " + ref, `"acme"`, `"emca"`, meddled(ref, "name", "emca")},
		{"preview_secret of " + ref, `"sk-…"`, `"sk-9"`, meddled(ref, "preview_secret", "sk-9")},
		{"secret_updated_at of " + ref, `"then"`, `"now"`, meddled(ref, "secret_updated_at", "now")},
		{"preview_secret of " + ref, `"sk-…"`, "(absent)", meddled(ref, "preview_secret", nil)},
		{"new of " + ref, "(absent)", `7`, meddled(ref, "new", 7)},
		{"metadata.more of " + ref, "(absent)", `7`, meddled(ref, "metadata.more", 7)},
		{"metadata.api_base of " + ref, "http://gateway", "(absent)", meddled(ref, "metadata.api_base", nil)},
		{"metadata.api_base of " + ref, "http://gateway", `"http://other"`, meddled(ref, "metadata.api_base", "http://other")},
		{"metadata of " + ref, "api_base", "7", meddled(ref, "metadata", 7)},
	}
}

// edited are the keys that a scenario set on purpose; the plane applied them.
func edited(ref string) func(*rig) {
	return func(r *rig) {
		secret := r.named(ref)
		secret.Edits = scenarios.Metadata{{Key: "auth_format", Value: "bearer"}}
		r.becomes(secret, "metadata.auth_format", "bearer")
		r.becomes(secret, "updated_at", "now")
	}
}

func unchangedRows() []row {
	const ref = `"acme"`
	withFormat := func(r *rig) { r.org("acme", `auth_format "api_key"`) }
	updated := meddled(ref, "updated_at", "now")
	touched := func(ref string) []fault {
		return append(meddlings(ref), fault{"updated_at of " + ref, `"then"`, `"now"`, updated})
	}
	gone := func(keys ...string) func(*rig) {
		return func(r *rig) {
			for _, key := range keys {
				meddled(ref, "metadata."+key, nil)(r)
			}
		}
	}
	gonePair := gone("auth_format", "auth_type")
	return []row{
		{`nothing about "acme" has changed`, acme, nil, touched(ref)},
		{`nothing about the project's "acme" has changed`, func(r *rig) {
			r.org("acme", "")
			r.project("acme", "")
		}, updated, meddlings(`the project's "acme"`)},
		{`nothing else about "acme" has changed`, acme, updated, meddlings(ref)},
		{`nothing else about "acme" has changed`, withFormat, edited(ref), append(after(edited(ref), meddlings(ref)),
			fault{`metadata.auth_format of "acme"`, `"bearer"`, `"api_key"`, func(r *rig) { // which says of a set key that it was not set
				edited(ref)(r)
				meddled(ref, "metadata.auth_format", "api_key")(r)
			}},
			fault{`metadata.auth_format of "acme"`, `"api_key"`, `"bearer"`, meddled(ref, "metadata.auth_format", "bearer")})},
		{`of all secrets only "acme" have changed`, func(r *rig) {
			r.org("acme", `auth_format "api_key"`)
			r.org("beta", "")
			edited(ref)(r)
		}, nil, append(meddlings(ref),
			fault{"the API's object of beta", `"then"`, `"now"`, meddled(`"beta"`, "updated_at", "now")},
			fault{"the API's object of beta", "api_base", `"more":7`, meddled(`"beta"`, "metadata.more", 7)},
			fault{`metadata.auth_format of "acme"`, `"bearer"`, `"api_key"`, meddled(ref, "metadata.auth_format", "api_key")})},
		{"no secret has changed", func(r *rig) {
			r.org("beta", "")
			withFormat(r)
			r.project("acme", "")
		}, updated, append(slices.Concat(meddlings(ref), meddlings(`the project's "acme"`)),
			fault{`metadata.auth_format of "acme"`, `"api_key"`, `"bearer"`, edited(ref)})},
		{`only "auth_format" and "auth_type" are gone from the metadata of "acme"`, func(r *rig) {
			r.org("acme", `auth_format "api_key", auth_type "api_key" and supportsStreaming true`)
		}, gonePair, append(after(gonePair, meddlings(ref)),
			fault{`metadata.auth_format of "acme"`, "(absent)", `"api_key"`, func(*rig) {}},
			fault{`metadata.auth_type of "acme"`, "(absent)", `"api_key"`, gone("auth_format")},
			fault{`metadata.supportsStreaming of "acme"`, "true", "(absent)", gone("auth_format", "auth_type", "supportsStreaming")})},
		{`the stored value of "acme" has not changed`, acme, meddled(ref, "metadata.more", 7), []fault{
			{`preview_secret of "acme"`, `"sk-…"`, `"sk-9"`, meddled(ref, "preview_secret", "sk-9")},
			{`preview_secret of "acme"`, `"sk-…"`, "(absent)", meddled(ref, "preview_secret", nil)},
			{`secret_updated_at of "acme"`, `"then"`, `"now"`, meddled(ref, "secret_updated_at", "now")},
		}},
		minimalRow(),
	}
}

func minimalRow() row {
	const ref = `"acme"`
	minimal := func(r *rig) {
		secret := r.org("acme", "excludeDefaultModels false and supportsStreaming true")
		r.loses(secret, "metadata.additionalHeaders")
	}
	return row{`the metadata of "acme" is exactly excludeDefaultModels false, supportsStreaming true and its api_base`, minimal, nil, []fault{
		{`metadata.more of "acme"`, "(absent)", "7", meddled(ref, "metadata.more", 7)},
		{`metadata.supportsStreaming of "acme"`, "true", "false", meddled(ref, "metadata.supportsStreaming", false)},
		{`metadata.excludeDefaultModels of "acme"`, "false", "(absent)", meddled(ref, "metadata.excludeDefaultModels", nil)},
		{`metadata.api_base of "acme"`, "http://gateway:8080/v1", "http://other", meddled(ref, "metadata.api_base", "http://other")},
		{`metadata of "acme"`, "api_base", "null", meddled(ref, "metadata", nil)},
	}}
}

// after makes each fault on top of what was done before.
func after(done func(*rig), all []fault) []fault {
	var late []fault
	for _, bad := range all {
		made := bad.made
		bad.made = func(r *rig) { done(r); made(r) }
		late = append(late, bad)
	}
	return late
}
