"""Two tickets that ask for the same become one; one that asks for two things becomes two.

Merging moves what was said, the files, the watchers and the tags of a duplicate to the main ticket, withdraws its
approvals and closes it. Nothing leads back, and others see more by it: so whoever does it has seen the preview of these
two, as they are at that moment, and has agreed to what it warns of.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.access.queries import actors_of_users, granted_below
from waypost.catalog.answers import answer_files
from waypost.directory.models import TeamMember
from waypost.directory.names import names
from waypost.kernel.events import record
from waypost.tickets import events, lifecycle, linking, policy, reviewing, tagging, watching
from waypost.tickets.attaching import MOST_PER_TICKET
from waypost.tickets.errors import LinkExists, MergeChanged, MergeNeedsConsent, NotYours, TooManyAttachments
from waypost.tickets.lifecycle import Part, Status, Step
from waypost.tickets.models import Attachment, TicketComment
from waypost.tickets.moving import apply_step, touch
from waypost.tickets.queries import Found
from waypost.tickets.working_models import TicketWatcher


@dataclass(frozen=True, slots=True)
class Plan:
    """What merging would do, and what it warns of.

    `let_in_ids` are those who see the main ticket from then on, `shown_ids` those who see what the duplicate kept from them
    (into a ticket that is not confidential that is everybody who sees it, so nobody is named). `between` is what else that
    depends on: which two they are, and whose.
    """

    between: tuple[tuple[int, int | None, bool], ...]
    comments: int
    files: int
    tags: list[str]
    left_out_tags: list[str]
    watcher_ids: list[int]
    let_in_ids: list[int]
    shown_ids: list[int]
    withdraws_approval: bool
    warnings: list[str]

    @property
    def seen(self) -> str:
        """A word for what one agrees to: another one for other tickets, and as soon as other people would see more."""
        people = sorted(self.let_in_ids), sorted(self.shown_ids)
        agreed = (self.between, self.warnings, *people, self.withdraws_approval)
        return sha256(repr(agreed).encode()).hexdigest()[:32]


async def plan(session: AsyncSession, duplicate: Found, main: Found) -> Plan:
    """What becomes of the duplicate's things; reads only."""
    one, other = duplicate.ticket, main.ticket
    comments, internal_comments = await _count(session, TicketComment, [TicketComment.ticket_id == one.id])
    files, internal_files = await _count(session, Attachment, _moved(duplicate))
    tags = list(dict.fromkeys([*other.tags, *one.tags]))
    rows = (await session.execute(select(TicketWatcher.user_id).where(TicketWatcher.ticket_id == one.id))).all()
    wanted = [i for i in dict.fromkeys([one.requester_id, *(r.user_id for r in rows)]) if i != other.requester_id]
    both_confidential = one.is_confidential and other.is_confidential
    candidates = await _who_may_see_more(session, main) if both_confidential else frozenset()
    readers = await actors_of_users(session, {*wanted, *candidates})
    # who watches what they do not see any more (it was made confidential) is not let in by this
    watcher_ids = [i for i in wanted if i in readers and policy.may_read(readers[i], duplicate.facts)]
    let_in = [i for i in watcher_ids if not policy.may_read(readers[i], main.facts)]
    shown = [
        i
        for i in sorted(candidates)
        if i in readers and policy.may_read(readers[i], main.facts) and not policy.may_read(readers[i], duplicate.facts)
    ]
    warnings = {
        "confidential_becomes_open": one.is_confidential and not other.is_confidential,
        "readers_see_confidential": bool(shown),
        "people_see_confidential": other.is_confidential and bool(let_in),
        "internal_changes_team": one.team_id != other.team_id and internal_comments + internal_files > 0,
    }
    return Plan(
        between=tuple((t.id, t.team_id, t.is_confidential) for t in (one, other)),
        comments=comments,
        files=files,
        tags=tags[len(other.tags) : tagging.MOST],
        left_out_tags=tags[tagging.MOST :],
        watcher_ids=watcher_ids,
        let_in_ids=let_in,
        shown_ids=shown,
        withdraws_approval=duplicate.facts.status in (Status.IN_REVIEW, Status.PENDING_INFO),
        warnings=[word for word, holds in warnings.items() if holds],
    )


def _moved(duplicate: Found) -> list[ColumnElement[bool]]:
    """The files that go along: those that answer the duplicate's own questions stay with the answers."""
    answering = answer_files(duplicate.form, duplicate.ticket.custom_fields)
    return [Attachment.ticket_id == duplicate.ticket.id, Attachment.id.not_in(sorted(answering))]


async def _count(
    session: AsyncSession, of: type[TicketComment] | type[Attachment], which: list[ColumnElement[bool]]
) -> tuple[int, int]:
    """How many there are, and how many of them are internal."""
    internal = func.count().filter(of.visibility == "INTERNAL")
    row = (await session.execute(select(func.count(), internal).where(*which))).one()
    return row[0], row[1]


