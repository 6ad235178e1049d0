package control

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// pageSize is the limit that listings are asked for with.
const pageSize = 1000

// Organization is an organization that the key can see.
type Organization struct{ ID, Name string }

// Project is a project that the key can see.
type Project struct{ ID, OrgID, Name string }

// Object is an ai_secret or env_var as the API shows it; a field that is absent, null or no string is empty.
type Object struct {
	ID, Name string
	// OrgID is set for an ai_secret; ObjectType, ObjectID and Category for an env_var.
	OrgID, ObjectType, ObjectID, Category string
	// Type is `type` of an ai_secret and `secret_type` of an env_var.
	Type            string
	Preview         string
	SecretUpdatedAt string
	// Metadata is as it was sent, byte for byte; nil where there is none.
	Metadata json.RawMessage
}

// Organizations lists the organizations of the key.
func (c *Client) Organizations(ctx context.Context) ([]Organization, error) {
	all, err := c.pages(ctx, "/v1/organization", nil)
	var out []Organization
	for _, f := range all {
		out = append(out, Organization{ID: f.text("id"), Name: f.text("name")})
	}
	return out, err
}

// Projects lists the projects of an organization that the key can see, newest first; an empty name means every organization.
// With an error, what was read before it is returned too.
func (c *Client) Projects(ctx context.Context, orgName string) ([]Project, error) {
	all, err := c.pages(ctx, "/v1/project", ofOrg(orgName))
	var out []Project
	for _, f := range all {
		out = append(out, Project{ID: f.text("id"), OrgID: f.text("org_id"), Name: f.text("name")})
	}
	return out, err
}

// AISecrets lists the provider secrets of an organization, newest first; an empty name means every organization. With an error,
// what was read before it is returned too.
func (c *Client) AISecrets(ctx context.Context, orgName string) ([]Object, error) {
	all, err := c.pages(ctx, "/v1/ai_secret", ofOrg(orgName))
	return objects(all), err
}

// EnvVars lists the env_vars of category ai_provider of one object, an `organization` or a `project`, with one request: this
// listing has no cursors. What a server lists beyond the filters is left out, as it need not know secret_category (facts: the API).
// cut says that the listing holds exactly the limit asked for, so that some may be missing.
func (c *Client) EnvVars(ctx context.Context, objectType, objectID string, limit int) (list []Object, cut bool, err error) {
	query := url.Values{
		"object_type": {objectType}, "object_id": {objectID}, "secret_category": {"ai_provider"}, "limit": {strconv.Itoa(limit)},
	}
	all, err := c.page(ctx, "/v1/env_var?"+query.Encode())
	if err != nil {
		return nil, false, err
	}
	for _, o := range objects(all) {
		if o.ObjectType == objectType && strings.EqualFold(o.ObjectID, objectID) && o.isProvider() {
			list = append(list, o)
		}
	}
	return list, len(all) >= limit, nil
}

// isProvider includes an object whose category is not told, if it has a provider's type.
func (o Object) isProvider() bool {
	return o.Category == "ai_provider" || o.Category == "" && o.Type != ""
}

func ofOrg(name string) url.Values {
	if name == "" {
		return url.Values{}
	}
	return url.Values{"org_name": {name}}
}

// pages reads a listing with cursors to its end, which is an empty page: a short page may only mean that the server has a
// smaller limit.
func (c *Client) pages(ctx context.Context, path string, query url.Values) ([]fields, error) {
	var all []fields
	seen := map[string]bool{}
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(pageSize))
	for {
		got, err := c.page(ctx, path+"?"+query.Encode())
		if err != nil || len(got) == 0 {
			return all, err
		}
		for _, f := range got {
			id := f.text("id")
			if seen[id] {
				return all, &Error{
					Method: http.MethodGet, Path: path, Kind: Broken,
					Reason: "the listing repeats itself, as if the server did not heed its cursor: it may be longer",
				}
			}
			seen[id] = true
		}
		all = append(all, got...)
		query.Set("starting_after", got[len(got)-1].text("id"))
	}
}

// page reads one page of a listing.
func (c *Client) page(ctx context.Context, path string) ([]fields, error) {
	answer, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	var listing struct {
		Objects *[]fields `json:"objects"`
	}
	if json.Unmarshal(answer.Body, &listing) != nil || listing.Objects == nil {
		return nil, c.unexpected(path, answer, "the answer is JSON, but not a listing with objects")
	}
	for _, f := range *listing.Objects {
		if f.text("id") == "" {
			return nil, c.unexpected(path, answer, "the listing holds an object without an id")
		}
	}
	return *listing.Objects, nil
}

func (c *Client) unexpected(path string, answer Answer, reason string) error {
	return &Error{
		Method: http.MethodGet, Path: path, Kind: Broken, Status: answer.Status, RequestIDs: answer.RequestIDs, Reason: reason,
	}
}
