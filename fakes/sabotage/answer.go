package sabotage

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/fakes/routing"
)

// model means calls of a model through the data plane.
func model(r *http.Request) bool { return on("POST", "/v1/proxy/")(r) }

// caches are proxies that remember too much, or nothing.
func caches() []Sabotage {
	return []Sabotage{
		{Name: "no-answer-cache", Says: "the AI proxy keeps no answer", proxy: calling(func(c *routing.Call) { c.State = &routing.State{} })},
		{Name: "every-answer-cached", Says: "the AI proxy answers from its cache, whatever the call says", dataPlane: replayed(func(r *http.Request, body []byte) string {
			return r.Header.Get("X-Bt-Project-Id") + string(nonce.ReplaceAll(body, nil))
		}, func(status int) bool { return status == http.StatusOK })},
		{Name: "failures-cached", Says: "the answer cache keeps failures too", dataPlane: replayed(temperature0, func(int) bool { return true })},
		{Name: "answer-cache-by-project", Says: "the answer cache keeps the projects apart", dataPlane: planeServes(request(model, func(r *http.Request) {
			if body, project := read(r), r.Header.Get("X-Bt-Project-Id"); project != "" && temperature0(r, body) != "" {
				replace(r, set(body, "user", project))
			}
		}))},
		{Name: "hit-told-as-miss", Says: "an answer from the cache is told as a fresh one", dataPlane: planeServes(cached("HIT", "MISS"))},
		{Name: "miss-told-as-hit", Says: "a fresh answer is told as one from the cache", dataPlane: planeServes(cached("MISS", "HIT"))},
		{Name: "no-credential-cache", Says: "the AI proxy keeps no credentials", proxy: calling(func(c *routing.Call) { c.CredentialTTL = 0 })},
		{Name: "every-credential-cached", Says: "the AI proxy keeps credentials, whatever the call says", proxy: func() func(*routing.Call) {
			var mu sync.Mutex
			kept := map[routing.Query]routing.Secrets{}
			return func(c *routing.Call) {
				source := c.Source
				c.Source = func(ctx context.Context, q routing.Query) (routing.Secrets, error) {
					mu.Lock()
					defer mu.Unlock()
					if got, known := kept[q]; known {
						return got, nil
					}
					got, err := source(ctx, q)
					if err == nil {
						kept[q] = got
					}
					return got, err
				}
			}
		}},
	}
}

var nonce = regexp.MustCompile(`n-[a-z0-9]{16}`)

// temperature0 names a call that may be answered from the answer cache, empty for another.
func temperature0(r *http.Request, body []byte) string {
	if t := gjson.GetBytes(body, "temperature"); !t.Exists() || t.Float() != 0 || r.Header.Get("X-Bt-Use-Cache") == "never" {
		return ""
	}
	return string(body)
}

// replayed answers a call as an earlier one of the same key was answered; one with an empty key is not kept.
func replayed(key func(*http.Request, []byte) string, keep func(int) bool) func() onDataPlane {
	return func() onDataPlane {
		var mu sync.Mutex
		kept := map[string]*reply{}
		return onDataPlane{Serve: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !model(r) {
					next.ServeHTTP(w, r)
					return
				}
				id := key(r, read(r))
				mu.Lock()
				a := kept[id]
				mu.Unlock()
				if a == nil {
					a = ask(next, r)
					if id != "" && keep(a.status) {
						mu.Lock()
						kept[id] = &reply{a.status, a.header.Clone(), bytes.Clone(a.body)}
						mu.Unlock()
						a.header.Set("X-Bt-Cached", "MISS")
					}
				} else {
					a = &reply{a.status, a.header.Clone(), a.body}
					a.header.Set("X-Bt-Cached", "HIT")
				}
				a.write(w)
			})
		}}
	}
}

func cached(from, to string) middleware {
	return answer(model, func(a *reply) {
		if a.header.Get("X-Bt-Cached") == from {
			a.header.Set("X-Bt-Cached", to)
		}
	})
}

