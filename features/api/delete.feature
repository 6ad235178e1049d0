@api
Feature: A provider that is not there any more

  # behaviour list: the failure names the model
  @API-5 @needs-org-writes @judges-plane
  Scenario Outline: Deleting a provider that a scorer uses is told by the model that is missing
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And an org provider secret "other" for model "other-chat" with auth_format "bearer"
    When the scorer is run
    Then the scorer succeeds
    When an org admin deletes "acme"
    And the scorer is run
    Then the scorer fails with status 400 and says "No API keys found (for acme-chat)"

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
      | v2 with Gateway     |

  # behaviour list: audit names what is missing
  @API-5 @needs-org-writes @judges-remedies
  Scenario Outline: The audit names the model whose provider was deleted
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And an org provider secret "other" for model "other-chat" with auth_format "bearer"
    When an org admin deletes "acme"
    And the organization is audited for model "acme-chat"
    Then the audit says that no secret serves "acme-chat"

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
      | v2 with Gateway     |
