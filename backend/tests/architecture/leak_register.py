"""How each endpoint that changes something is tried by somebody who may not see a ticket.

Whoever adds an endpoint finds it named by a test that fails, with a sentence that says which of these it belongs to:

* its path names something of a ticket (`OF_A_TICKET`): it is asked for that, and has to be refused;
* its body names a ticket (`BODIES`): it is asked with that body, and may say nothing of it;
* it can say nothing of any ticket (`SAYS_NOTHING`): say why. A room below the tickets' (`BELOW`) cannot by its imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Marked = Mapping[str, Any]

# Parameters of a path that name something of the marked ticket, or somebody else's words about it.
OF_A_TICKET = frozenset(
    {
        "attachment_id",
        "comment_id",
        "delegation_id",
        "item_id",
        "job_id",
        "link_id",
        "link_token",
        "reply_id",
        "review_id",
        "step_id",
        "ticket_id",
        "view_id",
        "workflow_id",
    }
)

# The layers of the rooms (import-linter holds them): these know no tickets.
BELOW = ("waypost.kernel.", "waypost.directory.", "waypost.access.", "waypost.catalog.")


def _about(marked: Marked) -> dict[str, Any]:
    return {"ticket_ids": [marked["id"]], "action": {"type": "comment", "body": "x"}}


_DOCUMENT = {"name": "Try", "stages": [{"name": "One", "approvers": [{"kind": "REQUESTER_MANAGER"}]}]}
_TARGETS = {"targets": {"RESOLUTION": {"MEDIUM": {"amount": 1, "unit": "MINUTES"}}}}
_REQUEST = {"title": "x", "ticket_type": "IT_SUPPORT", "custom_fields": {}}

BODIES: dict[str, Callable[[Marked], Any]] = {
    "POST /approvals/bulk": lambda m: {"step_ids": [m["step_id"]], "action": "approve"},
    "POST /approvals/signing": lambda m: {"decision": "APPROVE", "step_ids": [m["step_id"]]},
    "POST /approvals/delegations/preview": lambda m: {"condition": None},
    "POST /approval-workflows/simulate": lambda m: {"ticket_id": m["id"]},
    "POST /approval-workflows/{definition_id}/simulate": lambda m: {"ticket_id": m["id"], "document": _DOCUMENT},
    "POST /approval-workflows/{definition_id}/replay": lambda m: {"document": _DOCUMENT},
    "POST /automation/rules/dry-run": lambda m: {
        "ticket_id": m["id"],
        "trigger": {"on": "SUBMITTED"},
        "actions": [{"do": "COMMENT", "visibility": "INTERNAL", "body": "{{ ticket.title }}"}],
    },
    "POST /canned-replies/preview": lambda m: {"ticket_id": m["id"], "body": "{{ ticket.title }}"},
    "POST /incoming-mails/{mail_id}/put-on-ticket": lambda m: {"ticket_id": m["id"]},
    "POST /queues/{team_id}/claim-next": lambda m: None,
    # one's own, found by the person and the id: nobody else's is touched
    "DELETE /request-drafts/{draft_id}": lambda m: None,
    "PUT /request-drafts/{draft_id}": lambda m: {"content": {}, "version": 1},
    "POST /routing-rules/dry-run": lambda m: {"ticket_id": m["id"]},
    "POST /sla/policies/replay": lambda m: _TARGETS,
    "POST /sla/policies/{policy_id}/replay": lambda m: _TARGETS,
    "POST /tickets": lambda m: {**_REQUEST, "description": f"{m['id']}"},
    "POST /tickets/bulk": _about,
    "POST /tickets/bulk/preview": _about,
    "POST /tickets/path": lambda m: _REQUEST,
}

_SETTINGS = "settings of channels, mailboxes and words: no ticket stands in them"
_STREAMS = "where the trail is sent: settings, and how far it has come"
_HOURS = "working hours and what a policy says: no request stands in them"
_OWN = "about one's own notices and addresses"
_DESIGN = "a definition of workflows or rules; what it is tried on is asked elsewhere"
SAYS_NOTHING: dict[str, str] = {
    "POST /approval-workflows": _DESIGN,
    "POST /approval-workflows/check": _DESIGN,
    "POST /approval-workflows/import": _DESIGN,
    "PUT /approval-workflows/{definition_id}": _DESIGN,
    "PUT /approval-workflows/{definition_id}/active": _DESIGN,
    "DELETE /approval-workflows/{definition_id}/draft": _DESIGN,
    "PUT /approval-workflows/{definition_id}/draft": _DESIGN,
    "POST /approval-workflows/{definition_id}/publish": _DESIGN,
    "POST /approval-workflows/{definition_id}/restore": _DESIGN,
    "POST /approvals/away": "one's own absence",
    "POST /approvals/delegations": "one's own delegation",
    "POST /audit/verify": "whether the log is whole: numbers of rows, no words",
    "PUT /audit/retention": "for how long entries are kept",
    "POST /audit/streams": _STREAMS,
    "POST /audit/streams/test": _STREAMS,
    "DELETE /audit/streams/{stream_id}": _STREAMS,
    "PUT /audit/streams/{stream_id}": _STREAMS,
    "POST /automation/rules": _DESIGN,
    "PUT /automation/order": _DESIGN,
    "PUT /automation/rules/{rule_id}": _DESIGN,
    "DELETE /automation/rules/{rule_id}": _DESIGN,
    "POST /automation/rules/{rule_id}/secret": _DESIGN,
    "POST /canned-replies": "one's own words",
    "POST /request-drafts": "one's own draft, under an id of one's own making",
    "POST /contact-points": _OWN,
    "DELETE /contact-points/{point_id}": _OWN,
    "POST /contact-points/{point_id}/test": _OWN,
    "POST /contact-points/{point_id}/verify": _OWN,
    "POST /incoming-mails/discard": _SETTINGS,
    "POST /incoming-mails/{mail_id}/discard": _SETTINGS,
    "POST /incoming-mails/{mail_id}/take-anew": _SETTINGS,
    "POST /mailboxes": _SETTINGS,
    "POST /mailboxes/test": _SETTINGS,
    "DELETE /mailboxes/{mailbox_id}": _SETTINGS,
    "PUT /mailboxes/{mailbox_id}": _SETTINGS,
    "PUT /notification-channels/{key}": _SETTINGS,
    "POST /notification-channels/{key}/test": _SETTINGS,
    "PUT /notification-defaults": _SETTINGS,
    "PUT /notification-defaults/{role_id}": _SETTINGS,
    "POST /notification-deliveries/send-again": _SETTINGS,
    "POST /notification-deliveries/{delivery_id}/send-again": _SETTINGS,
    "DELETE /notification-templates/{key}": _SETTINGS,
    "PUT /notification-templates/{key}": _SETTINGS,
    "POST /notification-templates/{key}/preview": _SETTINGS,
    "POST /notification-templates/{key}/test": _SETTINGS,
    "PUT /notifications/preferences": _OWN,
    "POST /notifications/read-all": _OWN,
    "POST /notifications/{notification_id}/read": _OWN,
    "PUT /routing-rules": _DESIGN,
    "POST /routing-rules/versions/{version}/restore": _DESIGN,
    "POST /sla/calendars": _HOURS,
    "PUT /sla/calendars/{calendar_id}": _HOURS,
    "DELETE /sla/calendars/{calendar_id}": _HOURS,
    "PUT /sla/calendars/{calendar_id}/feed": _HOURS,
    "POST /sla/calendars/{calendar_id}/feed/preview": _HOURS,
    "POST /sla/calendars/{calendar_id}/file": _HOURS,
    "DELETE /sla/calendars/{calendar_id}/file": _HOURS,
    "POST /sla/calendars/{calendar_id}/file/preview": _HOURS,
    "POST /sla/calendars/{calendar_id}/try": _HOURS,
    "POST /sla/policies": _HOURS,
    "POST /sla/policies/{policy_id}/runs": _HOURS,
    "POST /sla/policies/{policy_id}/runs/{run_id}/stop": _HOURS,
    "PUT /sla/policies/order": _HOURS,
    "PUT /sla/policies/{policy_id}": _HOURS,
    "DELETE /sla/policies/{policy_id}": _HOURS,
    "PUT /sla/people/{user_id}/calendar": _HOURS,
    "PUT /sla/departments/{department_id}/calendar": _HOURS,
    "POST /reports/custom": "one's own report; its numbers are asked for by GET",
    "POST /reports/custom/{report_id}/exports": "one's own report, of what one sees; the files are asked for by GET",
    "POST /reports/dashboards/{kind}/exports": "one's own dashboard; the files are asked for by GET",
    "POST /reports/dashboards/{kind}/schedules": "one's own schedule; each recipient gets their own dashboard",
    "POST /reports/jobs/{export_id}/cancel": "one's own export; it holds nothing then",
    "POST /reports/custom/{report_id}/schedules": "one's own schedule; each recipient gets what they see",
    "PUT /reports/schedules/{schedule_id}": "one's own schedule",
    "DELETE /reports/schedules/{schedule_id}": "one's own schedule",
    "POST /reports/schedules/{schedule_id}/run": "one's own schedule; each recipient gets what they see",
    "POST /reports/preview": "counts what its reader sees; tried with everybody in tests/reports/test_custom.py",
    "PUT /reports/custom/{report_id}": "one's own report; its numbers are asked for by GET",
    "DELETE /reports/custom/{report_id}": "one's own report",
    "POST /saved-views": "one's own view; what it finds is asked for by GET",
    "POST /ticket-imports": "one's own table",
    "DELETE /ticket-imports/{import_id}": "one's own table",
    "POST /ticket-imports/{import_id}/cancel": "one's own table",
    "POST /ticket-imports/{import_id}/check": "one's own table",
    "PUT /ticket-imports/{import_id}/plan": "one's own table",
    "POST /ticket-imports/{import_id}/run": "one's own table",
    "POST /integrations/slack/events": "signed by Slack; what it shows is asked as the person who pressed",
    "POST /integrations/slack/interactions": "signed by Slack; decides as the person who pressed",
    "POST /integrations/teams/messages": "signed by Microsoft; decides as the person who pressed",
    "POST /integrations/sms/gateway/messages": "signed by the gateway; decides as the owner of the phone",
    "POST /integrations/sms/gateway/reports": "signed by the gateway; says what became of a message",
    "POST /integrations/sms/gateway/{secret}/messages": "signed by the gateway; decides as the owner of the phone",
    "POST /integrations/sms/gateway/{secret}/reports": "signed by the gateway; says what became of a message",
    "POST /integrations/sms/twilio/messages": "signed by Twilio; decides as the owner of the phone",
    "POST /integrations/sms/twilio/reports": "signed by Twilio; says what became of a message",
}


def how(method: str, path: str, module: str) -> str | None:
    """How such an endpoint is tried: `foreign`, `body`, `nothing`; None when nobody has said."""
    names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    word = f"{method} {path}"
    if word in BODIES:
        return "body"
    if names & OF_A_TICKET:
        return "foreign"
    if word in SAYS_NOTHING or module.startswith(BELOW):
        return "nothing"
    return None


SENTENCE = (
    "{where}: say in tests/architecture/leak_register.py how somebody who may not see a ticket tries this. Name what its"
    " path holds in OF_A_TICKET, give a body that names the marked ticket in BODIES, or say in SAYS_NOTHING why it can say"
    " nothing of any ticket."
)
