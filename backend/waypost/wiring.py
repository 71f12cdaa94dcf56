"""Who hears of what: the one file that knows both sides.

`HANDLERS` run in the transaction that records the event, in this order. `CONSUMERS` run afterwards through the relay;
`SUBSCRIPTIONS` says which events each gets. `tasks()` is what the worker can be asked to do, `SCHEDULE` says when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import waypost.migrations.tables  # noqa: F401 - whoever copies or erases what is held about people asks every table
from waypost.access import events as access
from waypost.access import grants, people_jobs, role_changes, service_accounts
from waypost.access import personal as access_personal
from waypost.access import role_events as roles
from waypost.access.api_tokens import forget_old_tokens
from waypost.access.events import SessionClosed
from waypost.access.importing import service as people_imports
from waypost.access.importing.events import PersonInvited
from waypost.access.privacy import exporting as personal_exports
from waypost.access.privacy.events import PersonErased
from waypost.access.providers import signing_in
from waypost.access.providers.events import (
    DirectoryFailed,
    DirectoryStopped,
    IdentityLinked,
    ProviderGroupsSet,
    ProviderRolesChanged,
    UsernameFollowed,
)
from waypost.access.providers.ldap import applying as directory_people
from waypost.access.providers.ldap import runs as directory_runs
from waypost.access.providers.ldap import syncing as directories
from waypost.access.role_uses import use_role_finders
from waypost.access.scim import people as scim_people
from waypost.access.scim import roles as scim_roles
from waypost.access.scim.events import ProvisioningStopped
from waypost.access.sessions import forget_old_sessions
from waypost.access.token_events import TokenMade
from waypost.approvals import definitions, delegating, leaving, links, reviews, role_mentions, timing
from waypost.approvals import deputy_events as deputies
from waypost.approvals import events as approvals
from waypost.approvals import person_mentions as approval_mentions
from waypost.approvals import personal as approvals_personal
from waypost.approvals import places_closing as asked_places
from waypost.approvals import review_events as glass
from waypost.approvals.subject import use_subject_rooms
from waypost.approvals.working import use_working_hours
from waypost.audit import checking, erasing, evidence, sealing
from waypost.audit import personal as audit_personal
from waypost.audit.retention import removing
from waypost.audit.streams import sending as streaming
from waypost.automation import calls, facts, running, sealed_addresses
from waypost.automation import foreseeing as rules_ahead
from waypost.automation import hiding as automation_hiding
from waypost.automation import mentions as automation_mentions
from waypost.automation import personal as automation_personal
from waypost.automation import queries as automation_queries
from waypost.automation import timing as automation_timing
from waypost.catalog import personal as catalog_personal
from waypost.catalog import teams_closing as types_of_teams
from waypost.catalog.events import TicketTypeUpdated
from waypost.catalog.uses import use_finders
from waypost.directory import personal as directory_personal
from waypost.directory.events import (
    AbsenceRemoved,
    DepartmentDeleted,
    TeamDeleted,
    UserDeactivated,
    UserEmailChanged,
    UserReactivated,
)
from waypost.directory.mentions import use_mention_finders
from waypost.kernel import hints, relay, sealed_numbers
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.db import Database
from waypost.kernel.enclosures import use_openers
from waypost.kernel.events import Event, Wiring
from waypost.kernel.idempotency import forget_old_keys
from waypost.kernel.notices import NoticeAsked
from waypost.kernel.personal import use_personal
from waypost.notifications import announcing, phones, reply_codes, sending, subscribing
from waypost.notifications import consumer as notifications
from waypost.notifications import personal as notifications_personal
from waypost.notifications.events import ChannelFailed, PhoneProved, ReplyCodesVoided
from waypost.notifications.incoming import originals
from waypost.notifications.incoming import teams_closing as mailboxes_of_teams
from waypost.notifications.incoming.events import MailboxFailed, MailHeldBack
from waypost.reports import export_making as report_exports
from waypost.reports import export_telling as files_of_exports
from waypost.reports import exporting as exports_of_reports
from waypost.reports import foreseeing as sums_ahead
from waypost.reports import keeping as counting
from waypost.reports import list_fields, own_sums
from waypost.reports import personal as reports_personal
from waypost.reports import scheduling as scheduled_exports
from waypost.search import alerts, file_texts, following, list_words, reading_files, telling_news
from waypost.search import personal as search_personal
from waypost.search import teams_closing as views_of_teams
from waypost.search.field_uses import views_naming
from waypost.search.person_mentions import views_naming_person
from waypost.sla import calendar_files, clock_events, policy_mentions, working_hours
from waypost.sla import personal as sla_personal
from waypost.tickets import (
    bulk,
    clocking,
    comment_drafts,
    dispatching,
    drafts,
    due,
    field_uses,
    importing,
    keeping,
    level_runs,
    person_mentions,
    resealing,
    reviewing,
    running_late,
)
from waypost.tickets import events as tickets
from waypost.tickets import personal as tickets_personal
from waypost.tickets import places_closing as work_of_places
from waypost.tickets.fields import use_counted_fields
from waypost.tickets.foreseeing import use_rules_ahead
from waypost.tickets.views_matched import ViewMatched, use_view_names
from waypost.tickets.wording import use_wording

HANDLERS: dict[type[Event], tuple[Any, ...]] = {
    approvals.ApprovalDecided: (reviewing.on_decision,),
    approvals.InfoRequested: (reviewing.on_info_requested,),
    approvals.InfoAnswered: (reviewing.on_info_answered,),
    glass.ReviewObjected: (reviewing.on_review_objected,),
    tickets.TicketApproved: (dispatching.on_approved, clocking.on_change),
    AbsenceRemoved: (delegating.on_absence_removed,),
    TeamDeleted: (
        types_of_teams.on_team_deleted,
        asked_places.on_team_deleted,
        work_of_places.on_team_deleted,
        policy_mentions.on_team_deleted,
        mailboxes_of_teams.on_team_deleted,
        views_of_teams.on_team_deleted,
        automation_mentions.on_team_deleted,
    ),
    DepartmentDeleted: (
        asked_places.on_department_deleted,
        work_of_places.on_department_deleted,
        automation_mentions.on_department_deleted,
    ),
    PersonErased: (erasing.on_person_erased,),
    TicketTypeUpdated: (resealing.on_type_updated,),
    tickets.SensitiveAnswersSealed: (erasing.on_answers_sealed, automation_hiding.on_answers_sealed),
    SessionClosed: (subscribing.on_session_closed,),
    UserDeactivated: (
        leaving.on_user_deactivated,
        reviews.on_user_deactivated,
        scim_people.on_user_deactivated,
        service_accounts.on_user_deactivated,
        scheduled_exports.on_user_deactivated,
    ),
    UserReactivated: (scim_people.on_user_reactivated, directory_people.on_user_reactivated),
    **{event: (clocking.on_change,) for event in clocking.CHANGES if event is not tickets.TicketApproved},
}

CONSUMERS = {
    "notifications": notifications.notify,
    "team_rooms": announcing.announce,
    "pushed_roles": scim_roles.follow_map,
    running.CONSUMER: running.follow,
}

SUBSCRIPTIONS: dict[type[Event], tuple[str, ...]] = {
    approvals.ApprovalRequested: ("notifications",),
    approvals.ApprovalApproved: ("notifications",),
    approvals.ApprovalRejected: ("notifications",),
    approvals.ApprovalReminded: ("notifications",),
    approvals.ApprovalEscalated: ("notifications",),
    approvals.ApproverAdded: ("notifications",),
    approvals.InfoRequested: ("notifications",),
    approvals.InfoAnswered: ("notifications",),
    # nobody is told, but messages that asked for a decision are settled
    approvals.ApprovalDelegated: ("notifications",),
    approvals.ApprovalRerouted: ("notifications",),
    approvals.StageReopened: ("notifications",),
    approvals.StageDropped: ("notifications",),
    approvals.ApprovalOverridden: ("notifications",),
    approvals.ApprovalCancelled: ("notifications",),
    approvals.ApprovalDecided: ("notifications",),
    glass.GlassBroken: ("notifications",),
    glass.ReviewReminded: ("notifications",),
    glass.ReviewClimbed: ("notifications",),
    glass.ReviewConfirmed: ("notifications",),
    glass.ReviewObjected: ("notifications",),
    deputies.DelegationCreated: ("notifications",),
    deputies.DelegationBegun: ("notifications",),
    deputies.DelegationChanged: ("notifications",),
    deputies.DelegationCancelled: ("notifications",),
    access.PasswordSet: ("notifications",),
    access.FactorAdded: ("notifications",),
    access.FactorRemoved: ("notifications",),
    access.RecoveryCodesMade: ("notifications",),
    access.RecoveryCodeUsed: ("notifications",),
    access.FactorsReset: ("notifications",),
    access.NewDevice: ("notifications",),
    SessionClosed: ("notifications",),
    access.PasswordResetAsked: ("notifications",),
    PersonInvited: ("notifications",),
    TokenMade: ("notifications",),
    IdentityLinked: ("notifications",),
    UsernameFollowed: ("notifications",),
    access.RolesGranted: ("notifications",),
    roles.RoleTaken: ("notifications",),
    ProviderRolesChanged: ("notifications",),
    roles.GrantEnding: ("notifications",),
    roles.GrantExpired: ("notifications",),
    roles.RoleChangeAsked: ("notifications",),
    roles.RoleChangeConfirmed: ("notifications",),
    roles.RoleChangeRefused: ("notifications",),
    roles.RoleChangeExpired: ("notifications",),
    ChannelFailed: ("notifications",),
    PhoneProved: ("notifications",),
    UserEmailChanged: ("notifications",),
    ReplyCodesVoided: ("notifications",),
    MailboxFailed: ("notifications",),
    MailHeldBack: ("notifications",),
    ProvisioningStopped: ("notifications",),
    ProviderGroupsSet: ("pushed_roles",),
    DirectoryStopped: ("notifications",),
    DirectoryFailed: ("notifications",),
    AlarmRaised: ("notifications",),
    NoticeAsked: ("notifications",),
    tickets.TicketSubmitted: ("notifications", "team_rooms"),
    tickets.TicketApproved: ("notifications",),
    tickets.TicketRejected: ("notifications",),
    tickets.TicketAssigned: ("notifications", "team_rooms"),
    tickets.TicketCompleted: ("notifications",),
    clock_events.SlaWarned: ("notifications",),
    clock_events.SlaBreached: ("notifications",),
    tickets.TicketDueSoon: ("notifications",),
    tickets.TicketOverdue: ("notifications",),
    tickets.TicketReopened: ("notifications",),
    tickets.CommentAdded: ("notifications",),
    tickets.CommentEdited: ("notifications",),
    tickets.WatcherAdded: ("notifications",),
    tickets.TicketUpdated: ("notifications",),
    tickets.TicketMerged: ("notifications",),
    tickets.TicketToldByRule: ("notifications",),
    ViewMatched: ("notifications",),
}
# the rules hear of all that happens to tickets
SUBSCRIPTIONS |= {kind: (*SUBSCRIPTIONS.get(kind, ()), running.CONSUMER) for kind in facts.FOLLOWED}

Task = Callable[[Database], Awaitable[object]]
SEND = "notifications.send"
SCAN = keeping.TASK


def build_wiring() -> Wiring:
    """The table in force, and the rooms whose subjects approvals judge."""
    use_finders(
        (
            definitions.definitions_naming,
            field_uses.rules_naming,
            views_naming,
            automation_mentions.rules_naming_field,
            field_uses.tickets_with,
        ),
    )
    use_mention_finders(
        (
            person_mentions.tickets_naming_person,
            approval_mentions.workflows_naming_person,
            approval_mentions.delegations_naming_person,
            person_mentions.rules_naming_person,
            policy_mentions.policies_naming_person,
            person_mentions.replies_of_person,
            views_naming_person,
            automation_mentions.rules_naming_person,
        ),
    )
    use_view_names(alerts.name_of_view)
    use_rules_ahead(rules_ahead.when_sent)
    use_counted_fields(list_fields.COUNTED)
    use_wording(list_words.read_words, list_words.matching)
    use_role_finders((role_mentions.workflows_naming_role, automation_mentions.rules_naming_role))
    use_personal(
        (
            *directory_personal.PERSONAL,
            *access_personal.PERSONAL,
            *tickets_personal.PERSONAL,
            *approvals_personal.PERSONAL,
            *sla_personal.PERSONAL,
            *notifications_personal.PERSONAL,
            *search_personal.PERSONAL,
            *catalog_personal.PERSONAL,
            *audit_personal.PERSONAL,
            *reports_personal.PERSONAL,
            *automation_personal.PERSONAL,
        ),
        (*notifications_personal.TOLD, *automation_personal.TOLD),
        (tickets_personal.files_written,),
    )
    use_openers({files_of_exports.WHAT: files_of_exports.open_files})
    use_subject_rooms({reviewing.TICKET: reviewing.TicketRoom()})
    use_working_hours(working_hours.hours_of)
    return Wiring(handlers=HANDLERS, consumers=CONSUMERS, subscriptions=SUBSCRIPTIONS)


async def _drain(database: Database) -> None:
    """Hand events to their consumers, then ask for the mails and calls they wrote to be sent."""
    if await relay.drain(database):
        await hints.ask(SEND)
    await hints.ask(following.TASK)


async def _index(database: Database) -> None:
    """Follow the log with the search index; what is left asks for the next turn behind everything else that waits."""
    if await following.run_due(database):
        await hints.ask(following.TASK)
        await hints.ask(calls.TASK)
    await hints.ask(telling_news.TASK)


async def _tell_news(database: Database) -> None:
    """Tell what is new in views; what is left asks for the next turn behind everything else that waits."""
    if await telling_news.run_due(database):
        await hints.ask(telling_news.TASK)


async def _automation_over_time(database: Database) -> None:
    """Let rules over time run; what is left asks for the next turn behind everything else that waits."""
    if await automation_timing.run_due(database):
        await hints.ask(automation_timing.TASK)


async def _automation_calls(database: Database) -> None:
    """Make the calls that rules asked for; what is left asks for the next turn behind everything else that waits."""
    if await calls.run_due(database):
        await hints.ask(calls.TASK)


async def _read_files(database: Database) -> None:
    """Read what is written in new files, then let it be indexed."""
    if await reading_files.run_due(database):
        await hints.ask(following.TASK)


async def _change_many(database: Database) -> None:
    """Go on with bulk jobs; what is left asks for the next turn behind everything else that waits."""
    if await bulk.run_due(database):
        await hints.ask(bulk.TASK)


async def _apply_levels(database: Database) -> None:
    """Go on with applying service levels; what is left asks for the next turn behind everything else that waits."""
    if await level_runs.run_due(database):
        await hints.ask(level_runs.TASK)


async def _change_many_people(database: Database) -> None:
    """Go on with changes of many people; what is left asks for the next turn behind everything else that waits."""
    if await people_jobs.jobs.run_due(database):
        await hints.ask(people_jobs.TASK)


async def _import_people(database: Database) -> None:
    """Go on with tables of people; what is left asks for the next turn behind everything else that waits."""
    if await people_imports.run_due(database):
        await hints.ask(people_imports.TASK)


async def _seal_answers(database: Database) -> None:
    """Go on with sealing answers; what is left asks for the next turn behind everything else that waits."""
    if await resealing.run_due(database):
        await hints.ask(resealing.TASK)


async def _timers(database: Database) -> None:
    """Let the approvals' timers run; what is left asks for the next turn behind everything else that waits."""
    if await timing.run_due(database):
        await hints.ask(timing.TASK)


