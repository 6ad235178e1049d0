@override @needs-journal @needs-choose-generation @judges-plane
Feature: What the proxy's caches can hide
  An answer from a cache says nothing about the credential of now; the suite's own calls turn both caches off.

  Background:
    Given a gateway that accepts only Bearer tokens

  # facts: answer-cache
  @OVERRIDE-15 @needs-project-writes
  Scenario Outline: The answer cache hides a failure, but not from the suite's calls
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    When the scorer is run with the answer cache
    Then the answer is fresh
    Given a gateway that has revoked the token of "acme"
    When the scorer is run with the answer cache
    Then the answer comes from the answer cache
    When the scorer is run
    Then the scorer fails with an authentication error of the provider

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # facts: answer-cache; the key leaves the project out; a HIT repeats the old x-bt-used-endpoint
  @OVERRIDE-15 @needs-project-writes
  Scenario Outline: The answer cache hides a fix from another caller, but not from the suite's calls
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    When the scorer is run with the answer cache
    Then the answer is fresh
    Given a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the project's scorer is run with the answer cache
    Then the answer comes from the answer cache
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # facts: answer-cache
  @OVERRIDE-15 @needs-org-writes @judges-remedies @fails-on-legacy-2026-02
  Scenario: The answer cache keeps no failure: after the fix the same call is answered afresh
    Given a data plane on v2
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When the scorer is run with the answer cache
    Then the scorer fails with an authentication error of the provider
    When an org admin applies the bearer fix to "acme"
    And the scorer is run with the answer cache
    Then the answer is fresh

  # facts: credential-cache; x-bt-use-creds-cache: never prevents that
  @OVERRIDE-16 @needs-org-writes
  Scenario Outline: The credential cache hides a failure, but not from the suite's calls
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run with the credential cache
    Then the scorer succeeds
    When an org admin stores another token in "acme"
    And the scorer is run with the credential cache
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer
    When the scorer is run
    Then the scorer fails with an authentication error of the provider

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # facts: credential-cache; x-bt-use-creds-cache: never prevents that
  @OVERRIDE-16 @needs-org-writes
  Scenario Outline: The credential cache hides a fix, but not from the suite's calls
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When an org admin stores another token in "acme"
    And the scorer is run with the credential cache
    Then the scorer fails with an authentication error of the provider
    When an org admin stores its raw token in "acme"
    And the scorer is run with the credential cache
    Then the scorer fails with an authentication error of the provider
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
