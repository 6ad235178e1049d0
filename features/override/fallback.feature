@override @needs-journal @needs-choose-generation @judges-plane
Feature: A project's provider secret on the legacy AI proxy
  Legacy proxies with a strict metadata schema cannot read newer provider secrets; the project then runs on the
  organization's credential.

  Background:
    Given a data plane on v1 (legacy-2026-02)

  # guide: project-override-on-legacy-proxy, summary; recorded: project-both-new-keys
  @OVERRIDE-1 @reproduction @needs-logs
  Scenario: The oldest proxy drops a project secret with auth_type and auth_format
    Given an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy warned for project "alpha" about unrecognized keys "auth_type" and "auth_format"

  # recorded: project-both-new-keys
  @OVERRIDE-2 @reproduction @needs-logs
  Scenario: The later strict proxy knows auth_format and rejects only auth_type
    Given a data plane on v1 (legacy-2026-03)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy warned for project "alpha" about unrecognized keys "auth_type"

  # guide: project-override-on-legacy-proxy, summary and temporary workaround: the guide's own names
  @OVERRIDE-3 @needs-logs @needs-project-writes
  Scenario Outline: The guide's search shows the project secret that was dropped
    Given a data plane on v1 (<generation>)
    And an org provider secret "OPENAI_API_KEY"
    And a project provider secret "OPENAI_API_KEY" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    And the gateway saw the raw token of the org's "OPENAI_API_KEY" as Bearer
    And the proxy warned for project "alpha" about unrecognized keys <keys>
    When the guide's command "override-find" is run
    Then it shows the project's "OPENAI_API_KEY"

    Examples:
      | generation     | keys                          |
      | legacy-2026-02 | "auth_type" and "auth_format" |
      | legacy-2026-03 | "auth_type"                   |

  # guide: project-override-on-legacy-proxy, temporary workaround and verify the fix
  @OVERRIDE-3 @needs-logs @needs-project-writes
  Scenario Outline: The guide's PATCH gives the project its own credential back
    Given a data plane on v1 (<generation>)
    And an org provider secret "OPENAI_API_KEY"
    And a project provider secret "OPENAI_API_KEY" with auth_type "api_key" and auth_format "bearer"
    When the guide's command "override-patch" is run for the project's "OPENAI_API_KEY"
    And the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "OPENAI_API_KEY" as Bearer
    And the proxy has not warned for project "alpha"
    And the metadata of the project's "OPENAI_API_KEY" is exactly excludeDefaultModels false, supportsStreaming true and its api_base
    And the stored value of the project's "OPENAI_API_KEY" has not changed

    Examples:
      | generation     |
      | legacy-2026-02 |
      | legacy-2026-03 |

  # guide: project-override-on-legacy-proxy, verify the fix: only for that project
  @OVERRIDE-4 @reproduction @needs-logs @needs-project-writes
  Scenario: Another project that is still broken keeps warning
    Given an org provider secret "acme"
    And a project provider secret "for alpha" with auth_type "api_key" and auth_format "bearer"
    And a project provider secret "acme" in project "beta" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run with model "gpt-4o-mini"
    And the scorer of project "beta" is run with model "gpt-4o-mini"
    Then the proxy warned for project "alpha" about unrecognized keys "auth_type" and "auth_format"
    And the proxy warned for project "beta" about unrecognized keys "auth_type" and "auth_format"
    When the guide's command "override-patch" is run for "for alpha"
    And the project's scorer is run with model "gpt-4o-mini"
    And the scorer of project "beta" is run with model "gpt-4o-mini"
    Then the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy has not warned for project "alpha"
    And the proxy warned for project "beta" about unrecognized keys "auth_type" and "auth_format"

  # recorded: endpoint-name-unknown (the message); guide: project-override-on-legacy-proxy, how project-level loading fails
  @OVERRIDE-5 @reproduction @needs-logs
  Scenario: Without an org secret there is nothing to fall back on
    Given a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run
    Then the project's scorer fails with status 400 and says "No API keys found (for acme-chat)"
    And the gateway saw nothing
    And the proxy warned for project "alpha" about unrecognized keys "auth_type" and "auth_format"

  # facts: one-spoils-all
  @OVERRIDE-6 @reproduction @needs-logs
  Scenario: One unreadable secret drops the project's readable ones too
    Given an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat"
    And a project provider secret "unreadable" for model "other-chat" with auth_type "api_key"
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy warned for project "alpha" about unrecognized keys "auth_type"

  # guide: project-override-on-legacy-proxy, long-term fix
  @OVERRIDE-11 @needs-logs
  Scenario: The current proxy keeps unknown keys and uses the project's secret
    Given a data plane on v1 (current-2026-08)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer" and display_name "Acme"
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer
    And the proxy has not warned for project "alpha"
    And nothing about the project's "acme" has changed

  # guide: project-override-on-legacy-proxy, long-term fix: upgrade
  @OVERRIDE-14 @needs-logs @needs-upgrade @needs-project-writes
  Scenario Outline: After the upgrade the full metadata works again, unchanged
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer" and display_name "Acme"
    When the project's scorer is run
    Then the gateway saw the raw token of the org's "acme" as Bearer
    When the data plane is moved to <to>
    And the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer
    And nothing about the project's "acme" has changed

    Examples:
      | generation     | to                   |
      | legacy-2026-02 | v1 (current-2026-08) |
      | legacy-2026-02 | v2                   |
      | legacy-2026-03 | v2                   |
      | legacy-2026-03 | v2 with Gateway      |

  # facts: order
  @OVERRIDE-10 @needs-org-writes @needs-project-writes @needs-project-calls @judges-remedies
  Scenario: A fixed project secret that still hides behind the org's is seen
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens
    And an org provider secret "org" for model "acme-chat" with auth_format "bearer"
    And a project provider secret "own" for model "acme-chat" with auth_format "api_key"
    And the token of "own" is stored with a Bearer prefix
    When an org admin applies the bearer fix to "own", with a call for model "acme-chat"
    Then the fix is in place but failing and says "another secret"
