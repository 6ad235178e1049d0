package steps

import (
	"errors"
	"net/http"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/proxylog"
	"github.com/planeproof/planeproof/remedy/verify"
	"github.com/planeproof/planeproof/scenarios"
)

func tokenRows() []row {
	of := func(result verify.Result) func(*rig) { return func(r *rig) { r.verified = result } }
	path := func(p verify.PathVerdict) func(*rig) {
		return func(r *rig) {
			r.verified = verify.Result{Detail: "all in all", Paths: []verify.PathVerdict{{Path: "/other", Verdict: "good", Detail: "says so"}, p}}
		}
	}
	advice := func(text string) func(*rig) { return of(verify.Result{Advice: text}) }
	problems := func(all ...string) func(*rig) { return of(verify.Result{TokenProblems: all}) }
	const sent = "how often each path got a wrong token"
	strangers := func(told string, paths ...string) func(*rig) {
		return func(r *rig) {
			r.verified = verify.Result{Paths: []verify.PathVerdict{{Path: "/models", OpenCheck: "sent"}, {Path: "/v1/models", OpenCheck: told}}}
			r.sawBearer("acme").Path = "/models"
			for _, path := range paths {
				r.saw(http.StatusUnauthorized, "Authorization", "Bearer wrong").Path = path
			}
		}
	}
	const none = "no deliberately wrong token was sent"
	silent := func(told string, requests int) func(*rig) {
		return func(r *rig) {
			r.verified = verify.Result{Paths: []verify.PathVerdict{{Path: "/models", OpenCheck: told}}}
			for range requests {
				r.sawBearer("acme")
			}
		}
	}
	return []row{
		{`the verdict is "verified"`, nil, of(verify.Result{Verdict: "verified"}), []fault{
			{"the verdict on the token", "verified", "rejected (by all)", of(verify.Result{Verdict: "rejected", Detail: "by all"})},
		}},
		{`the verdict on "/models" is "good"`, nil, path(verify.PathVerdict{Path: "/models", Verdict: "good"}), []fault{
			{"the verdict on /models", "good", "the path was not asked", path(verify.PathVerdict{Path: "/v1/models", Verdict: "good"})},
			{"the verdict on /models", "good", "bad (a 401)", path(verify.PathVerdict{Path: "/models", Verdict: "bad", Detail: "a 401"})},
		}},
		{`the detail on "/models" names "a 401"`, nil, path(verify.PathVerdict{Path: "/models", Detail: "a 401 came"}), []fault{
			{`the detail on "/models"`, "a 401", "a 404", path(verify.PathVerdict{Path: "/models", Detail: "a 404"})},
			{`the detail on "/models"`, "a 401", "the path was not asked", path(verify.PathVerdict{Path: "/v1/models", Detail: "a 401"})},
		}},
		{`the wrong token was announced and sent once on "/models" and once on "/v1/models"`, acme, strangers("sent", "/models", "/v1/models"), []fault{
			{sent, "/models:1", "map[]", strangers("sent")},
			{sent, "/v1/models:1", "map[/models:1]", strangers("sent", "/models")},
			{sent, "/models:1 /v1/models:1", "/models:2", strangers("sent", "/models", "/models", "/v1/models")},
			{"what is said of the wrong token on /v1/models", "that it was sent", "nothing", strangers("", "/models", "/v1/models")},
			{"what is said of the wrong token on /v1/models", "that it was sent", none, strangers(none, "/models", "/v1/models")},
			{"what is said of the wrong token on /v1/models", "that it was sent", "the path was not asked", func(r *rig) {
				strangers("sent", "/models", "/v1/models")(r)
				r.verified.Paths = r.verified.Paths[:1]
			}},
		}},
		{"it is said that no wrong token was sent", acme, silent(none, 1), []fault{
			{"what is said of the wrong token on /models", "that none was sent", "it was refused", silent("it was refused", 1)},
			{"requests at the gateway", "1", "2", silent(none, 2)},
			{"the paths asked", "some", "none", of(verify.Result{})},
		}},
		{`the advice names "auth_format"`, nil, advice("set auth_format"), []fault{{"the advice", "auth_format", "wait", advice("wait")}}},
		{`of the paths the advice names "/models" alone`, nil, advice("use /models"), []fault{
			{"the advice", "/models alone", "use /v1/models", advice("use /v1/models")},
			{"the advice", "/models alone", "/models or /v1/models", advice("use /models or /v1/models")},
			{"the advice", "/models alone", "wait", advice("wait")},
		}},
		{`the problem of the token names "the word Bearer"`, nil, problems("it begins with the word Bearer"), []fault{
			{"the problem of the token", "Bearer", "none", problems()},
			{"the problem of the token", "Bearer", "the word Token", problems("the word Token")},
		}},
	}
}

