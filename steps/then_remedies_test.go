package steps

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/fix"
	"github.com/planeproof/planeproof/remedy/proxylog"
	"github.com/planeproof/planeproof/remedy/verify"
	"github.com/planeproof/planeproof/scenarios"
)

func fixRows() []row {
	step := fix.Step{Costs: []string{"auth_format is lost"}, Alternative: "display_name too"}
	came := func(err error) func(*rig) {
		return func(r *rig) { r.planned, r.fixErr = &fix.Plan{Steps: []fix.Step{step}}, err }
	}
	nothing := func(r *rig) { r.planned = &fix.Plan{} }
	refused := func(reason string) func(*rig) {
		return func(r *rig) {
			refusal := fix.Refusal{Name: "acme", Remedy: fix.Bearer, Reason: reason}
			r.planned, r.fixErr = &fix.Plan{Refused: []fix.Refusal{refusal}}, refusal
		}
	}
	forbidden := func(said string) error {
		return &control.Error{Kind: control.Forbidden, Status: http.StatusForbidden, Reason: said}
	}
	said := func(lines ...string) func(*rig) { return func(r *rig) { came(nil)(r); r.fixSaid = lines } }
	const what = "what came of the fix"
	rows := []row{
		{"the fix is proven", nil, came(nil), []fault{
			{what, "applied and proven", "no luck", came(errors.New("no luck"))},
			{what, "applied and proven", "the plan has no step", nothing},
		}},
		{`the fix is refused and says "not yours"`, nil, refused("it is not yours"), []fault{
			{what, `refused, with "not yours"`, "no time", refused("no time")},
			{what, `refused, with "not yours"`, "applied and proven", came(nil)},
			{what, "refused before anything was sent", "not yours", came(errors.New("not yours"))},
		}},
		{`the fix is reported as refused and says "not yours"`, nil, came(forbidden("it is not yours")), []fault{
			{what, "a plan that is sent", "not yours", refused("not yours")},
			{what, "a plan that is sent", "a plan without a step", nothing},
			{what, "refused by the API with 403", "not yours", came(&control.Error{Kind: control.Refused, Reason: "not yours"})},
			{what, `refused by the API, with "not yours"`, "no time", came(forbidden("no time"))},
			{what, `refused by the API, with "not yours"`, "applied and proven", came(nil)},
		}},
		{`the fix says last "done"`, nil, said("begun", "done"), []fault{
			{"the last that the fix says", "done", "begun", said("done", "begun")},
			{"the last that the fix says", "done", "nothing", came(nil)},
			{what, "a plan that is sent", "a plan without a step", nothing},
		}},
		{`the plan says that "auth_format" and "display_name" would be lost`, nil, came(nil), []fault{
			{"what the plan says would be lost", `"display_name"`, "auth_format is lost", func(r *rig) {
				r.planned = &fix.Plan{Steps: []fix.Step{{Costs: []string{"auth_format is lost"}}}}
			}},
			{"what the plan says would be lost", `"auth_format"`, "nothing", func(r *rig) { r.planned = &fix.Plan{Steps: []fix.Step{{}}} }},
		}},
	}
	outcomes := map[string]error{"not applied": fix.ErrNotApplied, "in place but failing": fix.ErrInPlace, "impossible to tell": fix.ErrCannotTell}
	for how, kind := range outcomes {
		rows = append(rows, row{"the fix is reported as " + how + ` and says "why"`, nil, came(fmt.Errorf("%w: this is why", kind)), []fault{
			{what, "a plan that is sent", "why", refused("why")},
			{what, "a plan that is sent", "a plan without a step", nothing},
			{what, how + `, with "why"`, "applied and proven", came(nil)},
			{what, how + `, with "why"`, "no reason", came(fmt.Errorf("%w: no reason", kind))},
			{what, how, "why", came(errors.New("why"))},
		}})
	}
	return rows
}

// found is an audit that found a rule's findings on secrets by id.
func found(rule string, remedy fix.Remedy, ids ...string) func(*rig) {
	return func(r *rig) {
		group := audit.Group{Rule: rule}
		for _, id := range ids {
			group.Findings = append(group.Findings, audit.Finding{Secret: &audit.SecretRef{ID: id}, Remedy: audit.Remedy{Name: string(remedy)}})
		}
		r.audited = &audit.Report{Verdict: audit.Findings, Summary: "1 finding", Groups: []audit.Group{group}}
	}
}