async def _import(database: Database) -> None:
    """Go on with imports; what is left asks for the next turn behind everything else that waits."""
    if await importing.run_due(database):
        await hints.ask(importing.TASK)


async def _seal(database: Database) -> None:
    """Seal the log and let it be sent on; what is left asks for the next turn behind everything else that waits."""
    if await sealing.run_due(database):
        await hints.ask(sealing.TASK)
    await hints.ask(streaming.TASK)


async def _stream(database: Database) -> None:
    """Send the log on; what is left asks for the next turn behind everything else that waits."""
    if await streaming.run_due(database):
        await hints.ask(streaming.TASK)


async def _count(database: Database) -> None:
    """Count what happened for dashboards and reports; what is left asks for the next turn behind everything else."""
    if await counting.run_due(database):
        await hints.ask(counting.TASK)


async def _export_reports(database: Database) -> None:
    """Go on with exports of reports; what is left asks for the next turn behind everything else that waits."""
    if await report_exports.make_due(database):
        await hints.ask(report_exports.TASK)


async def _keep_house(database: Database) -> None:
    async with database.transaction() as session:
        await forget_old_keys(session)
        await evidence.forget_old_packs(session)
        await forget_old_sessions(session)
        await forget_old_tokens(session)
        await signing_in.forget_old(session)
        await directory_runs.forget_old_runs(session)
        await links.forget_old_links(session)
        await reply_codes.forget_old_messages(session)
        await phones.forget_unproved(session)
        await bulk.forget_old_jobs(session)
        await level_runs.forget_old_trials(session)
        await people_jobs.forget_old_jobs(session)
        await people_imports.forget_old_imports(session)
        await importing.forget_old_imports(session)
        await automation_queries.forget_old_runs(session)
        await calls.forget_old(session)
        await exports_of_reports.forget_old_exports(session)
        await own_sums.forget_unread(session)
        await drafts.forget_old_drafts(session)
        await comment_drafts.forget_old_comment_drafts(session)
    await keeping.forget_orphans(
        database, originals.names_kept, personal_exports.names_kept, exports_of_reports.names_kept
    )
    await reviewing.complete_facts(database)
    await removing.run_due(database)


