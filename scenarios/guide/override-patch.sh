curl -sS -X PATCH "$BRAINTRUST_API_URL/v1/env_var/<ENV_VAR_ID>" \
  -H "Authorization: Bearer <braintrust-api-token>" \
  -H "Content-Type: application/json" \
  -d '{
    "secret_type": "openai",
    "metadata": {
      "excludeDefaultModels": false,
      "supportsStreaming": true,
      "api_base": "https://us.api.openai.com/v1"
    }
  }'
