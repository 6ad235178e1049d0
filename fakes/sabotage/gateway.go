package sabotage

import (
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// gateways are broken in what they accept and answer.
func gateways() []Sabotage {
	const authorization = "Authorization"
	return []Sabotage{
		{Name: "gateway-any-scheme", Says: "the gateway takes a token under any scheme and in any header", gateway: gatewayServes(taking(provider.Shapes()...))},
		{Name: "gateway-api-key-scheme", Says: "the gateway takes Authorization: Api-Key beside what it asks for", gateway: gatewayServes(taking(provider.ShapeAPIKeyScheme))},
		{Name: "gateway-bare-token", Says: "the gateway takes a token without a scheme beside what it asks for", gateway: gatewayServes(taking(provider.ShapeBare))},
		{Name: "gateway-api-key-header", Says: "the gateway takes the header api-key beside what it asks for", gateway: gatewayServes(taking(provider.ShapeAPIKey))},
		{Name: "gateway-x-api-key-header", Says: "the gateway takes the header x-api-key beside what it asks for", gateway: gatewayServes(taking(provider.ShapeXAPIKey))},
		{Name: "gateway-bearer-too", Says: "the gateway takes Authorization: Bearer beside what it asks for", gateway: gatewayServes(taking(provider.ShapeBearer))},
		{Name: "gateway-doubled-scheme", Says: "the gateway forgives a scheme that stands twice", gateway: gatewayServes(request(all, func(r *http.Request) {
			r.Header.Set(authorization, strings.Replace(r.Header.Get(authorization), "Bearer Bearer ", "Bearer ", 1))
		}))},
		{Name: "gateway-any-token", Says: "the gateway takes any token", gateway: anyToken(all)},
		{Name: "gateway-lists-to-any-token", Says: "the gateway lists its models to any token", gateway: anyToken(either(on("", "/models"), on("", "/v1/models")))},
		{Name: "gateway-any-token-on-v1", Says: "the gateway lists its models to any token on /v1/models alone", gateway: anyToken(on("", "/v1/models"))},
		{Name: "gateway-serves-forbidden", Says: "the gateway serves a token that it forbids everything", gateway: gatewaySet(func(c *settings.Gateway) {
			c.Tokens, c.Forbidden = append(c.Tokens, c.Forbidden...), nil
		})},
		{Name: "gateway-revokes-all", Says: "the gateway has revoked every token", gateway: gatewaySet(func(c *settings.Gateway) { c.Tokens = nil })},
		{Name: "gateway-401-as-403", Says: "the gateway answers 403 to a wrong token", gateway: gatewayServes(restated(401, 403))},
		{Name: "gateway-401-as-404", Says: "the gateway answers 404 to a wrong token", gateway: gatewayServes(restated(401, 404))},
		{Name: "gateway-401-as-500", Says: "the gateway answers 500 to a wrong token", gateway: gatewayServes(restated(401, 500))},
		{Name: "gateway-403-as-401", Says: "the gateway answers 401 to a token that may do nothing", gateway: gatewayServes(restated(403, 401))},
		{Name: "gateway-unserved-as-401", Says: "the gateway answers 401 on a path that it does not serve", gateway: gatewayServes(restated(404, 401))},
		{Name: "gateway-refusal-as-unserved", Says: "the gateway answers 404 where it should answer 401 on a path that it does not serve", gateway: gatewaySet(func(c *settings.Gateway) { c.UnservedStatus = 0 })},
		{Name: "gateway-busy-on-unserved", Says: "the gateway answers 429 on a path that it does not serve", gateway: gatewayServes(restated(404, 429))},
		{Name: "gateway-serves-all-paths", Says: "the gateway serves every path that it should not", gateway: gatewaySet(func(c *settings.Gateway) { c.Serve = nil })},
		{Name: "gateway-no-models", Says: "the gateway does not serve /models", gateway: gatewayServes(unserved("/models"))},
		{Name: "gateway-no-v1-models", Says: "the gateway does not serve /v1/models", gateway: gatewayServes(unserved("/v1/models"))},
		{Name: "gateway-models-without-a-list", Says: "the gateway answers /models with an object that is no list", gateway: gatewayServes(answer(either(at("GET", "/models"), at("GET", "/v1/models")), func(a *reply) { a.body = drop(a.body, "data") }))},
		{Name: "gateway-other-models", Says: "the gateway lists other models than it serves", gateway: gatewayServes(answer(either(at("GET", "/models"), at("GET", "/v1/models")), func(a *reply) {
			if has(a.body, "data.0") {
				a.body = set(a.body, "data.0.id", "somebody-elses")
			}
		}))},
		{Name: "gateway-open-models", Says: "the gateway lists its models to anyone", gateway: gatewaySet(func(c *settings.Gateway) { c.OpenModels = true })},
		{Name: "gateway-closed-models", Says: "the gateway that lists its models to anyone asks for a token", gateway: gatewaySet(func(c *settings.Gateway) { c.OpenModels = false })},
		{Name: "gateway-wrong-scheme-for-token", Says: "the gateway says of a wrong token that its scheme is wrong", gateway: gatewayServes(noted(all, func(note string) string {
			return strings.Replace(note, "wrong token", "wrong scheme", 1)
		}))},
		{Name: "gateway-wrong-token-for-scheme", Says: "the gateway says of a wrong scheme that the token is wrong", gateway: gatewayServes(noted(all, func(note string) string {
			return strings.Replace(note, "wrong scheme", "wrong token", 1)
		}))},
		{Name: "gateway-answers-nothing", Says: "the gateway answers model calls with an empty object", gateway: gatewayServes(answer(on("POST", ""), func(a *reply) {
			if a.status == http.StatusOK {
				a.body = []byte("{}")
			}
		}))},
		{Name: "gateway-no-streams", Says: "the gateway answers a streamed call with 500", gateway: gatewayServes(answer(streamed, func(a *reply) { a.status = 500 }))},
		{Name: "gateway-every-third-call", Says: "the gateway refuses every third model call", gateway: func() onGateway { return onGateway{Serve: everyThird()} }},
	}
}

func all(*http.Request) bool { return true }

func streamed(r *http.Request) bool { return gjson.GetBytes(read(r), "stream").Bool() }

// restated answers one status as another.
func restated(from, to int) middleware {
	return answer(all, func(a *reply) {
		if a.status == from {
			a.status = to
		}
	})
}

func unserved(path string) middleware {
	return answer(at("GET", path), func(a *reply) { a.status, a.body = http.StatusNotFound, []byte(`{"error":{"message":"Invalid URL"}}`) })
}

// shapes in which a token can be sent.
func dressed(shape provider.Shape, token string) http.Header {
	switch shape {
	case provider.ShapeBearer:
		return http.Header{"Authorization": {"Bearer " + token}}
	case provider.ShapeAPIKeyScheme:
		return http.Header{"Authorization": {"Api-Key " + token}}
	case provider.ShapeBare:
		return http.Header{"Authorization": {token}}
	}
	return http.Header{http.CanonicalHeaderKey(string(shape)): {token}}
}

// credential is the one credential of a request: its shape and the token.
func credential(h http.Header) (shape provider.Shape, token string) {
	for _, name := range evidence.CredentialHeaders() {
		value := h.Get(name)
		scheme, rest, two := strings.Cut(value, " ")
		switch {
		case value == "":
		case name != "authorization":
			return provider.Shape(name), value
		case !two:
			return provider.ShapeBare, value
		case strings.EqualFold(scheme, "Bearer"):
			return provider.ShapeBearer, rest
		default:
			return provider.ShapeAPIKeyScheme, rest
		}
	}
	return provider.ShapeNone, ""
}

func dress(r *http.Request, shape provider.Shape, token string) {
	for _, name := range evidence.CredentialHeaders() {
		r.Header.Del(name)
	}
	for name, values := range dressed(shape, token) {
		r.Header[name] = values
	}
}

// taking makes a gateway take a shape beside its own: where it refuses, it is asked once more in each other shape.
func taking(shapes ...provider.Shape) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := read(r)
			a := ask(next, r)
			came, token := credential(r.Header)
			for _, taken := range shapes {
				for _, own := range provider.Shapes() {
					if a.status != http.StatusUnauthorized || came != taken || own == provider.ShapeNone {
						continue
					}
					again := r.Clone(r.Context())
					replace(again, body)
					dress(again, own, token)
					a = ask(next, again)
				}
			}
			a.write(w)
		})
	}
}

// anyToken gives a gateway one more token, which stands in for the one that is sent.
func anyToken(which match) func() onGateway {
	const spare = "taken-for-any"
	return func() onGateway {
		return onGateway{
			Settings: func(c *settings.Gateway) { c.Tokens = append(c.Tokens[:len(c.Tokens):len(c.Tokens)], spare) },
			Serve: request(which, func(r *http.Request) {
				if shape, token := credential(r.Header); token != "" && !strings.Contains(token, " ") {
					dress(r, shape, spare)
				}
			}),
		}
	}
}

func everyThird() middleware {
	calls := 0
	return answer(on("POST", ""), func(a *reply) {
		if calls++; calls%3 == 0 {
			a.status = http.StatusUnauthorized
		}
	})
}
