@override @needs-journal @needs-choose-generation @needs-project-writes
Feature: The workaround, and where it is none
  The second guide's PATCH is a temporary workaround for one failure of one kind of proxy.

  Background:
    Given a data plane on v1 (legacy-2026-02)

  # guide: project-override-on-legacy-proxy, when to use this workaround: not for current versions or Gateway deployments
  @OVERRIDE-12 @judges-remedies
  Scenario Outline: On v2 and with the Gateway the workaround is refused as not applicable
    Given a data plane on <plane>
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When an org admin applies the workaround to "acme"
    Then the fix is refused and says "not applicable on v2 and on the Gateway"
    And nothing about "acme" has changed

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # guide: project-override-on-legacy-proxy, when to use this workaround: do not use it for Gateway deployments
  @OVERRIDE-12 @reproduction @judges-plane
  Scenario: Stripping auth_format on v2 breaks a provider that needs api_key
    Given a data plane on v2 with Gateway
    And a gateway that accepts only Authorization: Api-Key tokens
    And a project provider secret "acme" with auth_type "api_key" and auth_format "api_key"
    When the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    When the guide's command "override-patch" is run for "acme"
    And the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Bearer

  # behaviour list: the Gateway has no schema; facts: strict-schema
  @OVERRIDE-12 @reproduction @needs-upgrade @judges-plane
  Scenario: With the Gateway on there is no schema to fail
    Given a data plane on v2
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_format "basic"
    When the data plane is moved to v2 with Gateway
    And the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer

  # behaviour list: the Gateway has no schema; facts: strict-schema
  @OVERRIDE-12 @reproduction @needs-upgrade @judges-plane
  Scenario Outline: With the Gateway off there is a schema to fail
    Given a data plane on <from>
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_format "basic"
    When the data plane is moved to v2
    And the project's scorer is run
    Then the gateway saw the raw token of the org's "acme" as Bearer

    Examples:
      | from            |
      | v2              |
      | v2 with Gateway |

  # guide: project-override-on-legacy-proxy, when to use this workaround: all of three conditions
  @OVERRIDE-13 @judges-plane @judges-remedies
  Scenario: The workaround is offered when all three conditions of the guide hold
    Given an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer" and display_name "Acme"
    When an org admin applies the workaround to the project's "acme", with the proxy known to be legacy-2026-02
    And the project's scorer is run
    Then the fix is proven
    And only "auth_type", "auth_format" and "display_name" are gone from the metadata of the project's "acme"
    And the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer
    And the proxy has not warned for project "alpha"

  # guide: project-override-on-legacy-proxy, when to use this workaround: each missing condition is named
  @OVERRIDE-13 @judges-remedies
  Scenario Outline: Without one of the three conditions the workaround is refused, and the missing one is named
    Given a data plane on v1 (<generation>)
    And <level> provider secret "acme" for model "acme-chat" with <metadata>
    When an org admin applies the workaround to "acme", with the proxy known to be <generation>
    Then the fix is refused and says "<missing>"
    And nothing about "acme" has changed

    Examples:
      | generation      | level     | metadata                                     | missing                                         |
      | current-2026-08 | a project | auth_type "api_key" and auth_format "bearer" | the legacy AI proxy on an older data plane      |
      | legacy-2026-02  | an org    | auth_type "api_key" and auth_format "bearer" | project-level credentials are not used          |
      | legacy-2026-02  | a project | supportsStreaming true                       | project-level credentials are not used          |
      | legacy-2026-03  | a project | auth_format "bearer"                         | unrecognized_keys in the proxy's log            |

  # facts: patch-semantics
  @OVERRIDE-18 @judges-plane @judges-remedies
  Scenario: On an API that merges, the workaround leaves the keys in place, which is reported as not applied
    Given a data plane that merges metadata in PATCH
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When an org admin applies the workaround to the project's "acme", with the proxy known to be legacy-2026-02
    And the project's scorer is run
    Then the fix is not applied and says "auth_type"
    And nothing else about the project's "acme" has changed
    And the gateway saw the raw token of the org's "acme" as Bearer

  # facts: patch-name; the guide's command does not send it
  @OVERRIDE-19 @judges-api
  Scenario: An API that wants a name in PATCH refuses the guide's command
    Given a data plane that wants a name in PATCH
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When an org admin sends PATCH "/v1/env_var/{acme}" with body {"metadata":{}}
    Then the API refuses with status 400 and says "name"

  # facts: patch-name
  @OVERRIDE-19 @judges-plane @judges-remedies
  Scenario: An API that wants a name in PATCH gets it, and the fix goes through
    Given a data plane that wants a name in PATCH
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When an org admin applies the workaround to "acme", with the proxy known to be legacy-2026-02
    And the project's scorer is run
    Then the fix is proven
    And only "auth_type" and "auth_format" are gone from the metadata of "acme"
    And the gateway saw the raw token of "acme" as Bearer

  # guide: project-override-on-legacy-proxy, what each metadata field does; behaviour list: the literal PATCH drops the rest
  @OVERRIDE-21 @reproduction @judges-plane
  Scenario: The guide's literal PATCH makes a custom model stop routing to the project
    Given an org provider secret "org" for model "acme-chat"
    And a project provider secret "own" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When the guide's command "override-patch" is run for "own"
    And the project's scorer is run 8 times
    Then the project's scorer succeeds
    And the gateway saw the raw token of "org" as Bearer every time

  # behaviour list: ours removes only what the generation rejects; the literal form is shown with what it would cost
  @OVERRIDE-21 @judges-plane @judges-remedies
  Scenario: The remedy of ours keeps the custom model, and shows what the literal form would cost
    Given an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    When an org admin applies the workaround to the project's "acme", with the proxy known to be legacy-2026-02
    And the project's scorer is run
    Then the fix is proven
    And only "auth_type" and "auth_format" are gone from the metadata of the project's "acme"
    And the plan says that "customModels" and "additionalHeaders" would be lost
    And the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer

  # recorded: secret-schema: bad enum values, bad URLs and unknown types are unreadable too
  @OVERRIDE-22 @reproduction @needs-logs @judges-plane
  Scenario Outline: A secret that is unreadable for another reason falls back too
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" of type "<type>" for model "acme-chat" with <metadata>
    When the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer
    And the proxy warned for project "alpha" about something else than unrecognized keys

    Examples:
      | generation      | type   | metadata                   |
      | legacy-2026-02  | openai | excludeDefaultModels 0     |
      | legacy-2026-02  | openai | organization_id 3          |
      | legacy-2026-03  | openai | auth_format "basic"        |
      | current-2026-08 | openai | auth_format "basic"        |
      | legacy-2026-02  | nope   | supportsStreaming true     |

  # guide: project-override-on-legacy-proxy, when to use this workaround: unrecognized_keys
  @OVERRIDE-22 @judges-remedies
  Scenario Outline: To a secret that is unreadable for another reason the workaround does not apply
    Given a data plane on v1 (<generation>)
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" of type "<type>" for model "acme-chat" with <metadata>
    When an org admin applies the workaround to the project's "acme", with the proxy known to be <generation>
    Then the fix is refused and says "<cause>"
    And nothing about the project's "acme" has changed

    Examples:
      | generation      | type   | metadata                   | cause                         |
      | legacy-2026-02  | openai | excludeDefaultModels 0     | unreadable for another reason |
      | legacy-2026-02  | openai | organization_id 3          | unreadable for another reason |
      | legacy-2026-03  | openai | auth_format "basic"        | unreadable for another reason |
      | current-2026-08 | openai | auth_format "basic"        | not applicable                |
      | legacy-2026-02  | nope   | supportsStreaming true     | unreadable for another reason |
