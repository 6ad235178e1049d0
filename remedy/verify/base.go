package verify

import (
	"errors"
	"net/url"
	"strings"
)

// ParseBase turns a gateway's address or a secret's `api_base` into the base that `/models` and `/v1/models` are added to:
// without trailing slashes and without one final `/v1`, a path prefix kept as it is escaped. It refuses what is not http or
// https, and user information, queries and fragments, which may be secrets and to which no path can be added; its errors
// show none of the input.
func ParseBase(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	scheme, _, found := strings.Cut(raw, "://")
	if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", errors.New("parse base URL: it does not begin with http:// or https://")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil: // not wrapped: it quotes the URL
		return "", errors.New("parse base URL: it is not a valid URL")
	case u.User != nil:
		return "", errors.New("parse base URL: it holds user information, which HTTP clients refuse: give it without")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return "", errors.New("parse base URL: it holds a query or a fragment, behind which no path can be added: give it without")
	case u.Hostname() == "":
		return "", errors.New("parse base URL: it has no host")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if prefix, versioned := strings.CutSuffix(path, "/v1"); versioned {
		path = strings.TrimRight(prefix, "/")
	}
	return u.Scheme + "://" + u.Host + path, nil
}
