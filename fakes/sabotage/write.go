package sabotage

import (
	"net/http"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/target/settings"
)

// patched changes the body of each PATCH of a provider secret.
func patched(edit func([]byte) []byte) func() onDataPlane {
	return planeServes(sent(secrets(http.MethodPatch), edit))
}

// inMetadata changes the metadata that a PATCH has; one without stays as it is.
func inMetadata(edit func([]byte) []byte) func() onDataPlane {
	return patched(func(body []byte) []byte {
		if !gjson.GetBytes(body, "metadata").IsObject() {
			return body
		}
		return edit(body)
	})
}

func patch(how string) func() onDataPlane {
	return planeSet(func(c *settings.DataPlane) { c.Patch = how })
}

func badWrites(change func(*settings.Writes)) func() onDataPlane {
	return planeSet(func(c *settings.DataPlane) { change(&c.Writes) })
}

// restatedAPI answers one refusal of the API as another.
func restatedAPI(which match, from, to int) func() onDataPlane {
	return planeServes(answer(which, func(a *reply) {
		if a.status == from {
			a.status = to
		}
	}))
}

// writes are APIs that store something else than was sent.
func writes() []Sabotage {
	apis := on("", "/v1/")
	return []Sabotage{
		{Name: "patch-forgets-auth-type", Says: "PATCH forgets auth_type", dataPlane: inMetadata(func(b []byte) []byte { return drop(b, "metadata.auth_type") })},
		{Name: "patch-forgets-auth-format", Says: "PATCH forgets auth_format", dataPlane: inMetadata(func(b []byte) []byte { return drop(b, "metadata.auth_format") })},
		{Name: "patch-forgets-custom-models", Says: "PATCH forgets customModels", dataPlane: inMetadata(func(b []byte) []byte { return drop(b, "metadata.customModels") })},
		{Name: "patch-forgets-headers", Says: "PATCH forgets additionalHeaders", dataPlane: inMetadata(func(b []byte) []byte { return drop(b, "metadata.additionalHeaders") })},
		{Name: "patch-forgets-organization", Says: "PATCH forgets organization_id", dataPlane: inMetadata(func(b []byte) []byte { return drop(b, "metadata.organization_id") })},
		{Name: "patch-adds-a-key", Says: "PATCH adds a key to metadata", dataPlane: inMetadata(func(b []byte) []byte { return set(b, "metadata.added", true) })},
		{Name: "patch-adds-organization", Says: "PATCH adds organization_id, which every proxy knows, to metadata", dataPlane: inMetadata(func(b []byte) []byte { return set(b, "metadata.organization_id", "org-added") })},
		{Name: "patch-adds-auth-type", Says: "PATCH adds auth_type to metadata", dataPlane: inMetadata(func(b []byte) []byte { return set(b, "metadata.auth_type", "api_key") })},
		{Name: "patch-stores-api-key", Says: "PATCH stores auth_format api_key for bearer", dataPlane: inMetadata(func(b []byte) []byte {
			if has(b, "metadata.auth_format") {
				return set(b, "metadata.auth_format", "api_key")
			}
			return b
		})},
		{Name: "patch-renames", Says: "PATCH of metadata renames the secret", dataPlane: inMetadata(func(b []byte) []byte { return set(b, "name", "renamed") })},
		{Name: "patch-retypes", Says: "PATCH of metadata changes the type", dataPlane: inMetadata(func(b []byte) []byte { return set(set(b, "type", "mistral"), "secret_type", "mistral") })},
		{Name: "patch-changes-value", Says: "PATCH of metadata changes the stored value", dataPlane: inMetadata(func(b []byte) []byte {
			return set(set(b, "secret", "sk-another-value"), "value", "sk-another-value")
		})},
		{Name: "patch-forgets-value", Says: "PATCH does not store another value", dataPlane: patched(func(b []byte) []byte { return drop(drop(b, "secret"), "value") })},
		{Name: "patch-moves-value-date", Says: "PATCH of metadata moves the date of the stored value", dataPlane: badWrites(func(w *settings.Writes) { w.PatchMovesSecretUpdatedAt = true })},
		{Name: "patch-merges", Says: "PATCH merges metadata", dataPlane: patch(settings.PatchMerge)},
		{Name: "patch-replaces", Says: "PATCH replaces metadata, also where it should merge or ignore it", dataPlane: patch(settings.PatchReplace)},
		{Name: "patch-ignored", Says: "PATCH is accepted and ignores metadata", dataPlane: patch(settings.PatchIgnore)},
		{Name: "patch-answered-and-dropped", Says: "PATCH is answered and nothing is stored", dataPlane: planeServes(undone(http.MethodPatch))},
		{Name: "patch-wants-no-name", Says: "PATCH does not want a name where it should", dataPlane: planeSet(func(c *settings.DataPlane) { c.PatchNeedsName = false })},
		{Name: "patch-wants-a-name", Says: "PATCH of a project provider secret wants a name", dataPlane: planeSet(func(c *settings.DataPlane) { c.PatchNeedsName = true })},
		{Name: "patch-touches-another", Says: "PATCH of one secret changes another too", dataPlane: func() onDataPlane { return onDataPlane{Serve: touchesAnother(1)} }},
		{Name: "second-patch-touches-another", Says: "a second PATCH of a secret changes another too", dataPlane: func() onDataPlane { return onDataPlane{Serve: touchesAnother(2)} }},
		{Name: "patch-echoes", Says: "PATCH is refused with what was sent and stored", dataPlane: badWrites(func(w *settings.Writes) { w.Echo = true })},
		{Name: "patch-of-metadata-drops-type", Says: "PATCH of metadata gives the type of before back", dataPlane: func() onDataPlane { return onDataPlane{Serve: metadataDropsType()} }},
		{Name: "patch-mixes-metadata", Says: "PATCH of a project provider secret keeps keys of what was sent before", dataPlane: func() onDataPlane { return onDataPlane{Serve: mixes()} }},
		{Name: "writes-read-stale", Says: "nothing that was written is read back", dataPlane: badWrites(func(w *settings.Writes) { w.StaleReads = 1000 })},
		{Name: "writes-revert", Says: "a write is taken back once it was read", dataPlane: badWrites(func(w *settings.Writes) { w.RevertAfterReads = 1 })},
		{Name: "writes-revert-late", Says: "a write is taken back once it was read three times", dataPlane: badWrites(func(w *settings.Writes) { w.RevertAfterReads = 3 })},
		{Name: "put-loses-value", Says: "PUT without a value forgets the stored one", dataPlane: badWrites(func(w *settings.Writes) { w.PutLosesValue = true })},
		{Name: "put-does-not-update", Says: "PUT does not update a secret that is there", dataPlane: planeServes(request(secrets(http.MethodPut), func(r *http.Request) { r.Method = http.MethodPost }))},
		{Name: "post-updates", Says: "POST updates a secret of that name", dataPlane: planeServes(request(secrets(http.MethodPost), func(r *http.Request) { r.Method = http.MethodPut }))},
		{Name: "post-existing-refused", Says: "POST refuses a name that is there", dataPlane: func() onDataPlane { return onDataPlane{Serve: refusesExisting()} }},
		{Name: "delete-does-nothing", Says: "DELETE is answered and nothing is deleted", dataPlane: planeServes(undone(http.MethodDelete))},
		{Name: "not-found-as-null", Says: "the API answers null where there is no such object", dataPlane: planeServes(answer(apis, func(a *reply) {
			if a.status == http.StatusNotFound {
				a.status, a.body = http.StatusOK, []byte("null")
			}
		}))},
		{Name: "not-found-as-400", Says: "the API answers 400 where there is no such object", dataPlane: restatedAPI(apis, 404, 400)},
		{Name: "bad-id-as-404", Says: "the API answers 404 to an id that is none", dataPlane: planeServes(told(item(""), func(r *http.Request, a *reply) {
			if a.status == http.StatusBadRequest && strings.HasSuffix(r.URL.Path, "not-an-id") {
				a.status = http.StatusNotFound
			}
		}))},
		{Name: "bad-body-as-500", Says: "the API answers 500 to a body that cannot be served", dataPlane: restatedAPI(changes, 400, 500)},
		{Name: "bad-body-unexplained", Says: "the API does not say what is wrong with a request", dataPlane: planeServes(answer(apis, func(a *reply) {
			if a.status >= 400 && a.status < 500 {
				a.body = []byte("bad request")
			}
		}))},
		{Name: "wrong-method-as-404", Says: "the API answers 404 to a wrong method", dataPlane: restatedAPI(apis, 405, 404)},
		{Name: "large-body-as-400", Says: "the API answers 400 to a body that is too large", dataPlane: restatedAPI(apis, 413, 400)},
		{Name: "refused-and-changed", Says: "a request that the API refuses changes the secret all the same", dataPlane: func() onDataPlane { return onDataPlane{Serve: refusedButChanged()} }},
	}
}

