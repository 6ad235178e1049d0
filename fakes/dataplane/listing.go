package dataplane

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/planeproof/planeproof/target/settings"
)

// Listing is part of Config.
type Listing = settings.Listing

// The values of Listing.Vanish.
const (
	VanishRefuse = settings.VanishRefuse
	VanishEmpty  = settings.VanishEmpty
	VanishFirst  = settings.VanishFirst
)

func checkListing(l Listing) error {
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

// pageOf is what the plane makes of the page that is asked for.
func pageOf(l Listing, p page) page {
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
