package audit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/itchyny/gojq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// guideFilter is the jq filter of the first guide's step 1, as it is printed there.
func guideFilter(t *testing.T, level string) *gojq.Code {
	t.Helper()
	script, err := os.ReadFile("../../scenarios/guide/bearer-step-1-" + level + ".sh")
	require.NoError(t, err)
	for _, command := range wordsOf(t, string(script)) {
		if command[0] == "jq" {
			query, err := gojq.Parse(command[len(command)-1])
			require.NoError(t, err)
			code, err := gojq.Compile(query, gojq.WithVariables([]string{"$m"}))
			require.NoError(t, err)
			return code
		}
	}
	t.Fatal("the guide's command has no jq")
	return nil
}

// ask runs the guide's filter over one object; failed says that it ends with an error there.
func ask(t *testing.T, code *gojq.Code, object string, model string) (shown any, failed bool) {
	t.Helper()
	var in any
	require.NoError(t, json.Unmarshal([]byte(`{"objects":[`+object+`]}`), &in))
	value, more := code.Run(in, model).Next()
	if _, failed = value.(error); failed || !more {
		return nil, failed
	}
	return value, false
}

// TestModelGivesWhatTheGuideFilterGives: for each metadata, what the filter shows is shown, what it leaves out is left out, and
// where it ends with an error the audit says that it cannot tell.
func TestModelGivesWhatTheGuideFilterGives(t *testing.T) { // BEARER-4, BEARER-5
	t.Parallel()
	shown, undecided := 0, 0
	for level, typeKey := range map[string]string{"org": "type", "project": "secret_type"} {
		code := guideFilter(t, level)
		for n, metadata := range []string{
			`{"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}},"auth_format":"api_key","api_base":"https://gw/v1"}`,
			`{"customModels":{"acme-chat":null}}`, `{"customModels":{"acme":{},"acme-chat-2":{}}}`, `{"customModels":{"ACME-CHAT":{}}}`,
			`{"customModels":{}}`, `{"customModels":null}`, `{"customModels":false}`, `{"customModels":true}`, `{"customModels":0}`,
			`{"customModels":"acme-chat"}`, `{"customModels":["acme-chat"]}`, `{}`, `null`, `[]`, `"acme-chat"`, `7`, `false`,
			`{"models":["acme-chat"]}`, `{"customModels":{"acme-chat":{}},"models":["other"]}`,
		} {
			object := fmt.Sprintf(`{"id":"%d","name":"n","%s":"openai","preview_secret":"***","metadata":%s}`, n, typeKey, metadata)
			want, failed := ask(t, code, object, "acme-chat")
			s := inventory.Secret{ID: fmt.Sprint(n), Level: inventory.Org, Name: "n", Type: "openai", Preview: "***", Metadata: json.RawMessage(metadata)}
			model := audit.Run(take(s), audit.Options{Model: "acme-chat"}).Model
			assert.Equal(t, failed, len(model.Undecided) == 1, metadata)
			assert.Equal(t, want != nil, len(model.Custom) == 1, metadata)
			if failed {
				undecided++
			}
			if want != nil && len(model.Custom) == 1 {
				shown++
				got := model.Custom[0]
				raw, err := json.Marshal(map[string]any{
					"id": got.ID, "name": got.Name, "provider_type": got.ProviderType, "preview_secret": got.Preview, "metadata": got.Metadata,
				})
				require.NoError(t, err)
				expected, err := json.Marshal(want)
				require.NoError(t, err)
				assert.JSONEq(t, string(expected), string(raw))
			}
		}
	}
	assert.Equal(t, 6, shown)
	assert.Greater(t, undecided, 10)
}

func TestAModelThatNobodyServes(t *testing.T) { // API-5: the audit names what is missing
	t.Parallel()
	run := func(metadata string) audit.Report {
		return audit.Run(take(secret("a", metadata)), audit.Options{Generation: current, Model: "acme-chat"})
	}
	got := run(`{}`)
	assert.Equal(t, audit.Findings, got.Verdict)
	assert.Contains(t, rules(got), "error model-not-served -")
	assert.Equal(t, `model "acme-chat"`, group(t, got, "model-not-served").Cause)

	got = run(`{"customModels":["acme-chat"]}`)
	assert.Contains(t, rules(got), "warning model-not-served -", "what cannot be told is not decided")
	assert.NotEmpty(t, group(t, got, "model-not-served").Needs)

	got = run(`{"customModels":{"acme-chat":{}},"models":["other"]}`)
	assert.Contains(t, group(t, got, "model-not-served").Findings[0].Evidence[1], `"a" has it in customModels, but not in its models list`)

	got = audit.Run(take(secret("a", `{}`)), audit.Options{Generation: current, Model: "gpt-4o"})
	assert.NotContains(t, rules(got), "error model-not-served -")
	assert.Len(t, got.Model.Default, 1)
}
