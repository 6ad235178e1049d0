@bearer @needs-journal
Feature: Repairing the provider secret
  The correct combination for an OpenAI-compatible provider is auth_type "api_key" with auth_format "bearer".

  Background:
    Given a data plane on v2
    And a gateway that accepts only Bearer tokens

  # guide: bearer-after-v2-migration, step 2
  @BEARER-6 @needs-org-writes @judges-plane @judges-remedies
  Scenario Outline: Bearer format repairs an org provider secret and changes nothing else
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and organization_id "org-9"
    When an org admin applies the bearer fix to "acme"
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer
    And nothing else about "acme" has changed

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # guide: bearer-after-v2-migration, step 2, through env_var
  @BEARER-7 @needs-project-writes @judges-plane @judges-remedies
  Scenario Outline: Bearer format repairs a project provider secret and changes nothing else
    Given a data plane on <plane>
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and organization_id "org-9"
    When an org admin applies the bearer fix to "acme"
    And the project's scorer is run
    Then the project's scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer
    And nothing else about "acme" has changed

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # guide: bearer-after-v2-migration, step 2: requires org admin
  @BEARER-8 @needs-org-writes @judges-api @judges-remedies
  Scenario: A member who is not org admin is refused and nothing changes
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When a member applies the bearer fix to "acme"
    Then the fix is refused by the API and says "org admin"
    And nothing about "acme" has changed

  # guide: bearer-after-v2-migration, step 2: the stored value must be the raw token
  @BEARER-9 @needs-org-writes @judges-plane @judges-remedies
  Scenario: A stored Bearer prefix survives the fix
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And the token of "acme" is stored with a Bearer prefix
    When an org admin applies the bearer fix to "acme"
    And the scorer is run
    Then the scorer fails with an authentication error of the provider
    And the gateway saw the raw token of "acme" as Bearer Bearer

  # guide: bearer-after-v2-migration, step 2: the stored value must be the raw token
  @BEARER-9 @needs-org-writes @judges-plane @judges-remedies
  Scenario: Storing the raw token mends a stored Bearer prefix
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And the token of "acme" is stored with a Bearer prefix
    When an org admin applies the bearer fix to "acme"
    And an org admin stores its raw token in "acme"
    And the scorer is run
    Then the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # facts: post-existing
  @BEARER-17 @needs-org-writes @judges-api
  Scenario: POST with the same name does not update the secret
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin sends "acme" again by POST with auth_format "bearer"
    Then the API answers 200 with the "acme" that was there, auth_format "api_key"
    And nothing about "acme" has changed

  # facts: post-existing; PUT replaces
  @BEARER-17 @needs-org-writes @judges-api @judges-plane
  Scenario: PUT with the same name updates the secret
    Given an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin sends "acme" again by PUT with auth_format "bearer"
    And the scorer is run
    Then the API answers 200 with the "acme" that was there, auth_format "bearer"
    And nothing else about "acme" has changed
    And the scorer succeeds
    And the gateway saw the raw token of "acme" as Bearer

  # behaviour list: a fix that the API accepts but does not apply
  @BEARER-18 @needs-org-writes @needs-choose-generation @judges-plane @judges-remedies @fails-on-legacy-2026-02
  Scenario: A fix that the API accepts and ignores is reported as not applied
    Given a data plane that ignores metadata in PATCH
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to "acme"
    And the scorer is run
    Then the fix is not applied and says "auth_format"
    And nothing else about "acme" has changed
    And the scorer fails with an authentication error of the provider

  # guide: project-override-on-legacy-proxy, long-term fix: override is name-based
  @BEARER-19 @needs-org-writes @needs-project-writes @judges-remedies
  Scenario Outline: Where the org's and the project's secret of one name are affected, both are named
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When the organization is audited
    Then the audit finds "same-name-both-affected" on the org's "acme" and the project's "acme"

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # guide: project-override-on-legacy-proxy, long-term fix: override is name-based
  @BEARER-19 @needs-org-writes @needs-project-writes @judges-plane @judges-remedies
  Scenario Outline: The fix of the org's secret does not mend the project's of that name
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to the org's "acme"
    And <caller> is run
    Then the fix is proven
    And the fix says last "not mended, and with auth_format"
    And <caller> <outcome>
    And the gateway saw the raw token of <used> "acme" as <shape>

    Examples:
      | plane           | caller               | outcome                                          | used          | shape                  |
      | v2              | the scorer           | succeeds                                         | the org's     | Bearer                 |
      | v2              | the project's scorer | fails with an authentication error of the provider | the project's | Authorization: Api-Key |
      | v2 with Gateway | the scorer           | succeeds                                         | the org's     | Bearer                 |
      | v2 with Gateway | the project's scorer | fails with an authentication error of the provider | the project's | Authorization: Api-Key |

  # guide: project-override-on-legacy-proxy, long-term fix: override is name-based
  @BEARER-19 @needs-org-writes @needs-project-writes @judges-plane @judges-remedies
  Scenario Outline: Once both secrets of one name are fixed, the project's works too
    Given a data plane on <plane>
    And an org provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key" and auth_type "api_key"
    When an org admin applies the bearer fix to the org's "acme"
    And an org admin applies the bearer fix to the project's "acme"
    And the project's scorer is run
    Then the fix is proven
    And the project's scorer succeeds
    And the gateway saw the raw token of the project's "acme" as Bearer

    Examples:
      | plane           |
      | v2              |
      | v2 with Gateway |

  # guide: project-override-on-legacy-proxy, long-term fix: override is name-based; facts: used-endpoint
  @BEARER-19 @needs-org-writes @needs-project-writes @judges-remedies
  Scenario: A call that works does not tell which of two secrets of one name was used
    Given an org provider secret "acme" for model "acme-chat" with auth_format "bearer"
    And a project provider secret "acme" for model "acme-chat" with auth_format "api_key"
    When an org admin applies the bearer fix to the project's "acme", with a call for model "acme-chat"
    Then the fix is impossible to tell and says "another secret of the same name could have answered"
