package provider_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/planeproof/planeproof/internal/vectors"
	"github.com/planeproof/planeproof/provider"
)

// schemaRow is one recorded answer of the real schemas.
type schemaRow struct {
	ID       string                                  `json:"id"`
	Secret   json.RawMessage                         `json:"secret"`
	Verdicts map[provider.Generation]json.RawMessage `json:"verdicts"`
}

// verdict is the recorded form of what Read answers.
type verdict struct {
	Accepted bool            `json:"accepted"`
	Parsed   json.RawMessage `json:"parsed,omitempty"`
	Issues   []recordedIssue `json:"issues,omitempty"`
	ZodError string          `json:"zodError,omitempty"`
}

type recordedIssue struct {
	Code     string   `json:"code"`
	Path     []any    `json:"path"`
	Keys     []string `json:"keys,omitempty"`
	Expected string   `json:"expected,omitempty"`
	Received string   `json:"received,omitempty"`
}

func TestVectorsSecretSchema(t *testing.T) {
	t.Parallel()
	rows := vectors.Rows[schemaRow](t, "secret-schema.jsonl")
	for _, g := range provider.Generations() {
		t.Run(string(g), func(t *testing.T) {
			t.Parallel()
			agree, first := 0, ""
			for _, row := range rows {
				difference := compare(g, row)
				if difference == "" {
					agree++
				} else if first == "" {
					first = difference
				}
			}
			fmt.Printf("secret-schema %s: %d/%d agree\n", g, agree, len(rows))
			if first != "" {
				t.Errorf("first disagreement: %s", first)
			}
		})
	}
}

// compare returns "", or both sides of a disagreement.
func compare(g provider.Generation, row schemaRow) string {
	var recorded verdict
	if err := json.Unmarshal(row.Verdicts[g], &recorded); err != nil {
		return fmt.Sprintf("%s has no verdict for %s: %v", row.ID, g, err)
	}
	parsed, issues := provider.Read(g, row.Secret)
	ours := verdict{Accepted: issues == nil, Parsed: parsed}
	for _, i := range issues {
		ours.Issues = append(ours.Issues, recordable(i))
	}
	if recorded.ZodError != "" {
		ours.ZodError = provider.ZodError(issues)
	}
	if reflect.DeepEqual(plain(recorded), plain(ours)) {
		return ""
	}
	return fmt.Sprintf("%s of %s\nsecret   %s\nrecorded %s\nours     %s", row.ID, g, row.Secret, row.Verdicts[g], text(ours))
}

// recordable keeps of an issue what the recorder kept.
func recordable(i provider.Issue) recordedIssue {
	r := recordedIssue{Code: i.Code, Path: append([]any{}, i.Path...), Keys: i.Keys}
	if i.Code == provider.CodeInvalidType {
		r.Expected, r.Received = i.Expected, i.Received
	}
	return r
}

// plain makes two values comparable as JSON, where the order of keys means nothing.
func plain(v any) any {
	var out any
	if err := json.Unmarshal([]byte(text(v)), &out); err != nil {
		panic(err)
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
