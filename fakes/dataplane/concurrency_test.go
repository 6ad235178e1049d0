package dataplane_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestConcurrentPatches: different fields lose neither, two of metadata end as one of the two, whole (behaviours: API 4).
func TestConcurrentPatches(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		path := b.post(o, `{}`)
		for round := range 50 {
			first := fmt.Sprintf(`{"round":%d,"one":1}`, round)
			second := fmt.Sprintf(`{"round":%d,"two":2}`, round)
			bodies := []string{
				fmt.Sprintf(`{"name":"name-%d"}`, round),
				fmt.Sprintf(`{"%s":"type-%d"}`, b.typ, round),
				fmt.Sprintf(`{"%s":"%d%s"}`, b.value, 100+round, canary),
				`{"metadata":` + first + `}`,
				`{"metadata":` + second + `}`,
			}
			var all sync.WaitGroup
			for _, body := range bodies {
				all.Go(func() {
					assert.Equal(t, 200, o.send("PATCH", path, "Bearer "+adminKey, body).status)
					assert.Equal(t, 200, o.send("GET", b.collection, "Bearer "+memberKey, "").status)
				})
			}
			all.Wait()
			got := o.admin("GET", path, "")
			assert.Equal(t, fmt.Sprintf("name-%d", round), got.get("name").String())
			assert.Equal(t, fmt.Sprintf("type-%d", round), got.get(b.typ).String())
			assert.Equal(t, fmt.Sprint(100+round), got.get("preview_secret").String()[:3])
			assert.Contains(t, []string{first, second}, got.get("metadata").Raw)
		}
	})
}

func TestConcurrentPostsOfOneNameMakeOne(t *testing.T) {
	eachObject(t, settings(), func(t *testing.T, o org, b object) {
		ids := make([]string, 16)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				ids[i] = o.send("POST", b.collection, "Bearer "+adminKey, `{`+b.create+`}`).get("id").String()
			})
		}
		all.Wait()
		assert.Len(t, o.names(b.collection), 1)
		assert.Equal(t, strings.Repeat(ids[0], len(ids)), strings.Join(ids, ""))
	})
}
