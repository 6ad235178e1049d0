@migration @needs-journal @needs-choose-generation
Feature: What a change would do, known beforehand and then seen

  Background:
    Given a gateway that accepts only Bearer tokens

  # facts: strict-schema; guides: the first one's fix causes the second one's failure
  @MIGRATION-1 @reproduction @needs-logs @judges-plane @judges-remedies
  Scenario Outline: The bearer keys on a project secret before the upgrade cost the project its own credential
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the project's scorer is run
    Then the gateway saw the raw token of the project's "acme" as Bearer
    When an org admin sets auth_format "bearer" and auth_type "api_key" on the project's "acme"
    And the project's scorer is run
    Then the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy warned for project "alpha" about unrecognized keys <keys>
    When the organization is audited with the proxy known to be <generation>
    Then the audit finds "metadata-unreadable" on the project's "acme"

    Examples:
      | generation     | keys                          |
      | legacy-2026-02 | "auth_format" and "auth_type" |
      | legacy-2026-03 | "auth_type"                   |

  # behaviour list: the order proposed: upgrade first, or the portable form
  @MIGRATION-1 @needs-project-writes @judges-remedies
  Scenario Outline: That order is refused, and upgrading first or the portable form is proposed
    Given a data plane on v1 (<generation>)
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When an org admin applies the bearer fix to "acme", with the proxy known to be <generation>
    Then the fix is refused and says "upgrade first, or use the portable form"
    And nothing about "acme" has changed

    Examples:
      | generation     |
      | legacy-2026-02 |
      | legacy-2026-03 |

  # behaviour list: the order proposed: upgrade first
  @MIGRATION-1 @needs-project-writes @needs-upgrade @judges-plane @judges-remedies
  Scenario Outline: After the upgrade the bearer fix on a project secret works
    Given a data plane on v1 (<generation>)
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the data plane is moved to v2
    And an org admin applies the bearer fix to "acme"
    And the project's scorer is run
    Then the fix is proven
    And the project's scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | generation     |
      | legacy-2026-02 |
      | legacy-2026-03 |

  # behaviour list: the portable form
  @MIGRATION-1 @needs-project-writes @needs-upgrade @judges-plane @judges-remedies
  Scenario: The portable form mends the project secret before the upgrade and holds after it
    Given a data plane on v1 (legacy-2026-02)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When an org admin applies the portable form to the project's "acme", with the proxy known to be legacy-2026-02
    Then the fix is proven
    And only "auth_format" and "auth_type" are gone from the metadata of the project's "acme"
    When the project's scorer is run
    Then the gateway saw the raw token of the project's "acme" as Bearer
    When the data plane is moved to v2
    And the project's scorer is run
    Then the gateway saw the raw token of the project's "acme" as Bearer

  # behaviour list: known beforehand and then seen
  @MIGRATION-6 @needs-org-writes @needs-upgrade @judges-plane @judges-remedies
  Scenario Outline: What an upgrade would change is known beforehand and then seen
    Given a data plane on v1 (<generation>)
    And a gateway that asks for no credential
    And an org provider secret "changes" for model "acme-chat" with auth_format "api_key"
    And an org provider secret "stays" for model "other-chat" with supportsStreaming true
    When the organization is audited with the proxy known to be <generation>
    Then the audit finds "migration-upgrade" on <foreseen>
    When the scorer is run
    Then the gateway saw the raw token of "changes" as <before>
    When the data plane is moved to v2
    And the scorer is run
    Then the gateway saw the raw token of "changes" as Authorization: Api-Key
    When the scorer is run with model "other-chat"
    Then the gateway saw the raw token of "stays" as Bearer

    Examples:
      | generation     | before                 | foreseen  |
      | legacy-2026-02 | Bearer                 | "changes" |
      | legacy-2026-03 | Authorization: Api-Key | none      |

  # behaviour list: known beforehand and then seen: the switch of the Gateway
  @MIGRATION-6 @needs-org-writes @needs-upgrade @judges-plane @judges-remedies
  Scenario: What the Gateway switch may change is known beforehand and then seen
    Given a data plane on v2
    And a data plane that sends api_key as Authorization: Api-Key
    And a gateway that asks for no credential
    And an org provider secret "changes" for model "acme-chat" with auth_format "api_key"
    And an org provider secret "stays" for model "other-chat" with supportsStreaming true
    When the organization is audited with the proxy known to be current-2026-08
    Then the audit finds "migration-gateway" on "changes"
    When the data plane is moved to v2 with Gateway
    Given a data plane that sends api_key as x-api-key
    When the scorer is run
    Then the gateway saw the raw token of "changes" as x-api-key
    When the scorer is run with model "other-chat"
    Then the gateway saw the raw token of "stays" as Bearer

  # behaviour list: known beforehand and then seen: a step back
  @MIGRATION-6 @needs-project-writes @needs-upgrade @judges-plane @judges-remedies
  Scenario: What a step back would cost a project is known beforehand and then seen
    Given a data plane on v2
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    And a project provider secret "stays" in project "beta" for model "acme-chat"
    When the organization is audited with the proxy known to be current-2026-08
    Then the audit finds "migration-step-back" on the project's "acme"
    When the project's scorer is run
    Then the gateway saw the raw token of the project's "acme" as Bearer
    When the data plane is moved to v1 (legacy-2026-02)
    And the project's scorer is run
    Then the gateway saw the raw token of the org's "acme" as Bearer

  # behaviour list: many secrets, few affected
  @MIGRATION-7 @needs-org-writes @needs-project-writes @judges-remedies
  Scenario: Of many secrets only the affected ones are changed
    Given a data plane on v2
    And org provider secrets "affected-1" and "affected-2" with auth_format "api_key"
    And org provider secrets "u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8", "u-9" and "u-10"
    And a project provider secret "project-1" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When the organization is audited
    And an org admin applies the bearer fix to what the audit found
    Then the audit finds "auth-format-api-key" on "affected-1" and "affected-2"
    And the fix is proven
    And of all secrets only "affected-1" and "affected-2" have changed

  # behaviour list: many secrets, few affected; each can be restored
  @MIGRATION-7 @needs-org-writes @needs-project-writes @judges-remedies
  Scenario: Restoring gives all that the fix changed back
    Given a data plane on v2
    And org provider secrets "affected-1" and "affected-2" with auth_format "api_key"
    And org provider secrets "u-1" and "u-2"
    And a project provider secret "project-1" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When the organization is audited
    And an org admin applies the bearer fix to what the audit found
    And the change is restored
    Then the fix is proven
    And no secret has changed

  # facts: one-spoils-all
  @MIGRATION-1 @needs-project-writes @judges-remedies
  Scenario: A change that the org's secret of that name could hide is refused where nobody knows the proxy
    Given a data plane on v1 (legacy-2026-03)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer" and display_name "Acme"
    When an org admin applies the portable form to the project's "acme"
    Then the fix is refused and says "would answer in its place without anybody noticing"
    And nothing about the project's "acme" has changed
