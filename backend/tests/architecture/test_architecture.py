"""What must hold of the whole: permissions on every route, bounded lists, described answers, events that arrive."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from waypost.duties import SCHEDULE, tasks
from waypost.kernel.events import registry
from waypost.wiring import CONSUMERS, HANDLERS, SUBSCRIPTIONS

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "backend" / "waypost"


def routes(app: Any) -> list[RouteContext]:
    return [r for r in iter_route_contexts(app.routes) if isinstance(r.original_route, APIRoute)]


def permissions(dependant: Any) -> set[str]:
    found = {p.value for d in dependant.dependencies if (p := getattr(d.call, "permission", None))}
    return found.union(*(permissions(d) for d in dependant.dependencies), set())


async def test_every_route_names_a_permission_or_is_public(app: Any) -> None:
    assert len(routes(app)) > 40
    bare = [
        r.path for r in routes(app) if not getattr(r.endpoint, "__public__", False) and not permissions(r.dependant)
    ]
    assert bare == []


async def test_what_is_public_is_known(app: Any) -> None:
    public = {r.path for r in routes(app) if getattr(r.endpoint, "__public__", False)}
    assert public == {
        "/api/v1/auth/first-password",
        "/api/v1/auth/forgot-password",
        "/api/v1/auth/login",
        "/api/v1/auth/logout",
        "/api/v1/auth/mfa/verify",
        "/api/v1/auth/not-me",
        "/api/v1/auth/passkeys/sign-in",
        "/api/v1/auth/passkeys/sign-in/options",
        "/api/v1/auth/oidc/{key}/back-channel-logout",
        "/api/v1/auth/oidc/{key}/callback",
        "/api/v1/auth/providers",
        "/api/v1/auth/providers/come-in",
        "/api/v1/auth/providers/{key}/leave",
        "/api/v1/auth/sign-out",
        "/api/v1/auth/refresh",
        "/api/v1/auth/saml/{key}/acs",
        "/api/v1/auth/saml/{key}/certificate",
        "/api/v1/auth/saml/{key}/metadata",
        "/api/v1/auth/saml/{key}/sls",
        "/api/v1/decision-links/{link_token}",
        "/api/v1/docs",
        "/api/v1/health/live",
        "/api/v1/health/ready",
        "/api/v1/files/{token}",
        "/api/v1/integrations/slack/events",
        "/api/v1/integrations/slack/interactions",
        "/api/v1/integrations/sms/gateway/messages",
        "/api/v1/integrations/sms/gateway/reports",
        "/api/v1/integrations/sms/gateway/{secret}/messages",
        "/api/v1/integrations/sms/gateway/{secret}/reports",
        "/api/v1/integrations/sms/twilio/messages",
        "/api/v1/integrations/sms/twilio/reports",
        "/api/v1/integrations/teams/messages",
        "/api/v1/notification-previews/{token}",
        "/api/v1/oauth/introspect",
        "/api/v1/oauth/revoke",
        "/api/v1/oauth/token",
    }


async def test_every_operation_is_described(app: Any) -> None:
    document = app.openapi()
    is_default = "HTTPValidationError" in str(document)
    assert not is_default, "the framework's own error is documented somewhere"
    names = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            names.append(operation["operationId"])
            assert operation.get("summary"), where
            assert operation.get("description"), where
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    assert content.get("example") is not None or content.get("examples"), f"{where} {status} {kind}"
                    if status >= "400":
                        assert kind == "application/problem+json", f"{where} {status}"
            body = operation.get("requestBody")
            if body:
                assert all(c.get("example") is not None for c in body["content"].values()), where
                assert "422" in operation["responses"], where
            if "security" in operation:
                assert {"401", "403"} <= set(operation["responses"]), where
    assert len(names) == len(set(names)), "names of the generated client's functions"


async def test_the_examples_fit_their_schemas(app: Any) -> None:
    import jsonschema_rs

    document = app.openapi()
    checked, wrong = 0, []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts = [operation.get("requestBody", {}), *operation["responses"].values()]
            for part in parts:
                content = part.get("content", {}).get("application/json", {})
                if "schema" in content and "example" in content:
                    schema = {**content["schema"], "components": document["components"]}
                    validator = jsonschema_rs.validator_for(schema)
                    wrong += [f"{method} {path}: {e.message[:200]}" for e in validator.iter_errors(content["example"])]
                    checked += 1
    assert wrong == []
    assert checked > 50


async def test_every_list_is_bounded(app: Any) -> None:
    """Whatever answers with `items` takes a limit of at most 100, or says here why it cannot grow."""
    small = {
        "/api/v1/permissions": "the permissions there are",
        "/api/v1/users/{user_id}/roles": "the roles of one person, at most 100",
        "/api/v1/tickets/{ticket_id}/approvals": "the rounds of one ticket",
        "/api/v1/tickets/{ticket_id}/approval-proof": "the steps of one ticket, at most 500",
        "/api/v1/tickets/{ticket_id}/attachments": "the files of one ticket, at most 100",
        "/api/v1/tickets/{ticket_id}/assignees": "the members of one team, at most 100",
        "/api/v1/sla/calendars": "the calendars of a company, at most 100",
        "/api/v1/sla/policies": "the policies of a company, at most 100",
        "/api/v1/search/similar": "requests like one that is written, the closest few",
        "/api/v1/categories": "the headings of the catalogue, at most 100",
        "/api/v1/tickets/{ticket_id}/comment-drafts": "one's own, one for each audience",
        "/api/v1/tickets/{ticket_id}/comments/{comment_id}/versions": "the texts of one comment, at most 100",
        "/api/v1/canned-replies/variables": "the variables there are",
        "/api/v1/ticket-types/{key}/fields/{field}/uses": "what names one field: a company's workflows and rules",
        "/api/v1/saved-views/counts": "ten views at most",
        "/api/v1/reports/choices": "what reports can be made of",
        "/api/v1/reports/dashboards": "the kinds there are",
        "/api/v1/ticket-types": "the kinds of request a company offers",
        "/api/v1/teams": "the teams of a company",
        "/api/v1/departments": "the departments of a company",
        "/api/v1/users/{user_id}/erasure": "the ways in which the product keeps something about somebody",
        "/api/v1/users/{user_id}/mentions": "at most 50 of a kind are named, the others counted",
        "/api/v1/auth/identities": "one's own, at most a hundred",
        "/api/v1/audit/keys": "one for each rotation",
        "/api/v1/auth/providers": "at most fifty",
        "/api/v1/identity-provider-kinds": "the kinds there are",
        "/api/v1/identity-providers": "at most fifty",
        "/api/v1/identity-providers/{provider_id}/groups": "the map of one provider, at most 500 groups",
        "/api/v1/audit/streams": "at most twenty",
        "/api/v1/mailboxes": "at most a hundred",
        "/api/v1/notification-channels": "the channels there are",
        "/api/v1/notification-templates": "the kinds of notice there are",
        "/api/v1/queues": "the teams of a company",
        "/api/v1/automation/fields": "the fields of tickets and of a company's forms",
        "/api/v1/ticket-fields": "the fields of tickets and of a company's forms",
    }
    document = app.openapi()
    schemas = document["components"]["schemas"]
    unbounded = []
    for path, methods in document["paths"].items():
        operation = methods.get("get")
        content = (operation or {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "items" not in schemas.get(name, {}).get("properties", {}):
            continue
        limit = next((p for p in operation.get("parameters", []) if p["name"] == "limit"), None)
        if limit is not None:
            assert limit["schema"]["maximum"] <= 100, path
        else:
            unbounded.append(path)
    assert set(unbounded) <= set(small), set(unbounded) - set(small)


def test_every_event_can_be_read_again() -> None:
    """Each event keeps only what JSON holds, and has words in its docstring."""
    for name, kind in registry.items():
        if name.startswith("test."):
            continue
        assert kind.__doc__, name
        assert not kind.__doc__.startswith(f"{kind.__name__}("), f"{name} says what happened"
        assert kind.object_type, name
        assert all(f.type for f in dataclasses.fields(kind)), name


def test_the_wiring_is_whole() -> None:
    assert all(kind in registry.values() for kind in [*HANDLERS, *SUBSCRIPTIONS])
    assert all(name in CONSUMERS for names in SUBSCRIPTIONS.values() for name in names)
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(tasks())


# Nobody is told of these, and nothing follows from them: they are history and audit only.
ONLY_KEPT = {
    "incoming_mail.answered",
    "incoming_mail.returned",
    "user.address_works_again",
    "absence.set",
    "routing.published",
    "team.membership_changed",
    "sla.attached",
    "sla.escalated",
    "ticket.left_in_queue",
    "attachment.removed",
    "attachment.scan_asked",
    "attachment.scanned",
    "approval.seen",
    "approval.signed",
    "approval.started",
    "audit.check_asked",
    "audit.checked",
    "audit.values_erased",
    "audit.read",
    "auth.denied",
    "evidence.asked",
    "evidence.taken",
    "system.command",
    "system.migrated",
    "system.started",
    "ticket.read",
    "auth.login",
    "auth.factor_reset_asked",
    "auth.factor_reset_dropped",
    "auth.login_failed",
    "auth.password_link_made",
    "auth.sign_in_disowned",
    "auth.session_rules_changed",
    "oauth_client.made",
    "oauth_client.revoked",
    "oauth_secret.made",
    "oauth_secret.revoked",
    "oauth_token.refused",
    "oauth_token.revoked",
    "service_account.changed",
    "service_account.made",
    "auth.step_up",
    "auth.step_up_failed",
    "auth.token_revoked",
    "channel.set_up",
    "channel.tested",
    "checklist.added",
    "checklist.changed",
    "checklist.removed",
    "checklist.ticked",
    "category.created",
    "category.removed",
    "category.updated",
    "canned_reply.created",
    "canned_reply.removed",
    "canned_reply.updated",
    "comment.removed",
    "contact_point.added",
    "contact_point.removed",
    "department.changed",
    "department.created",
    "notification.created",
    "notification.defaults_changed",
    "notification.preferences_changed",
    "notification.sent_again",
    "notification.template_changed",
    "notification.template_reset",
    "notification.template_tested",
    "erasure.asked",
    "erasure.dropped",
    "erasure.hold",
    "personal_export.asked",
    "personal_export.made",
    "personal_export.taken",
    "phone.asked",
    "phone.resumed",
    "phone.stopped",
    "people.bulk_started",
    "people_import.cancelled",
    "people_import.started",
    "role.changed",
    "role.created",
    "role.removed",
    "role.rules_changed",
    "role.second_factor",
    "role.session_times",
    "report.changed",
    "report.deleted",
    "report.saved",
    "export_schedule.changed",
    "export_schedule.deleted",
    "export_schedule.made",
    "export_schedule.paused",
    "report_export.asked",
    "report_export.cancelled",
    "report_export.made",
    "report_export.taken",
    "saved_view.created",
    "saved_view.deleted",
    "saved_view.updated",
    "sms.answered",
    "team.changed",
    "team.created",
    "ticket.absorbed",
    "ticket.created",
    "ticket.linked",
    "ticket.sensitive_answers_read",
    "ticket.split",
    "ticket.unlinked",
    "ticket.unwatched",
    "ticket_type.created",
    "user.changed",
    "user.created",
    "users.exported",
    "workflow.activated",
    "workflow.created",
    "workflow.deactivated",
    "workflow.draft_discarded",
    "workflow.published",
    "workflow.restored",
    "workflow.updated",
    "tickets.exported",
    "audit.exported",
    "audit.removed",
    "audit.retention_changed",
    "audit_stream.added",
    "audit_stream.changed",
    "audit_stream.recovered",
    "audit_stream.removed",
    "audit_stream.tried",
    "directory.followed",
    "directory.plan_dismissed",
    "directory.run_asked",
    "identity.person_changed",
    "identity.unlinked",
    "import.finished",
    "import.started",
    "incoming_mail.discarded",
    "incoming_mail.put_on_ticket",
    "incoming_mail.taken_anew",
    "mailbox.added",
    "mailbox.changed",
    "mailbox.removed",
    "provider.added",
    "provider.changed",
    "provider.removed",
    "provider.signed_out",
    "provider.tested",
    "scim.allowed",
    "scim.group_let_go",
    "scim.group_pushed",
    "scim.person_let_go",
    "scim.person_pushed",
    "scim.token_made",
    "scim.token_revoked",
    "sla_calendar.added",
    "sla_calendar.changed",
    "sla_calendar.removed",
    "sla_policies.ordered",
    "sla_policy.added",
    "sla_policy.changed",
    "sla_policy.removed",
    "sla_policy.run_began",
    "sla_policy.run_ended",
    "sla_working_calendar.set",
    "automation.rule_changed",
    "automation.rule_created",
    "automation.rule_removed",
    "automation.rules_ordered",
}


def test_every_event_is_wired_or_said_to_end_in_the_log() -> None:
    followed = {kind.type for kind in [*HANDLERS, *SUBSCRIPTIONS]}
    known = {name for name in registry if not name.startswith("test.")}
    assert known - followed == ONLY_KEPT


def test_every_notice_has_its_words() -> None:
    from waypost.notifications.kinds import KINDS
    from waypost.notifications.rendering import FOLDER

    assert {f.stem for f in FOLDER.glob("*.j2")} == set(KINDS)


@pytest.mark.filterwarnings(
    "ignore:Expression #1:UserWarning"
)  # an index's expression is not compared, its columns are
async def test_the_tables_are_what_the_migrations_make(database: Any) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy.dialects.postgresql.base import ischema_names

    import waypost.wiring  # noqa: F401 - so that every room's tables are known
    from waypost.kernel.db import Base
    from waypost.kernel.events import Xid8

    ischema_names["xid8"] = Xid8

    def compare(connection: Any) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return list(compare_metadata(context, Base.metadata))

    async with database.read_engine.connect() as connection:
        assert await connection.run_sync(compare) == []


def test_every_foreign_key_has_an_index() -> None:
    import waypost.wiring  # noqa: F401
    from waypost.kernel.db import Base

    bare = []
    for table in Base.metadata.tables.values():
        first = {next(c.name for c in i.columns) for i in table.indexes if list(i.columns)}
        first |= {c.name for c in list(table.primary_key.columns)[:1]}
        first |= {
            c.name for u in table.constraints if u.__class__.__name__ == "UniqueConstraint" for c in list(u.columns)[:1]
        }
        bare += [f"{table.name}.{c.name}" for k in table.foreign_keys for c in [k.parent] if c.name not in first]
    assert sorted(set(bare)) == sorted(NO_INDEX)


# Nobody looks these up by the other side, and what they point at is never deleted (people and types are deactivated).
NO_INDEX = {
    "directory_runs.asked_by_id",
    "directory_runs.settled_by_id",
    "absences.created_by_id",
    "approval_delegations.created_by_id",
    "routing_rule_sets.published_by_id",
    "attachments.uploaded_by_id",
    "approval_definition_versions.created_by_id",
    "approval_definitions.draft_by_id",
    "approval_reviews.decided_by_id",
    "approval_reviews.requester_id",
    "approval_steps.on_behalf_of_id",
    "approval_steps.stage_id",
    "approval_workflows.definition_id",
    "approval_workflows.overridden_by_id",
    "form_versions.created_by_id",
    "one_time_links.user_id",
    "sla_calendar_versions.changed_by_id",
    "sla_policy_versions.changed_by_id",
    "ticket_comments.author_id",
    "checklist_items.done_by_id",
    "ticket_links.created_by_id",
    "ticket_types.team_id",
    "ticket_watchers.added_by_id",
    "tickets.ticket_type_id",
}


@pytest.mark.parametrize("name", ["waypost.app", "waypost.cli"])
def test_no_module_reaches_out_when_imported(name: str) -> None:
    """Importing opens no connection and needs no database: tools and tests depend on it."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        env={"PYTHONPATH": str(ROOT / "backend"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_says_where_it_was_made() -> None:
    """No path of a machine and no registry's host in what is committed."""
    # a clone that belongs to somebody else is read all the same
    listing = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    files = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    words = ("/root" + "/", "/home" + "/", "/work" + "/", "registry.npm" + "js.org", "files.python" + "hosted")
    found = []
    for file in files:
        path = ROOT / file
        if path.suffix in {".png", ".svg", ".ico", ".woff2"} or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        found += [f"{file}: {word}" for word in words if word in text]
    assert found == []
