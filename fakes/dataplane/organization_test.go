package dataplane_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusedPatchesOfTheOrganization(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	path := "/v1/organization/" + orgID
	assert.Equal(t, 403, o.send("PATCH", path, "Bearer "+memberKey, `{"name":"x"}`).status)
	assert.Equal(t, 404, o.send("PATCH", "/v1/organization/"+unknownID, "Bearer "+adminKey, `{"name":"x"}`).status)
	for _, body := range []string{`[]`, `{"name":""}`, `{"name":1}`, `{"is_universal_api":"yes"}`, `{"proxy_url":{}}`} {
		assert.Equal(t, 400, o.send("PATCH", path, "Bearer "+adminKey, body).status, body)
	}
	assert.Equal(t, fmt.Sprintf(`{"id":%q,"name":"acme"}`, orgID), o.admin("GET", path, "").body)
}

func TestPatchOfTheOrganization(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	path := "/v1/organization/" + orgID
	o.admin("PATCH", path, `{"proxy_url":"https://proxy.example.com","name":null}`)
	got := o.admin("PATCH", path, `{"name":"acme & co","is_dataplane_private":true,"Proxy_URL":"no"}`)
	want := fmt.Sprintf(`{"id":%q,"is_dataplane_private":true,"name":"acme & co","proxy_url":"https://proxy.example.com"}`, orgID)
	assert.Equal(t, want, got.body)
	assert.Equal(t, want, o.admin("GET", path, "").body)
	assert.Equal(t, []string{"acme & co"}, o.names("/v1/organization?org_name=acme%20%26%20co"))
	assert.Empty(t, o.names("/v1/organization?org_name=acme"))
	assert.Equal(t, 400, o.send("POST", "/v1/project", "Bearer "+adminKey, `{"name":"p","org_name":"acme"}`).status, "the old name is nobody's")
}

func TestIdsMayBeJoinedWithCommas(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	var ids []string
	for _, name := range []string{"a", "b", "c"} {
		ids = append(ids, o.admin("POST", "/v1/project", `{"name":"`+name+`"}`).get("id").String())
	}
	assert.Equal(t, []string{"b", "a"}, o.names("/v1/project?ids="+ids[0]+","+ids[1]))
	assert.Equal(t, []string{"c", "b", "a"}, o.names("/v1/project?ids="+ids[0]+"%2C"+ids[1]+"&ids="+ids[2]))
	for _, bad := range []string{",", ids[0] + ",", "x," + ids[0]} {
		assert.Equal(t, 400, o.send("GET", "/v1/project?ids="+bad, "Bearer "+adminKey, "").status, bad)
	}
}

// A page in a browser may read answers and refusals, not only ask whether it may.
func TestAnswersLetABrowserReadThem(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	for path, status := range map[string]int{"/v1": 200, "/v1/project": 401, "/v1/nothing": 404, "/v1/proxy/chat/completions": 502} {
		r := httptest.NewRequest("GET", "/"+tenantID+path, nil)
		r.Header.Set("Origin", "https://www.braintrust.dev")
		got := serve(o.fake, r)
		require.Equal(t, status, got.status, path)
		assert.Equal(t, "https://www.braintrust.dev", got.header.Get("Access-Control-Allow-Origin"), path)
		assert.Equal(t, "true", got.header.Get("Access-Control-Allow-Credentials"), path)
	}
	assert.Empty(t, o.send("POST", "/api/secret", "", "").header.Get("Access-Control-Allow-Origin"), "a proxy is no browser")
}

func TestABodyOfVeryManyKeysIsRefused(t *testing.T) {
	t.Parallel()
	o := newOrg(t, settings())
	got := o.send("POST", "/v1/project", "Bearer "+adminKey, `{"name":"p"`+strings.Repeat(`,"a":0`, 1000)+"}")
	assert.Equal(t, 400, got.status)
	assert.Contains(t, got.body, "more than 1000 keys")
	assert.Empty(t, o.names("/v1/project"))
}