def tasks() -> dict[str, Task]:
    """What the worker can be asked to do, by name."""
    return {
        hints.RELAY: _drain,
        SEND: sending.send_due,
        SCAN: keeping.scan_due,
        bulk.TASK: _change_many,
        level_runs.TASK: _apply_levels,
        people_jobs.TASK: _change_many_people,
        people_imports.TASK: _import_people,
        importing.TASK: _import,
        resealing.TASK: _seal_answers,
        delegating.TASK: delegating.begin_due,
        leaving.TASK: leaving.sweep,
        timing.TASK: _timers,
        reviews.TASK: reviews.run_due,
        due.TASK: due.run_due,
        running_late.TASK: running_late.run_due,
        automation_timing.TASK: _automation_over_time,
        calls.TASK: _automation_calls,
        sealing.TASK: _seal,
        streaming.TASK: _stream,
        checking.TASK: checking.run_due,
        evidence.TASK: evidence.run_due,
        grants.TASK: grants.end_due,
        role_changes.TASK: role_changes.expire_due,
        personal_exports.TASK: personal_exports.make_due,
        directories.TASK: directories.run_due,
        counting.TASK: _count,
        sums_ahead.TASK: sums_ahead.run_due,
        report_exports.TASK: _export_reports,
        calendar_files.TASK: calendar_files.run_due,
        following.TASK: _index,
        telling_news.TASK: _tell_news,
        reading_files.TASK: _read_files,
        file_texts.TASK: file_texts.seal_plain,
        "housekeeping": _keep_house,
        "numbers.seal": sealed_numbers.seal_plain,
        sealed_addresses.TASK: sealed_addresses.seal_plain,
    }


