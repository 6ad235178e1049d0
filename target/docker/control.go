package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/planeproof/planeproof/fakes/tenancy"
	"github.com/planeproof/planeproof/target"
)

// control sends one request to a system's control listener.
func (t *Target) control(ctx context.Context, system target.System, method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode request for %s: %w", system, err)
		}
		payload = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+tenancy.ControlAddress(string(system))+path, payload)
	if err != nil {
		return fmt.Errorf("control %s: %w", system, err)
	}
	r.Header.Set("Authorization", "Bearer "+t.token)
	t.requests.Add(1)
	answer, err := t.client.Do(r)
	if err != nil {
		return fmt.Errorf("control %s: %w", system, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("control %s: %w", system, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("control %s: %s %s answered %d: %s", system, method, path, answer.StatusCode, bytes.TrimSpace(text))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("control %s: read %s: %w", system, path, err)
	}
	return nil
}
