package dataplane

import (
	"encoding/json"
	"fmt"
	"slices"
)

// What becomes of a listing whose cursor is an object that was deleted, the values of Listing.Vanish.
const (
	VanishRefuse = "refuse" // 400
	VanishEmpty  = "empty"  // an empty page, which reads as the end
	VanishFirst  = "first"  // the first page again
)

// Listing is what a data plane may do with its listings that the API does not promise, nor rule out. The zero Listing does none of it.
type Listing struct {
	// Cap is the most objects in one listing, whatever limit is asked for; 0 for no cap.
	Cap int `json:"cap,omitempty"`
	// IgnoreLimit lists as if no limit were asked for.
	IgnoreLimit bool `json:"ignore_limit,omitempty"`
	// IgnoreCursor answers the first page to every starting_after and ending_before.
	IgnoreCursor bool `json:"ignore_cursor,omitempty"`
	// OmitFields are left out of the objects of every listing, such as `metadata`; an object read by its id has them.
	OmitFields []string `json:"omit_fields,omitempty"`
	// Vanish, where it is not empty, deletes the object that starting_after names just before the page is answered, and says how.
	Vanish string `json:"vanish,omitempty"`
	// HideProjects lists no project, as to a key that may see none.
	HideProjects bool `json:"hide_projects,omitempty"`
}

func (l Listing) check() error {
	fields := []string{"object_type", "object_id", "metadata"}
	for _, field := range l.OmitFields {
		if !slices.Contains(fields, field) {
			return fmt.Errorf("listing.omit_fields has %q, want some of %q", field, fields)
		}
	}
	vanish := []string{"", VanishRefuse, VanishEmpty, VanishFirst}
	switch {
	case l.Cap < 0:
		return fmt.Errorf("listing.cap is %d, want 0 or more", l.Cap)
	case !slices.Contains(vanish, l.Vanish):
		return fmt.Errorf("listing.vanish is %q, want one of %q", l.Vanish, vanish)
	}
	return nil
}

// page is what the plane makes of the page that is asked for.
func (l Listing) page(p page) page {
	if l.IgnoreLimit {
		p.limit = -1
	}
	if l.Cap > 0 && (p.limit < 0 || p.limit > l.Cap) {
		p.limit = l.Cap
	}
	if l.IgnoreCursor {
		p.after, p.before = "", ""
	}
	return p
}

// lose deletes the object that a cursor names, where the plane is one that loses it.
func lose[T row](l Listing, t *table[T], p page) page {
	i, err := t.index(p.after, "cursor")
	if l.Vanish == "" || err != nil {
		return p
	}
	t.remove(i)
	if l.Vanish != VanishRefuse { // else the cursor is unknown, and refused as such
		p.after = ""
	}
	if l.Vanish == VanishEmpty {
		p.limit = 0
	}
	return p
}

// shown leaves out of the listed objects what the plane does not tell.
func shown[T row](l Listing, objects []T) any {
	if len(l.OmitFields) == 0 {
		return objects
	}
	list := []map[string]json.RawMessage{} // never null
	for _, o := range objects {
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(encode(o), &fields) // a row is an object
		for _, field := range l.OmitFields {
			delete(fields, field)
		}
		list = append(list, fields)
	}
	return list
}
