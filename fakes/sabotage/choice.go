package sabotage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/planeproof/planeproof/fakes/routing"
	"github.com/planeproof/planeproof/provider"
)

// ruled changes the rules of a proxy.
func ruled(change func(*routing.Rules)) func() func(*routing.Call) {
	return calling(func(c *routing.Call) { change(&c.Rules) })
}

// reading has a proxy of one generation read a project's secrets as another does; "" is the Gateway.
func reading(from, as provider.Generation) func() func(*routing.Call) {
	return ruled(func(r *routing.Rules) {
		if r.Schema == from {
			r.Schema = as
		}
	})
}

// asGeneration has a proxy of one generation send credentials as another does.
func asGeneration(from, as provider.Generation) func() func(*routing.Call) {
	return ruled(func(r *routing.Rules) {
		if r.Sends == from && !r.Closed {
			r.Sends = as
		}
	})
}

func name(secret json.RawMessage) string { return gjson.GetBytes(secret, "name").String() }

// named finds the secrets whose name one of others has.
func named(in []json.RawMessage) func(json.RawMessage) bool {
	return func(secret json.RawMessage) bool {
		return slices.ContainsFunc(in, func(other json.RawMessage) bool { return name(other) == name(secret) })
	}
}

// choices are proxies that use another secret.
func choices() []Sabotage {
	readable := func(g provider.Generation) func(json.RawMessage) bool {
		return func(secret json.RawMessage) bool {
			_, issues := provider.Read(g, secret)
			return len(issues) == 0
		}
	}
	return []Sabotage{
		{Name: "proxy-keeps-unknown-keys", Says: "the strict proxies keep keys that they do not know", proxy: ruled(func(r *routing.Rules) {
			if r.Schema == provider.Legacy202602 || r.Schema == provider.Legacy202603 {
				r.Schema = provider.Current202608
			}
		})},
		{Name: "proxy-reads-all", Says: "the AI proxy checks no project secret", proxy: ruled(func(r *routing.Rules) { r.Schema = "" })},
		{Name: "oldest-proxy-knows-auth-format", Says: "the oldest proxy reads auth_format", proxy: reading(provider.Legacy202602, provider.Legacy202603)},
		{Name: "later-proxy-knows-no-auth-format", Says: "the later strict proxy does not know auth_format", proxy: reading(provider.Legacy202603, provider.Legacy202602)},
		{Name: "later-proxy-knows-auth-type", Says: "the later strict proxy knows auth_type", proxy: reading(provider.Legacy202603, provider.Current202608)},
		{Name: "current-proxy-is-strict", Says: "the current proxy is strict, on v1 and on v2", proxy: reading(provider.Current202608, provider.Legacy202603)},
		{Name: "gateway-has-a-schema", Says: "v2 with Gateway checks project secrets as v2 does", proxy: reading("", provider.Current202608)},
		{Name: "gateway-is-strict", Says: "v2 with Gateway reads project secrets as the oldest proxy does", proxy: reading("", provider.Legacy202602)},
		{Name: "oldest-proxy-heeds-auth-format", Says: "the oldest proxy sends what auth_format says", proxy: asGeneration(provider.Legacy202602, provider.Legacy202603)},
		{Name: "later-proxy-ignores-auth-format", Says: "the later strict proxy ignores auth_format", proxy: asGeneration(provider.Legacy202603, provider.Legacy202602)},
		{Name: "current-proxy-ignores-auth-format", Says: "the current proxy ignores auth_format, on v1 and on v2", proxy: asGeneration(provider.Current202608, provider.Legacy202602)},
		{Name: "gateway-ignores-auth-format", Says: "v2 with Gateway ignores auth_format", proxy: ruled(func(r *routing.Rules) {
			if r.Closed {
				r.Sends = provider.Legacy202602
			}
		})},
		{Name: "null-auth-format-is-api-key", Says: "the AI proxy takes auth_format null for api_key", proxy: valued("auth_format", func(v gjson.Result) any {
			if v.Exists() && v.Type == gjson.Null {
				return "api_key"
			}
			return nil
		})},
		{Name: "no-auth-format-is-api-key", Says: "the AI proxy takes a missing auth_format for api_key", proxy: valued("auth_format", func(v gjson.Result) any {
			if !v.Exists() {
				return "api_key"
			}
			return nil
		})},
		{Name: "auth-type-decides", Says: "the AI proxy goes by auth_type, where there is one", proxy: stored(func(secret json.RawMessage) json.RawMessage {
			switch gjson.GetBytes(secret, "metadata.auth_type").String() {
			case "api_key":
				return set(secret, "metadata.auth_format", "api_key")
			case "oauth_bearer":
				return set(secret, "metadata.auth_format", "bearer")
			}
			return secret
		})},
		{Name: "default-models-never-excluded", Says: "the AI proxy ignores excludeDefaultModels", proxy: without("excludeDefaultModels")},
		{Name: "default-models-excluded", Says: "the AI proxy excludes default models wherever excludeDefaultModels stands", proxy: valued("excludeDefaultModels", func(v gjson.Result) any {
			if v.Exists() {
				return true
			}
			return nil
		})},
		{Name: "models-ignored", Says: "the AI proxy ignores the list of models", proxy: without("models")},
		{Name: "models-serve-nothing", Says: "the AI proxy takes a list of models for an empty one", proxy: valued("models", func(v gjson.Result) any {
			if v.Exists() {
				return []string{"no-such-model"}
			}
			return nil
		})},
		{Name: "type-ignored", Says: "the AI proxy ignores the type", proxy: stored(func(secret json.RawMessage) json.RawMessage { return set(secret, "type", "openai") })},
		{Name: "custom-models-ignored", Says: "the AI proxy ignores customModels", proxy: without("customModels")},
		{Name: "supports-streaming-ignored", Says: "the AI proxy takes every secret for one that supports streaming", proxy: valued("supportsStreaming", func(gjson.Result) any { return true })},
		{Name: "supports-streaming-false", Says: "the AI proxy takes every secret for one without streaming", proxy: valued("supportsStreaming", func(gjson.Result) any { return false })},
		{Name: "project-secrets-unused", Says: "the AI proxy does not use a project's secrets", proxy: calling(sourced(func(_ *routing.Call, _ routing.Query, s *routing.Secrets) { s.Project = nil }))},
		{Name: "org-secrets-unused", Says: "the AI proxy does not use the organization's secrets where there is a project", proxy: calling(sourced(func(_ *routing.Call, q routing.Query, s *routing.Secrets) {
			if q.Project != "" {
				s.Org = nil
			}
		}))},
		{Name: "project-secrets-alone", Says: "the AI proxy uses a project's secrets alone, where it has any", proxy: calling(sourced(func(_ *routing.Call, _ routing.Query, s *routing.Secrets) {
			if len(s.Project) > 0 {
				s.Org = nil
			}
		}))},
		{Name: "org-secret-wins", Says: "of two secrets of one name the AI proxy uses the organization's", proxy: calling(sourced(func(_ *routing.Call, _ routing.Query, s *routing.Secrets) {
			s.Project = slices.DeleteFunc(slices.Clone(s.Project), named(s.Org))
		}))},
		{Name: "same-name-both-used", Says: "of two secrets of one name the AI proxy uses both", proxy: calling(sourced(func(_ *routing.Call, _ routing.Query, s *routing.Secrets) {
			of := named(s.Project)
			s.Org = each(s.Org, func(secret json.RawMessage) json.RawMessage {
				if of(secret) {
					return set(secret, "name", name(secret)+" of the organization")
				}
				return secret
			})
		}))},
		{Name: "readable-secrets-stay", Says: "one unreadable project secret leaves the readable ones in use", proxy: calling(sourced(func(c *routing.Call, q routing.Query, s *routing.Secrets) {
			good := readable(c.Rules.Schema)
			for _, secret := range s.Project {
				if c.Rules.Schema != "" && !good(secret) {
					_, issues := provider.Read(c.Rules.Schema, secret)
					c.Log("warn", q.Project, "Failed to load project secrets, continuing with org secrets only ZodError: "+provider.ZodError(issues))
				}
			}
			if c.Rules.Schema != "" {
				s.Project = slices.DeleteFunc(slices.Clone(s.Project), func(raw json.RawMessage) bool { return !good(raw) })
			}
		}))},
		{Name: "unreadable-used-with-warning", Says: "the AI proxy warns of an unreadable project secret and uses it", proxy: calling(sourced(func(c *routing.Call, q routing.Query, s *routing.Secrets) {
			if c.Rules.Schema == "" {
				return
			}
			s.Project = each(s.Project, func(secret json.RawMessage) json.RawMessage {
				if _, issues := provider.Read(c.Rules.Schema, secret); len(issues) > 0 {
					c.Log("warn", q.Project, "Failed to load project secrets, continuing with org secrets only ZodError: "+provider.ZodError(issues))
					return withoutKeys(secret, issues)
				}
				return secret
			})
		}))},
		{Name: "org-secrets-checked", Says: "the strict proxies check the organization's secrets too", proxy: calling(sourced(func(c *routing.Call, _ routing.Query, s *routing.Secrets) {
			if c.Rules.Schema != "" {
				s.Org = slices.DeleteFunc(slices.Clone(s.Org), func(raw json.RawMessage) bool { return !readable(c.Rules.Schema)(raw) })
			}
		}))},
		{Name: "project-without-context", Says: "a call without project context uses the secrets of the project that was last made or called", dataPlane: func() onDataPlane { return onDataPlane{Serve: lastProject(false)} }},
		{Name: "unknown-project-gets-another", Says: "a call of an unknown project uses another project's secrets", dataPlane: func() onDataPlane { return onDataPlane{Serve: lastProject(true)} }},
		{Name: "always-first-secret", Says: "the AI proxy always begins with the first of several secrets", proxy: calling(func(c *routing.Call) { c.Start = func(int) int { return 0 } })},
		{Name: "always-last-secret", Says: "the AI proxy always begins with the last of several secrets", proxy: calling(func(c *routing.Call) { c.Start = func(n int) int { return n - 1 } })},
		{Name: "refusal-ends-the-call", Says: "a refusal by the first secret's provider ends the call", proxy: calling(func(c *routing.Call) {
			send := c.Send
			var refused *http.Response
			c.Send = func(r *http.Request) (*http.Response, error) {
				if refused != nil {
					return &http.Response{StatusCode: refused.StatusCode, Header: refused.Header, Body: http.NoBody}, nil
				}
				got, err := send(r)
				if err == nil && got.StatusCode == http.StatusUnauthorized {
					refused = got
				}
				return got, err
			}
		})},
	}
}

// lastProject puts a call into the context of the project that was last made: one without context, or one of a project that nobody made.
func lastProject(unknown bool) middleware {
	const header = "X-Bt-Project-Id"
	var mu sync.Mutex
	var made []string
	return func(next http.Handler) http.Handler {
		calls := request(on("POST", "/v1/proxy/"), func(r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if id := r.Header.Get(header); len(made) > 0 && (id == "" && !unknown || id != "" && unknown && !slices.Contains(made, id)) {
				r.Header.Set(header, made[len(made)-1])
			}
		})
		projects := answer(at("POST", "/v1/project"), func(a *reply) {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, gjson.GetBytes(a.body, "id").String())
		})
		return calls(projects(next))
	}
}

// withoutKeys takes from a secret the keys that are not known.
func withoutKeys(secret json.RawMessage, issues []provider.Issue) json.RawMessage {
	for _, i := range issues {
		for _, key := range i.Keys {
			var path strings.Builder
			for _, step := range append(slices.Clone(i.Path), key) {
				fmt.Fprintf(&path, ".%s", gjson.Escape(fmt.Sprint(step)))
			}
			if less, err := sjson.DeleteBytes(secret, path.String()[1:]); err == nil {
				secret = less
			}
		}
	}
	return secret
}
