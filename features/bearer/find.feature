@bearer
Feature: Finding the affected provider secret
  The guide's own commands list the secrets behind a model; they are sent as printed and filtered by its own jq.

  Background:
    Given a data plane on v2

  # guide: bearer-after-v2-migration, step 1, org level
  @BEARER-4 @needs-org-writes @judges-api
  Scenario: The org-level search shows only the secret whose customModels has the model
    Given an org provider secret "other" for model "other-chat" with auth_format "bearer"
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And an org provider secret "plain"
    When the guide's command "bearer-step-1-org" is run for model "acme-chat"
    Then it shows exactly the secret "acme" with its id, name, type, preview and metadata
    And it shows auth_format "api_key"

  # guide: bearer-after-v2-migration, step 1, org level: an empty answer is an answer too
  @BEARER-4 @needs-org-writes @judges-api
  Scenario: The org-level search for a model that no secret has says that it found nothing
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the guide's command "bearer-step-1-org" is run for model "no-such-model"
    Then it finds no secret for the model among 1

  # guide: bearer-after-v2-migration, step 1: `has` needs an object
  @BEARER-4 @needs-org-writes @judges-api
  Scenario: A customModels that is no object ends the search with an error instead of a clean answer
    Given an org provider secret "odd" with customModels "acme-chat"
    When the guide's command "bearer-step-1-org" is run for model "acme-chat"
    Then its filter fails on customModels that is no object

  # guide: bearer-after-v2-migration, step 1, at both levels at once
  @BEARER-4 @needs-org-writes @needs-project-writes @judges-remedies
  Scenario: The audit names for a model what the guide's search shows, at every level
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And an org provider secret "other" for model "other-chat" with auth_format "bearer"
    And a project provider secret "own" for model "acme-chat" with auth_format "api_key"
    And an environment variable "ACME_CHAT" for model "acme-chat"
    When the organization is audited for model "acme-chat"
    Then the audit names "acme" and "own" for the model
    And the audit finds "auth-format-api-key" on "acme" and "own"

  # guide: bearer-after-v2-migration, step 1: none has it, or nobody can say
  @BEARER-4 @needs-org-writes @judges-remedies
  Scenario: A customModels that is no object is a finding and never clean
    Given an org provider secret "odd" with customModels "acme-chat"
    When the organization is audited for model "acme-chat"
    Then the audit finds "custom-models-not-object" on "odd"
    And the audit is not clean

  # guide: bearer-after-v2-migration, step 1
  @BEARER-4 @needs-org-writes @judges-remedies
  Scenario: A model that a secret in order has is no finding
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When the organization is audited for model "acme-chat"
    Then the audit is clean

  # guide: bearer-after-v2-migration, step 1: an empty answer is an answer too
  @BEARER-4 @needs-org-writes @judges-remedies
  Scenario: A model that no secret has is a finding, though nothing else is wrong
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When the organization is audited for model "no-such-model"
    Then the audit is not clean
    And the audit says that no secret serves "no-such-model"

  # guide: bearer-after-v2-migration, step 1, project level
  @BEARER-5 @needs-project-writes @judges-api
  Scenario: The project-level search leaves other projects and other categories out
    Given a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And a project provider secret "elsewhere" in project "beta" for model "acme-chat" with auth_format "api_key"
    And an environment variable "ACME_CHAT" for model "acme-chat"
    When the guide's command "bearer-step-1-project" is run for model "acme-chat"
    Then it shows exactly the secret "acme" with its id, name, type, preview and metadata
    And it shows auth_format "api_key"
