package steps

import (
	"net/http"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/scenarios"
	"github.com/planeproof/planeproof/target"
)

// callers are all who call a model in a sentence.
func callers() []string {
	return []string{
		theScorer, projectsScorer, "the project's streaming scorer", "the prompt", `the scorer of project "other"`, unknownProjects,
	}
}

// callOf is a call of the caller and how it went; it goes so again.
func callOf(who string, status int, refusal string) func(*rig) {
	return func(r *rig) {
		r.called(who, status, func(p *scenarios.Probe) { p.Refusal = refusal })
		r.share.calls = []answer{{status, refusal}}
	}
}

// turnedAway is a call that the data plane refused, and passes on where it is as it should be.
func turnedAway(who string, status int, refusal string) func(*rig) {
	return func(r *rig) {
		callOf(who, status, refusal)(r)
		r.share.passes = true
	}
}

func acme(r *rig) { r.org("acme", "") }

func refusedByGateway(who string) func(*rig) {
	return func(r *rig) {
		r.called(who, http.StatusUnauthorized)
		r.saw(http.StatusUnauthorized, "Authorization", "Api-Key "+r.token("acme")).Note = "wrong scheme"
	}
}

func scorerRows() []row {
	rows := []row{
		{"the Braintrust key of the scorer still works on the API", nil, nil, []fault{
			{"the status of GET /v1/organization with the scorer's key", "200", "401", func(r *rig) {
				r.share.answers["GET /v1/organization"] = answer{http.StatusUnauthorized, "no"}
			}},
		}},
		{`the used endpoint is "acme"`, nil, func(r *rig) {
			r.called(theScorer, http.StatusOK, func(p *scenarios.Probe) { p.UsedEndpoint = "acme" })
		}, []fault{{"x-bt-used-endpoint of the answer", "acme", "beta", func(r *rig) {
			r.called(theScorer, http.StatusOK, func(p *scenarios.Probe) { p.UsedEndpoint = "beta" })
		}}}},
		{unknownProjects + " is refused by the data plane for its project", acme, turnedAway(unknownProjects, http.StatusForbidden, "no"), []fault{
			{"the outcome of " + unknownProjects, "a 4xx", "an answer of the model", func(r *rig) { r.called(unknownProjects, http.StatusOK) }},
			{"the outcome of " + unknownProjects, "a 4xx", "status 500", func(r *rig) { r.called(unknownProjects, http.StatusInternalServerError) }},
			{"the outcome of " + unknownProjects, "a 4xx", "status 302", func(r *rig) { r.called(unknownProjects, http.StatusFound) }},
			{"who refused the call", "the data plane", `the org secret "acme"`, func(r *rig) {
				r.called(unknownProjects, http.StatusForbidden)
				r.saw(http.StatusForbidden, "Authorization", "Bearer "+r.token("acme"))
			}},
			{"who refused the call", "the data plane", "AI provider returned 403", turnedAway(unknownProjects, http.StatusForbidden, "AI provider returned 403")},
			{"what the gateway saw of the same call", "a request", "refuses that call too", callOf(unknownProjects, http.StatusForbidden, "no")},
		}},
	}
	for from, cached := range map[string]string{"is fresh": "MISS", "comes from the answer cache": "HIT"} {
		other := map[string]string{"MISS": "HIT", "HIT": "MISS"}[cached]
		got := func(status int, header string) func(*rig) {
			return func(r *rig) {
				r.called(theScorer, status, func(p *scenarios.Probe) { p.Cached = header })
			}
		}
		rows = append(rows, row{"the answer " + from, nil, got(http.StatusOK, cached), []fault{
			{"x-bt-cached of the answer", cached, other, got(http.StatusOK, other)},
			{"the outcome of the call", "an answer of the model", "status 401", got(http.StatusUnauthorized, cached)},
		}})
	}
	for _, who := range callers() {
		rows = append(rows, callerRows(who)...)
	}
	return rows
}

