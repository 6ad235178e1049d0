@api
Feature: The control API that the fixes rest on

  Background:
    Given a data plane on v2

  # facts: preview; behaviour list: values never come back
  @API-1 @needs-org-writes @needs-project-writes @needs-logs @judges-api @judges-plane
  Scenario Outline: A stored value never comes back
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And a project provider secret "own" for model "acme-chat" with auth_type "api_key" and auth_format "bearer"
    And an environment variable "PLAIN" for model "acme-chat"
    And an org provider secret "elsewhere" with a password in its api_base
    When every listing and every object is read with every key
    And an org admin stores its raw token in "acme"
    And requests with the token of "own" in their body are refused
    And the project's scorer is run
    Then the project's scorer succeeds
    And no answer of the API, no log and no output holds a stored value

    Examples:
      | plane               |
      | v1 (legacy-2026-02) |
      | v2                  |

  # published API description: list ai_secret and env_var; facts: listings
  @API-2 @needs-org-writes @judges-api
  Scenario Outline: Listing org provider secrets
    Given org provider secrets "one", "two", "three", "four"
    When an org admin lists ai_secret with "<query>"
    Then the listing is <names>

    Examples:
      | query                               | names                        |
      |                                     | "four", "three", "two", "one" |
      | limit=2                             | "four", "three"              |
      | limit=2&starting_after={three}      | "two", "one"                 |
      | limit=2&ending_before={two}         | "four", "three"              |
      | limit=1&ending_before={two}         | "three"                      |
      | ids={one}&ids={three}               | "three", "one"               |
      | ai_secret_name=two                  | "two"                        |
      | ai_secret_type=openai               | "four", "three", "two", "one" |
      | ai_secret_type=anthropic            | none                         |
      | no_such_parameter=1                 | "four", "three", "two", "one" |

  # published API description: env_var has limit and no cursors; the guides' secret_category is not documented
  @API-2 @needs-project-writes @judges-api
  Scenario Outline: Listing project provider secrets
    Given a project provider secret "first"
    And a project provider secret "second"
    And a project provider secret "elsewhere" in project "beta"
    And an environment variable "PLAIN" for model "acme-chat"
    When an org admin lists env_var with "<query>"
    Then the listing is <names>

    Examples:
      | query                                                              | names                                   |
      | object_type=project&object_id={alpha}&secret_category=ai_provider  | "second", "first"                       |
      | object_type=project&object_id={alpha}                              | "PLAIN", "second", "first"              |
      | object_type=project&object_id={beta}                               | "elsewhere"                             |
      | object_type=project&object_id={alpha}&limit=1                      | "PLAIN"                                 |
      | env_var_name=first                                                 | "first"                                 |
      | ids={elsewhere}                                                    | "elsewhere"                             |
      | object_type=organization                                           | none                                    |

  # published API description: cursors and the name filter of project
  @API-2 @needs-project-writes @judges-api
  Scenario Outline: Listing projects
    Given projects "alpha", "beta", "gamma"
    When an org admin lists project with "<query>"
    Then the listing is <names>

    Examples:
      | query                           | names                    |
      |                                 | "gamma", "beta", "alpha" |
      | limit=1                         | "gamma"                  |
      | limit=1&starting_after={gamma}  | "beta"                   |
      | project_name=beta               | "beta"                   |

  # behaviour list: a clear 4xx and nothing changed
  @API-3 @needs-org-writes @judges-api
  Scenario Outline: A request that cannot be served is refused and changes nothing
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key"
    And a project provider secret "own" for model "acme-chat"
    When an org admin sends <method> "<path>" with <body>
    Then the API refuses with status <status> and says "<words>"
    And nothing at all has changed

    Examples:
      | method | path                          | body                     | status | words         |
      | GET    | /v1/ai_secret/{unknown}       | no body                  | 404    | no such       |
      | PATCH  | /v1/ai_secret/{unknown}       | body {"name":"x"}        | 404    | no such       |
      | DELETE | /v1/env_var/{unknown}         | no body                  | 404    | no such       |
      | GET    | /v1/ai_secret/not-an-id       | no body                  | 400    | uuid          |
      | PATCH  | /v1/env_var/not-an-id         | body {"name":"x"}        | 400    | uuid          |
      | PATCH  | /v1/ai_secret/{acme}          | body {"metadata":        | 400    | JSON          |
      | PATCH  | /v1/ai_secret/{acme}          | body {"metadata":7}      | 400    | metadata      |
      | PATCH  | /v1/env_var/{own}             | body {"name":7}          | 400    | name          |
      | POST   | /v1/ai_secret                 | body {"type":"openai"}   | 400    | name          |
      | PUT    | /v1/ai_secret/{acme}          | body {"name":"acme"}     | 405    | method        |
      | POST   | /v1/env_var/{own}             | body {"name":"own"}      | 405    | method        |
      | PATCH  | /v1/ai_secret/{acme}          | a body of 10 MiB         | 413    | over          |
      | GET    | /v1/no_such_thing             | no body                  | 404    | no such       |

  # behaviour list: concurrent PATCHes
  @API-4 @needs-org-writes @judges-api
  Scenario: Concurrent changes of different fields lose neither
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When the type and the metadata of "acme" are sent at the same time, 8 times
    Then every change of "acme" is there

  # behaviour list: concurrent PATCHes
  @API-4 @needs-project-writes @judges-api
  Scenario: Of two concurrent changes of metadata one is there, whole
    Given a project provider secret "own" for model "acme-chat" with auth_format "api_key"
    When two metadata of "own" are sent at the same time, 8 times
    Then the metadata of "own" was one of the two each time