// answers are data planes that answer a call of a model with something else.
func answers() []Sabotage {
	restate := func(from, to int) func() onDataPlane {
		return planeServes(answer(model, func(a *reply) {
			if a.status == from {
				a.status = to
			}
		}))
	}
	text := func(edit func(string) string) func() onDataPlane {
		return planeServes(answer(model, func(a *reply) {
			if a.status >= 400 {
				a.body = []byte(edit(string(a.body)))
			}
		}))
	}
	header := func(value string) func() onDataPlane {
		return planeServes(answer(model, func(a *reply) { a.header.Set("X-Bt-Used-Endpoint", value) }))
	}
	return []Sabotage{
		{Name: "calls-fail", Says: "the data plane answers every call of a model with 500", dataPlane: planeServes(answer(model, func(a *reply) { a.status, a.body = 500, []byte("internal error") }))},
		{Name: "streamed-calls-fail", Says: "the data plane answers every streamed call with 500", dataPlane: planeServes(answer(func(r *http.Request) bool { return model(r) && streamed(r) }, func(a *reply) { a.status, a.body = 500, []byte("internal error") }))},
		{Name: "stream-context-lost", Says: "the data plane loses project context where a call streams", dataPlane: planeServes(request(func(r *http.Request) bool { return model(r) && streamed(r) }, func(r *http.Request) { r.Header.Del("X-Bt-Project-Id") }))},
		{Name: "project-context-lost", Says: "the data plane loses project context", dataPlane: planeServes(request(model, func(r *http.Request) { r.Header.Del("X-Bt-Project-Id") }))},
		{Name: "refusals-as-400", Says: "the data plane answers 400 where a provider or itself refused a credential", dataPlane: restate(401, 400)},
		{Name: "refusals-as-403", Says: "the data plane answers 403 where a provider or itself refused a credential", dataPlane: restate(401, 403)},
		{Name: "refusals-as-success", Says: "the data plane answers 200 to a call whose credential was refused", dataPlane: planeServes(answer(model, func(a *reply) {
			if a.status == 401 {
				a.status = 200
				a.body = []byte(`{"id":"x","object":"chat.completion","created":1,"model":"acme-chat","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"pong"}}]}`)
			}
		}))},
		{Name: "no-keys-as-500", Says: "the data plane answers 500 where no secret serves the model", dataPlane: restate(400, 500)},
		{Name: "no-keys-without-model", Says: "the data plane does not name the model that no secret serves", dataPlane: text(func(s string) string { return regexp.MustCompile(`\(for [^)]*\)`).ReplaceAllString(s, "") })},
		{Name: "used-endpoint-missing", Says: "x-bt-used-endpoint is missing", dataPlane: planeServes(answer(model, func(a *reply) { a.header.Del("X-Bt-Used-Endpoint") }))},
		{Name: "used-endpoint-other", Says: "x-bt-used-endpoint names another secret", dataPlane: header("another")},
		{Name: "any-key-calls", Says: "the data plane takes any Braintrust key for a call of a model", dataPlane: anyKey()},
		{Name: "every-third-call-fails", Says: "the data plane answers every third call of a model with 500", dataPlane: func() onDataPlane {
			calls := 0
			return onDataPlane{Serve: answer(model, func(a *reply) {
				if calls++; calls%3 == 0 {
					a.status, a.body = 500, []byte("internal error")
				}
			})}
		}},
		{Name: "unknown-key-as-400", Says: "/api/secret answers 400 to an unknown Braintrust key", dataPlane: planeServes(answer(on("POST", "/api/secret"), func(a *reply) {
			if a.status == 401 {
				a.status = 400
			}
		}))},
		{Name: "api-secret-closed", Says: "/api/secret answers 401 to everyone", dataPlane: planeServes(answer(on("POST", "/api/secret"), func(a *reply) { a.status = 401 }))},
	}
}

// anyKey has the key of the last good request stand in for any other.
func anyKey() func() onDataPlane {
	return func() onDataPlane {
		var mu sync.Mutex
		good := ""
		return onDataPlane{Serve: func(next http.Handler) http.Handler {
			return told(all, func(r *http.Request, a *reply) {
				mu.Lock()
				if a.status != http.StatusUnauthorized {
					good = r.Header.Get("Authorization")
				}
				other := good
				mu.Unlock() // the call comes back here for its secrets
				if a.status == http.StatusUnauthorized && other != "" && model(r) {
					r.Header.Set("Authorization", other)
					*a = *ask(next, r)
				}
			})(next)
		}}
	}
}

