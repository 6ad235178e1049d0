package sabotage

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/target/settings"
)

// shown changes each provider secret that the API shows.
func shown(edit func([]byte) []byte) func() onDataPlane {
	return planeServes(object(secrets(""), edit))
}

// field changes one field of each provider secret that the API shows.
func field(key string, value any) func() onDataPlane {
	return shown(func(o []byte) []byte {
		if has(o, "id") {
			return set(o, key, value)
		}
		return o
	})
}

// hidden leaves a field out of each provider secret that is read.
func hidden(key string) func() onDataPlane {
	return planeServes(object(secrets(http.MethodGet), func(o []byte) []byte { return drop(o, key) }))
}

// inListing changes each provider secret that the guides' searches show.
func inListing(edit func([]byte) []byte) func() onDataPlane {
	return planeServes(object(either(at("GET", aiSecrets), at("GET", envVars)), edit))
}

// objects are APIs that show something else than is stored.
func objects() []Sabotage {
	return []Sabotage{
		{Name: "previews-missing", Says: "the API shows no preview", dataPlane: planeSet(func(c *settings.DataPlane) { c.Writes.NoPreview = true })},
		{Name: "previews-missing-in-listings", Says: "the API lists secrets without their previews", dataPlane: inListing(func(o []byte) []byte { return drop(o, "preview_secret") })},
		{Name: "ids-wrong-in-listings", Says: "the API lists secrets with another id", dataPlane: inListing(func(o []byte) []byte { return set(o, "id", "00000000-0000-4000-8000-000000000000") })},
		{Name: "names-wrong-in-listings", Says: "the API lists secrets with another name", dataPlane: inListing(func(o []byte) []byte { return set(o, "name", "another") })},
		{Name: "types-missing-in-listings", Says: "the API lists secrets without their type", dataPlane: inListing(func(o []byte) []byte { return set(drop(o, "type"), "secret_type", nil) })},
		{Name: "auth-format-missing-in-listings", Says: "the API lists secrets without auth_format", dataPlane: inListing(func(o []byte) []byte { return drop(o, "metadata.auth_format") })},
		{Name: "auth-format-bearer-in-listings", Says: "the API lists every auth_format as bearer", dataPlane: inListing(func(o []byte) []byte {
			if has(o, "metadata.auth_format") {
				return set(o, "metadata.auth_format", "bearer")
			}
			return o
		})},
		{Name: "auth-format-api-key-in-listings", Says: "the API lists every auth_format as api_key", dataPlane: inListing(func(o []byte) []byte {
			if has(o, "metadata") {
				return set(o, "metadata.auth_format", "api_key")
			}
			return o
		})},
		{Name: "auth-type-missing-in-listings", Says: "the API lists secrets without auth_type", dataPlane: inListing(func(o []byte) []byte { return drop(o, "metadata.auth_type") })},
		{Name: "auth-type-everywhere-in-listings", Says: "the API lists every secret with auth_type", dataPlane: inListing(func(o []byte) []byte { return set(o, "metadata.auth_type", "api_key") })},
		{Name: "custom-models-missing-in-listings", Says: "the API lists secrets without customModels", dataPlane: inListing(func(o []byte) []byte { return drop(o, "metadata.customModels") })},
		{Name: "custom-models-always-object", Says: "the API lists customModels as an object, whatever is stored", dataPlane: inListing(func(o []byte) []byte {
			if has(o, "metadata.customModels") && !gjson.GetBytes(o, "metadata.customModels").IsObject() {
				return set(o, "metadata.customModels", map[string]any{"acme-chat": map[string]any{}})
			}
			return o
		})},
		{Name: "custom-models-of-all-in-listings", Says: "the API lists every secret with the same customModels", dataPlane: inListing(func(o []byte) []byte {
			return set(o, "metadata.customModels", map[string]any{"acme-chat": map[string]any{}, "no-such-model": map[string]any{}})
		})},
		{Name: "auth-format-hidden", Says: "the API does not show auth_format", dataPlane: hidden("metadata.auth_format")},
		{Name: "additional-headers-hidden", Says: "the API does not show additionalHeaders", dataPlane: hidden("metadata.additionalHeaders")},
		{Name: "types-wrong", Says: "the API shows another type", dataPlane: shown(func(o []byte) []byte {
			if has(o, "secret_category") {
				return set(o, "secret_type", "mistral")
			}
			return set(o, "type", "mistral")
		})},
		{Name: "names-wrong", Says: "the API shows another name", dataPlane: field("name", "another")},
		{Name: "secret-updated-at-missing", Says: "the API does not show when a value was stored", dataPlane: planeSet(func(c *settings.DataPlane) { c.Writes.NoSecretUpdatedAt = true })},
		{Name: "values-in-objects", Says: "the API shows stored values in base64", dataPlane: leaking(func(o []byte, value string) []byte {
			return set(o, "value_b64", base64.StdEncoding.EncodeToString([]byte(value)))
		})},
		{Name: "previews-whole", Says: "the preview is the stored value", dataPlane: leaking(func(o []byte, value string) []byte { return set(o, "preview_secret", value) })},
		{Name: "errors-quote-bodies", Says: "an error of the API quotes the body that was sent", dataPlane: planeServes(told(secrets(""), func(r *http.Request, a *reply) {
			if a.status >= 400 && a.status < 500 {
				a.body = append(a.body, read(r)...)
			}
		}))},
		{Name: "reads-touch", Says: "to read a secret moves its date", dataPlane: planeServes(touching())},
	}
}

// changes means requests that change a provider secret.
func changes(r *http.Request) bool { return r.Method != http.MethodGet && secrets("")(r) }

// leaking has the API show values, which it remembers from where they were stored.
func leaking(show func(o []byte, value string) []byte) func() onDataPlane {
	return func() onDataPlane {
		var mu sync.Mutex
		values := map[string]string{}
		return onDataPlane{Serve: told(secrets(""), func(r *http.Request, a *reply) {
			mu.Lock()
			defer mu.Unlock()
			body := read(r)
			for _, key := range []string{"secret", "value"} {
				if value := gjson.GetBytes(body, key); value.Type == gjson.String && a.status == http.StatusOK {
					values[gjson.GetBytes(a.body, "id").String()] = value.String()
				}
			}
			a.objects(func(o []byte) []byte {
				if value := values[gjson.GetBytes(o, "id").String()]; value != "" {
					return show(o, value)
				}
				return o
			})
		})}
	}
}

// item means one provider secret, by its id.
func item(method string) match {
	return func(r *http.Request) bool { return secrets(method)(r) && strings.Count(r.URL.EscapedPath(), "/") == 3 }
}

// touching sends a change that changes nothing after every reading of one secret.
func touching() middleware {
	return func(next http.Handler) http.Handler {
		return told(item("GET"), func(r *http.Request, a *reply) {
			if a.status == http.StatusOK {
				ask(next, another(r, http.MethodPatch, r.URL.Path, `{"metadata":`+gjson.GetBytes(a.body, "metadata").Raw+`}`))
			}
		})(next)
	}
}
