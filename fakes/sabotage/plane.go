package sabotage

import (
	"net/http"
	"slices"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// serving has a data plane serve calls as another would.
func serving(from, as string) func() onDataPlane {
	return planeSet(func(c *settings.DataPlane) {
		if c.Serving == from {
			c.Serving = as
		}
	})
}

// generation has one legacy proxy be another.
func generation(from, as provider.Generation) func() onLegacyProxy {
	return legacySet(func(c *settings.LegacyProxy) {
		if c.Generation == from {
			c.Generation = as
		}
	})
}

// planes are data planes of another kind than they should be.
func planes() []Sabotage {
	const oldest, later, current = provider.Legacy202602, provider.Legacy202603, provider.Current202608
	return []Sabotage{
		{Name: "v1-serves-as-v2", Says: "a data plane on v1 serves calls as v2", dataPlane: serving(settings.ServingV1, settings.ServingV2)},
		{Name: "v2-serves-as-v1", Says: "a data plane on v2 serves calls as v1 with the oldest proxy", dataPlane: serving(settings.ServingV2, settings.ServingV1), legacyProxy: generation(current, oldest)},
		{Name: "gateway-serves-as-v2", Says: "a data plane on v2 with Gateway serves calls as v2", dataPlane: serving(settings.ServingV2Gateway, settings.ServingV2)},
		{Name: "v2-serves-as-gateway", Says: "a data plane on v2 serves calls as v2 with Gateway", dataPlane: serving(settings.ServingV2, settings.ServingV2Gateway)},
		{Name: "half-upgraded-is-v1", Says: "a half-upgraded fleet is wholly on v1", dataPlane: serving(settings.ServingMixed, settings.ServingV1)},
		{Name: "half-upgraded-is-v2", Says: "a half-upgraded fleet is wholly on v2", dataPlane: serving(settings.ServingMixed, settings.ServingV2)},
		{Name: "v1-is-half-upgraded", Says: "a data plane on v1 is half upgraded", dataPlane: serving(settings.ServingV1, settings.ServingMixed)},
		{Name: "v2-is-half-upgraded", Says: "a data plane on v2 is half upgraded", dataPlane: serving(settings.ServingV2, settings.ServingMixed)},
		{Name: "oldest-proxy-is-later", Says: "the oldest proxy is the later strict one", legacyProxy: generation(oldest, later)},
		{Name: "oldest-proxy-is-current", Says: "the oldest proxy is the current one", legacyProxy: generation(oldest, current)},
		{Name: "later-proxy-is-oldest", Says: "the later strict proxy is the oldest one", legacyProxy: generation(later, oldest)},
		{Name: "later-proxy-is-current", Says: "the later strict proxy is the current one", legacyProxy: generation(later, current)},
		{Name: "current-proxy-is-oldest", Says: "the current proxy is the oldest one", legacyProxy: generation(current, oldest)},
		{Name: "current-proxy-is-later", Says: "the current proxy is the later strict one", legacyProxy: generation(current, later)},
		{Name: "upgrade-does-nothing", Says: "an upgrade of the data plane does nothing", dataPlane: func() onDataPlane {
			first := ""
			return onDataPlane{Settings: func(c *settings.DataPlane) {
				if first == "" {
					first = c.Serving
				}
				c.Serving = first
			}}
		}, legacyProxy: func() onLegacyProxy {
			var first provider.Generation
			return onLegacyProxy{Settings: func(c *settings.LegacyProxy) {
				if first == "" {
					first = c.Generation
				}
				c.Generation = first
			}}
		}},
		{Name: "upgrade-drops-metadata", Says: "an upgrade drops auth_format and display_name of what is stored", dataPlane: afterUpgrade(func(secret []byte) []byte {
			return drop(drop(secret, "metadata.auth_format"), "metadata.display_name")
		})},
		{Name: "upgrade-renames", Says: "an upgrade gives every secret another name", dataPlane: afterUpgrade(func(secret []byte) []byte { return set(secret, "name", "upgraded") })},
		{Name: "version-of-v1", Says: "the data plane says that it is on v1", dataPlane: version("1.1.32")},
		{Name: "version-of-v2", Says: "the data plane says that it is on v2", dataPlane: version("2.0.0")},
		{Name: "unknown-project-refused", Says: "the data plane refuses a project that it does not know, whatever it is set to", dataPlane: planeSet(func(c *settings.DataPlane) { c.UnknownProject = settings.UnknownProjectRefuse })},
		{Name: "unknown-project-as-none", Says: "the data plane serves a project that it does not know as no project, whatever it is set to", dataPlane: planeSet(func(c *settings.DataPlane) { c.UnknownProject = settings.UnknownProjectOrganization })},
		{Name: "test-key-reaches", Says: "Test key reaches a gateway that it should not reach", dataPlane: planeSet(func(c *settings.DataPlane) { c.TestKey = settings.TestKeyReaches })},
		{Name: "test-key-cut-off", Says: "Test key reaches no gateway", dataPlane: planeSet(func(c *settings.DataPlane) { c.TestKey = settings.TestKeyCutOff })},
		{Name: "test-key-always-shows-success", Says: "Test key shows success, whatever the gateway answers", dataPlane: testKey(`{"ok":true}`)},
		{Name: "test-key-always-shows-an-error", Says: "Test key shows an error, whatever the gateway answers", dataPlane: testKey(`{"ok":false,"error":"the endpoint answered Unauthorized"}`)},
	}
}

func version(text string) func() onDataPlane {
	return planeServes(answer(at("GET", "/version"), func(a *reply) { a.body = set(a.body, "version", text) }))
}

func testKey(shows string) func() onDataPlane {
	return planeServes(answer(on("POST", "/api/test-key"), func(a *reply) { a.body = []byte(shows) }))
}

// afterUpgrade changes the objects that a data plane shows, once it serves otherwise than at first.
func afterUpgrade(edit func([]byte) []byte) func() onDataPlane {
	return func() onDataPlane {
		first, upgraded := "", false
		return onDataPlane{
			Settings: func(c *settings.DataPlane) {
				if first == "" {
					first = c.Serving
				}
				upgraded = upgraded || c.Serving != first
			},
			Serve: object(secrets("GET"), func(secret []byte) []byte {
				if upgraded {
					return edit(secret)
				}
				return secret
			}),
		}
	}
}

// secrets means requests of a method for provider secrets, the organization's and the projects'.
func secrets(method string) match {
	return either(on(method, "/v1/ai_secret"), on(method, "/v1/env_var"))
}

// keys are data planes that let in others than they should.
func keys() []Sabotage {
	return []Sabotage{
		{Name: "members-are-admins", Says: "a member may do what an org admin may", dataPlane: planeSet(func(c *settings.DataPlane) {
			c.Keys = slices.Clone(c.Keys)
			for i := range c.Keys {
				c.Keys[i].Role = settings.RoleAdmin
			}
		})},
		{Name: "member-refused-as-400", Says: "a member is refused with 400", dataPlane: planeServes(answer(secrets(""), func(a *reply) {
			if a.status == http.StatusForbidden {
				a.status = http.StatusBadRequest
			}
		}))},
		{Name: "member-refused-and-applied", Says: "a member is refused, and what was sent is applied", dataPlane: refusedAndApplied()},
		{Name: "member-key-unknown", Says: "the API does not know a member's key on /v1/organization", dataPlane: memberUnknown()},
	}
}

// refusedAndApplied sends what a member was refused once more, with a key that was let in before.
func refusedAndApplied() func() onDataPlane {
	return func() onDataPlane {
		admin := ""
		return onDataPlane{Serve: func(next http.Handler) http.Handler {
			return told(secrets(""), func(r *http.Request, a *reply) {
				switch {
				case a.status == http.StatusForbidden && admin != "":
					r.Header.Set("Authorization", admin)
					ask(next, r)
				case a.status == http.StatusOK && r.Method != http.MethodGet:
					admin = r.Header.Get("Authorization")
				}
			})(next)
		}}
	}
}

func memberUnknown() func() onDataPlane {
	return func() onDataPlane {
		var members []string
		return onDataPlane{
			Settings: func(c *settings.DataPlane) {
				for _, key := range c.Keys {
					if key.Role == settings.RoleMember {
						members = append(members, "Bearer "+key.Key)
					}
				}
			},
			Serve: told(on("GET", "/v1/organization"), func(r *http.Request, a *reply) {
				if slices.Contains(members, r.Header.Get("Authorization")) {
					a.status, a.body = http.StatusUnauthorized, []byte("unknown or missing API key")
				}
			}),
		}
	}
}