// logs are proxies that do not say in their log what they should.
func logs() []Sabotage {
	logged := func(edit func(c *routing.Call, level, project, text string)) func() func(*routing.Call) {
		return calling(func(c *routing.Call) {
			before := *c
			c.Log = func(level, project, text string) { edit(&before, level, project, text) }
		})
	}
	said := func(old, new string) func() func(*routing.Call) {
		return logged(func(c *routing.Call, level, project, text string) {
			c.Log(level, project, strings.ReplaceAll(text, old, new))
		})
	}
	return []Sabotage{
		{Name: "log-silent", Says: "the AI proxy's log is silent", proxy: logged(func(*routing.Call, string, string, string) {})},
		{Name: "log-without-project", Says: "the AI proxy's log names no project", proxy: logged(func(c *routing.Call, level, _, text string) { c.Log(level, "", text) })},
		{Name: "log-other-project", Says: "the AI proxy's log names another project", proxy: logged(func(c *routing.Call, level, project, text string) {
			if project != "" {
				project = "00000000-0000-4000-8000-000000000000"
			}
			c.Log(level, project, text)
		})},
		{Name: "log-first-project", Says: "the AI proxy's log names the first project in every line", proxy: func() func(*routing.Call) {
			var mu sync.Mutex
			first := ""
			return func(c *routing.Call) {
				log := c.Log
				c.Log = func(level, project, text string) {
					mu.Lock()
					defer mu.Unlock()
					if first == "" {
						first = project
					}
					log(level, first, text)
				}
			}
		}},
		{Name: "log-without-cause", Says: "the AI proxy's log does not say why a secret could not be read", proxy: logged(func(c *routing.Call, level, project, text string) {
			text, _, _ = strings.Cut(text, "ZodError")
			c.Log(level, project, text)
		})},
		{Name: "log-other-keys", Says: "the AI proxy's log names other keys than those that it did not know", proxy: said("auth_", "other_")},
		{Name: "log-always-unrecognized", Says: "the AI proxy's log tells every unreadable secret as one with unrecognized keys", proxy: logged(func(c *routing.Call, level, project, text string) {
			if before, _, zod := strings.Cut(text, "ZodError"); zod {
				text = before + `ZodError: [
  {
    "code": "unrecognized_keys",
    "keys": [
      "auth_type"
    ],
    "path": [],
    "message": "Unrecognized key(s) in object: 'auth_type'"
  }
]`
			}
			c.Log(level, project, text)
		})},
		{Name: "log-never-unrecognized", Says: "the AI proxy's log tells unrecognized keys as another cause", proxy: said("unrecognized_keys", "invalid_type")},
		{Name: "log-warns-once", Says: "the AI proxy warns of each project once", proxy: func() func(*routing.Call) {
			var warned sync.Map
			return func(c *routing.Call) {
				log := c.Log
				c.Log = func(level, project, text string) {
					if _, again := warned.LoadOrStore(project, true); !again {
						log(level, project, text)
					}
				}
			}
		}},
		{Name: "log-warns-for-ever", Says: "the AI proxy goes on warning of a project that was mended", proxy: func() func(*routing.Call) {
			var warned sync.Map
			return func(c *routing.Call) {
				log, source := c.Log, c.Source
				c.Log = func(level, project, text string) {
					warned.LoadOrStore(project, text)
					log(level, project, text)
				}
				c.Source = func(ctx context.Context, q routing.Query) (routing.Secrets, error) {
					if text, before := warned.Load(q.Project); before {
						log("warn", q.Project, text.(string))
					}
					return source(ctx, q)
				}
			}
		}},
		{Name: "log-warns-of-all", Says: "the AI proxy warns of every project with secrets", proxy: calling(sourced(func(c *routing.Call, q routing.Query, s *routing.Secrets) {
			if len(s.Project) > 0 {
				c.Log("warn", q.Project, "Failed to load project secrets, continuing with org secrets only Error: no reason")
			}
		}))},
		{Name: "log-holds-tokens", Says: "the AI proxy logs the tokens that it uses", proxy: calling(sourced(func(c *routing.Call, q routing.Query, s *routing.Secrets) {
			for _, secret := range append(s.Org[:len(s.Org):len(s.Org)], s.Project...) {
				c.Log("info", q.Project, "using "+gjson.GetBytes(secret, "secret").String())
			}
		}))},
	}
}
