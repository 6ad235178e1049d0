package sabotage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// calling is a proxy of which nothing is remembered.
func calling(change func(*routing.Call)) func() func(*routing.Call) {
	return func() func(*routing.Call) { return change }
}

// sending changes each request that a proxy sends upstream.
func sending(edit func(*http.Request)) func() func(*routing.Call) {
	return calling(func(c *routing.Call) {
		send := c.Send
		c.Send = func(r *http.Request) (*http.Response, error) {
			edit(r)
			return send(r)
		}
	})
}

// schemed changes the Authorization that a proxy sends, where it sends one.
func schemed(edit func(string) string) func() func(*routing.Call) {
	return sending(func(r *http.Request) {
		if value := r.Header.Get("Authorization"); value != "" {
			r.Header.Set("Authorization", edit(value))
		}
	})
}

// sends are proxies that send something else upstream.
func sends() []Sabotage {
	const authorization = "Authorization"
	return []Sabotage{
		{Name: "proxy-always-bearer", Says: "the AI proxy sends every token as Authorization: Bearer", proxy: sending(func(r *http.Request) {
			if shape, token := credential(r.Header); shape != provider.ShapeBearer && token != "" {
				dress(r, provider.ShapeBearer, token)
			}
		})},
		{Name: "proxy-always-api-key", Says: "the AI proxy sends every token as Authorization: Api-Key", proxy: schemed(func(v string) string { return strings.Replace(v, "Bearer ", "Api-Key ", 1) })},
		{Name: "proxy-streams-as-bearer", Says: "the AI proxy sends a streamed call's token as Authorization: Bearer", proxy: sending(func(r *http.Request) {
			if shape, token := credential(r.Header); shape != provider.ShapeBearer && token != "" && streamed(r) {
				dress(r, provider.ShapeBearer, token)
			}
		})},
		{Name: "proxy-streams-as-api-key", Says: "the AI proxy sends a streamed call's token as Authorization: Api-Key", proxy: sending(func(r *http.Request) {
			if shape, token := credential(r.Header); shape == provider.ShapeBearer && token != "" && streamed(r) {
				dress(r, provider.ShapeAPIKeyScheme, token)
			}
		})},
		{Name: "proxy-strips-prefix", Says: "the AI proxy strips a Bearer prefix that was stored", proxy: schemed(func(v string) string { return strings.Replace(v, "Bearer Bearer ", "Bearer ", 1) })},
		{Name: "proxy-trims-token", Says: "the AI proxy trims the token before it sends it", proxy: schemed(func(v string) string { return strings.Replace(v, "Bearer  ", "Bearer ", 1) })},
		{Name: "proxy-pads-token", Says: "the AI proxy sends a blank before the token", proxy: schemed(func(v string) string { return strings.Replace(v, "Bearer ", "Bearer  ", 1) })},
		{Name: "proxy-other-padded-token", Says: "the AI proxy sends another token where a blank stands before it", proxy: schemed(func(v string) string {
			if strings.HasPrefix(v, "Bearer  ") {
				return v + "x"
			}
			return v
		})},
		{Name: "proxy-null-as-text", Says: "the AI proxy sends Bearer null for a token that is null", proxy: sending(func(r *http.Request) {
			if _, token := credential(r.Header); token == "" && r.Header.Get(authorization) == "" {
				r.Header.Set(authorization, "Bearer null")
			}
		})},
		{Name: "proxy-nothing-for-empty", Says: "the AI proxy sends no credential for a token that is empty", proxy: sending(func(r *http.Request) {
			if strings.TrimSpace(r.Header.Get(authorization)) == "Bearer" {
				r.Header.Del(authorization)
			}
		})},
		{Name: "proxy-other-token", Says: "the AI proxy sends another token than the one stored", proxy: schemed(func(v string) string { return v + "x" })},
		{Name: "proxy-two-credentials", Says: "the AI proxy sends the token in api-key too", proxy: sending(func(r *http.Request) {
			if _, token := credential(r.Header); token != "" {
				r.Header.Set("Api-Key", token)
			}
		})},
		{Name: "proxy-no-credential", Says: "the AI proxy sends no credential", proxy: sending(func(r *http.Request) { r.Header.Del(authorization) })},
		{Name: "proxy-keeps-x-api-key", Says: "the AI proxy does not pass on x-api-key", proxy: sending(func(r *http.Request) { r.Header.Del("X-Api-Key") })},
		{Name: "proxy-always-streams", Says: "the AI proxy asks the gateway for a stream that nobody wants", proxy: sending(func(r *http.Request) { replace(r, set(read(r), "stream", true)) })},
		{Name: "proxy-never-streams", Says: "the AI proxy asks the gateway for no stream", proxy: sending(func(r *http.Request) { replace(r, set(read(r), "stream", false)) })},
		{Name: "proxy-asks-twice", Says: "the AI proxy asks the gateway twice, first with a wrong token", proxy: calling(func(c *routing.Call) {
			send := c.Send
			c.Send = func(r *http.Request) (*http.Response, error) {
				body := read(r)
				first := r.Clone(r.Context())
				first.Header.Set(authorization, "Bearer another-token")
				replace(first, body)
				if answered, err := send(first); err == nil {
					_ = answered.Body.Close()
				}
				replace(r, body)
				return send(r)
			}
		})},
		{Name: "proxy-refuses-itself", Says: "the AI proxy answers 401 without asking the gateway", proxy: answering(http.StatusUnauthorized, `{"error":{"message":"Incorrect API key provided."}}`)},
		{Name: "proxy-answers-itself", Says: "the AI proxy answers in the gateway's place", proxy: answering(http.StatusOK,
			`{"id":"x","object":"chat.completion","created":1,"model":"acme-chat","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"pong"}}]}`)},
		{Name: "proxy-hides-refusals", Says: "the AI proxy answers a refusal of the gateway with an answer of its own", proxy: calling(func(c *routing.Call) {
			send := c.Send
			c.Send = func(r *http.Request) (*http.Response, error) {
				answered, err := send(r)
				if err == nil && answered.StatusCode == http.StatusUnauthorized {
					_ = answered.Body.Close()
					return answered, errors.New("the provider hung up")
				}
				return answered, err
			}
		})},
		{Name: "api-key-as-bare", Says: "the data plane sends api_key without a scheme, whatever it is told", dataPlane: planeSet(func(c *settings.DataPlane) { c.APIKeyShape = provider.ShapeBare })},
		{Name: "api-key-as-scheme", Says: "the data plane sends api_key as Authorization: Api-Key, whatever it is told", dataPlane: planeSet(func(c *settings.DataPlane) { c.APIKeyShape = provider.ShapeAPIKeyScheme })},
		{Name: "api-key-as-header", Says: "the data plane sends api_key in the header api-key, whatever it is told", dataPlane: planeSet(func(c *settings.DataPlane) { c.APIKeyShape = provider.ShapeAPIKey })},
		{Name: "api-key-as-x-api-key", Says: "the data plane sends api_key in the header x-api-key, whatever it is told", dataPlane: planeSet(func(c *settings.DataPlane) { c.APIKeyShape = provider.ShapeXAPIKey })},
	}
}