async def _who_may_see_more(session: AsyncSession, main: Found) -> Collection[int]:
    """Those who may see a confidential ticket, and do not see every ticket anyway; more may be named than see it."""
    facts = main.facts
    members = await session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == facts.team_id))
    near = await granted_below(session, Permission.TICKETS_READ_CONFIDENTIAL, Scope.ALL)
    own = {facts.requester_id, facts.created_by_id, facts.assignee_id} - {None}
    return {i for i in own if i is not None} | facts.approver_ids | facts.invited_ids | set(members) | near


def check(actor: Actor, duplicate: Found, main: Found) -> None:
    """Raises `NotYours`, or `TicketIsClosed` when one of them cannot be merged any more."""
    for found in (duplicate, main):
        if Part.FULFILLER not in policy.parts_of(actor, found.facts):
            raise NotYours("Both tickets must be your team's.")
    lifecycle.check_merge(duplicate.facts.status, main.facts.status)


async def preview(session: AsyncSession, actor: Actor, ticket_id: int, into_id: int) -> dict[str, Any]:
    """What merging this ticket into another would do. Changes nothing; raises what merging would."""
    duplicate, main = await linking.both(session, actor, ticket_id, into_id, "?into", lock=False)
    check(actor, duplicate, main)
    planned = await plan(session, duplicate, main)
    people = await names.people(session, [*planned.watcher_ids, *planned.shown_ids])
    return {
        "into": {
            "id": main.ticket.id,
            "ticket_number": main.ticket.ticket_number,
            "title": main.ticket.title,
            "status": main.ticket.status,
        },
        "comments": planned.comments,
        "files": planned.files,
        "tags": planned.tags,
        "left_out_tags": planned.left_out_tags,
        "watchers": [people[i] for i in planned.watcher_ids if i in people],
        "let_in": [people[i] for i in planned.let_in_ids if i in people],
        "shown": [people[i] for i in planned.shown_ids if i in people],
        "withdraws_approval": planned.withdraws_approval,
        "warnings": planned.warnings,
        "seen": planned.seen,
    }


async def merge(
    session: AsyncSession, actor: Actor, ticket_id: int, *, into_id: int, accepted: list[str], seen: str
) -> None:
    """Close a ticket as a duplicate of another, which takes over what was said and attached. Twice is once.

    Who asked for the duplicate asks for the other from now on, and does not decide it. `seen` is the preview's, so what is
    agreed to is what is done. Raises what `check` raises, `MergeChanged` when it would do something else by now,
    `MergeNeedsConsent` when it warns of what was not agreed to, `TooManyAttachments`, `NobodyToAsk`.
    """
    duplicate, main = await linking.both(session, actor, ticket_id, into_id, "/into_id")
    one, other = duplicate.ticket, main.ticket
    if one.merged_into_id == other.id:
        return
    check(actor, duplicate, main)
    planned = await plan(session, duplicate, main)
    if seen != planned.seen:
        raise MergeChanged
    if missing := [w for w in planned.warnings if w not in accepted]:
        raise MergeNeedsConsent(warnings=missing)
    kept = select(func.count()).select_from(Attachment).where(Attachment.ticket_id == other.id)
    if planned.files + (await session.scalar(kept) or 0) > MOST_PER_TICKET:
        raise TooManyAttachments(f"A ticket has at most {MOST_PER_TICKET} files; both together have more.")
    if planned.withdraws_approval:
        await reviewing.withdraw(session, actor, one, "it is a duplicate of another request")
    moving = update(TicketComment).where(TicketComment.ticket_id == one.id).values(ticket_id=other.id)
    moved = list(await session.scalars(moving.returning(TicketComment.id)))
    await session.execute(update(Attachment).where(*_moved(duplicate)).values(ticket_id=other.id))
    other.comment_count += one.comment_count
    other.internal_comment_count += one.internal_comment_count
    one.comment_count = one.internal_comment_count = 0
    one.merged_into_id = other.id
    await reviewing.asked_for_by_more(session, actor, main, reviewing.written_by(one))
    if planned.tags:
        other.tags = [*other.tags, *planned.tags]
        await tagging.keep(session, other.id, other.tags)
    await apply_step(session, actor, one, Step.MERGE, Status.CLOSED, into_ticket_id=other.id)
    at = touch(other)
    await session.flush()
    absorbed = events.TicketAbsorbed(
        ticket_id=other.id,
        ticket_version=other.version,
        other_ticket_id=one.id,
        comments=planned.comments,
        files=planned.files,
        tags=planned.tags,
        comment_ids=sorted(moved),
    )
    await record(session, absorbed, actor=actor, at=at)
    for user_id in planned.watcher_ids:
        await watching.add_watcher(session, actor, main, user_id, gives_sight=user_id in planned.let_in_ids)
    with contextlib.suppress(LinkExists):  # somebody had said so already
        await linking.make_link(session, actor, "DUPLICATE_OF", one, other)
