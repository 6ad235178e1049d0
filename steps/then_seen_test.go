package steps

import (
	"net/http"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target"
)

// twoSecrets are what most Worlds have, and a call.
func twoSecrets(r *rig) {
	r.org("acme", "")
	r.org("beta", "")
	r.called(theScorer, http.StatusOK)
}

func sawAcme(r *rig) { r.sawBearer("acme") }
func sawBeta(r *rig) { r.sawBearer("beta") }

// wrongTokens are the Worlds in which whatever asks for the token of acme must fail; right is a request as it must be.
func wrongTokens(words string, right func(*rig)) []fault {
	const what = "the credential that the gateway saw"
	return []fault{
		{"what the gateway saw", words, "no request of this call", func(*rig) {}},
		{what, words, `the token of the org secret "beta"`, sawBeta},
		{what, words, "no credential", func(r *rig) { r.saw(http.StatusOK) }},
		{what, words, "; X-Api-Key: ", func(r *rig) {
			r.saw(http.StatusOK, "Authorization", "Bearer "+r.token("acme"), "X-Api-Key", "another")
		}},
		{what, words, "Apikey: ", func(r *rig) { r.saw(http.StatusOK, "apikey", r.token("acme")) }},
		{what, words, `the token of the org secret "beta"`, func(r *rig) { right(r); sawBeta(r) }},
	}
}

