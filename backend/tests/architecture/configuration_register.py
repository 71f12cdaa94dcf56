"""What each endpoint that sets something up leaves in the trail.

Whoever adds one finds it named by a test that fails, with a sentence that says which of these it belongs to:

* `CHANGES`: something there already is changed; its event has `before` and `after`, or `changes` with both of each;
* `SWITCHES`: one thing with two states; its event says which it is now, and is recorded when it was the other;
* `VERSIONS`: a document of which every version is kept as it was, so the one before is the one with the number below;
* `BRINGS` and `TAKES`: something comes, or goes; its event says what it is, or was;
* `SETS_NOTHING_UP`: it changes no configuration; say why.
"""

from __future__ import annotations

CHANGES: dict[str, str] = {
    "PATCH /departments/{department_id}": "department.changed",
    "PATCH /teams/{team_id}": "team.changed",
    "PATCH /users/{user_id}": "user.changed",
    "POST /automation/rules/{rule_id}/secret": "automation.rule_changed",
    "PUT /automation/order": "automation.rules_ordered",
    "PUT /automation/rules/{rule_id}": "automation.rule_changed",
    "PUT /audit/retention": "audit.retention_changed",
    "PUT /audit/streams/{stream_id}": "audit_stream.changed",
    "PUT /categories/{category_id}": "category.updated",
    "PUT /identity-providers/{provider_id}": "provider.changed",
    "PUT /identity-providers/{provider_id}/groups": "provider.groups_set",
    "PUT /mailboxes/{mailbox_id}": "mailbox.changed",
    "PUT /notification-channels/{key}": "channel.set_up",
    "PUT /notification-defaults": "notification.defaults_changed",
    "PUT /notification-defaults/{role_id}": "notification.defaults_changed",
    "PUT /roles/{role_id}": "role.changed",
    "PUT /roles/{role_id}/session-times": "role.session_times",
    "PUT /service-accounts/{account_id}": "service_account.changed",
    "PUT /session-rules": "auth.session_rules_changed",
    "PUT /sla/calendars/{calendar_id}": "sla_calendar.changed",
    "PUT /sla/calendars/{calendar_id}/feed": "sla_calendar.changed",
    "POST /sla/calendars/{calendar_id}/file": "sla_calendar.changed",
    "DELETE /sla/calendars/{calendar_id}/file": "sla_calendar.changed",
    "PUT /sla/policies/order": "sla_policies.ordered",
    "PUT /sla/policies/{policy_id}": "sla_policy.changed",
    "PUT /sla/people/{user_id}/calendar": "sla_working_calendar.set",
    "PUT /sla/departments/{department_id}/calendar": "sla_working_calendar.set",
    "PUT /ticket-types/{key}": "ticket_type.updated",
}
SWITCHES: dict[str, tuple[str, str]] = {
    "PUT /role-rules": ("role.rules_changed", "needs_two"),
    "PUT /roles/{role_id}/second-factor": ("role.second_factor", "is_needed"),
    "PUT /teams/{team_id}/members/{user_id}": ("team.membership_changed", "was_lead"),
}
# the event, and the table in which every version is kept
VERSIONS: dict[str, tuple[str, str]] = {
    "DELETE /approval-workflows/{definition_id}/draft": ("workflow.draft_discarded", "approval_definition_versions"),
    "DELETE /notification-templates/{key}": ("notification.template_reset", "notification_template_versions"),
    "POST /approval-workflows/{definition_id}/publish": ("workflow.published", "approval_definition_versions"),
    "POST /approval-workflows/{definition_id}/restore": ("workflow.restored", "approval_definition_versions"),
    "POST /routing-rules/versions/{version}/restore": ("routing.published", "routing_rule_sets"),
    "POST /ticket-types/{type_key}/form-versions/{number}/restore": ("ticket_type.updated", "form_versions"),
    "PUT /approval-workflows/{definition_id}": ("workflow.updated", "approval_definition_versions"),
    "PUT /notification-templates/{key}": ("notification.template_changed", "notification_template_versions"),
    "PUT /routing-rules": ("routing.published", "routing_rule_sets"),
}
BRINGS: dict[str, str] = {
    "POST /approval-workflows": "workflow.created",
    "POST /approval-workflows/import": "workflow.created",
    "POST /audit/streams": "audit_stream.added",
    "POST /automation/rules": "automation.rule_created",
    "POST /categories": "category.created",
    "POST /departments": "department.created",
    "POST /identity-providers": "provider.added",
    "POST /identity-providers/{provider_id}/provisioning/allow": "scim.allowed",
    "POST /identity-providers/{provider_id}/provisioning/tokens": "scim.token_made",
    "POST /mailboxes": "mailbox.added",
    "POST /roles": "role.created",
    "POST /roles/{role_id}/people": "role.granted",
    "POST /service-accounts": "service_account.made",
    "POST /service-accounts/{account_id}/clients": "oauth_client.made",
    "POST /service-accounts/{account_id}/clients/{client_id}/secrets": "oauth_secret.made",
    "POST /service-accounts/{account_id}/tokens": "auth.token_made",
    "POST /sla/calendars": "sla_calendar.added",
    "POST /sla/policies": "sla_policy.added",
    "POST /teams": "team.created",
    "POST /ticket-types": "ticket_type.created",
    "POST /users": "user.created",
}
TAKES: dict[str, str] = {
    "DELETE /audit/streams/{stream_id}": "audit_stream.removed",
    "DELETE /automation/rules/{rule_id}": "automation.rule_removed",
    "DELETE /categories/{category_id}": "category.removed",
    "DELETE /departments/{department_id}": "department.deleted",
    "DELETE /identity-providers/{provider_id}": "provider.removed",
    "DELETE /identity-providers/{provider_id}/provisioning/tokens/{token_id}": "scim.token_revoked",
    "DELETE /mailboxes/{mailbox_id}": "mailbox.removed",
    "DELETE /roles/{role_id}": "role.removed",
    "DELETE /roles/{role_id}/people/{user_id}": "role.taken",
    "DELETE /service-accounts/{account_id}/clients/{client_id}": "oauth_client.revoked",
    "DELETE /service-accounts/{account_id}/clients/{client_id}/secrets/{secret_id}": "oauth_secret.revoked",
    "DELETE /sla/calendars/{calendar_id}": "sla_calendar.removed",
    "DELETE /sla/policies/{policy_id}": "sla_policy.removed",
    "DELETE /teams/{team_id}": "team.deleted",
    "DELETE /teams/{team_id}/members/{user_id}": "team.membership_changed",
}
# Of what is kept elsewhere: the event need not say it again.
_ASKED = "asks for a change, or agrees to one; the change itself is recorded as what it is"
_TRIES = "tries something, and keeps nothing but that it was tried"
_PERSON = "about one person's way in or work; recorded as what was done to them"
SETS_NOTHING_UP: dict[str, str] = {
    "DELETE /api-tokens/{token_id}": _PERSON,
    "DELETE /second-factor-resets/{reset_id}": _ASKED,
    "DELETE /users/{user_id}/sessions": _PERSON,
    "DELETE /users/{user_id}/sessions/{session_id}": _PERSON,
    "POST /approval-workflows/check": _TRIES,
    "POST /approval-workflows/simulate": _TRIES,
    "POST /approval-workflows/{definition_id}/replay": _TRIES,
    "POST /approval-workflows/{definition_id}/simulate": _TRIES,
    "POST /audit/streams/test": _TRIES,
    "POST /automation/rules/dry-run": _TRIES,
    "POST /identity-providers/saml/metadata": _TRIES,
    "POST /identity-providers/{provider_id}/runs": "looks at a directory; whom it changes is recorded of each",
    "POST /identity-providers/{provider_id}/runs/{run_id}/apply": "whom it changes is recorded of each",
    "POST /identity-providers/{provider_id}/runs/{run_id}/dismiss": "changes nobody",
    "POST /identity-providers/{provider_id}/test": _TRIES,
    "POST /identity-providers/{provider_id}/tried": _TRIES,
    "POST /identity-providers/{provider_id}/tries": _TRIES,
    "POST /incoming-mails/discard": "about mails",
    "POST /incoming-mails/{mail_id}/discard": "about a mail",
    "POST /incoming-mails/{mail_id}/put-on-ticket": "about a mail",
    "POST /incoming-mails/{mail_id}/take-anew": "about a mail",
    "POST /mailboxes/test": _TRIES,
    "POST /notification-channels/{key}/test": _TRIES,
    "POST /notification-deliveries/send-again": "about messages",
    "POST /notification-deliveries/{delivery_id}/send-again": "about a message",
    "POST /notification-templates/{key}/preview": _TRIES,
    "POST /notification-templates/{key}/test": _TRIES,
    "POST /role-changes/{change_id}/confirm": _ASKED,
    "POST /role-changes/{change_id}/refuse": _ASKED,
    "POST /routing-rules/dry-run": _TRIES,
    "POST /second-factor-resets": _ASKED,
    "POST /second-factor-resets/{reset_id}/agree": _ASKED,
    "POST /sla/calendars/{calendar_id}/feed/preview": _TRIES,
    "POST /sla/calendars/{calendar_id}/file/preview": _TRIES,
    "POST /sla/policies/replay": _TRIES,
    "POST /sla/policies/{policy_id}/replay": _TRIES,
    "POST /sla/policies/{policy_id}/runs": "changes requests; recorded as begun and ended, tests/tickets/test_level_runs.py",
    "POST /sla/policies/{policy_id}/runs/{run_id}/stop": "ends a run; recorded with what it did until then",
    "POST /ticket-types/form-check": _TRIES,
    "DELETE /people-imports/{import_id}": "removes the file's rows; what was done stays",
    "POST /people-imports": "a table that changes nobody yet",
    "POST /people-imports/{import_id}/cancel": "changes people one by one; of each it is recorded as of one alone",
    "POST /people-imports/{import_id}/retry": "changes people one by one; of each it is recorded as of one alone",
    "POST /people-imports/{import_id}/run": "changes people one by one; of each it is recorded as of one alone",
    "PUT /people-imports/{import_id}/plan": "a table that changes nobody yet",
    "POST /people-jobs/{job_id}/retry": "changes people one by one; of each it is recorded as of one alone",
    "POST /people-jobs/{job_id}/undo": "changes people one by one; of each it is recorded as of one alone",
    "POST /users/bulk": "changes people one by one; of each it is recorded as of one alone",
    "POST /users/bulk/preview": _TRIES,
    "POST /users/{user_id}/password-link": _PERSON,
    "POST /users/{user_id}/password-reset": _PERSON,
    "PUT /approval-workflows/{definition_id}/active": "which of two it is stands in the kind of event",
    "PUT /approval-workflows/{definition_id}/draft": "a draft is nobody's rule until it is published",
    "PUT /users/{user_id}/active": "which of two it is stands in the kind of event",
}

SENTENCE = (
    "{route}: say in tests/architecture/configuration_register.py what it leaves in the trail. What it changes is in"
    " CHANGES with the event that has `before` and `after`."
)
