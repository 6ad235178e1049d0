@override @needs-journal @judges-plane
Feature: Which provider secret is used
  Project context loads the project's provider secrets, filters them by model and merges them by name with the org's.

  # guide: project-override-on-legacy-proxy, how project-level provider loading fails: eligibility; recorded: project-exclude-default
  @OVERRIDE-7 @needs-project-writes
  Scenario Outline: A project secret that is not eligible for the model leaves it to the org's
    Given a data plane on <plane>
    And an org provider secret "acme-org"
    And a project provider secret "acme-project" <secret>
    When the project's scorer is run with model "gpt-4o-mini" 8 times
    Then the project's scorer succeeds
    And the gateway saw the raw token of "acme-org" as Bearer every time

    Examples:
      | plane                | secret                                          |
      | v1 (legacy-2026-02)  | with excludeDefaultModels true                  |
      | v1 (legacy-2026-02)  | of type "mistral" with supportsStreaming true   |
      | v1 (legacy-2026-02)  | with models ["gpt-4o"]                          |
      | v1 (current-2026-08) | with excludeDefaultModels true                  |
      | v2                   | with excludeDefaultModels true                  |
      | v2                   | of type "anthropic" with supportsStreaming true |
      | v2                   | with models ["gpt-4o"]                          |
      | v2 with Gateway      | with excludeDefaultModels true                  |

  # guide: project-override-on-legacy-proxy, how project-level provider loading fails: eligibility
  @OVERRIDE-7 @needs-project-writes
  Scenario Outline: A project secret that is eligible for the model is used
    Given a data plane on <plane>
    And an org provider secret "acme"
    And a project provider secret "acme" <secret>
    When the project's scorer is run with model "gpt-4o-mini"
    Then the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer

    Examples:
      | plane                | secret                          |
      | v1 (legacy-2026-02)  | with excludeDefaultModels false |
      | v1 (legacy-2026-02)  | with models ["gpt-4o-mini"]     |
      | v1 (legacy-2026-03)  | with excludeDefaultModels null  |
      | v1 (current-2026-08) | with excludeDefaultModels false |
      | v2                   | with excludeDefaultModels null  |
      | v2 with Gateway      | with models ["gpt-4o-mini"]     |

  # guide: project-override-on-legacy-proxy, long-term fix: override is name-based
  @OVERRIDE-8 @needs-project-writes
  Scenario Outline: With one name the project's secret takes precedence
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the project's scorer is run 4 times
    Then the gateway saw the raw token of the project's "acme" as Bearer every time

    Examples:
      | plane                |
      | v1 (legacy-2026-02)  |
      | v1 (legacy-2026-03)  |
      | v1 (current-2026-08) |
      | v2                   |
      | v2 with Gateway      |

  # guide: project-override-on-legacy-proxy, long-term fix: different names remain candidates; facts: order
  @OVERRIDE-8 @needs-project-writes
  Scenario Outline: With different names both secrets are candidates
    Given a data plane on <plane>
    And an org provider secret "for the org" for model "acme-chat"
    And a project provider secret "for alpha" for model "acme-chat"
    When the project's scorer is run until the gateway saw "for the org" and "for alpha", at most 64 times
    Then the gateway saw "for the org" and "for alpha" and no other credential

    Examples:
      | plane                |
      | v1 (legacy-2026-02)  |
      | v2                   |

  # facts: project-context; without it only org secrets are used
  @OVERRIDE-17 @needs-project-writes
  Scenario Outline: Without project context the org's credential is used
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
      | v2 with Gateway     |

  # behaviour list: an unknown project id is a setting; refused, no credential is seen
  @OVERRIDE-17 @needs-project-writes
  Scenario Outline: An unknown project is refused before any credential is sent
    Given a data plane on <plane>
    And a data plane that refuses an unknown project
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the scorer of an unknown project is run
    Then the scorer of an unknown project is refused by the data plane for its project
    And the gateway saw nothing

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # behaviour list: an unknown project id is a setting; answered, no other project's credential is seen
  @OVERRIDE-17 @needs-project-writes
  Scenario Outline: An unknown project never gets another project's credential
    Given a data plane on <plane>
    And a data plane that answers an unknown project with the org's credential
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When the scorer of an unknown project is run
    Then the scorer of an unknown project succeeds
    And the gateway saw the raw token of the org's "acme" as Bearer

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # facts: caller-auth
  @OVERRIDE-17 @reproduction @needs-choose-generation
  Scenario: A Braintrust key sent as x-api-key reaches the upstream
    Given a data plane on v1 (legacy-2026-02)
    And an org provider secret "acme" for model "acme-chat"
    When the scorer is run with its Braintrust key as x-api-key
    Then the gateway saw the Braintrust key of the scorer as x-api-key

  # facts: used-endpoint
  @OVERRIDE-9 @needs-project-writes
  Scenario Outline: The used endpoint names the secret
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    And a project provider secret "own" for model "own-chat"
    When the project's scorer is run with model "own-chat"
    Then the used endpoint is "own"

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |
      | v2 with Gateway     |

  # facts: used-endpoint
  @OVERRIDE-9 @needs-project-writes
  Scenario Outline: With equal names only the credential tells the used secrets apart
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat"
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming true
    When <caller> is run
    Then the used endpoint is "acme"
    And the gateway saw the raw token of <used> "acme" as Bearer

    Examples:
      | plane               | caller               | used          |
      | v1 (legacy-2026-02) | the scorer           | the org's     |
      | v1 (legacy-2026-02) | the project's scorer | the project's |
      | v2                  | the scorer           | the org's     |
      | v2                  | the project's scorer | the project's |
      | v2 with Gateway     | the scorer           | the org's     |
      | v2 with Gateway     | the project's scorer | the project's |

  # facts: order; recorded: project-401-masked-by-org
  @OVERRIDE-10 @reproduction @needs-choose-generation
  Scenario Outline: A project secret that the gateway refuses hides behind the org's
    Given a data plane on <plane>
    And an org provider secret "for the org" for model "acme-chat"
    And a project provider secret "for alpha" for model "acme-chat"
    And a gateway that has revoked the token of "for alpha"
    When the project's scorer is run until the gateway saw "for alpha", at most 64 times
    Then the project's scorer succeeds
    And the used endpoint is "for the org"
    And "for alpha" does not work end to end: the gateway refused it and answered to "for the org"

    Examples:
      | plane                |
      | v1 (legacy-2026-02)  |
      | v1 (current-2026-08) |
      | v2                   |

  # facts: fake-stream; recorded: stream-unsupported-fakes
  @OVERRIDE-20 @needs-project-writes
  Scenario Outline: supportsStreaming decides whether the gateway is asked for a stream
    Given a data plane on <plane>
    And a project provider secret "acme" for model "acme-chat" with supportsStreaming <supported>
    When the prompt is run
    Then the prompt succeeds
    And the gateway was asked <asked>
    And the gateway saw the raw token of "acme" as Bearer

    Examples:
      | plane                | supported | asked            |
      | v1 (legacy-2026-02)  | true      | for a stream     |
      | v1 (current-2026-08) | false     | without a stream |
      | v2                   | true      | for a stream     |
      | v2                   | false     | without a stream |