// undone answers a change with the object as it is, and does not make it.
func undone(method string) middleware {
	return request(item(method), func(r *http.Request) {
		r.Method = http.MethodGet
		replace(r, nil)
	})
}

// known remembers provider secrets as they were last shown to whoever made or changed them.
type known struct {
	mu   sync.Mutex
	last map[string][]byte // by path
	key  string            // of the latest such request
}

func (k *known) note(r *http.Request, a *reply) {
	if a.status != http.StatusOK || !has(a.body, "id") {
		return
	}
	path := r.URL.Path
	if strings.Count(path, "/") == 2 {
		path += "/" + gjson.GetBytes(a.body, "id").String()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil {
		k.last = map[string][]byte{}
	}
	if _, before := k.last[path]; !before {
		k.last[path] = a.body
	}
	k.key = r.Header.Get("Authorization")
}

// touchesAnother adds a key to every other secret, once one was changed so many times.
func touchesAnother(times int) middleware {
	var k known
	changed := map[string]int{}
	return func(next http.Handler) http.Handler {
		return told(changes, func(r *http.Request, a *reply) {
			k.note(r, a)
			if r.Method != http.MethodPatch || a.status != http.StatusOK {
				return
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			changed[r.URL.Path]++
			for path, before := range k.last {
				if path != r.URL.Path && changed[r.URL.Path] >= times {
					ask(next, another(r, http.MethodPatch, path, `{"metadata":`+string(set([]byte(gjson.GetBytes(before, "metadata").Raw), "touched", true))+`}`))
				}
			}
		})(next)
	}
}

// refusesExisting refuses what is there already.
func refusesExisting() middleware {
	var mu sync.Mutex
	ids := map[string]bool{}
	return answer(secrets(http.MethodPost), func(a *reply) {
		mu.Lock()
		defer mu.Unlock()
		id := gjson.GetBytes(a.body, "id").String()
		if a.status == http.StatusOK && ids[id] {
			a.status, a.body = http.StatusBadRequest, []byte("name: another has it")
		}
		ids[id] = true
	})
}

// refusedButChanged renames every secret, once a request was refused.
func refusedButChanged() middleware {
	var k known
	return func(next http.Handler) http.Handler {
		return told(on("", "/v1/"), func(r *http.Request, a *reply) {
			if changes(r) {
				k.note(r, a)
			}
			if a.status < 400 || a.status >= 500 {
				return
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			for path := range k.last {
				ask(next, another(r, http.MethodPatch, path, `{"name":"renamed"}`))
			}
		})(next)
	}
}

// metadataDropsType writes the first type of a secret whenever its metadata are changed.
func metadataDropsType() middleware {
	var k known
	return func(next http.Handler) http.Handler {
		return told(changes, func(r *http.Request, a *reply) {
			k.note(r, a)
			k.mu.Lock()
			first := gjson.GetBytes(k.last[r.URL.Path], "type")
			k.mu.Unlock()
			if body := read(r); r.Method == http.MethodPatch && first.Exists() && has(body, "metadata") && !has(body, "type") {
				ask(next, another(r, http.MethodPatch, r.URL.Path, `{"type":`+first.Raw+`}`))
			}
		})(next)
	}
}

// mixes keeps the keys that any PATCH of a secret has had.
func mixes() middleware {
	var mu sync.Mutex
	keys := map[string]map[string]string{}
	return request(func(r *http.Request) bool { return on(http.MethodPatch, envVars)(r) }, func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body := read(r)
		if keys[r.URL.Path] == nil {
			keys[r.URL.Path] = map[string]string{}
		}
		gjson.GetBytes(body, "metadata").ForEach(func(key, value gjson.Result) bool {
			keys[r.URL.Path][key.String()] = value.Raw
			return true
		})
		for key, raw := range keys[r.URL.Path] {
			if !has(body, "metadata."+key) {
				body = set(body, "metadata."+key, gjson.Parse(raw).Value())
			}
		}
		replace(r, body)
	})
}
