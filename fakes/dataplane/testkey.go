package dataplane

import (
	"net/http"

	"github.com/planeproof/planeproof/provider"
)

// testKeyPath stands for the console's Test key button. What the console really calls is not known; that it takes another network
// path than a model call is (facts: test-key), so its answer here depends on Config.TestKey alone and on whether
// the token is good as a Bearer token, never on auth_format.
const testKeyPath = "/api/test-key"

// testKeyAnswer is what Test key shows.
type testKeyAnswer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// testKey tries an org secret's token as Bearer on the model list below its api_base.
func testKey(c *call) (any, error) {
	f := c.fields()
	id := f.need("id")
	if f.err != nil {
		return nil, f.err
	}
	secret, known := c.store.orgSecret(id)
	if !known {
		return nil, refuse(http.StatusNotFound, "no such ai_secret")
	}
	if c.config.TestKey == TestKeyCutOff || secret.Value == nil {
		return testKeyAnswer{Error: "the endpoint could not be reached"}, nil
	}
	r, err := http.NewRequestWithContext(c.r.Context(), http.MethodGet, secret.Decode().APIBase+"/models", nil)
	if err != nil {
		return testKeyAnswer{Error: "api_base is no URL"}, nil
	}
	r.Header.Set("Authorization", "Bearer "+*secret.Value)
	answered, err := c.client.Do(r)
	if err != nil {
		return testKeyAnswer{Error: "the endpoint could not be reached"}, nil
	}
	_ = answered.Body.Close()
	if answered.StatusCode != http.StatusOK {
		return testKeyAnswer{Error: "the endpoint answered " + http.StatusText(answered.StatusCode)}, nil
	}
	return testKeyAnswer{OK: true}, nil
}

// orgSecret copies one ai_secret out as a proxy would get it.
func (s *store) orgSecret(id string) (provider.Secret, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.aiSecrets {
		if a.ID == id {
			return provider.Secret{ID: a.ID, Name: a.Name, Value: a.value, Metadata: a.Metadata}, true
		}
	}
	return provider.Secret{}, false
}
