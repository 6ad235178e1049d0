curl -sS "$BRAINTRUST_API_URL/v1/env_var?object_type=project&object_id=<PROJECT_ID>&secret_category=ai_provider" \
  -H "Authorization: Bearer <braintrust-api-token>" \
  | jq '.objects[] | {id, name, secret_type, metadata}'