SCHEDULE: dict[str, dict[str, Any]] = {
    # The sweep behind the hints: a lost hint costs so many seconds, never an event.
    "relay": {"task": hints.RELAY, "schedule": 2.0, "options": {"expires": 10}},
    "mails": {"task": SEND, "schedule": 5.0, "options": {"expires": 10}},
    "counts": {"task": counting.TASK, "schedule": 2.0, "options": {"expires": 10}},
    "sums_ahead": {"task": sums_ahead.TASK, "schedule": 300.0, "options": {"expires": 300}},
    "search": {"task": following.TASK, "schedule": 2.0, "options": {"expires": 10}},
    "file_texts": {"task": reading_files.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "view_alerts": {"task": telling_news.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "scans": {"task": SCAN, "schedule": 5.0, "options": {"expires": 10}},
    "imports": {"task": importing.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "answers": {"task": resealing.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "approvals": {"task": timing.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "reviews": {"task": reviews.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "personal_exports": {"task": personal_exports.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "report_exports": {"task": report_exports.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "due": {"task": due.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "clocks": {"task": running_late.TASK, "schedule": 15.0, "options": {"expires": 15}},
    "automation": {"task": automation_timing.TASK, "schedule": 10.0, "options": {"expires": 10}},
    "automation_calls": {"task": calls.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "directories": {"task": directories.TASK, "schedule": 15.0, "options": {"expires": 15}},
    "calendar_files": {"task": calendar_files.TASK, "schedule": 300.0, "options": {"expires": 300}},
    "bulk": {"task": bulk.TASK, "schedule": 2.0, "options": {"expires": 10}},
    "level_runs": {"task": level_runs.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "bulk_people": {"task": people_jobs.TASK, "schedule": 2.0, "options": {"expires": 10}},
    "people_imports": {"task": people_imports.TASK, "schedule": 5.0, "options": {"expires": 10}},
    "deputies": {"task": delegating.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "grants": {"task": grants.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "role_changes": {"task": role_changes.TASK, "schedule": 60.0, "options": {"expires": 60}},
    "leavers": {"task": leaving.TASK, "schedule": 60.0, "options": {"expires": 60}},
    "seals": {"task": sealing.TASK, "schedule": 20.0, "options": {"expires": 20}},
    "streams": {"task": streaming.TASK, "schedule": 10.0, "options": {"expires": 10}},
    "evidence": {"task": evidence.TASK, "schedule": 10.0, "options": {"expires": 10}},
    "chain": {"task": checking.TASK, "schedule": 30.0, "options": {"expires": 30}},
    "housekeeping": {"task": "housekeeping", "schedule": 3600.0, "options": {"expires": 600}},
    "sealed_file_texts": {"task": file_texts.TASK, "schedule": 300.0, "options": {"expires": 300}},
    "rule_addresses": {"task": sealed_addresses.TASK, "schedule": 300.0, "options": {"expires": 300}},
    "numbers": {"task": "numbers.seal", "schedule": 300.0, "options": {"expires": 300}},
}
