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

  # guide: bearer-after-v2-migration, notes: the Test key button may still show an error
  @BEARER-15 @needs-test-key @needs-org-writes
  Scenario: Test key shows an error while the scorer works
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens
    And a console that cannot reach the gateway
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When Test key is pressed for "acme"
    And the scorer is run
    Then Test key shows an error
    And the scorer succeeds
    And "acme" works end to end, whatever Test key shows

  # facts: Test key takes another network path than a model call: its verdict is advisory
  @BEARER-15 @reproduction @needs-test-key @needs-choose-generation
  Scenario: Test key shows success while the scorer fails
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When Test key is pressed for "acme"
    And the scorer is run
    Then Test key shows success
    And the scorer fails with an authentication error of the provider
    And "acme" does not work end to end, whatever Test key shows

  # facts: auth_format alone decides; auth_type changes nothing for openai; recorded: org-auth_format=…
  @BEARER-20 @needs-org-writes
  Scenario Outline: With one key only, or another auth_type, auth_format alone decides what is seen
    Given a data plane on <plane>
    And a gateway that accepts only "<shape>"
    And an org provider secret "acme" for model "acme-chat" with <metadata>
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the token of "acme" as "<shape>"

    Examples:
      | plane           | metadata                                           | shape                  |
      | v2              | auth_format "bearer"                               | Authorization: Bearer  |
      | v2              | auth_type "api_key"                                | Authorization: Bearer  |
      | v2              | auth_format "api_key"                              | Authorization: Api-Key |
      | v2              | auth_format "bearer" and auth_type "oauth_bearer"  | Authorization: Bearer  |
      | v2              | auth_format "api_key" and auth_type "oauth_bearer" | Authorization: Api-Key |
      | v2 with Gateway | auth_format "bearer"                               | Authorization: Bearer  |
      | v2 with Gateway | auth_format "api_key"                              | Authorization: Api-Key |