func seenRows() []row {
	const raw, what = "Authorization: Bearer and the raw token", "the credential that the gateway saw"
	doubledAcme := func(r *rig) { r.saw(http.StatusOK, "Authorization", "Bearer Bearer "+r.token("acme")) }
	paddedAcme := func(r *rig) { r.saw(http.StatusOK, "Authorization", "Bearer  "+r.token("acme")) }
	onBoth := func(headers func(r *rig) []string) func(*rig) {
		return func(r *rig) {
			for _, path := range []string{"/models", "/v1/models"} {
				r.saw(http.StatusOK, headers(r)...).Path = path
			}
		}
	}
	bearerOnBoth := onBoth(func(r *rig) []string { return []string{"Authorization", "Bearer " + r.token("acme")} })
	doubledOnBoth := onBoth(func(r *rig) []string { return []string{"Authorization", "Bearer Bearer " + r.token("acme")} })
	onOne := func(value string) func(*rig) {
		return func(r *rig) { r.saw(http.StatusOK, "Authorization", value+r.token("acme")).Path = "/models" }
	}
	rows := []row{
		{`the gateway saw the raw token of "acme" as Bearer`, twoSecrets, sawAcme, append(wrongTokens(raw, sawAcme),
			fault{what, raw, "(scheme doubled", doubledAcme},
			fault{what, raw, "(padded)", paddedAcme},
			fault{what, raw, "Authorization: Api-Key", func(r *rig) { r.saw(http.StatusOK, "Authorization", "Api-Key "+r.token("acme")) }})},
		{`the gateway saw the raw token of the project's "acme" as Bearer`, func(r *rig) {
			r.org("acme", "")
			r.project("acme", "")
			r.called(projectsScorer, http.StatusOK)
		}, func(r *rig) {
			secret, _ := r.secret(`the project's "acme"`)
			r.saw(http.StatusOK, "Authorization", "Bearer "+secret.Token)
		}, []fault{{what, `the project's "acme"`, `the org secret "acme"`, sawAcme}}},
		{`the gateway saw the raw token of "acme" as Bearer every time`, twoSecrets, func(r *rig) {
			sawAcme(r)
			r.called(theScorer, http.StatusOK)
			sawAcme(r)
		}, append(wrongTokens(raw, sawAcme), fault{what, raw, `"beta"`, func(r *rig) {
			sawBeta(r)
			r.called(theScorer, http.StatusOK)
			sawAcme(r)
		}}, fault{"what the gateway saw", raw, "no request of this call", func(r *rig) {
			sawAcme(r)
			r.called(theScorer, http.StatusOK)
		}})},
		{`the gateway saw the raw token of "acme" as Bearer on "/models" and "/v1/models"`, twoSecrets, bearerOnBoth, []fault{
			{"the paths on which the gateway saw " + raw, "/models, /v1/models", "none", doubledOnBoth},
			{"the paths on which the gateway saw", "/models, /v1/models", "/models", onOne("Bearer ")},
		}},
		{`the gateway saw the raw token of "acme" as Bearer Bearer`, twoSecrets, doubledAcme,
			append(wrongTokens("Bearer Bearer", doubledAcme), fault{what, "Bearer Bearer", "Authorization: Bearer ‹", sawAcme})},
		{`the gateway saw the raw token of "acme" as Bearer Bearer on "/models" and "/v1/models"`, twoSecrets, doubledOnBoth, []fault{
			{"the paths on which the gateway saw", "/models, /v1/models", "none", bearerOnBoth},
			{"the paths on which the gateway saw", "/models, /v1/models", "/models", onOne("Bearer Bearer ")},
		}},
		{`the gateway saw the raw token of "acme" as Bearer and a blank`, twoSecrets, paddedAcme,
			append(wrongTokens("a blank", paddedAcme), fault{what, "a blank", "Authorization: Bearer ‹", sawAcme})},
		{`the gateway saw "acme" and "beta" and no other credential`, twoSecrets, func(r *rig) { sawAcme(r); sawBeta(r) }, []fault{
			{"the secrets whose token", "acme, beta", "acme", sawAcme},
			{"the secrets whose token", "acme, beta", "no credential", func(r *rig) { sawAcme(r); sawBeta(r); r.saw(http.StatusOK) }},
			{"the secrets whose token", "acme, beta", "(padded)", func(r *rig) { sawBeta(r); paddedAcme(r) }},
		}},
		{"the gateway saw the Braintrust key of the scorer as x-api-key", twoSecrets, func(r *rig) {
			r.saw(http.StatusOK, "x-api-key", r.World.ScorerKey())
		}, []fault{
			{"the credentials that the gateway saw", "x-api-key", "no request", func(*rig) {}},
			{"the credentials that the gateway saw", "x-api-key", "admin", func(r *rig) { r.saw(http.StatusOK, "x-api-key", r.World.AdminKey()) }},
			{"the credentials that the gateway saw", "x-api-key", "Authorization: Bearer", func(r *rig) {
				r.saw(http.StatusOK, "Authorization", "Bearer "+r.World.ScorerKey())
			}},
		}},
		{"the gateway saw Bearer and nothing after it", twoSecrets, func(r *rig) { r.saw(http.StatusOK, "Authorization", "Bearer ") }, []fault{
			{"what the gateway saw", "Bearer and nothing", "no request of this call", func(*rig) {}},
			{"what the gateway saw", "Bearer and nothing", `"acme"`, sawAcme},
			{"what the gateway saw", "Bearer and nothing", "Api-Key", func(r *rig) { r.saw(http.StatusOK, "Authorization", "Api-Key ") }},
			{"what the gateway saw", "Bearer and nothing", "no credential", func(r *rig) { r.saw(http.StatusOK) }},
		}},
		{"the gateway saw no credential", twoSecrets, func(r *rig) { r.saw(http.StatusOK) }, []fault{
			{"what the gateway saw", "no credential", "no request of this call", func(*rig) {}},
			{"what the gateway saw", "no credential", `"acme"`, sawAcme},
			{"what the gateway saw", "no credential", "‹empty›", func(r *rig) { r.saw(http.StatusOK, "Authorization", "Bearer ") }},
		}},
		{"the gateway saw nothing", twoSecrets, nil, []fault{
			{"what the gateway saw", "nothing", `"acme"`, sawAcme},
			{"what the gateway saw", "nothing", `the org secret "acme"`, func(r *rig) { // of an earlier call
				sawAcme(r)
				r.called(theScorer, http.StatusForbidden)
			}},
		}},
	}
	for words, headers := range map[string][]string{
		"Authorization: Api-Key": {"Authorization", "Api-Key "},
		"Authorization: bare":    {"Authorization", ""}, "api-key": {"api-key", ""}, "x-api-key": {"x-api-key", ""}, "apikey": {"apikey", ""},
	} {
		as := func(header, prefix string) func(*rig) {
			return func(r *rig) { r.saw(http.StatusOK, header, prefix+r.token("acme")) }
		}
		rows = append(rows, row{`the gateway saw the raw token of "acme" as ` + words, twoSecrets, as(headers[0], headers[1]), []fault{
			{"what the gateway saw", words, "no request of this call", func(*rig) {}},
			{what, words, `"beta"`, func(r *rig) { r.saw(http.StatusOK, headers[0], headers[1]+r.token("beta")) }},
			{what, words, "Token", as("Authorization", "Token ")},
			{what, words, "no credential", func(r *rig) { r.saw(http.StatusOK) }},
		}})
	}
	return rows
}

