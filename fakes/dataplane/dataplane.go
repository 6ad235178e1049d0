// Package dataplane fakes a Braintrust data plane: the control API on which the remedies rest, /api/secret, and /v1/proxy/* served
// as v1, v2, or v2 with Gateway.
package dataplane

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/tenancy"
)

// tenant is one org on a data plane of its own.
type tenant = tenancy.Tenant[Config, *store]

// DataPlane is the fake. Its data port serves tenants below their ids, and POST /api/secret at the root too, where the caller's
// key says whose it is (facts: routing, POST <app url>/api/secret).
type DataPlane struct {
	*tenancy.Host[Config, *store]
	client         *http.Client // reaches the addresses given at start and no others
	legacyProxyURL string
	handler        http.Handler
	resources      map[string]resource
}

// New makes a data plane without tenants. routes are the addresses that it may dial; legacyProxyURL is the base URL of the legacy
// proxy, which serves /v1/proxy/* on v1; `{tenant}` in it stands for the tenant's id.
func New(routes tenancy.Routes, legacyProxyURL string) *DataPlane {
	d := &DataPlane{
		Host:           tenancy.NewHost("data-plane", func() *store { return &store{} }, check),
		client:         routes.Client(),
		legacyProxyURL: strings.TrimSuffix(legacyProxyURL, "/"),
		resources:      resources(),
	}
	d.handler = d.Handler(d.serve, d.stray)
	return d
}

// ServeHTTP serves the data port.
func (d *DataPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// stray answers what has no tenant in its path.
func (d *DataPlane) stray(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() != secretPath {
		answer(w, nil, refuse(http.StatusNotFound, "no such path"))
		return
	}
	t := d.Find(func(t *tenant) bool {
		_, err := caller(r, t.Config())
		return err == nil
	})
	if t == nil {
		answer(w, nil, refuse(http.StatusUnauthorized, "unknown or missing API key"))
		return
	}
	d.ServeTenant(w, r, t, d.serve)
}

func (d *DataPlane) serve(w http.ResponseWriter, r *http.Request, t *tenant, entry *evidence.Exchange) {
	path := r.URL.EscapedPath()
	proxied := strings.HasPrefix(path, "/v1/proxy/")
	switch _, methods, _ := d.find(path); {
	case r.Method == http.MethodOptions && proxied:
		preflight(w, r, http.MethodPost)
		return
	case r.Method == http.MethodOptions && methods != nil && strings.HasPrefix(path, "/v1"):
		preflight(w, r, slices.Sorted(maps.Keys(methods))...)
		return
	case proxied:
		d.serveProxy(w, r, t, entry)
		return
	}
	value, err := d.api(r, t, path, entry)
	if err != nil {
		entry.Note = note(err)
	}
	answer(w, t.Config().Writes.show(value), err)
}

// api answers everything but the proxy: it checks the path, the method, the caller and the role, in this order.
func (d *DataPlane) api(r *http.Request, t *tenant, path string, entry *evidence.Exchange) (any, error) {
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
	c := &call{r: r, config: t.Config(), store: t.State, entry: entry, id: id, client: d.client}
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
			if key, known := c.find(words[1]); known {
				return key, nil
			}
		}
	}
	return Key{}, refuse(http.StatusUnauthorized, "unknown or missing API key")
}
