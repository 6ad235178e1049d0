package routing

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// maxAnswerAge is how long an answer is kept unless x-bt-cache-ttl asks for less, in seconds: 7 days
// (recorded: proxy-routing cache-temp0).
const maxAnswerAge = 7 * 24 * 60 * 60

// maxCached is how many entries each cache of a tenant holds; a full one forgets everything, which a cache may.
const maxCached = 256

// State is what a proxy remembers for one tenant: answers and credentials. The zero value remembers nothing yet.
type State struct {
	mu      sync.Mutex
	answers map[[sha256.Size]byte]cachedAnswer
	secrets map[Query]cachedSecrets
}

type cachedAnswer struct {
	header http.Header
	body   []byte
	at     time.Time
	ttl    int // in seconds
	// control is the Cache-Control of the answer.
	control string
}

type cachedSecrets struct {
	secrets Secrets
	until   time.Time
}

func (s *State) answer(key [sha256.Size]byte, now time.Time) (cachedAnswer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.answers[key]
	return a, ok && now.Sub(a.at) < time.Duration(a.ttl)*time.Second
}

func (s *State) keepAnswer(key [sha256.Size]byte, a cachedAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil || len(s.answers) >= maxCached {
		s.answers = map[[sha256.Size]byte]cachedAnswer{}
	}
	s.answers[key] = a
}

func (s *State) credentials(q Query, now time.Time) (Secrets, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.secrets[q]
	return c.secrets, ok && now.Before(c.until)
}

func (s *State) keepCredentials(q Query, secrets Secrets, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil || len(s.secrets) >= maxCached {
		s.secrets = map[Query]cachedSecrets{}
	}
	s.secrets[q] = cachedSecrets{secrets: secrets, until: until}
}

// cachePolicy says how one request uses the answer cache.
type cachePolicy struct {
	read, write bool
	maxAge      int // in seconds, from the caller's Cache-Control; 0 for none
	ttl         int // in seconds
}

// newCachePolicy decides by endpoint, body and headers (facts: answer-cache).
func newCachePolicy(h http.Header, r *request) (cachePolicy, error) {
	mode, err := cacheMode(h, "x-bt-use-cache")
	if err != nil {
		return cachePolicy{}, err
	}
	p := cachePolicy{ttl: maxAnswerAge}
	if ttl, err := strconv.Atoi(h.Get("x-bt-cache-ttl")); err == nil {
		p.ttl = min(max(1, ttl), maxAnswerAge)
	}
	control := parseCacheControl(h.Get("Cache-Control"))
	age, aged := control["max-age"]
	p.maxAge, _ = strconv.Atoi(age)
	_, noCache := control["no-cache"]
	_, noStore := control["no-store"]
	use := cacheable(r.path) && (mode == "always" || mode == "auto" && cachedUnasked(r))
	p.read = use && !noCache && (!aged || p.maxAge != 0)
	p.write = use && !noStore
	return p, nil
}

func cacheable(path string) bool {
	switch path {
	case "/auto", "/embeddings", "/chat/completions", "/responses", "/completions", "/moderations":
		return true
	}
	return false
}

// cachedUnasked says whether an answer of a cacheable path is cached without x-bt-use-cache.
func cachedUnasked(r *request) bool {
	if r.path == "/embeddings" || r.path == "/moderations" {
		return true
	}
	temperature := r.fields.Get("temperature") // one that is no number is not 0
	return temperature.Type == gjson.Number && temperature.Num == 0 || r.fields.Get("seed").Type != gjson.Null
}

// cacheMode reads one of the two cache headers: auto, always or never.
func cacheMode(h http.Header, name string) (string, error) {
	switch mode := strings.ToLower(h.Get(name)); mode {
	case "":
		return "auto", nil
	case "auto", "always", "never":
		return mode, nil
	default:
		return "", thrown("Invalid x-bt-use-cache header '%s'. Must be one of auto, always, never", mode)
	}
}

func parseCacheControl(value string) map[string]string {
	directives := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		name, argument, _ := strings.Cut(strings.TrimSpace(part), "=")
		directives[strings.ToLower(name)] = strings.Trim(argument, `"`)
	}
	return directives
}

// answerKey identifies a request for the answer cache; the project is not in it (facts: answer-cache).
func (r *request) answerKey() [sha256.Size]byte {
	parts, _ := json.Marshal([]string{r.path, r.query, string(r.body), r.key, r.org, r.endpointName}) // strings always encode
	return sha256.Sum256(parts)
}