func logRows() []row {
	read := func(projects ...proxylog.Project) func(*rig) {
		return func(r *rig) {
			for i := range projects {
				if projects[i].ID == "" {
					projects[i].ID = r.projectID("alpha")
				}
			}
			r.logged = proxylog.Summary{Projects: projects}
		}
	}
	caused := func(edit func(*proxylog.Cause)) func(*rig) {
		cause := proxylog.Cause{
			Issues: []proxylog.Issue{{Code: provider.CodeUnrecognizedKeys, Keys: []string{"auth_format", "auth_type"}}}, Workaround: true,
			Fits: []proxylog.Fit{{Types: []string{"openai"}, Generations: []provider.Generation{"legacy-2026-02"}}},
		}
		edit(&cause)
		return func(r *rig) { read(proxylog.Project{Causes: []proxylog.Cause{cause}})(r) }
	}
	as := func(*proxylog.Cause) {}
	elsewise := func(c *proxylog.Cause) {
		c.Workaround, c.Issues = false, []proxylog.Issue{{Code: "invalid_type"}}
		c.Advice = []string{"correct the type"}
	}
	refused := func(what string, advice ...string) proxylog.Project {
		return proxylog.Project{Refused: []proxylog.Count{{What: what, Times: 1}}, Advice: advice}
	}
	all := []string{"look at auth_format", "planeproof audit", "planeproof verify-token"}
	const cause, credentials = `what the log tells of project "alpha"`, "what the log tells of refused credentials"
	return []row{
		{`the log tells of project "alpha" that keys "auth_type" and "auth_format" are unrecognized, which fits legacy-2026-02`, nil, caused(as), []fault{
			{cause, "one cause", "[]", read()},
			{cause, "one cause", "elsewhere", read(proxylog.Project{ID: "elsewhere", Causes: []proxylog.Cause{{}}})},
			{cause, "one cause", "{Times:7", read(proxylog.Project{Causes: []proxylog.Cause{{}, {Times: 7}}})},
			{"whether the workaround can help", "yes", "no", caused(func(c *proxylog.Cause) { c.Workaround = false })},
			{"the generations that fit", "legacy-2026-02", "legacy-2026-03", caused(func(c *proxylog.Cause) {
				c.Fits = []proxylog.Fit{{Types: []string{"openai"}, Generations: []provider.Generation{"legacy-2026-03"}}}
			})},
			{"the generations that fit", "legacy-2026-02", "azure", caused(func(c *proxylog.Cause) { c.Fits[0].Types = []string{"azure"} })},
			{"the unrecognized keys of the log", "auth_format, auth_type", "auth_type", caused(func(c *proxylog.Cause) { c.Issues[0].Keys = []string{"auth_type"} })},
			{"the unrecognized keys of the log", "auth_format, auth_type", "none", caused(func(c *proxylog.Cause) { c.Issues = nil })},
			{"the unrecognized keys of the log", "auth_format, auth_type", "other", caused(func(c *proxylog.Cause) {
				c.Issues = append(c.Issues, proxylog.Issue{Keys: []string{"other"}})
			})},
		}},
		{`the log tells of project "alpha" another cause than unrecognized keys, and offers no workaround`, nil, caused(elsewise), []fault{
			{cause, "one cause", "[]", read()},
			{"the cause in the log", "another than unrecognized keys", provider.CodeUnrecognizedKeys, caused(func(c *proxylog.Cause) { c.Workaround = false })},
			{"the cause in the log", "another than", "[]", caused(func(c *proxylog.Cause) { c.Issues, c.Workaround = nil, false })},
			{"the cause in the log", "another than", provider.CodeUnrecognizedKeys, caused(func(c *proxylog.Cause) {
				unknown := c.Issues[0]
				elsewise(c)
				c.Issues = append(c.Issues, unknown)
			})},
			{"the advice of the log", "no workaround", "correct", caused(func(c *proxylog.Cause) { elsewise(c); c.Workaround = true })},
			{"the advice of the log", "no workaround", "--workaround", caused(func(c *proxylog.Cause) { elsewise(c); c.Advice = []string{"fix --workaround"} })},
		}},
		{"the log tells that a provider refused a credential, and to check auth_format and the token", nil, read(refused("401", all...)), []fault{
			{credentials, "by status 401", "[]", read()},
			{credentials, "by status 401", "403", read(refused("403", all...))},
			{credentials, "by status 401", "Refused:[]", read(proxylog.Project{Advice: all})},
			{credentials, "one", "401", read(refused("401", all...), refused("401", all...))},
			{"the advice of the log", "auth_format", "audit", read(refused("401", all[1:]...))},
			{"the advice of the log", "planeproof audit", "auth_format", read(refused("401", all[0], all[2]))},
			{"the advice of the log", "planeproof verify-token", "auth_format", read(refused("401", all[:2]...))},
		}},
	}
}

