@token @needs-journal @judges-verification
Feature: Verifying the token outside Braintrust
  Before the scorer is run again the token is tried against the gateway itself, at /models and at /v1/models.

  Background:
    Given a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"

  # guide: bearer-after-v2-migration, step 3
  @TOKEN-1
  Scenario: A good token gets a model list on both paths
    When the token of "acme" is verified
    Then the verdict is "verified"
    And the verdict on "/models" is "verified"
    And the verdict on "/v1/models" is "verified"
    And the gateway saw the raw token of "acme" as Bearer on "/models" and "/v1/models"

  # guide: bearer-after-v2-migration, step 3: the commands as printed
  @TOKEN-1
  Scenario Outline: The guide's command gets a model list
    When the guide's command "<command>" is run with the token of "acme"
    Then it answers 200 with a model list that has "acme-chat"

    Examples:
      | command                 |
      | bearer-step-3-models    |
      | bearer-step-3-v1-models |

  # facts: vllm, models-paths; some answer 401 on a path they do not serve
  @TOKEN-2
  Scenario Outline: One path is enough, and the verdict says which
    Given a gateway that serves only "<served>" and answers <status> elsewhere
    When the token of "acme" is verified
    Then the verdict is "verified"
    And the verdict on "<served>" is "verified"
    And the verdict on "<other>" is "<verdict>"
    And of the paths the advice names "<served>" alone

    Examples:
      | served     | other      | status | verdict    |
      | /models    | /v1/models | 404    | not served |
      | /models    | /v1/models | 401    | refused    |
      | /v1/models | /models    | 404    | not served |
      | /v1/models | /models    | 401    | refused    |

  # guide: bearer-after-v2-migration, step 3
  @TOKEN-3
  Scenario: A wrong token is refused on both paths
    Given a gateway that has revoked the token of "acme"
    When the token of "acme" is verified
    Then the verdict is "refused"
    And the verdict on "/models" is "refused"
    And the verdict on "/v1/models" is "refused"

  # guide: bearer-after-v2-migration, step 2: raw token only
  @TOKEN-4
  Scenario: A Bearer prefix inside the token is named before anything is sent
    When the token of "acme" is verified with a Bearer prefix
    Then the verdict is "not a raw token"
    And the problem of the token names "the word Bearer"
    And the advice names "raw token"
    And the gateway saw nothing

  # facts: stored-token
  @TOKEN-4
  Scenario: A Bearer prefix that is sent all the same is refused by the gateway for being doubled
    When the token of "acme" is verified with a Bearer prefix all the same
    Then the verdict is "refused"
    And the gateway saw the raw token of "acme" as Bearer Bearer on "/models" and "/v1/models"

  # behaviour list: a token that could not be tried has not been refused
  @TOKEN-5
  Scenario Outline: A gateway that cannot be reached is unreachable, never refused
    When the token of "acme" is verified at <place>
    Then the verdict is "unreachable"
    And the verdict on "/models" is "unreachable"
    And the verdict on "/v1/models" is "unreachable"

    Examples:
      | place                           |
      | an address where nothing listens |
      | a name that does not resolve     |
      | a gateway that gives no answer   |
