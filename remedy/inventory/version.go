package inventory

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/remedy/control"
)

var majorVersion = regexp.MustCompile(`^v?(\d{1,4})\.`)

// ReadVersion is the data plane's answer to GET /version, nil where it tells nothing: its form is not promised (docs/facts.md, the API).
func ReadVersion(ctx context.Context, client *control.Client) json.RawMessage {
	answer, err := client.Get(ctx, "/version")
	if err != nil {
		return nil
	}
	return json.RawMessage(answer.Body)
}

// MajorVersion is the major version that an answer to GET /version tells in a field `version`, and that field fit for a terminal; ok is
// false where it tells none.
func MajorVersion(answer json.RawMessage) (major int, told string, ok bool) {
	var document struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(answer, &document) != nil {
		return 0, "", false
	}
	match := majorVersion.FindStringSubmatch(document.Version)
	if match == nil {
		return 0, "", false
	}
	major, err := strconv.Atoi(match[1])
	return major, evidence.Printable(document.Version), err == nil
}
