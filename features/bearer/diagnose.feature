@bearer @needs-journal
Feature: Telling one authentication failure from another
  The Braintrust key may be valid and the failure come from the provider secret, or the other way round.

  # guide: bearer-after-v2-migration, step 3; facts: upstream gateways
  @BEARER-11 @needs-org-writes
  Scenario: The right scheme with a wrong token is told apart from the wrong scheme
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    And a gateway that has revoked the token of "acme"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Bearer
    And the gateway refused it for a wrong token, not for a wrong scheme

  # guide: bearer-after-v2-migration, summary: the other failure
  @BEARER-11 @reproduction @needs-choose-generation
  Scenario: The wrong scheme is refused for the scheme
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway refused it for a wrong scheme, not for a wrong token

  # guide: bearer-after-v2-migration, summary: the Braintrust API key in the scorer may still be valid
  @BEARER-12 @needs-org-writes
  Scenario Outline: A wrong Braintrust key is refused by the data plane before any provider is asked
    Given a data plane on <plane>
    And a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run with a wrong Braintrust key
    Then the scorer fails with an authentication error of the data plane
    And the gateway saw nothing

    Examples:
      | plane                |
      | v1 (legacy-2026-02)  |
      | v1 (legacy-2026-03)  |
      | v2                   |
      | v2 with Gateway      |
