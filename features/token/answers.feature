@token @needs-journal @judges-verification
Feature: What a gateway's answer says about a token
  A 200 proves a token only if it is a model list and a wrong token is refused there; an answer that says nothing of the token is
  no refusal.

  Background:
    Given a gateway that accepts only Bearer tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"

  # facts: login-pages
  @TOKEN-6
  Scenario: A login page is no proof
    Given a gateway that answers every request with a login page
    When the token of "acme" is verified
    Then the verdict is "not a model list"
    And the verdict on "/models" is "not a model list"
    And the verdict on "/v1/models" is "not a model list"

  # facts: login-pages
  @TOKEN-6
  Scenario: A redirect to a login page is not followed, and the other host never sees the token
    Given a gateway that answers every request with a redirect to another host
    When the token of "acme" is verified
    Then the verdict is "not a model list"
    And the other host saw nothing

  # behaviour list: TLS by an unknown authority
  @TOKEN-7
  Scenario: A certificate of an unknown authority is named
    Given a gateway that is behind TLS of a private authority
    When the token of "acme" is verified over TLS
    Then the verdict is "unreachable"
    And the detail on "/models" names "authority"
    And the advice names "--ca-file"

  # behaviour list: TLS by an unknown authority
  @TOKEN-7
  Scenario: With the authority given, the token is verified over TLS
    Given a gateway that is behind TLS of a private authority
    When the token of "acme" is verified over TLS with the authority given
    Then the verdict is "verified"

  # behaviour list: 404 on both
  @TOKEN-8
  Scenario: A base where neither path is served is none of an OpenAI-compatible gateway
    Given a gateway that serves only "/elsewhere/models" and answers 404 elsewhere
    When the token of "acme" is verified
    Then the verdict is "not an OpenAI-compatible base URL"
    And the verdict on "/models" is "not served"
    And the verdict on "/v1/models" is "not served"

  # behaviour list: strip slashes and one final /v1, then try both paths
  @TOKEN-9
  Scenario Outline: A base is taken with /v1 and slashes as it is written
    When the token of "acme" is verified at the base with "<suffix>" added
    Then the verdict is "verified"
    And the gateway saw the raw token of "acme" as Bearer on "/models" and "/v1/models"

    Examples:
      | suffix |
      | /      |
      | //     |
      | /v1    |
      | /v1/   |
      | /v1//  |

  # behaviour list: the base taken from the secret's own api_base
  @TOKEN-9
  Scenario: The base is taken from the secret's own api_base
    When the token of "acme" is verified at its own api_base
    Then the verdict is "verified"
    And the gateway saw the raw token of "acme" as Bearer on "/models" and "/v1/models"

  # behaviour list: inconclusive after retries that respect Retry-After
  @TOKEN-10
  Scenario Outline: A gateway that is busy says nothing about the token
    Given a gateway that answers every request with <status> and Retry-After <seconds>
    When the token of "acme" is verified with 2 retries
    Then the verdict is "inconclusive"
    And the gateway was asked <times> times on "/models"

    Examples:
      | status | seconds | times |
      | 429    | 0       | 3     |
      | 503    | 0       | 3     |
      | 429    | 3600    | 1     |

  # behaviour list: inconclusive after retries; a gateway that is busy once is not busy
  @TOKEN-10
  Scenario: A gateway that was busy once is asked again
    Given a gateway that answers the next request with 429 and Retry-After 0
    When the token of "acme" is verified with 2 retries
    Then the verdict is "verified"
    And the verdict on "/models" is "verified"

  # behaviour list: token good but 403
  @TOKEN-11
  Scenario: A token that is known but may do nothing is authenticated, not authorized
    Given a gateway that forbids everything to the token of "acme"
    When the token of "acme" is verified
    Then the verdict is "not authorized"
    And the verdict on "/models" is "not authorized"

  # facts: models-paths
  @TOKEN-12
  Scenario: A model list that is open to anyone proves nothing
    Given a gateway that lists its models to anyone
    When the token of "acme" is verified
    Then the verdict is "open endpoint"
    And the wrong token was announced and sent once on "/models" and once on "/v1/models"

  # behaviour list: the deliberately wrong token can be turned off
  @TOKEN-12
  Scenario: Without the deliberately wrong token a 200 is taken at its word, and it is said so
    Given a gateway that lists its models to anyone
    When the token of "acme" is verified without a wrong token
    Then the verdict is "verified"
    And it is said that no wrong token was sent

  # behaviour list: 200 with JSON that is not a model list
  @TOKEN-13
  Scenario Outline: JSON that is no model list is no proof
    Given a gateway that answers every request with the JSON <json>
    When the token of "acme" is verified
    Then the verdict is "not a model list"

    Examples:
      | json                      |
      | {"status":"ok"}           |
      | []                        |
      | {"data":"acme-chat"}      |
      | "ok"                      |
