package tenancy

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"sync"
)

// guard keeps others off a control listener, whose port every user of the machine can reach. The first request with a token decides which
// token it is; from then on no other is let in. So the token is in no argument, no variable and no container's settings, and whoever comes
// first and is not its owner is noticed: the owner is then refused.
type guard struct {
	next http.Handler

	mu    sync.Mutex
	owner *[sha256.Size]byte // of the token, nil before the first
}

// ServeHTTP wants the token as `Authorization: Bearer`, and a Host that no page in a browser can be led to have: an address, or a name
// without a dot.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !local(r.Host):
		http.Error(w, "the Host header is a name with a dot: the control listener is reached by an address or a plain name", http.StatusForbidden)
	case !given || token == "":
		http.Error(w, "no token: send Authorization: Bearer and a word of your own; the first one counts from then on", http.StatusUnauthorized)
	case !g.owned(token):
		http.Error(w, "wrong token: the control listener belongs to whoever used it first", http.StatusForbidden)
	default:
		g.next.ServeHTTP(w, r)
	}
}

func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return net.ParseIP(strings.Trim(host, "[]")) != nil || host != "" && !strings.Contains(host, ".")
}

// owned takes the first token for the owner's.
func (g *guard) owned(token string) bool {
	sum := sha256.Sum256([]byte(token))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owner == nil {
		g.owner = &sum
	}
	return subtle.ConstantTimeCompare(g.owner[:], sum[:]) == 1
}
