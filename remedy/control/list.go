package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	all, err := c.pages(ctx, "/v1/organization", url.Values{})
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
// what was read before it is returned too; an object without metadata is one.
func (c *Client) AISecrets(ctx context.Context, orgName string) ([]Object, error) {
	const path = "/v1/ai_secret"
	all, err := c.pages(ctx, path, ofOrg(orgName))
	var list []Object
	for _, f := range all {
		list = append(list, f.object())
		if err == nil && f["metadata"] == nil {
			err = unexpected(path, Answer{}, "the listing holds objects without metadata")
		}
	}
	return list, err
}

// EnvVars lists the env_vars of category ai_provider of one object, an `organization` or a `project`, with one request: this
// listing has no cursors. What a server lists beyond the filters is left out, as it need not know secret_category (facts: secret-category);
// listed counts it too, as it is the length of the listing that MayBeCut judges. With an error, what could be read is returned too; it
// is one that the listing does not say of an object whose it is, what it is, or its metadata.
func (c *Client) EnvVars(ctx context.Context, objectType, objectID string, limit int) (list []Object, listed int, err error) {
	path := "/v1/env_var?" + url.Values{
		"object_type": {objectType}, "object_id": {objectID}, "secret_category": {"ai_provider"}, "limit": {strconv.Itoa(limit)},
	}.Encode()
	all, err := c.page(ctx, path)
	for _, f := range all {
		o := f.object()
		if o.Category != "" && o.Category != "ai_provider" {
			continue
		}
		missing := f.missing()
		if missing != "" && err == nil {
			err = unexpected(path, Answer{}, "the listing holds objects without "+missing)
		}
		if o.ObjectType == objectType && strings.EqualFold(o.ObjectID, objectID) && o.isProvider() {
			list = append(list, o)
		}
	}
	return list, len(all), err
}

// missing names what an env_var has to tell and does not, empty for nothing.
func (f fields) missing() string {
	switch {
	case f.text("object_type") == "":
		return "object_type"
	case f.text("object_id") == "":
		return "object_id"
	case f["metadata"] == nil:
		return "metadata"
	case f["secret_category"] == nil && f["secret_type"] == nil:
		return "secret_category and secret_type"
	}
	return ""
}

// LongestEnvVars lists the env_vars of everything that the key can see, of every category, and says how many there are: the longest
// listing that the server gives of this path with this limit.
func (c *Client) LongestEnvVars(ctx context.Context, limit int) (int, error) {
	all, err := c.page(ctx, "/v1/env_var?limit="+strconv.Itoa(limit))
	return len(all), err
}

// MayBeCut says that a listing may have been cut, by its length alone: it is the limit asked for, or one at which servers cut by
// themselves.
func MayBeCut(listed, limit int) bool {
	return listed == limit || slices.Contains([]int{10, 20, 25, 50, 100, 200, 250, 500, 1000}, listed)
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

// pages reads a listing with cursors to its end. A short page is none: the server may have a smaller limit. Each further page is asked
// for from the last object but one, so that it begins with the last, which is known: where it does not, an object was deleted
// meanwhile, and what follows it may be missing. A listing that repeats itself whole, as the server does not heed its cursor, is
// complete unless it may be cut.
func (c *Client) pages(ctx context.Context, path string, query url.Values) ([]fields, error) {
	query.Set("limit", strconv.Itoa(pageSize))
	first, err := c.page(ctx, path+"?"+query.Encode())
	all, seen := first, map[string]bool{}
	for page := first; len(page) > 0 && err == nil; {
		known := min(len(page)-1, 1) // how many objects of this page the next one begins with
		query.Set("starting_after", page[len(page)-1-known].text("id"))
		next, err := c.page(ctx, path+"?"+query.Encode())
		switch {
		case err != nil:
			return all, maybeDeleted(err)
		case len(all) == len(first) && sameIDs(next, first):
			return all, repeated(path, len(all))
		case !sameIDs(next[:min(known, len(next))], page[len(page)-known:]) || anySeen(seen, page, next[min(known, len(next)):]):
			return all, unexpected(path, Answer{}, "the listing changed while it was read: run it again")
		case len(next) == known:
			return all, nil
		}
		all, page = append(all, next[known:]...), next
	}
	return all, err
}

func sameIDs(a, b []fields) bool {
	return slices.EqualFunc(a, b, func(x, y fields) bool { return x.text("id") == y.text("id") })
}

// anySeen adds the page to what was seen, and says whether the next objects are among it.
func anySeen(seen map[string]bool, page, next []fields) bool {
	for _, f := range page {
		seen[f.text("id")] = true
	}
	return slices.ContainsFunc(next, func(f fields) bool { return seen[f.text("id")] })
}

// repeated judges a listing whose second page is its first again: one that nothing can have cut is whole.
func repeated(path string, length int) error {
	if !MayBeCut(length, pageSize) {
		return nil
	}
	return unexpected(path, Answer{}, fmt.Sprintf("the listing repeats itself after %d objects, as if the server did not heed its cursor, and may be longer", length))
}

// maybeDeleted adds to a refusal of a further page what may be behind it.
func maybeDeleted(err error) error {
	var e *Error
	if errors.As(err, &e) && (e.Kind == Refused || e.Kind == NotFound) {
		e.Reason += "; the object that this page begins after may have been deleted meanwhile"
	}
	return err
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
		return nil, unexpected(path, answer, "the answer is JSON, but not a listing with objects")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range *listing.Objects {
		c.listed = append(c.listed, f["metadata"])
		if f.text("id") == "" {
			return nil, unexpected(path, answer, "the listing holds an object without an id")
		}
	}
	return *listing.Objects, nil
}

func unexpected(path string, answer Answer, reason string) error {
	return &Error{
		Method: http.MethodGet, Path: path, Kind: Broken, Status: answer.Status, RequestIDs: answer.RequestIDs, Reason: reason,
	}
}
