package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

const (
	old     = provider.Legacy202602
	mid     = provider.Legacy202603
	current = provider.Current202608
)

// TestRules: what each rule finds, and beside it what it must leave alone. An expectation names the rule and the severity, and `!` in
// front says that the rule finds nothing.
func TestRules(t *testing.T) {
	t.Parallel()
	custom := `{` + custom + `}`
	for name, c := range map[string]struct {
		secrets []inventory.Secret
		options audit.Options
		want    []string
	}{
		"api_key on a custom base": {
			[]inventory.Secret{secret("a", `{"auth_format":"api_key","auth_type":"api_key","api_base":"https://gw/v1"}`)}, audit.Options{},
			[]string{"warning auth-format-api-key", "note migration-upgrade", "note migration-gateway", "note migration-step-back", "!portable-form"},
		},
		"api_key on OpenAI":         {[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`)}, given(current), []string{"error auth-format-api-key"}},
		"api_key on OpenAI, old":    {[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`)}, given(old), []string{"warning auth-format-api-key"}},
		"api_key on OpenAI's host":  {[]inventory.Secret{secret("a", `{"auth_format":"api_key","api_base":"https://US.api.openai.com/v1"}`)}, given(current), []string{"error auth-format-api-key"}},
		"bearer":                    {[]inventory.Secret{secret("a", `{"auth_format":"bearer","auth_type":"api_key","api_base":"https://gw/v1"}`)}, given(current), []string{"!auth-format-api-key", "note portable-form"}},
		"neither":                   {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1"}`)}, audit.Options{}, []string{"!auth-format-api-key", "!auth-keys-half-set", "!portable-form", "!metadata-unreadable"}},
		"null":                      {[]inventory.Secret{secret("a", `{"auth_format":null}`)}, given(current), []string{"!auth-format-api-key", "!auth-keys-half-set"}},
		"fix A before the upgrade":  {[]inventory.Secret{of("one", secret("a", `{"auth_format":"api_key"}`))}, given(mid), []string{"warning auth-fix-before-upgrade"}},
		"fix A, nobody knows":       {[]inventory.Secret{of("one", secret("a", `{"auth_format":"api_key"}`))}, audit.Options{}, []string{"note auth-fix-before-upgrade"}},
		"fix A after the upgrade":   {[]inventory.Secret{of("one", secret("a", `{"auth_format":"api_key"}`))}, given(current), []string{"!auth-fix-before-upgrade"}},
		"fix A on the organization": {[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`)}, given(mid), []string{"!auth-fix-before-upgrade"}},
		"auth_type unknown, project": {
			[]inventory.Secret{of("one", secret("a", `{"auth_type":"magic"}`))}, given(current),
			[]string{"error auth-value-unknown", "error metadata-unreadable", "!auth-type-not-api-key"},
		},
		"auth_type unknown, organization": {[]inventory.Secret{secret("a", `{"auth_type":"magic"}`)}, audit.Options{}, []string{"warning auth-value-unknown", "warning metadata-unreadable"}},
		"auth_type of azure":              {[]inventory.Secret{of("one", typed("azure", secret("a", `{"api_base":"https://gw","auth_type":"entra_oidc"}`)))}, given(mid), []string{"error auth-value-unknown"}},
		"auth_type of azure, current":     {[]inventory.Secret{of("one", typed("azure", secret("a", `{"api_base":"https://gw","auth_type":"entra_oidc"}`)))}, given(current), []string{"!auth-value-unknown"}},
		"authType of vertex":              {[]inventory.Secret{of("one", typed("vertex", secret("a", `{"project":"p","authType":"magic"}`)))}, given(old), []string{"error auth-value-unknown"}},
		"another auth_type":               {[]inventory.Secret{secret("a", `{"auth_type":"oauth_bearer","auth_format":"bearer"}`)}, given(current), []string{"note auth-type-not-api-key", "!portable-form"}},
		"half set":                        {[]inventory.Secret{secret("a", `{"auth_type":"api_key"}`)}, given(current), []string{"note auth-keys-half-set"}},
		"auth_format elsewhere":           {[]inventory.Secret{typed("groq", secret("a", `{"auth_format":"api_key"}`))}, given(current), []string{"note auth-format-other-type", "!auth-format-api-key"}},

		"a look-alike of OpenAI":    {[]inventory.Secret{secret("a", `{"auth_format":"api_key","api_base":"https://evil-openai.com/v1"}`)}, given(current), []string{"warning auth-format-api-key"}},
		"a look-alike, as a suffix": {[]inventory.Secret{secret("a", `{"auth_format":"api_key","api_base":"https://evil-api.openai.com/v1"}`)}, given(current), []string{"warning auth-format-api-key"}},
		"a look-alike, as a prefix": {[]inventory.Secret{secret("a", `{"auth_format":"api_key","api_base":"https://api.openai.com.evil.example/v1"}`)}, given(current), []string{"warning auth-format-api-key"}},
		"Authorization beside it":   {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1","additionalHeaders":{"authorization":"Basic x"}}`)}, given(current), []string{"warning additional-headers-authorization"}},
		"another header beside it":  {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1","additionalHeaders":{"X-Authorization":"x"}}`)}, given(current), []string{"!additional-headers-authorization"}},

		"perhaps a prefix": {[]inventory.Secret{previewed("Bea…-1", secret("a", `{}`))}, given(current), []string{"warning value-scheme-suspected", "!value-scheme-prefix"}},
		"surely a prefix":  {[]inventory.Secret{previewed("Bearer …-1", secret("a", `{}`))}, given(current), []string{"error value-scheme-prefix", "!value-scheme-suspected"}},
		"no prefix at all": {[]inventory.Secret{previewed("Bx…-1", secret("a", `{}`))}, given(current), []string{"!value-scheme-prefix", "!value-scheme-suspected"}},
		"bearer prefix":    {[]inventory.Secret{previewed("bearer sk-***", secret("a", `{}`))}, given(current), []string{"error value-scheme-prefix"}},
		"white space":      {[]inventory.Secret{previewed("sk-***\n", secret("a", `{}`))}, given(current), []string{"warning value-white-space", "!value-scheme-prefix"}},
		"no value":         {[]inventory.Secret{{ID: "x", Level: inventory.Org, Type: "openai"}}, given(current), []string{"warning value-missing"}},
		"no value needed":  {[]inventory.Secret{{ID: "x", Level: inventory.Org, Type: "ollama"}}, given(current), []string{"!value-missing"}},
		"a value is there": {[]inventory.Secret{secret("a", `{}`)}, given(current), []string{"!value-missing", "!value-white-space", "!value-scheme-prefix"}},

		"unreadable, given":        {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`))}, given(old), []string{"error metadata-unreadable", "!project-secrets-dropped"}},
		"unreadable, not given":    {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`))}, audit.Options{}, []string{"warning metadata-unreadable"}},
		"unreadable, current":      {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`))}, given(current), []string{"!metadata-unreadable"}},
		"unreadable everywhere":    {[]inventory.Secret{of("one", secret("a", `{"models":"x"}`))}, audit.Options{}, []string{"error metadata-unreadable"}},
		"unreadable, organization": {[]inventory.Secret{secret("a", `{"auth_type":"api_key"}`)}, given(mid), []string{"note metadata-unreadable"}},
		"unknown type":             {[]inventory.Secret{of("one", typed("magic", secret("a", `{}`)))}, given(current), []string{"error metadata-unreadable"}},
		"bad URL":                  {[]inventory.Secret{of("one", secret("a", `{"api_base":"gateway"}`))}, given(current), []string{"error metadata-unreadable", "error api-base-no-scheme"}},
		"spoiled":                  {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`)), of("one", secret("b", `{}`))}, given(old), []string{"error project-secrets-dropped"}},
		"spoiled, not given":       {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`)), of("one", secret("b", `{}`))}, audit.Options{}, []string{"warning project-secrets-dropped"}},
		"nothing to spoil":         {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`)), of("one", secret("b", `{"auth_type":"api_key"}`))}, given(old), []string{"!project-secrets-dropped"}},
		"not spoiled":              {[]inventory.Secret{of("one", secret("a", `{"auth_type":"api_key"}`)), of("two", secret("b", `{}`)), secret("c", `{}`)}, given(old), []string{"!project-secrets-dropped"}},
		"array":                    {[]inventory.Secret{secret("a", `[1]`)}, given(current), []string{"warning metadata-not-object", "!custom-models-not-object"}},
		"null metadata":            {[]inventory.Secret{secret("a", `null`), secret("b", ``)}, given(current), []string{"!metadata-not-object", "!metadata-unreadable"}},
		"models list":              {[]inventory.Secret{secret("a", `{"customModels":["acme-chat"]}`)}, given(current), []string{"warning custom-models-not-object"}},
		"models null or false":     {[]inventory.Secret{secret("a", `{"customModels":null}`), secret("b", `{"customModels":false}`)}, given(old), []string{"!custom-models-not-object"}},

		"trailing slash":       {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/"}`)}, given(current), []string{"warning api-base-trailing-slash"}},
		"slash before a query": {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/?x=y"}`)}, given(current), []string{"warning api-base-trailing-slash", "warning api-base-credentials"}},
		"chat completions":     {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/chat/completions"}`)}, given(current), []string{"error api-base-chat-completions"}},
		"endpoint_path":        {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/chat/completions","endpoint_path":""}`)}, given(mid), []string{"!api-base-chat-completions"}},
		"endpoint_path, old":   {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/chat/completions","endpoint_path":""}`)}, given(old), []string{"error api-base-chat-completions"}},
		"a blank behind":       {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1 "}`)}, given(current), []string{"warning api-base-blank", "!api-base-no-version"}},
		"a blank inside":       {[]inventory.Secret{secret("a", `{"api_base":"https://gw/a b/v1"}`)}, given(current), []string{"warning api-base-blank"}},
		"a blank in front":     {[]inventory.Secret{secret("a", `{"api_base":" https://gw/v1"}`)}, given(current), []string{"note api-base-blank"}},
		"a line's end":         {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1\n"}`)}, given(current), []string{"note api-base-blank"}},
		"no version":           {[]inventory.Secret{secret("a", `{"api_base":"https://gw"}`)}, given(current), []string{"note api-base-no-version"}},
		"no version, OpenAI":   {[]inventory.Secret{secret("a", `{"api_base":"https://api.openai.com"}`)}, given(current), []string{"error api-base-no-version"}},
		"no version, a path":   {[]inventory.Secret{secret("a", `{"api_base":"https://gw","endpoint_path":"/v1/chat/completions"}`)}, given(current), []string{"!api-base-no-version", "note endpoint-path"}},
		"a version inside":     {[]inventory.Secret{secret("a", `{"api_base":"https://gw/v1/openai"}`), secret("b", `{"api_base":"https://gw/v1beta/"}`)}, given(current), []string{"!api-base-no-version", "!endpoint-path"}},
		"no scheme":            {[]inventory.Secret{secret("a", `{"api_base":"localhost:8080/v1"}`)}, given(current), []string{"error api-base-no-scheme"}},
		"user in the base":     {[]inventory.Secret{secret("a", `{"api_base":"https://u:p@gw/v1"}`)}, given(current), []string{"warning api-base-credentials"}},
		"a good base":          {[]inventory.Secret{secret("a", `{"api_base":"https://gw:8443/v1"}`)}, given(current), []string{"!api-base-trailing-slash", "!api-base-no-scheme", "!api-base-credentials", "!api-base-chat-completions", "!api-base-blank", "!api-base-no-version"}},

		"one name, both affected": {
			[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`), of("one", secret("a", `{"auth_format":"api_key"}`))}, given(current),
			[]string{"warning same-name-both-affected", "note project-overrides-org"},
		},
		"one name, one affected": {
			[]inventory.Secret{secret("a", `{}`), of("one", secret("a", `{"auth_format":"api_key"}`))}, given(current),
			[]string{"!same-name-both-affected", "note project-overrides-org", "!both-candidates"},
		},
		"two names":             {[]inventory.Secret{secret("a", custom), of("one", secret("b", custom))}, given(current), []string{"note both-candidates", "!project-overrides-org"}},
		"two types":             {[]inventory.Secret{typed("groq", secret("a", `{}`)), of("one", secret("b", `{}`))}, given(current), []string{"!both-candidates"}},
		"nothing served":        {[]inventory.Secret{secret("a", `{"excludeDefaultModels":true}`)}, given(current), []string{"warning serves-nothing"}},
		"empty list":            {[]inventory.Secret{secret("a", `{"models":[]}`)}, given(current), []string{"warning serves-nothing"}},
		"custom models alone":   {[]inventory.Secret{secret("a", `{"excludeDefaultModels":true,`+custom[1:])}, given(current), []string{"!serves-nothing", "!default-models-excluded"}},
		"default models listed": {[]inventory.Secret{secret("a", `{"excludeDefaultModels":true,"models":["gpt-4o","acme-chat"],`+custom[1:])}, given(current), []string{"warning default-models-excluded"}},
		"custom model blocked":  {[]inventory.Secret{secret("a", `{"models":["gpt-4o"],`+custom[1:])}, given(current), []string{"warning custom-model-not-allowed"}},

		"upgrade changes the scheme":  {[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`)}, given(old), []string{"warning migration-upgrade", "!migration-step-back"}},
		"upgrade brings it back":      {[]inventory.Secret{of("one", secret("a", `{"auth_format":"bearer"}`))}, given(old), []string{"note migration-upgrade", "!migration-gateway"}},
		"upgrade changes nothing":     {[]inventory.Secret{secret("a", `{"auth_format":"bearer"}`)}, given(old), []string{"!migration-upgrade", "!migration-gateway"}},
		"nothing left to upgrade":     {[]inventory.Secret{secret("a", `{"auth_format":"api_key"}`)}, given(current), []string{"!migration-upgrade", "note migration-step-back", "note migration-gateway"}},
		"the Gateway has no schema":   {[]inventory.Secret{of("one", secret("a", `{"models":"x"}`))}, given(current), []string{"note migration-gateway"}},
		"minimal metadata is carried": {[]inventory.Secret{of("one", secret("a", `{"excludeDefaultModels":false,"supportsStreaming":true,"api_base":"https://gw/v1"}`))}, audit.Options{}, []string{"!migration-upgrade", "!migration-step-back", "!migration-gateway", "!metadata-unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := rules(audit.Run(take(c.secrets...), c.options))
			for _, want := range c.want {
				has := func(s string) bool { return strings.Contains(s+" ", " "+strings.TrimPrefix(want, "!")+" ") }
				if strings.HasPrefix(want, "!") {
					assert.False(t, slices.ContainsFunc(found, has), "%s: %q", want, found)
				} else {
					assert.True(t, slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, want+" ") }), "%s: %q", want, found)
				}
			}
		})
	}
}

// TestRulesAreComplete: each rule has all that the reference shows of it.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range audit.Rules() {
		assert.False(t, seen[r.ID], r.ID)
		seen[r.ID] = true
		assert.Regexp(t, `^[a-z]+(-[a-z]+)+$`, r.ID)
		assert.Contains(t, audit.Severities(), r.Severity)
		assert.Contains(t, []audit.Confidence{audit.Seen, audit.Recorded, audit.Guide, audit.Assumed}, r.Confidence)
		for _, text := range []string{r.Title, r.Source, r.Why, r.Advice} {
			assert.NotEmpty(t, text, r.ID)
		}
	}
}
