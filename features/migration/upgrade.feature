@migration @needs-journal @needs-choose-generation @needs-upgrade @judges-plane
Feature: The two guides together, over an upgrade

  Background:
    Given a gateway that accepts only Bearer tokens

  # facts: org-unchecked
  @MIGRATION-2 @needs-org-writes @judges-remedies
  Scenario Outline: The bearer fix on an org secret works before the upgrade
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to "acme"
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | generation      |
      | legacy-2026-02  |
      | legacy-2026-03  |
      | current-2026-08 |

  # facts: org-unchecked
  @MIGRATION-2 @needs-org-writes @judges-remedies
  Scenario Outline: The bearer fix on an org secret before the upgrade works after it
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to "acme"
    And the data plane is moved to <to>
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | generation      | to              |
      | legacy-2026-02  | v2              |
      | legacy-2026-02  | v2 with Gateway |
      | legacy-2026-03  | v2              |
      | legacy-2026-03  | v2 with Gateway |
      | current-2026-08 | v2              |
      | current-2026-08 | v2 with Gateway |

  # guide: project-override-on-legacy-proxy, temporary workaround
  @MIGRATION-3 @needs-project-writes
  Scenario: The minimal metadata carried through the upgrade works on v2 with a Bearer gateway
    Given a data plane on v1 (legacy-2026-02)
    And a project provider secret "acme" with auth_format "bearer" and auth_type "api_key"
    When the guide's command "override-patch" is run for "acme"
    And the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    When the data plane is moved to v2
    And the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # facts: auth-format
  @MIGRATION-3 @reproduction
  Scenario: The minimal metadata carried through the upgrade breaks where api_key is needed
    Given a data plane on v1 (current-2026-08)
    And a gateway that accepts only Authorization: Api-Key tokens
    And a project provider secret "acme" with auth_format "api_key" and auth_type "api_key"
    When the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    And the gateway saw the raw token of "acme" as Authorization: Api-Key
    When the guide's command "override-patch" is run for "acme"
    And the data plane is moved to v2
    And the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Bearer

  # facts: strict-schema, auth-format
  @MIGRATION-4 @needs-project-writes
  Scenario Outline: The portable form of a Bearer provider works in every generation and on v2
    Given a data plane on <plane>
    And an org provider secret "org" for model "acme-chat"
    And a project provider secret "portable" for model "own-chat" with supportsStreaming true
    When <caller> is run with model "own-chat"
    Then <caller> succeeds
    And the gateway saw the raw token of "portable" as Bearer

    Examples:
      | plane                | caller               |
      | v1 (legacy-2026-02)  | the project's scorer |
      | v1 (legacy-2026-03)  | the project's scorer |
      | v1 (current-2026-08) | the project's scorer |
      | v2                   | the project's scorer |
      | v2 with Gateway      | the project's scorer |
      | v1 (legacy-2026-02)  | the prompt           |
      | v1 (legacy-2026-03)  | the prompt           |
      | v1 (current-2026-08) | the prompt           |
      | v2                   | the prompt           |
      | v2 with Gateway      | the prompt           |

  # behaviour list: half-upgraded fleet
  @MIGRATION-5 @needs-org-writes
  Scenario Outline: Every instance of the data plane treats the same call alike
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When the scorer is run 8 times
    Then every call was treated alike

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
      | v2 with Gateway     |

  # behaviour list: half-upgraded fleet: failed with that explanation, never passed on a second try
  @MIGRATION-5 @reproduction
  Scenario Outline: A half-upgraded fleet is told from a failure, however often the call is repeated
    Given a data plane on v1 (<generation>) and v2 in turn
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run <times> times
    Then the calls were treated in turn as by v1 and by v2, which is told as a half-upgraded fleet
    And a scorer that must succeed fails with that explanation

    Examples:
      | generation     | times |
      | legacy-2026-02 | 8     |
      | legacy-2026-02 | 7     |

  # behaviour list: half-upgraded fleet: failed with that explanation, never passed on a second try
  @MIGRATION-5 @reproduction
  Scenario: One failed call is repeated, and told as a half-upgraded fleet although the repetition passes
    Given a data plane on v1 (legacy-2026-02) and v2 in turn
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer succeeds
    When an org admin sets supportsStreaming true on "acme"
    And the scorer is run
    Then a scorer that must succeed fails with that explanation