func answering(status int, body string) func() func(*routing.Call) {
	return calling(func(c *routing.Call) {
		c.Send = func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	})
}

// sourced changes the secrets that a proxy has got.
func sourced(edit func(*routing.Call, routing.Query, *routing.Secrets)) func(*routing.Call) {
	return func(c *routing.Call) {
		source := c.Source
		c.Source = func(ctx context.Context, q routing.Query) (routing.Secrets, error) {
			got, err := source(ctx, q)
			if err == nil {
				edit(c, q, &got)
			}
			return got, err
		}
	}
}

// stored changes each secret that a proxy has got.
func stored(edit func(json.RawMessage) json.RawMessage) func() func(*routing.Call) {
	return calling(sourced(func(_ *routing.Call, _ routing.Query, s *routing.Secrets) {
		s.Org, s.Project = each(s.Org, edit), each(s.Project, edit)
	}))
}

func each(secrets []json.RawMessage, edit func(json.RawMessage) json.RawMessage) []json.RawMessage {
	edited := []json.RawMessage{}
	for _, secret := range secrets {
		if secret = edit(secret); secret != nil {
			edited = append(edited, secret)
		}
	}
	return edited
}

// valued changes a key of each secret's metadata, by what it is.
func valued(key string, edit func(gjson.Result) any) func() func(*routing.Call) {
	return stored(func(secret json.RawMessage) json.RawMessage {
		if value := edit(gjson.GetBytes(secret, "metadata."+key)); value != nil && gjson.GetBytes(secret, "metadata").IsObject() {
			return set(secret, "metadata."+key, value)
		}
		return secret
	})
}

// without leaves a key out of each secret's metadata.
func without(key string) func() func(*routing.Call) {
	return stored(func(secret json.RawMessage) json.RawMessage { return drop(secret, "metadata."+key) })
}
