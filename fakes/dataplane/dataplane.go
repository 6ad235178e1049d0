// Package dataplane fakes a Braintrust data plane: the control API on which the remedies rest, /api/secret, and /v1/proxy/* served
// as v1, v2, or v2 with Gateway.
package dataplane

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/journal"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

// DataPlane is one org's data plane: an http.Handler that keeps what is stored in it.
type DataPlane struct {
	config         atomic.Pointer[Config]
	store          store
	client         *http.Client
	legacyProxyURL string
	resources      map[string]resource
}

// New makes a data plane. client is what it calls providers and the legacy proxy with; legacyProxyURL is the legacy proxy's base URL,
// which serves /v1/proxy/* on v1.
func New(c Config, client *http.Client, legacyProxyURL string) (*DataPlane, error) {
	d := &DataPlane{client: client, legacyProxyURL: strings.TrimSuffix(legacyProxyURL, "/"), resources: resources()}
	return d, d.Configure(c)
}

// Configure gives the data plane other settings; what it stores stays.
func (d *DataPlane) Configure(c Config) error {
	if err := check(c); err != nil {
		return err
	}
	d.config.Store(&c)
	return nil
}

// Tenants are any number of data planes, each under its tenant's id as the first path segment, and POST /api/secret at the root too,
// where the caller's key says whose it is (facts: api-secret).
type Tenants = tenancy.Host[Config, *DataPlane]

// NewTenants makes a host without tenants. routes are the addresses that may be dialled; `{tenant}` in the legacy proxy's base URL
// stands for the tenant's id.
func NewTenants(routes tenancy.Routes, legacyProxyURL string) *Tenants {
	client := routes.Client()
	host := tenancy.NewHost("data-plane", func(id string, c Config) (*DataPlane, error) {
		return New(c, client, strings.ReplaceAll(legacyProxyURL, "{tenant}", id))
	})
	host.Stray = func(w http.ResponseWriter, r *http.Request) { stray(host, w, r) }
	return host
}

// stray answers what has no tenant in its path.
func stray(host *Tenants, w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != secretPath {
		answer(w, nil, refuse(http.StatusNotFound, "no such path"))
		return
	}
	t := host.Find(func(d *DataPlane) bool {
		_, err := caller(r, *d.config.Load())
		return err == nil
	})
	if t == nil {
		answer(w, nil, refuse(http.StatusUnauthorized, "unknown or missing API key"))
		return
	}
	host.ServeTenant(w, r, t)
}

// ServeHTTP answers one request.
func (d *DataPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := journal.Of(r).Entry
	path := r.URL.EscapedPath()
	proxied := strings.HasPrefix(path, "/v1/proxy/")
	if strings.HasPrefix(path, "/v1") {
		allowOrigin(w, r)
	}
	switch _, methods, _ := d.find(path); {
	case r.Method == http.MethodOptions && proxied:
		preflight(w, r, http.MethodPost)
		return
	case r.Method == http.MethodOptions && methods != nil && strings.HasPrefix(path, "/v1"):
		preflight(w, r, slices.Sorted(maps.Keys(methods))...)
		return
	case proxied:
		d.serveProxy(w, r)
		return
	}
	value, err := d.api(r, path, entry)
	if err != nil {
		entry.Note = note(err)
	}
	answer(w, manners(d.config.Load().Writes).show(value), err)
}

// api answers everything but the proxy: it checks the path, the method, the caller and the role, in this order.
func (d *DataPlane) api(r *http.Request, path string, entry *evidence.Exchange) (any, error) {
	res, methods, id := d.find(path)
	if methods == nil {
		return nil, refuse(http.StatusNotFound, "no such path")
	}
	if res.showQuery && r.URL.RawQuery != "" {
		entry.Path += "?" + r.URL.RawQuery
	}
	serve := methods[r.Method]
	if serve == nil {
		return nil, wrongMethod(slices.Sorted(maps.Keys(methods)))
	}
	c := &call{r: r, config: d.settings(), store: &d.store, entry: entry, id: id, client: d.client}
	if res.open {
		return serve(c)
	}
	var err error
	if c.caller, err = caller(r, c.config); err != nil {
		return nil, err
	}
	if res.adminWrites && r.Method != http.MethodGet && c.caller.Role != RoleAdmin {
		return nil, refuse(http.StatusForbidden, "member may not change %s, only an organization admin may", res.name)
	}
	if id != "" && !isUUID(id) {
		return nil, refuse(http.StatusBadRequest, "%s id is not a uuid", res.name)
	}
	return serve(c)
}

// settings are those given, with the name that the organization was given since.
func (d *DataPlane) settings() Config {
	c := *d.config.Load()
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	c.Organization.Name = cmp.Or(d.store.org.name, c.Organization.Name)
	return c
}

// find returns the resource at an escaped path, its methods there, and the id in the path. Nothing is cleaned or unescaped: what
// is not literally a path of the API is none.
func (d *DataPlane) find(path string) (res resource, m methods, id string) {
	if res, known := d.resources[path]; known {
		return res, res.collection, ""
	}
	cut := strings.LastIndexByte(path, '/')
	if res, known := d.resources[path[:max(cut, 0)]]; known && path[cut+1:] != "" {
		return res, res.item, strings.ToLower(path[cut+1:])
	}
	return resource{}, nil, ""
}

// caller finds the key of a request to the API: one Authorization header, scheme Bearer (spec: bearerAuth).
func caller(r *http.Request, c Config) (Key, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 1 {
		words := strings.Fields(values[0])
		if len(words) == 2 && strings.EqualFold(words[0], "Bearer") {
			if key, known := find(c, words[1]); known {
				return key, nil
			}
		}
	}
	return Key{}, refuse(http.StatusUnauthorized, "unknown or missing API key")
}
