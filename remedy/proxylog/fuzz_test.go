package proxylog

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canaries are credentials as they turn up in logs; CANARY in a seed stands for one of them.
func canaries() []string {
	return []string{"sk-canary-7Hq2vZpX9mKd4RtB8nLw", "Bearer canary-token-0001", "c4na4yAb12Cd34Ef56Gh78"}
}

// FuzzRead: no panic, a bounded summary, and no credential in it, wherever in a log it stands.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		warning + ` ZodError: [{"code":"unrecognized_keys","keys":["auth_type","CANARY"],"path":["metadata"]}]`,
		warning + ` ZodError: [{"received":"CANARY","code":"invalid_enum_value","options":["bearer","CANARY"],"path":["metadata","CANARY",7]}]`,
		warning + ` ZodError: [{"received":"CANARY","code":"invalid_literal","expected":"CANARY","path":["type"]},{"code":"CANARY","path":[]}]`,
		warning + ` ZodError: [{"code":"invalid_union","unionErrors":[{"issues":[{"code":"invalid_literal","received":"CANARY","path":["type"]}]}],"path":[]}]`,
		warning + ` ZodError: [{"code":"invalid_type","expected":"CANARY","received":"x CANARY","path":["CANARY"]},{"code":"invalid_string","validation":{"a":"CANARY"},"path":[]}]`,
		warning + " ZodError: [\n  {\n    \"code\": \"CANARY\",\n    \"keys\": [\n      \"CANARY\"\n    ]\n  }\n]\n    at x (CANARY)",
		warning + ` ZodError: [{"code":"x1","path":[],"options":["0CANARY"],"keys":["_CANARY","0CANARY"]}]`,
		warning + " CANARY Error: CANARY", "No API keys found (for CANARY). You can", "Received retryable error. Will try the next endpoint CANARY",
		`{"msg":"` + warning + `","project_name":"CANARY","secret_name":"CANARY","secret_type":"CANARY","env_var_id":"CANARY","pod":"CANARY"}`,
		`{"log":"{\"msg\":\"` + warning + `\",\"project\":{\"id\":\"CANARY\",\"name\":\"CANARY\"}}\n"}`,
		"[pod/a/b] \x1b[33m2026-03-01T00:00:00Z stderr F " + warning + " ZodError: [\n[pod/a/b] ]", "\xff\xfe\ufeff{}[]\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		for _, canary := range canaries() {
			text := strings.ReplaceAll(string(log), "CANARY", canary)
			summary, err := Read(strings.NewReader(text))
			if err != nil && !errors.Is(err, ErrNoLog) && !errors.Is(err, io.ErrUnexpectedEOF) {
				require.ErrorIs(t, err, gzip.ErrHeader)
			}
			shown, err := json.Marshal(summary)
			require.NoError(t, err)
			assert.NotContains(t, string(shown), canary)
			assert.NotContains(t, string(shown), canary[len(canary)/3:])
			assert.Less(t, len(shown), 20_000+100*len(text))
			assert.LessOrEqual(t, summary.Unknown, summary.Lines)
		}
	})
}
