package control

import (
	"encoding/json"
	"net/http"
)

// fields is a JSON object by its exact keys, which encoding/json would match in any case.
type fields map[string]json.RawMessage

// text is a string's value, empty where the key is absent or has another value.
func (f fields) text(key string) string { return text(f[key]) }

// Object reads an answer as one ai_secret or env_var.
func (a Answer) Object() (Object, error) {
	var f fields
	if json.Unmarshal(a.Body, &f) != nil || f.text("id") == "" {
		return Object{}, &Error{
			Method: http.MethodGet, Kind: Broken, Status: a.Status, RequestIDs: a.RequestIDs,
			Reason: "the answer is JSON, but not an object with an id",
		}
	}
	return f.object(), nil
}

func (f fields) object() Object {
	o := Object{
		ID: f.text("id"), Name: f.text("name"), OrgID: f.text("org_id"),
		ObjectType: f.text("object_type"), ObjectID: f.text("object_id"), Category: f.text("secret_category"),
		Type: f.text("type"), Preview: f.text("preview_secret"), SecretUpdatedAt: f.text("secret_updated_at"),
		Metadata: f["metadata"],
	}
	if f["object_type"] != nil || f["secret_type"] != nil { // an env_var
		o.Type = f.text("secret_type")
	}
	return o
}
