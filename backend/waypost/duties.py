"""What the worker can be asked to do (`tasks()`), and when it is asked by itself (`SCHEDULE`).

Most of it is done in turns: what is left after one asks for the next, behind everything else that waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from waypost.access import grants, people_jobs, role_changes
from waypost.access.api_tokens import forget_old_tokens
from waypost.access.importing import service as people_imports
from waypost.access.privacy import exporting as personal_exports
from waypost.access.providers import signing_in
from waypost.access.providers.ldap import runs as directory_runs
from waypost.access.providers.ldap import syncing as directories
from waypost.access.sessions import forget_old_sessions
from waypost.approvals import delegating, leaving, links, reviews, timing
from waypost.audit import checking, evidence, sealing
from waypost.audit.retention import removing
from waypost.audit.streams import sending as streaming
from waypost.automation import calls, sealed_addresses
from waypost.automation import queries as automation_queries
from waypost.automation import timing as automation_timing
from waypost.kernel import hints, relay, sealed_numbers
from waypost.kernel.db import Database
from waypost.kernel.idempotency import forget_old_keys
from waypost.notifications import phones, reply_codes, sending
from waypost.notifications.incoming import originals
from waypost.reports import export_making as report_exports
from waypost.reports import exporting as exports_of_reports
from waypost.reports import foreseeing as sums_ahead
from waypost.reports import keeping as counting
from waypost.reports import own_sums
from waypost.search import file_texts, following, reading_files, telling_news
from waypost.sla import calendar_files
from waypost.tickets import (
    bulk,
    comment_drafts,
    drafts,
    due,
    importing,
    keeping,
    level_runs,
    resealing,
    reviewing,
    running_late,
)

Task = Callable[[Database], Awaitable[object]]
SEND = "notifications.send"
SCAN = keeping.TASK


def _in_turns(task: str, run_due: Callable[[Database], Awaitable[object]]) -> dict[str, Task]:
    """A task of which something may be left after a turn; `run_due` says whether there is."""

    async def turn(database: Database) -> None:
        if await run_due(database):
            await hints.ask(task)

    return {task: turn}


async def _drain(database: Database) -> None:
    """Hand events to their consumers, then ask for the mails and calls they wrote to be sent."""
    if await relay.drain(database):
        await hints.ask(SEND)
        await hints.ask(calls.TASK)
    await hints.ask(following.TASK)


async def _index(database: Database) -> None:
    """Follow the log with the search index; what is left asks for the next turn behind everything else that waits."""
    if await following.run_due(database):
        await hints.ask(following.TASK)
    await hints.ask(telling_news.TASK)


async def _read_files(database: Database) -> None:
    """Read what is written in new files, then let it be indexed."""
    if await reading_files.run_due(database):
        await hints.ask(following.TASK)


async def _seal(database: Database) -> None:
    """Seal the log and let it be sent on; what is left asks for the next turn behind everything else that waits."""
    if await sealing.run_due(database):
        await hints.ask(sealing.TASK)
    await hints.ask(streaming.TASK)


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
        **_in_turns(bulk.TASK, bulk.run_due),
        **_in_turns(level_runs.TASK, level_runs.run_due),
        **_in_turns(people_jobs.TASK, people_jobs.jobs.run_due),
        **_in_turns(people_imports.TASK, people_imports.run_due),
        **_in_turns(importing.TASK, importing.run_due),
        **_in_turns(resealing.TASK, resealing.run_due),
        delegating.TASK: delegating.begin_due,
        leaving.TASK: leaving.sweep,
        **_in_turns(timing.TASK, timing.run_due),
        reviews.TASK: reviews.run_due,
        due.TASK: due.run_due,
        running_late.TASK: running_late.run_due,
        **_in_turns(automation_timing.TASK, automation_timing.run_due),
        **_in_turns(calls.TASK, calls.run_due),
        sealing.TASK: _seal,
        **_in_turns(streaming.TASK, streaming.run_due),
        checking.TASK: checking.run_due,
        evidence.TASK: evidence.run_due,
        grants.TASK: grants.end_due,
        role_changes.TASK: role_changes.expire_due,
        personal_exports.TASK: personal_exports.make_due,
        directories.TASK: directories.run_due,
        **_in_turns(counting.TASK, counting.run_due),
        sums_ahead.TASK: sums_ahead.run_due,
        **_in_turns(report_exports.TASK, report_exports.make_due),
        calendar_files.TASK: calendar_files.run_due,
        following.TASK: _index,
        **_in_turns(telling_news.TASK, telling_news.run_due),
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
