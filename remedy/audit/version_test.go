package audit_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
)

// TestWhatTheDataPlaneSaysIsHeeded: on v2 no strict schema is in the way, so that the first guide's fix of a project secret is clean, and
// no workaround is proposed, whatever --legacy says.
func TestWhatTheDataPlaneSaysIsHeeded(t *testing.T) { // OVERRIDE-12
	t.Parallel()
	for name, c := range map[string]struct {
		version    string
		generation provider.Generation
		verdict    audit.Verdict
		remedy     bool
		judged     string
	}{
		"v2":                  {`{"version":"2.0.0"}`, "", audit.Clean, false, "generation    current-2026-08: the data plane says that it is 2.0.0; --legacy says otherwise"},
		"v2, but legacy":      {`{"version":"2.0.0"}`, old, audit.Findings, false, "generation    legacy-2026-02, as --legacy says; the data plane says that it is 2.0.0"},
		"v1":                  {`{"version":"1.1.32"}`, "", audit.Findings, true, "generation    not given (--legacy): the data plane says that it is 1.1.32, so every generation is answered for"},
		"v1, and legacy":      {`{"version":"1.1.32"}`, old, audit.Findings, true, "generation    legacy-2026-02, as --legacy says"},
		"nothing":             {``, "", audit.Findings, true, "generation    not given (--legacy): every generation is answered for"},
		"in another form":     {`{"build":"2.0.0"}`, "", audit.Findings, true, "generation    not given (--legacy): every generation is answered for"},
		"current, and no one": {``, current, audit.Clean, false, "generation    current-2026-08\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := take(of("one", secret("a", `{"auth_format":"bearer","auth_type":"api_key","api_base":"https://gw/v1"}`)))
			if c.version != "" {
				found.Version = json.RawMessage(c.version)
			}
			report := audit.Run(found, given(c.generation))
			assert.Equal(t, c.verdict, report.Verdict, report.Summary)
			raw, err := json.Marshal(report)
			require.NoError(t, err)
			assert.Equal(t, c.remedy, bytes.Contains(raw, []byte("--workaround")))
			assert.Equal(t, c.remedy && c.generation == "", bytes.Contains(raw, []byte("the fix is for legacy-2026-02")), "why it is for the oldest is said where nobody knows the generation")
			var table bytes.Buffer
			require.NoError(t, report.Table(&table, false))
			assert.Contains(t, table.String(), c.judged)
			if c.verdict == audit.Findings {
				assert.Contains(t, table.String(), "metadata-unreadable")
			}
		})
	}
}

// TestAModelThatNobodyServesFailsTheAudit, whatever severity the audit fails on.
func TestAModelThatNobodyServesFailsTheAudit(t *testing.T) { // API-5
	t.Parallel()
	for _, metadata := range []string{`{"api_base":"https://gw/v1"}`, `{"api_base":"https://gw/v1","customModels":["acme-chat"]}`} {
		report := audit.Run(take(secret("a", metadata)), audit.Options{Model: "acme-chat", FailOn: audit.Error, Generation: current})
		assert.Equal(t, audit.Findings, report.Verdict)
		assert.Equal(t, 1, report.Verdict.ExitCode())
	}
	served := audit.Run(take(secret("a", `{"api_base":"https://gw/v1",`+custom+`}`)), audit.Options{Model: "acme-chat", Generation: current})
	assert.Equal(t, audit.Clean, served.Verdict, served.Summary)
}

// TestFindingsSayWhatTheyFollowFrom: who mends the cause has mended what follows.
func TestFindingsSayWhatTheyFollowFrom(t *testing.T) {
	t.Parallel()
	report := audit.Run(take(of("one", secret("a", `{"auth_type":"api_key"}`)), of("one", secret("b", `{}`))), given(old))
	assert.Equal(t, []string{"metadata-unreadable"}, group(t, report, "project-secrets-dropped").Follows)
	assert.Empty(t, group(t, report, "metadata-unreadable").Follows)
	known := map[string]bool{}
	for _, rule := range audit.Rules() {
		known[rule.ID] = true
	}
	for _, rule := range audit.Rules() {
		for _, cause := range rule.Follows {
			assert.True(t, known[cause], "%s follows %s", rule.ID, cause)
		}
	}
}