func gatewayRows() []row {
	wrong := func(note string) func(*rig) {
		return func(r *rig) { r.saw(http.StatusUnauthorized, "Authorization", "Bearer "+r.token("acme")).Note = note }
	}
	streamed := func(stream bool) func(*rig) {
		return func(r *rig) { r.sawBearer("acme").Stream = &stream }
	}
	refusedAcme := func(r *rig) { r.saw(http.StatusUnauthorized, "Authorization", "Bearer "+r.token("acme")) }
	asked := func(paths ...string) func(*rig) {
		return func(r *rig) {
			for _, path := range paths {
				r.sawBearer("acme").Path = path
			}
		}
	}
	return []row{
		{"the other host saw nothing", nil, func(r *rig) {
			r.share.kept[target.DataPlane].Exchanges = []evidence.Exchange{{System: "data-plane", Path: "/v1/project"}}
		}, []fault{{"what the other host saw", "nothing", "/login", func(r *rig) {
			r.share.kept[target.DataPlane].Exchanges = []evidence.Exchange{{System: "data-plane", Path: "/login"}}
		}}}},
		{`the gateway was asked 2 times on "/v1/models"`, twoSecrets, asked("/v1/models", "/models", "/v1/models"), []fault{
			{"how often the gateway was asked on /v1/models", "2", "0", func(*rig) {}},
			{"how often the gateway was asked", "2", "1", asked("/v1/models", "/models")},
			{"how often the gateway was asked", "2", "3", asked("/v1/models", "/v1/models", "/v1/models")},
		}},
		{"the gateway was asked for a stream", twoSecrets, streamed(true), []fault{
			{"how the gateway was asked", "for a stream", "no request of this call", func(*rig) {}},
			{"how the gateway was asked", "for a stream", "without a stream", streamed(false)},
			{"how the gateway was asked", "for a stream", "without a stream", sawAcme},
		}},
		{"the gateway was asked without a stream", twoSecrets, streamed(false), []fault{
			{"how the gateway was asked", "without a stream", "no request of this call", func(*rig) {}},
			{"how the gateway was asked", "without a stream", "for a stream", streamed(true)},
		}},
		{`"acme" does not work end to end: the gateway refused it and answered to "beta"`, twoSecrets, func(r *rig) {
			refusedAcme(r)
			sawBeta(r)
		}, []fault{
			{`what the gateway did with the token of "acme"`, "refused it", "it never saw it", sawBeta},
			{`what the gateway did with the token of "acme"`, "refused it", "it never saw it", func(r *rig) { sawAcme(r); sawBeta(r) }},
			{"what the gateway answered in its place", `the token of "beta"`, "nothing", refusedAcme},
			{"the credential that the gateway saw", `"beta"`, `the org secret "acme"`, func(r *rig) { refusedAcme(r); sawAcme(r) }},
		}},
		{"the gateway refused it for a wrong scheme, not for a wrong token", twoSecrets, wrong("wrong scheme"), []fault{
			{"why the gateway refused", "a wrong scheme", "no request of this call", func(*rig) {}},
			{"why the gateway refused", "a wrong scheme", "wrong token", wrong("wrong token")},
		}},
		{"the gateway refused it for a wrong token, not for a wrong scheme", twoSecrets, wrong("wrong token"), []fault{
			{"why the gateway refused", "a wrong token", "no request of this call", func(*rig) {}},
			{"why the gateway refused", "a wrong token", "wrong scheme", wrong("wrong scheme")},
		}},
	}
}
