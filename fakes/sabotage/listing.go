package sabotage

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/target/settings"
)

// The collections of the control API.
const (
	aiSecrets = "/v1/ai_secret"
	envVars   = "/v1/env_var"
	projects  = "/v1/project"
)

// unasked takes a parameter out of a query: the API ignores it.
func unasked(path string, parameters ...string) func() onDataPlane {
	return planeServes(request(on("GET", path), func(r *http.Request) { ignore(r, parameters...) }))
}

func ignore(r *http.Request, parameters ...string) {
	query := r.URL.Query()
	for _, parameter := range parameters {
		query.Del(parameter)
	}
	r.URL.RawQuery = query.Encode()
}

// listed changes the listings that a query with the parameter gets; an empty parameter means every query.
func listed(path, parameter string, edit func([]gjson.Result) []gjson.Result) func() onDataPlane {
	which := at("GET", path)
	if parameter != "" {
		which = asking(path, parameter)
	}
	return planeServes(answer(which, func(a *reply) {
		if list := gjson.GetBytes(a.body, "objects"); list.IsArray() {
			a.list(edit(list.Array()), nil)
		}
	}))
}

// listings are APIs that list something else than was asked for.
func listings() []Sabotage {
	reversed := func(all []gjson.Result) []gjson.Result { slices.Reverse(all); return all }
	first := func(all []gjson.Result) []gjson.Result { return all[:min(1, len(all))] }
	last := func(all []gjson.Result) []gjson.Result { return all[max(0, len(all)-1):] }
	less := func(all []gjson.Result) []gjson.Result { return all[min(1, len(all)):] }
	none := func([]gjson.Result) []gjson.Result { return nil }
	one := func(path, parameter string) middleware {
		return request(asking(path, parameter), func(r *http.Request) {
			query := r.URL.Query()
			if n, err := strconv.Atoi(query.Get(parameter)); err == nil {
				query.Set(parameter, strconv.Itoa(n+1))
			}
			r.URL.RawQuery = query.Encode()
		})
	}
	refused := func(parameter string) func() onDataPlane {
		return planeServes(answer(asking("/v1/", parameter), func(a *reply) { a.status, a.body = http.StatusBadRequest, []byte(parameter+": unknown parameter") }))
	}
	return []Sabotage{
		{Name: "secrets-oldest-first", Says: "the API lists org provider secrets oldest first", dataPlane: listed(aiSecrets, "", reversed)},
		{Name: "env-vars-oldest-first", Says: "the API lists project provider secrets oldest first", dataPlane: listed(envVars, "", reversed)},
		{Name: "projects-oldest-first", Says: "the API lists projects oldest first", dataPlane: listed(projects, "", reversed)},
		{Name: "secrets-first-only", Says: "the API lists the newest org provider secret alone", dataPlane: listed(aiSecrets, "", first)},
		{Name: "secrets-last-only", Says: "the API lists the oldest org provider secret alone", dataPlane: listed(aiSecrets, "", last)},
		{Name: "secrets-without-newest", Says: "the API does not list the newest org provider secret", dataPlane: listed(aiSecrets, "", less)},
		{Name: "env-vars-first-only", Says: "the API lists the newest project provider secret alone", dataPlane: listed(envVars, "", first)},
		{Name: "env-vars-last-only", Says: "the API lists the oldest project provider secret alone", dataPlane: listed(envVars, "", last)},
		{Name: "env-vars-not-listed", Says: "the API lists no project provider secret", dataPlane: listed(envVars, "", none)},
		{Name: "secrets-not-listed", Says: "the API lists no org provider secret", dataPlane: listed(aiSecrets, "", none)},
		{Name: "projects-not-listed", Says: "the API lists no project", dataPlane: planeSet(func(c *settings.DataPlane) { c.Listing.HideProjects = true })},
		{Name: "listings-of-one", Says: "the API lists at most one object", dataPlane: planeSet(func(c *settings.DataPlane) { c.Listing.Cap = 1 })},
		{Name: "limit-ignored", Says: "the API ignores limit", dataPlane: planeSet(func(c *settings.DataPlane) { c.Listing.IgnoreLimit = true })},
		{Name: "cursors-ignored", Says: "the API ignores cursors", dataPlane: planeSet(func(c *settings.DataPlane) { c.Listing.IgnoreCursor = true })},
		{Name: "listings-without-metadata", Says: "the API lists objects without their metadata", dataPlane: planeSet(func(c *settings.DataPlane) { c.Listing.OmitFields = []string{"metadata"} })},
		{Name: "limit-one-too-many", Says: "the API lists one object more than limit", dataPlane: planeServes(both(one(aiSecrets, "limit"), both(one(envVars, "limit"), one(projects, "limit"))))},
		{Name: "starting-after-ignored", Says: "the API ignores starting_after", dataPlane: unasked("/v1/", "starting_after")},
		{Name: "ending-before-ignored", Says: "the API ignores ending_before", dataPlane: unasked("/v1/", "ending_before")},
		{Name: "starting-after-skips-one", Says: "the API leaves the object after starting_after out", dataPlane: listed(aiSecrets, "starting_after", less)},
		{Name: "ending-before-skips-one", Says: "the API leaves an object before ending_before out", dataPlane: listed(aiSecrets, "ending_before", less)},
		{Name: "projects-after-skip-one", Says: "the API leaves the project after starting_after out", dataPlane: listed(projects, "starting_after", less)},
		{Name: "ending-before-from-wrong-end", Says: "the API takes the page before ending_before from the wrong end", dataPlane: planeServes(wrongEnd())},
		{Name: "ids-ignored", Says: "the API ignores ids", dataPlane: unasked("/v1/", "ids")},
		{Name: "ids-take-one", Says: "the API takes one of several ids", dataPlane: listed(aiSecrets, "ids", first)},
		{Name: "secret-name-ignored", Says: "the API ignores ai_secret_name", dataPlane: unasked(aiSecrets, "ai_secret_name")},
		{Name: "secret-type-ignored", Says: "the API ignores ai_secret_type", dataPlane: unasked(aiSecrets, "ai_secret_type")},
		{Name: "secret-type-finds-none", Says: "the API finds nothing by ai_secret_type", dataPlane: listed(aiSecrets, "ai_secret_type", none)},
		{Name: "env-var-name-ignored", Says: "the API ignores env_var_name", dataPlane: unasked(envVars, "env_var_name")},
		{Name: "project-name-ignored", Says: "the API ignores project_name", dataPlane: unasked(projects, "project_name")},
		{Name: "object-id-ignored", Says: "the API ignores object_id", dataPlane: unasked(envVars, "object_id")},
		{Name: "object-type-ignored", Says: "the API ignores object_type", dataPlane: unasked(envVars, "object_type")},
		{Name: "secret-category-ignored", Says: "the API ignores secret_category", dataPlane: unasked(envVars, "secret_category")},
		{Name: "unknown-parameter-refused", Says: "the API refuses a parameter that it does not know", dataPlane: refused("no_such_parameter")},
		{Name: "secret-category-refused", Says: "the API refuses secret_category, which is not documented", dataPlane: refused("secret_category")},
	}
}

// wrongEnd lists all that lies before the cursor, and of it the objects that are farthest from it.
func wrongEnd() middleware {
	return func(next http.Handler) http.Handler {
		return told(asking(aiSecrets, "ending_before"), func(r *http.Request, a *reply) {
			limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
			if err != nil {
				return
			}
			wider := r.Clone(r.Context())
			ignore(wider, "limit")
			list := gjson.GetBytes(ask(next, wider).body, "objects").Array()
			a.list(list[:min(limit, len(list))], nil)
		})(next)
	}
}