// callerRows are the Thens that are about a caller.
func callerRows(who string) []row {
	what := "the outcome of " + who
	return []row{
		{who + " succeeds", acme, func(r *rig) { r.called(who, http.StatusOK); sawAcme(r) }, []fault{
			{what, "an answer of the model", "and said: wrong scheme", refusedByGateway(who)},
			{what, "an answer of the model", "status 404: nothing here; the gateway got no request", callOf(who, http.StatusNotFound, "nothing here")},
			{what, "an answer of the model", "status 200", func(r *rig) {
				r.called(who, http.StatusOK, func(p *scenarios.Probe) { p.Text = "" })
				r.share.calls = []answer{{http.StatusOK, `{"choices":[]}`}}
			}},
			{"how 2 equal calls were treated", "all alike", halfUpgraded, func(r *rig) {
				refusedByGateway(who)(r)
				r.called(who, http.StatusOK)
				sawAcme(r)
			}},
		}},
		{who + " fails with an authentication error of the provider", acme, refusedByGateway(who), []fault{
			{what, "status 401", "an answer of the model", func(r *rig) { r.called(who, http.StatusOK) }},
			{what, "status 401", "status 403", callOf(who, http.StatusForbidden, "no")},
			{"who refused the call", "the provider", "the data plane", callOf(who, http.StatusUnauthorized, "no")},
			{"what the provider refused", "of a provider secret", "Authorization: Bearer", func(r *rig) {
				r.called(who, http.StatusUnauthorized)
				r.saw(http.StatusUnauthorized, "Authorization", "Bearer of a stranger")
			}},
			{"the gateway's own answer to the call", "401", "200", func(r *rig) {
				r.called(who, http.StatusUnauthorized)
				sawAcme(r)
			}},
		}},
		{who + " is refused by the data plane for its Braintrust key", acme, turnedAway(who, http.StatusUnauthorized, "no"), []fault{
			{what, "status 401", "an answer of the model", func(r *rig) { r.called(who, http.StatusOK) }},
			{what, "status 401", "status 403", callOf(who, http.StatusForbidden, "no")},
			{"who refused the call", "the data plane", "a provider", refusedByGateway(who)},
			{"who refused the call", "the data plane", "AI provider returned 401", turnedAway(who, http.StatusUnauthorized, "AI provider returned 401")},
			{"what the gateway saw of the same call", "a request", "refuses that call too", callOf(who, http.StatusUnauthorized, "no")},
		}},
		{who + ` fails with status 404 and says "no model"`, nil, callOf(who, http.StatusNotFound, "there is no model of that name"), []fault{
			{what, `status 404 with "no model"`, "status 404: gone", callOf(who, http.StatusNotFound, "gone")},
			{what, `status 404 with "no model"`, "status 400: there is no model", callOf(who, http.StatusBadRequest, "there is no model")},
			{what, `status 404 with "no model"`, "an answer of the model", func(r *rig) { r.called(who, http.StatusOK) }},
		}},
	}
}

// treated are calls of the scorer and how they were treated: B as by v2, A as by v1.
func treated(ways string) func(*rig) {
	return func(r *rig) {
		for _, way := range ways {
			if way == 'A' {
				refusedByGateway(theScorer)(r)
				continue
			}
			r.called(theScorer, http.StatusOK)
			sawAcme(r)
		}
	}
}

func alikeRows() []row {
	return []row{
		{"every call was treated alike", acme, treated("BBB"), []fault{
			{"how 3 equal calls were treated", "all alike", "in the order AAB", treated("BBA")},
			{"how equal calls were treated", "passed on to the gateway", "status 403", func(r *rig) {
				r.called(theScorer, http.StatusForbidden)
				r.called(theScorer, http.StatusForbidden)
			}},
		}},
		{"the calls were treated in turn as by v1 and by v2, which is told as a half-upgraded fleet", acme, treated("ABAB"), []fault{
			{"the ways in which the calls were treated", "status 401", "status 200 with Authorization: Bearer", treated("BBB")},
			{"the ways in which the calls were treated", "status 200", "status 401 with Authorization: Api-Key", treated("AAA")},
			{"the order in which the calls were treated", "in turn", "BAA", treated("ABB")},
		}},
		{"a scorer that must succeed fails with that explanation", acme, treated("AB"), []fault{
			{"what a scorer that must succeed is told", halfUpgraded, "<nil>", treated("BB")},
			{"what a scorer that must succeed is told", halfUpgraded, "expected an answer of the model", treated("AA")},
		}},
	}
}