func auditRows() []row {
	const rule = "auth-format-api-key"
	two := func(r *rig) { r.org("acme", ""); r.org("beta", "") }
	clean := func(r *rig) { r.audited = &audit.Report{Verdict: audit.Clean, Summary: "no finding"} }
	undecided := func(needs string) func(*rig) {
		return func(r *rig) { found(rule, "", "id-1")(r); r.audited.Groups[0].Needs = needs }
	}
	unserved := func(named string) func(*rig) {
		return func(r *rig) {
			found("model-not-served", "")(r)
			r.audited.Groups[0].Findings = []audit.Finding{{Evidence: []string{"nothing serves " + named}}}
		}
	}
	models := func(names ...string) func(*rig) {
		return func(r *rig) {
			r.audited = &audit.Report{Model: &audit.Model{}}
			for _, name := range names {
				r.audited.Model.Custom = append(r.audited.Model.Custom, audit.ModelSecret{Name: name})
			}
		}
	}
	const what = "the ids of the secrets on which the audit finds " + rule
	rows := []row{
		{`the audit finds "auth-format-api-key" on "acme"`, two, found(rule, "", "id-1"), []fault{
			{what, "id-1", "none", clean},
			{what, "id-1", "id-2", found(rule, "", "id-2")},
			{what, "id-1", "id-1, id-2", found(rule, "", "id-1", "id-2")},
			{what, "id-1", "none", found("model-not-served", "", "id-1")},
		}},
		{`the audit finds "auth-format-api-key" on "beta" and "acme"`, two, func(r *rig) {
			found(rule, "", "id-1")(r)
			r.audited.Groups[0].Findings[0].Also = []*audit.SecretRef{{ID: "id-2"}}
		}, []fault{{what, "id-1, id-2", "id-1", found(rule, "", "id-1")}}},
		{`the audit finds "auth-format-api-key" on none`, two, clean, []fault{{what, "none", "id-1", found(rule, "", "id-1")}}},
		{"the audit is clean", nil, clean, []fault{{"the verdict of the audit", "clean", "1 finding; " + rule, found(rule, "")}}},
		{"the audit is not clean", nil, found(rule, ""), []fault{{"the verdict of the audit", "not clean", "no finding", clean}}},
		{`the audit says that no secret serves "acme-chat"`, nil, unserved("acme-chat"), []fault{
			{"the findings of the audit", "model-not-served, with acme-chat", "none", clean},
			{"the findings of the audit", "with acme-chat", "model-not-served", unserved("other")},
		}},
		{`the audit cannot decide "auth-format-api-key" on "acme", and says what it would need`, two, undecided("the generation"), []fault{
			{"what " + rule + " says that it would need", "something", "it is decided", undecided("")},
			{what, "id-1", "none", clean},
		}},
		{`the audit names "beta" and "acme" for the model`, nil, models("acme", "beta"), []fault{
			{"the secrets that the audit names for the model", "acme, beta", "acme", models("acme")},
			{"the secrets that the audit names for the model", "acme, beta", "none", models()},
			{"the secrets that the audit names for the model", "acme, beta", "acme, beta, gamma", models("gamma", "acme", "beta")},
		}},
	}
	for words, remedy := range map[string]fix.Remedy{"bearer fix": fix.Bearer, "workaround": fix.Workaround, "portable form": fix.Portable} {
		other := map[bool]fix.Remedy{true: fix.Workaround, false: fix.Bearer}[remedy == fix.Bearer]
		rows = append(rows, row{`for "auth-format-api-key" the audit proposes the ` + words + ` on "acme"`, two, found(rule, remedy, "id-2", "id-1"), []fault{
			{"what the audit proposes for " + rule, words, "it does not find it", clean},
			{"what the audit proposes for " + rule, words, "it does not find it", found(rule, remedy, "id-2")},
			{"the remedy that the audit proposes for " + rule, string(remedy), string(other), found(rule, other, "id-1")},
			{"the remedy that the audit proposes for " + rule, string(remedy), `""`, found(rule, "", "id-1")},
		}})
	}
	return rows
}

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
			{"the detail on /models", "a 401", "a 404", path(verify.PathVerdict{Path: "/models", Detail: "a 404"})},
			{"the detail on /models", "a 401", "the path was not asked", path(verify.PathVerdict{Path: "/v1/models", Detail: "a 401"})},
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
		{`the word "Bearer" is named as a problem of the token`, nil, problems("it begins with the word Bearer"), []fault{
			{"the problems of the token", "Bearer", "none", problems()},
			{"the problems of the token", "Bearer", "the word Token", problems("the word Token")},
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
