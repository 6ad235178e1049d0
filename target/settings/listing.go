package settings

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