func proxyRows() []row {
	zod := func(where string, issues ...provider.Issue) func(*rig) {
		return func(r *rig) {
			for i := range issues {
				issues[i].Path = []any{where}
			}
			r.warns("alpha", fallbackWarning+" ZodError: "+provider.ZodError(issues))
		}
	}
	unknown := func(keys ...string) provider.Issue {
		return provider.Issue{Code: provider.CodeUnrecognizedKeys, Message: "Unrecognized key(s) in object", Keys: keys}
	}
	other := provider.Issue{Code: "invalid_type", Expected: "string", Received: "number", Message: "Expected string"}
	const what = `the proxy's warning for project "alpha"`
	return []row{
		{`the proxy warned for project "alpha" about unrecognized keys "one" and "two"`, nil, zod("metadata", unknown("one", "two")), []fault{
			{what, "unrecognized_keys", "no warning", func(*rig) {}},
			{what, "unrecognized_keys", "no warning", func(r *rig) { r.warns("other", fallbackWarning) }},
			{what, `"one" and "two"`, "one", zod("metadata", unknown("one"))},
			{what, `"one" and "two"`, "two", zod("metadata", unknown("two", "one"))},
			{what, "in metadata", "elsewhere", zod("elsewhere", unknown("one", "two"))},
			{what, "unrecognized_keys", "invalid_type", zod("metadata", other)},
			{what, "unrecognized_keys", "invalid_type", zod("metadata", unknown("one", "two"), other)},
			{what, "unrecognized_keys", "timeout", func(r *rig) { r.warns("alpha", fallbackWarning+": timeout") }},
		}},
		{`the proxy warned for project "alpha" about something else than unrecognized keys`, nil, zod("metadata", other), []fault{
			{what, "something else", "no warning", func(*rig) {}},
			{what, "something else", "unrecognized_keys", zod("metadata", unknown("one"))},
			{what, "something else", "timeout", func(r *rig) { r.warns("alpha", fallbackWarning+": timeout") }},
		}},
		{`the proxy has not warned for project "alpha"`, func(r *rig) {
			id := r.projectID("alpha")
			r.called(projectsScorer, http.StatusOK, func(p *scenarios.Probe) { p.ProjectID = id })
		}, func(r *rig) { r.warns("other", fallbackWarning) }, []fault{
			{`the proxy's warnings for project "alpha"`, "none", fallbackWarning, func(r *rig) { r.warns("alpha", fallbackWarning) }},
		}},
	}
}

func planeRows() []row {
	shown := func(what string) func(*rig) { return func(r *rig) { r.testKey = what } }
	return []row{
		{"Test key shows success", nil, shown("success"), []fault{{"what Test key shows", "success", "an error", shown("an error")}}},
		{"Test key shows an error", nil, shown("an error"), []fault{{"what Test key shows", "an error", "success", shown("success")}}},
	}
}

// leaky are the Worlds in which a stored value appears somewhere.
func leaky() []fault {
	const what = "where the stored value of acme appears"
	leak := func(system target.System, printed bool) func(*rig) {
		return func(r *rig) {
			if printed {
				r.share.printed[system] = "debug: " + r.token("acme")
				return
			}
			kept := r.share.kept[system]
			kept.Logs = append(kept.Logs, evidence.LogLine{Text: strings.ToUpper("got ") + r.token("acme")})
		}
	}
	all := []fault{{what, "nowhere", "the answer to GET data-plane/asked", func(r *rig) {
		r.answered(http.StatusOK, `{"secret":"`+r.token("acme")+`"}`)
	}}}
	for _, system := range target.Systems() {
		all = append(all, fault{what, "nowhere", "the log of " + string(system), leak(system, false)},
			fault{what, "nowhere", "the output of " + string(system), leak(system, true)})
	}
	return all
}
