@override @needs-journal @needs-choose-generation @needs-logs @judges-plane @judges-remedies
Feature: What a proxy's log tells an on-call engineer
  The legacy proxy says in its log alone why a project runs on the organization's credential; the log arrives in whatever
  form it was exported in.

  Background:
    Given a data plane on v1 (legacy-2026-02)

  # guide: project-override-on-legacy-proxy, when to use this workaround
  @OVERRIDE-1 @reproduction
  Scenario Outline: The cause is found in the log of the oldest proxy, as <export>
    Given an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run
    And the proxy's log is read, as <export>
    Then the log tells of project "alpha" that keys "auth_type" and "auth_format" are unrecognized, which fits legacy-2026-02

    Examples:
      | export           |
      | lines            |
      | lines of kubectl |
      | JSON lines       |
      | a CSV export     |
      | a gzip file      |

  # recorded: project-both-new-keys
  @OVERRIDE-2 @reproduction
  Scenario: The log of the later strict proxy names auth_type alone
    Given a data plane on v1 (legacy-2026-03)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the project's scorer is run
    And the proxy's log is read, as lines
    Then the log tells of project "alpha" that keys "auth_type" are unrecognized, which fits legacy-2026-03

  # guide: project-override-on-legacy-proxy, verify the fix: only for that project
  @OVERRIDE-4 @reproduction
  Scenario: The log tells each project's cause apart
    Given an org provider secret "acme"
    And a project provider secret "acme" with auth_type "api_key"
    And a project provider secret "acme" in project "beta" with auth_format "bearer"
    When the project's scorer is run with model "gpt-4o-mini"
    And the scorer of project "beta" is run with model "gpt-4o-mini"
    And the proxy's log is read, as lines of kubectl
    Then the log tells of project "alpha" that keys "auth_type" are unrecognized, which fits legacy-2026-02
    And the log tells of project "beta" that keys "auth_format" are unrecognized, which fits legacy-2026-02

  # guide: project-override-on-legacy-proxy, when to use this workaround: unrecognized_keys
  @OVERRIDE-22 @reproduction
  Scenario: The log of a secret that is unreadable for another reason offers no workaround
    Given a data plane on v1 (legacy-2026-03)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_format "basic"
    When the project's scorer is run
    And the proxy's log is read, as JSON lines
    Then the log tells of project "alpha" another cause than unrecognized keys, and offers no workaround