func guideRows() []row {
	shownAs := func(r *rig, with map[string]any) map[string]any {
		secret, _ := r.secret(`"acme"`)
		object := decoded(secret.Before)
		shown := map[string]any{
			"id": object["id"], "name": object["name"], "provider_type": object["type"], "preview_secret": object["preview_secret"], "metadata": object["metadata"],
		}
		for key, value := range with {
			shown[key] = value
		}
		return shown
	}
	shows := func(with ...map[string]any) func(*rig) {
		return func(r *rig) {
			for _, one := range with {
				r.guide.Shown = append(r.guide.Shown, shownAs(r, one))
			}
		}
	}
	fails := func(text string) func(*rig) { return func(r *rig) { r.guide.FilterErr = errors.New(text) } }
	format := func(values ...string) func(*rig) {
		return func(r *rig) {
			for _, value := range values {
				r.guide.Shown = append(r.guide.Shown, map[string]any{"metadata": map[string]any{"auth_format": value}})
			}
		}
	}
	answers := func(status int, body string) func(*rig) {
		return func(r *rig) { r.guide.Answer = scenarios.Answer{Status: status, Body: []byte(body)} }
	}
	const two = `{"objects":[{},{}]}`
	asIs := map[string]any{}
	rows := []row{
		{`it shows exactly the secret "acme" with its id, name, type, preview and metadata`, acme, shows(asIs), []fault{
			{"how many secrets the guide's command shows", "1", "0", func(*rig) {}},
			{"how many secrets the guide's command shows", "1", "2", shows(asIs, asIs)},
			{"the guide's filter", "an answer", "no jq", fails("no jq")},
			{`preview_secret of "acme" in the API's answer`, "a value", "none", func(r *rig) { shows(asIs)(r); meddled(`"acme"`, "preview_secret", nil)(r) }},
			{"more of the secret shown", "(absent)", "7", shows(map[string]any{"more": 7})},
		}},
		{`it shows "acme"`, acme, shows(map[string]any{"id": "id-9"}, asIs), []fault{
			{"the secrets that the guide's command shows", `"acme"`, "none", func(*rig) {}},
			{"the secrets that the guide's command shows", `"acme"`, "other", shows(map[string]any{"id": "id-9", "name": "other"})},
		}},
		{`it shows auth_format "bearer"`, nil, format("bearer"), []fault{
			{"metadata.auth_format shown", "bearer", "no secret is shown", func(*rig) {}},
			{"metadata.auth_format shown", "bearer", "api_key", format("bearer", "api_key")},
		}},
		{"it finds no secret for the model among 2", nil, answers(http.StatusOK, two), []fault{
			{"the status of the listing", "200", "401", answers(http.StatusUnauthorized, two)},
			{"how many secrets were searched", "2", "0", answers(http.StatusOK, `{"objects":[]}`)},
			{"how many secrets the guide's command shows", "0", "1", func(r *rig) { answers(http.StatusOK, two)(r); format("bearer")(r) }},
			{"the guide's filter", "an answer", "no jq", func(r *rig) { answers(http.StatusOK, two)(r); fails("no jq")(r) }},
		}},
		{"its filter fails on customModels that is no object", nil, fails("has(\"x\") cannot be applied"), []fault{
			{"the guide's filter", "an error", "1 secrets shown", format("bearer")},
			{"the error of the guide's filter", "has()", "no jq", fails("no jq")},
		}},
		{`it answers 200 with a model list that has "acme-chat"`, nil, answers(http.StatusOK, `{"data":[{"id":"x"},{"id":"acme-chat"}]}`), []fault{
			{"the status of the answer", "200", "401", answers(http.StatusUnauthorized, `{"data":[{"id":"acme-chat"}]}`)},
			{"the models listed", "acme-chat", "x", answers(http.StatusOK, `{"data":[{"id":"x"}]}`)},
			{"the models listed", "acme-chat", "none", answers(http.StatusOK, `{}`)},
		}},
	}
	for _, key := range []string{"id", "name", "provider_type", "preview_secret", "metadata"} {
		rows[0].fails = append(rows[0].fails, fault{key + " of the secret shown", "", `"other"`, shows(map[string]any{key: "other"})})
	}
	return rows
}
