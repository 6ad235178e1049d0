package routing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/target/settings"
)

// Query is what a proxy asks the data plane for secrets with.
type Query struct {
	// Key is the caller's Braintrust key.
	Key string
	// Project is the id of x-bt-project-id, empty without project context: then only org secrets are used.
	Project string
	// Org is the name of x-bt-org-name, mostly empty.
	Org string
	// Model is the model asked for.
	Model string
}

// Secrets are the provider secrets of each level, as stored.
type Secrets struct {
	Org     []json.RawMessage
	Project []json.RawMessage
}

// Source fetches secrets. A *Refusal is answered to the caller as it is, any other error as a 502.
type Source func(ctx context.Context, q Query) (Secrets, error)

// fetch asks the source, or the credential cache where neither call nor caller forbids it. A caller that does not want the
// cache read still refreshes it.
func (p *Proxy) fetch(ctx context.Context, call Call, req *request) (Secrets, error) {
	q := Query{Key: req.key, Project: req.project, Org: req.org, Model: req.model}
	if !req.freshSecrets {
		if secrets, ok := call.State.credentials(q, p.now()); ok {
			return secrets, nil
		}
	}
	secrets, err := call.Source(ctx, q)
	failed := false
	if call.Rules.Variant == settings.VariantEdge {
		secrets, err, failed = call.Rules.edgeLookup(q, secrets, err)
	}
	if err != nil {
		return Secrets{}, err
	}
	if failed {
		call.note("secrets could not be looked up: the caller's own key is sent to the provider's default base")
	}
	if call.CredentialTTL > 0 && (!failed || call.Rules.Sends == provider.Legacy202602) {
		call.State.keepCredentials(q, secrets, p.now().Add(call.CredentialTTL))
	}
	return secrets, nil
}

// edgeLookup is what the edge makes of an answer of /api/secret: where it failed, or from 2026-03 on an org secret does not fit the schema,
// the caller's own key stands for a provider's (facts: lookup-failure). The type is that of the model's default provider; all models of
// ours are OpenAI's.
func (r Rules) edgeLookup(q Query, secrets Secrets, err error) (Secrets, error, bool) {
	refusal, oldest := (*Refusal)(nil), r.Sends == provider.Legacy202602
	if errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest && !oldest {
		return secrets, err, false
	}
	failed := err != nil
	for _, raw := range secrets.Org {
		_, issues := provider.Read(r.Schema, raw)
		failed = failed || len(issues) > 0 && !oldest
	}
	if !failed {
		return secrets, nil, false
	}
	own := provider.Secret{Type: "openai", Value: &q.Key, Metadata: encode(map[string]any{"customModels": map[string]any{q.Model: struct{}{}}})}
	return Secrets{Org: []json.RawMessage{encode(own)}}, nil, true
}

// encode writes a value of ours as JSON, and leaves `<`, `>` and `&` as they are.
func encode(value any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // strings and JSON always encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// candidates returns the secrets that may serve the request, in order; the exchange's note says when the project's were dropped.
func (c Call) candidates(secrets Secrets, req *request) []provider.Secret {
	project := c.readProject(secrets.Project, req)
	org := make([]provider.Secret, 0, len(secrets.Org))
	for _, raw := range secrets.Org {
		// The self-hosted proxy does not check org secrets (facts: strict-schema); what is no secret at all serves nothing.
		var s provider.Secret
		if json.Unmarshal(raw, &s) == nil {
			org = append(org, s)
		}
	}
	return slices.DeleteFunc(provider.Merge(project, org), func(s provider.Secret) bool {
		return req.model != "" && !s.Eligible(req.model) || req.endpointName != "" && s.Name != req.endpointName
	})
}

// readProject reads a project's secrets; one that cannot be read drops them all (facts: one-spoils-all).
func (c Call) readProject(raws []json.RawMessage, req *request) []provider.Secret {
	secrets := make([]provider.Secret, 0, len(raws))
	for _, raw := range raws {
		parsed := raw
		if c.Rules.Schema != "" {
			var issues []provider.Issue
			if parsed, issues = provider.Read(c.Rules.Schema, raw); len(issues) > 0 {
				c.fallBack(req, "ZodError: "+provider.ZodError(issues))
				return nil
			}
		}
		var s provider.Secret
		if err := json.Unmarshal(parsed, &s); err != nil {
			c.fallBack(req, fmt.Sprintf("Error: %v", err))
			return nil
		}
		secrets = append(secrets, s)
	}
	return secrets
}

func (c Call) fallBack(req *request, cause string) {
	c.Log("warn", req.project, "Failed to load project secrets, continuing with org secrets only "+cause)
	c.note("project secrets unreadable, fell back to org secrets")
}

// noKeys is the answer where nothing is eligible (facts: nothing-eligible).
func noKeys(model string) *Refusal {
	return thrown("No API keys found (for %s). You can configure API secrets at "+
		"https://www.braintrust.dev/app/settings?subroute=secrets", model)
}

// sourceFailure is the answer where the secrets could not be had.
func sourceFailure(err error) *Refusal {
	return &Refusal{Status: http.StatusBadGateway, Text: "fetch provider secrets: " + err.Error()}
}
