package legacyproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/fakes/routing"
)

// maxSecrets is the largest answer of /api/secret that is read, in bytes.
const maxSecrets = 16 << 20

// ask is the body of POST /api/secret; without project_id the answer is the org's secrets alone (facts: api-secret).
type ask struct {
	Model     string `json:"model"`
	OrgName   string `json:"org_name,omitempty"`
	Mode      string `json:"mode"`
	ProjectID string `json:"project_id,omitempty"`
}

// source fetches the secrets with the caller's own key.
func (p *LegacyProxy) source(ctx context.Context, q routing.Query) (routing.Secrets, error) {
	body, err := json.Marshal(ask{Model: q.Model, OrgName: q.Org, Mode: "full", ProjectID: q.Project})
	if err != nil {
		return routing.Secrets{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.dataPlaneURL+"/api/secret", bytes.NewReader(body))
	if err != nil {
		return routing.Secrets{}, err
	}
	r.Header.Set("Authorization", "Bearer "+q.Key)
	r.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(r)
	if err != nil {
		return routing.Secrets{}, unreachable(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxSecrets))
	if err != nil {
		return routing.Secrets{}, unreachable(err)
	}
	if response.StatusCode != http.StatusOK {
		return routing.Secrets{}, refused(response.StatusCode, answer)
	}
	return decode(answer, q.Project != "")
}

// decode reads an answer, which has two levels where a project was asked for. Its text is never quoted: it holds secrets.
func decode(answer []byte, withProject bool) (secrets routing.Secrets, err error) {
	if !withProject {
		if json.Unmarshal(answer, &secrets.Org) != nil {
			return secrets, errors.New("the data plane's answer is no array of secrets")
		}
		return secrets, nil
	}
	var levels struct{ Org, Project []json.RawMessage }
	if json.Unmarshal(answer, &levels) != nil {
		return secrets, errors.New("the data plane's answer has not the two levels of secrets")
	}
	return routing.Secrets{Org: levels.Org, Project: levels.Project}, nil
}

// refused passes a 4xx of the data plane on to the caller, saying whose refusal it is.
func refused(status int, answer []byte) error {
	why := new(evidence.Redactor).Foreign(string(answer), 512)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return &routing.Refusal{Status: status, Text: "the Braintrust API key was refused by the data plane: " + why}
	case status >= 400 && status < 500:
		return &routing.Refusal{Status: status, Text: "the data plane refused to hand out provider secrets: " + why}
	}
	return fmt.Errorf("the data plane answered %d", status)
}

func unreachable(err error) error {
	if inURL := (*url.Error)(nil); errors.As(err, &inURL) {
		err = inURL.Err
	}
	return fmt.Errorf("reach data plane: %w", err)
}
