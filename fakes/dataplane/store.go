package dataplane

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planeproof/planeproof/fakes/routing"
)

// store is what one org has stored. Whoever reads or writes it holds mu; rows are copied out.
type store struct {
	mu        sync.Mutex
	last      time.Time
	projects  table[project]
	aiSecrets table[aiSecret]
	envVars   table[envVar]
	past      map[string]*past // by the id of what was written
	org       patchedOrg

	// caches are those of the proxy that v2 is itself; they have a lock of their own.
	caches routing.State
	// turns counts the requests that a half-upgraded fleet has proxied.
	turns atomic.Int64
}

// now is the time in microseconds, never the same twice: whether something was touched must show in its dates.
func (s *store) now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Microsecond)
	}
	s.last = now
	return now
}

// row is an object of the API.
type row interface{ ident() string }

// table is rows in the order of their creation.
type table[T row] []T

// index returns the place of the row, or a refusal that calls it by what it is.
func (t table[T]) index(id, what string) (int, error) {
	i := slices.IndexFunc(t, func(r T) bool { return r.ident() == id })
	if i < 0 {
		return i, refuse(http.StatusNotFound, "no such %s", what)
	}
	return i, nil
}

// get answers one row.
func get[T row](t table[T], id, what string) (any, error) {
	i, err := t.index(id, what)
	if err != nil {
		return nil, err
	}
	return t[i], nil
}

// remove takes a row out and answers it.
func (t *table[T]) remove(i int) T {
	r := (*t)[i]
	*t = slices.Delete(*t, i, i+1)
	return r
}

// page is a part of a listing.
type page struct {
	limit         int // below 0 for all
	ids           []string
	after, before string // cursors, empty for none
}

// list answers the rows of a page that fit, newest first (facts: listings).
func list[T row](c *call, t *table[T], q *query, cursors bool, fits func(T) bool) (any, error) {
	p := q.page(cursors)
	if q.err != nil {
		return nil, q.err
	}
	p = lose(c.config.Listing, t, pageOf(c.config.Listing, p))
	rows := slices.Clone(*t)
	slices.Reverse(rows)
	rows, err := beyond(p, rows)
	if err != nil {
		return nil, err
	}
	objects := []T{} // never null
	for _, r := range rows {
		if fits(r) && (len(p.ids) == 0 || slices.Contains(p.ids, r.ident())) {
			objects = append(objects, r)
		}
	}
	if excess := len(objects) - p.limit; p.limit >= 0 && excess > 0 {
		if p.before != "" {
			objects = objects[excess:] // the page that ends at the cursor
		} else {
			objects = objects[:p.limit]
		}
	}
	return map[string]any{"objects": shown(c.config.Listing, objects)}, nil
}

// beyond leaves what lies beyond the page's cursor. An unknown cursor is refused: an empty page would read as the end of the listing.
func beyond[T row](p page, rows table[T]) (table[T], error) {
	if p.after == "" && p.before == "" {
		return rows, nil
	}
	i, err := rows.index(cmp.Or(p.after, p.before), "cursor")
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "cursor: no such object")
	case p.after != "":
		return rows[i+1:], nil
	default:
		return rows[:i], nil
	}
}
