package provider

// metadataFields returns the metadata keys that a generation knows for a provider type; ok is false where it does not know
// the type (recorded: secret-schema, every row).
func metadataFields(g Generation, typ string) (fields []field, ok bool) {
	for _, t := range types() {
		if t.name == typ && g.reaches(t.since) {
			return knownTo(g, append(baseFields(), t.own()...)), true
		}
	}
	return nil, false
}

// Types returns the provider types that some generation knows, the guides' own first.
func Types() []string {
	var names []string
	for _, t := range types() {
		names = append(names, t.name)
	}
	return names
}

// baseFields are the keys that every type has.
func baseFields() []field {
	return []field{
		{Legacy202602, "models", nullish(arrayOf(text()))},
		{Legacy202602, "customModels", nullish(recordOf(objectOf(dropUnknown, modelFields())))},
		{Legacy202602, "excludeDefaultModels", nullish(boolean())},
		{Legacy202602, "additionalHeaders", nullish(recordOf(text()))},
		{Legacy202602, "supportsStreaming", orDefault(boolean(), true)},
		{Legacy202603, "overrideModel", nullish(text())},
		{Legacy202603, "overrideSystemPrompt", nullish(text())},
	}
}

// providerType is a type with the generation that first knew it, and the keys that it adds to the base.
type providerType struct {
	name  string
	since Generation
	own   func() []field
}

func types() []providerType {
	none := func() []field { return nil }
	return []providerType{
		{"openai", Legacy202602, openaiFields},
		{"anthropic", Legacy202602, anthropicFields},
		{"azure", Legacy202602, azureFields},
		{"azure_ai_gateway", Current202608, azureGatewayFields},
		{"baseten", Legacy202602, none},
		{"bedrock", Legacy202602, bedrockFields},
		{"braintrust", Legacy202603, baseURL},
		{"cerebras", Legacy202602, none},
		{"cohere", Current202608, baseURL},
		{"databricks", Legacy202602, databricksFields},
		{"fireworks", Legacy202602, none},
		{"google", Legacy202602, none},
		{"groq", Legacy202602, none},
		{"js", Legacy202602, none},
		{"lepton", Legacy202602, none},
		{"mistral", Legacy202602, baseURL},
		{"ollama", Legacy202602, func() []field { return []field{{Current202608, "api_base", orDrop(nullish(maybeURL()))}} }},
		{"openrouter", Current202608, none},
		{"perplexity", Legacy202602, none},
		{"replicate", Legacy202602, none},
		{"together", Legacy202602, none},
		{"vertex", Legacy202602, vertexFields},
		{"xAI", Legacy202602, none},
	}
}

func baseURL() []field { return []field{{Legacy202602, "api_base", nullish(maybeURL())}} }

func anthropicFields() []field {
	return []field{
		{Current202608, "auth_type", orDefault(tokenAuth(), "api_key")},
		{Current202608, "auth_source", nullish(text())},
	}
}

func azureGatewayFields() []field {
	return []field{{Legacy202602, "api_base", webURL()}, {Legacy202602, "auth_type", orDefault(literal("api_key"), "api_key")}}
}

func databricksFields() []field {
	return []field{
		{Legacy202602, "api_base", webURL()},
		{Legacy202602, "auth_type", orDefault(oneOf("pat", "service_principal_oauth"), "pat")},
	}
}

func openaiFields() []field {
	return []field{
		{Legacy202602, "api_base", union(optional(webURL()), empty(), null())},
		{Current202608, "auth_type", orDefault(tokenAuth(), "api_key")},
		{Current202608, "auth_source", nullish(text())},
		{Legacy202602, "organization_id", nullish(text())},
		{Legacy202603, "endpoint_path", nullish(text())},
		{Legacy202603, "auth_format", nullish(oneOf("bearer", "api_key"))},
	}
}

func azureFields() []field {
	return []field{
		{Legacy202602, "api_base", webURL()},
		{Legacy202602, "api_version", orDefault(text(), "2023-07-01-preview")},
		{Legacy202602, "deployment", nullish(text())},
		{Legacy202602, "auth_type", orDefault(oneOf("api_key", "entra_api"), "api_key")},
		{Current202608, "auth_type", orDefault(oneOf("api_key", "entra_api", "entra_oidc", "entra_bearer"), "api_key")},
		{Legacy202602, "no_named_deployment", orDefault(boolean(), false)},
	}
}

func bedrockFields() []field {
	return []field{
		{Legacy202602, "region", nonEmpty("Region cannot be empty")},
		{Legacy202602, "auth_type", orDefault(oneOf("iam_credentials", "api_key"), "iam_credentials")},
		{Current202608, "auth_type", orDefault(oneOf("iam_credentials", "api_key", "assume_role"), "iam_credentials")},
		{Current202608, "role_arn", nullish(text())},
		{Current202608, "external_id", nullish(text())},
		{Legacy202602, "access_key", nullish(text())},
		{Legacy202602, "session_token", nullish(text())},
		{Legacy202602, "api_base", nullish(maybeURL())},
	}
}

func vertexFields() []field {
	return []field{
		{Legacy202602, "project", nonEmpty("Project cannot be empty")},
		{Legacy202603, "location", blankAsAbsent(optional(text()))},
		{Legacy202602, "authType", oneOf("access_token", "service_account_key")},
		{Current202608, "authType", oneOf("access_token", "oauth_bearer", "service_account_key")},
		{Legacy202602, "api_base", nullish(maybeURL())},
	}
}

// tokenAuth are the ways to authenticate that openai and anthropic know since the current generation.
func tokenAuth() rule { return oneOf("api_key", "oauth_bearer", "workload_identity_federation") }

// maybeURL accepts a URL or nothing written as an empty string.
func maybeURL() rule { return union(webURL(), empty()) }

// modelFields describe one custom model; keys beside them are dropped in every generation.
func modelFields() []field {
	fields := []field{
		{Legacy202602, "format", oneOf("openai", "anthropic", "google", "window", "js", "converse")},
		{Legacy202602, "flavor", oneOf("chat", "completion", "embedding")},
	}
	optionalOnes := []struct {
		rule  rule
		names []string
	}{
		{boolean(), []string{"multimodal", "o1_like", "reasoning", "reasoning_budget", "experimental", "deprecated"}},
		{number(), []string{
			"input_cost_per_token", "output_cost_per_token", "input_cost_per_mil_tokens", "output_cost_per_mil_tokens",
			"input_cache_read_cost_per_mil_tokens", "input_cache_write_cost_per_mil_tokens",
			"max_input_tokens", "max_output_tokens",
		}},
		{text(), []string{"displayName", "description", "deprecation_date", "parent"}},
		{arrayOf(text()), []string{"endpoint_types", "locations"}},
	}
	for _, o := range optionalOnes {
		for _, name := range o.names {
			fields = append(fields, field{Legacy202602, name, nullish(o.rule)})
		}
	}
	return fields
}
