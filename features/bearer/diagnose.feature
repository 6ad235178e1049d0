@bearer @needs-journal
Feature: Telling one authentication failure from another
  The Braintrust key may be valid and the failure come from the provider secret, or the other way round.

  Background:
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens

  # guide: bearer-after-v2-migration, step 3; facts: models-paths, api-key-products
  @BEARER-11 @needs-org-writes @judges-plane
  Scenario: The right scheme with a wrong token is told apart from the wrong scheme
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    And a gateway that has revoked the token of "acme"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Bearer
    And the gateway refused it for a wrong token, not for a wrong scheme

  # guide: bearer-after-v2-migration, summary: the other failure
  @BEARER-11 @reproduction @needs-choose-generation @judges-plane @fails-on-legacy-2026-02
  Scenario: The wrong scheme is refused for the scheme
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway refused it for a wrong scheme, not for a wrong token

  # guide: bearer-after-v2-migration, summary: the Braintrust API key in the scorer may still be valid
  @BEARER-12 @needs-org-writes @judges-plane
  Scenario Outline: A wrong Braintrust key is refused by the data plane before any provider is asked
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    When the scorer is run with a wrong Braintrust key
    Then the scorer is refused by the data plane for its Braintrust key
    And the gateway saw nothing

    Examples:
      | plane                |
      | v1 (legacy-2026-02)  |
      | v1 (legacy-2026-03)  |
      | v2                   |
      | v2 with Gateway      |

  # guide: bearer-after-v2-migration, notes: the Test key button may still show an error
  @BEARER-15 @needs-test-key @needs-org-writes @judges-plane
  Scenario: Test key shows an error while the scorer works
    Given a data plane that has a console that cannot reach the gateway
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer" and auth_type "api_key"
    When Test key is pressed for "acme"
    And the scorer is run
    Then Test key shows an error
    And the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # facts: test-key
  @BEARER-15 @reproduction @needs-test-key @needs-choose-generation @judges-plane @fails-on-legacy-2026-02
  Scenario: Test key shows success while the scorer fails
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When Test key is pressed for "acme"
    And the scorer is run
    Then Test key shows success
    And the scorer fails with an authentication error of the provider

  # facts: auth-format; auth_type changes nothing for openai; recorded: org-auth_format=…
  @BEARER-20 @needs-org-writes @judges-plane
  Scenario Outline: With one key only, or another auth_type, auth_format alone decides what is seen
    Given a data plane on <plane>
    And a gateway that accepts only <shape> tokens
    And an org provider secret "acme" for model "acme-chat" with <metadata>
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as <shape>

    Examples:
      | plane           | metadata                                           | shape                  |
      | v2              | auth_format "bearer"                               | Bearer                 |
      | v2              | auth_type "api_key"                                | Bearer                 |
      | v2              | auth_format "bearer" and auth_type "oauth_bearer"  | Bearer                 |
      | v2 with Gateway | auth_format "bearer"                               | Bearer                 |
      | v2 with Gateway | auth_format "api_key"                              | Authorization: Api-Key |

    # facts: auth-format
    @fails-on-legacy-2026-02
    Examples:
      | plane           | metadata                                           | shape                  |
      | v2              | auth_format "api_key"                              | Authorization: Api-Key |
      | v2              | auth_format "api_key" and auth_type "oauth_bearer" | Authorization: Api-Key |

  # facts: stored-token; a trailing newline is trimmed by the HTTP client; an empty token sends Bearer alone
  @BEARER-10 @needs-org-writes @judges-plane
  Scenario Outline: What becomes of a stored value that is no raw token is seen
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And the token of "acme" is stored <how>
    When the scorer is run
    Then the gateway saw <seen>

    Examples:
      | plane               | how                     | seen                                           |
      | v2                  | with a blank before it  | the raw token of "acme" as Bearer and a blank  |
      | v2                  | with a newline after it | the raw token of "acme" as Bearer              |
      | v2                  | as an empty value       | Bearer and nothing after it                    |
      | v1 (legacy-2026-02) | as an empty value       | Bearer and nothing after it                    |
      | v1 (legacy-2026-02) | with a newline after it | the raw token of "acme" as Bearer              |

    # facts: null-value
    @fails-on-legacy-2026-02 @fails-on-legacy-2026-03
    Examples:
      | plane               | how                     | seen                                           |
      | v2                  | as null                 | no credential                                  |

  # facts: stored-token, null-value
  @BEARER-10 @needs-org-writes @judges-remedies
  Scenario Outline: A stored value that is no raw token is named
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And the token of "acme" is stored <how>
    When the organization is audited
    Then the audit finds "<rule>" on "acme"

    Examples:
      | plane               | how                     | rule              |
      | v2                  | with a blank before it  | value-white-space |
      | v2                  | with a newline after it | value-white-space |
      | v2                  | as an empty value       | value-missing     |
      | v2                  | as null                 | value-missing     |
      | v1 (legacy-2026-02) | as an empty value       | value-missing     |
      | v1 (legacy-2026-02) | with a newline after it | value-white-space |

  # guide: bearer-after-v2-migration, step 2: raw token only; the preview shows the prefix
  @BEARER-9 @needs-org-writes @judges-remedies
  Scenario: A stored Bearer prefix is named before anybody looks at a gateway
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And the token of "acme" is stored with a Bearer prefix
    When the organization is audited
    Then the audit finds "value-scheme-prefix" on "acme"

  # facts: api-key-products
  @BEARER-13 @needs-org-writes @judges-plane @fails-on-legacy-2026-02
  Scenario Outline: Where the gateway requires Api-Key, auth_format api_key is right and works
    Given a data plane on <plane>
    And a gateway that accepts only Authorization: Api-Key tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Authorization: Api-Key

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # facts: api-key-products
  @BEARER-13 @needs-org-writes @judges-remedies
  Scenario Outline: Where the gateway requires Api-Key, auth_format api_key is not called wrong
    Given a data plane on <plane>
    And a gateway that accepts only Authorization: Api-Key tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the organization is audited
    Then the audit cannot decide "auth-format-api-key" on "acme", and says what it would need

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # facts: api-key-products
  @BEARER-13 @needs-org-writes @judges-plane @judges-remedies @fails-on-legacy-2026-02
  Scenario Outline: Where the gateway requires Api-Key, the bearer fix is taken back and the scorer still works
    Given a data plane on <plane>
    And a gateway that accepts only Authorization: Api-Key tokens
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to "acme", with a call for model "acme-chat"
    And the scorer is run
    Then the fix is not applied and says "401"
    And nothing else about "acme" has changed
    And the scorer succeeds

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # facts: auth-format; auth_type changes nothing for openai
  @BEARER-20 @needs-org-writes @judges-remedies
  Scenario Outline: What is proposed where only one of the keys is set, or auth_type is another
    Given an org provider secret "acme" for model "acme-chat" with <metadata>
    When the organization is audited
    Then the audit finds "<rule>" on "acme"
    And for "<rule>" the audit proposes the <remedy> on "acme"

    Examples:
      | metadata                                           | rule                  | remedy        |
      | auth_format "bearer"                               | auth-keys-half-set    | portable form |
      | auth_type "api_key"                                | auth-keys-half-set    | portable form |
      | auth_format "api_key"                              | auth-format-api-key   | bearer fix    |
      | auth_format "bearer" and auth_type "oauth_bearer"  | auth-type-not-api-key | bearer fix    |

  # guide: bearer-after-v2-migration, summary; facts: wrapped-errors
  @BEARER-1 @reproduction @needs-choose-generation @judges-plane @judges-remedies @fails-on-legacy-2026-02
  Scenario: The first guide's failure is found in what the scorer was told
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the scorer is run
    And what the scorer was told is read, as lines
    Then the log tells that a provider refused a credential, and to check auth_format and the token
