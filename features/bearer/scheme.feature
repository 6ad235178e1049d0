@bearer @needs-journal @judges-plane
Feature: Provider secrets after the migration to data plane v2
  A provider secret saved with auth_format "api_key" stops working with an upstream gateway that wants
  Authorization: Bearer once the data plane is on v2.

  Background:
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens

  # guide: bearer-after-v2-migration, summary; facts: gateway-shape
  @BEARER-1 @reproduction @needs-choose-generation @fails-on-legacy-2026-02
  Scenario Outline: A secret with auth_format api_key fails on v2 against a Bearer-only gateway
    Given a data plane on <plane>
    And a data plane that sends api_key as <shape>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as <shape>
    And the Braintrust key of the scorer still works on the API

    Examples:
      | plane           | shape                  |
      | v2              | Authorization: Api-Key |
      | v2              | Authorization: bare    |
      | v2              | api-key                |
      | v2              | x-api-key              |
      | v2 with Gateway | Authorization: Api-Key |
      | v2 with Gateway | Authorization: bare    |
      | v2 with Gateway | api-key                |
      | v2 with Gateway | x-api-key              |

  # guide: bearer-after-v2-migration, notes: not migrated, unaffected; facts: auth-format
  @BEARER-2 @needs-choose-generation
  Scenario: The same secret works on v1 with the oldest proxy
    Given a data plane on v1 (legacy-2026-02)
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # facts: auth-format
  @BEARER-2 @reproduction @needs-choose-generation
  Scenario Outline: The same secret already fails on v1 with a later proxy
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Authorization: Api-Key

    Examples:
      | generation      |
      | legacy-2026-03  |
      | current-2026-08 |

  # guide: bearer-after-v2-migration, the whole of it in one scenario
  @BEARER-3 @needs-choose-generation @needs-upgrade @needs-org-writes @judges-remedies
  Scenario: The upgrade breaks the secret without touching it, and the fix repairs it
    Given a data plane on v1 (legacy-2026-02)
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer
    When the data plane is moved to v2
    And the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Authorization: Api-Key
    And nothing about "acme" has changed
    When an org admin applies the bearer fix to "acme"
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # facts: v2-and-gateway; the Gateway can be switched on later
  @BEARER-3 @needs-choose-generation @needs-upgrade @needs-org-writes
  Scenario: Switching the Gateway on does not repair the secret
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the data plane is moved to v2 with Gateway
    And the scorer is run
    Then the scorer fails with an authentication error of the provider
    And nothing about "acme" has changed

  # facts: v2-and-gateway; the Gateway can be switched on later and off again
  @BEARER-3 @needs-choose-generation @needs-upgrade @needs-org-writes @judges-remedies
  Scenario Outline: Switching the Gateway does not undo the fix
    Given a data plane on <from>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to "acme"
    And the data plane is moved to <to>
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | from            | to              |
      | v2              | v2 with Gateway |
      | v2 with Gateway | v2              |

  # facts: auth-format
  @BEARER-14 @needs-org-writes
  Scenario Outline: Without an auth_format the token is sent as Bearer
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with <metadata>
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | plane                | metadata                                  |
      | v1 (legacy-2026-02)  | auth_format null                          |
      | v1 (legacy-2026-03)  | supportsStreaming true                    |
      | v1 (current-2026-08) | auth_format null                          |
      | v2                   | supportsStreaming true                    |
      | v2                   | auth_format null                          |
      | v2                   | auth_type "api_key"                       |
      | v2 with Gateway      | supportsStreaming true                    |
      | v2 with Gateway      | auth_format null and auth_type "api_key"  |

  # guide: bearer-after-v2-migration, step 4: scorer and test prompt
  @BEARER-16 @reproduction @needs-choose-generation
  Scenario Outline: A streaming scorer and a prompt run fail like the plain scorer
    Given a data plane on <plane>
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When <caller> is run
    Then <caller> fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Authorization: Api-Key

    Examples:
      | plane           | caller               |
      | v2              | the project's scorer |
      | v2              | the project's streaming scorer |
      | v2              | the prompt           |
      | v2 with Gateway | the project's scorer |
      | v2 with Gateway | the project's streaming scorer |
      | v2 with Gateway | the prompt           |

  # guide: bearer-after-v2-migration, step 4
  @BEARER-16 @needs-project-writes
  Scenario Outline: A streaming scorer and a prompt run send the same credential as the plain scorer
    Given a data plane on <plane>
    And a project provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When <caller> is run
    Then <caller> succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | plane           | caller               |
      | v2              | the project's scorer |
      | v2              | the project's streaming scorer |
      | v2              | the prompt           |
      | v2 with Gateway | the project's streaming scorer |
      | v2 with Gateway | the prompt           |
