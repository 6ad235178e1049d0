package provider

import "github.com/nlnwa/whatwg-url/url"

// CalledURL returns a URL as the proxy's HTTP client calls it, by the WHATWG rules: blanks at either end and line ends are dropped, a
// blank inside is escaped, and the rest stays, also a double slash (recorded: proxy-routing, api_base=*). ok is false where it cannot
// be called.
func CalledURL(endpoint string) (called string, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme() != "http" && u.Scheme() != "https" {
		return "", false
	}
	return u.Href(false), true
}
