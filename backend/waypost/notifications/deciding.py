"""Decisions that come from outside the web app: through the same service, with the same checks, and refused in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from waypost.access import factors
from waypost.access.queries import actor_of_user
from waypost.approvals import service
from waypost.approvals.errors import StepDecided
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.states import Verb
from waypost.kernel.db import Database
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.problems import translate_database_error
from waypost.kernel.settings import get_settings

BY_BUTTON = {verb.value: verb for verb in (Verb.APPROVE, Verb.REJECT, Verb.REQUEST_INFO)}
NEEDS_WORDS = frozenset({Verb.REJECT, Verb.REQUEST_INFO})
DONE = {Verb.APPROVE: "Approved.", Verb.REJECT: "Rejected.", Verb.REQUEST_INFO: "Your question is on its way."}
MOST_CHANGES = 5


@dataclass(frozen=True, slots=True)
class Press:
    """What somebody wants to do with a step, as they saw it in a version of the request."""

    step_id: int
    version: int
    verb: Verb


@dataclass(frozen=True, slots=True)
class Said:
    """What became of it, for that person only. `lacks_words`: they gave no reason."""

    is_done: bool
    words: str
    link: str
    lacks_words: bool = False


def press_of(verb: object, value: object) -> Press | None:
    """What a button says (`step.version`), or None when it says nothing we wrote."""
    found = (
        re.fullmatch(r"([1-9][0-9]{0,17})\.([0-9]{1,9})", value) if isinstance(value, str) and value.isascii() else None
    )
    if found is None or not isinstance(verb, str) or verb not in BY_BUTTON:
        return None
    return Press(int(found[1]), int(found[2]), BY_BUTTON[verb])


async def decide(database: Database, user_id: int, press: Press, words: str, channel: str) -> Said:
    """Decide as this person, recorded with the channel it came by. The same answer twice is taken once."""
    try:
        async with database.transaction() as session:
            actor = await actor_of_user(session, user_id, channel)
            if actor is None:
                return Said(False, "Your account is not active.", get_settings().origin)
            if await factors.roles_that_need_one(session, user_id):
                return _needs_factor()
            done = await service.decide(
                session, actor, press.step_id, press.verb, comments=words, version=press.version
            )
            link = _link(done.subject_id)
    except Refusal as refusal:
        return await _refused(database, press, refusal)
    except (DBAPIError, OSError) as error:
        return await _refused(database, press, translate_database_error(error))
    return Said(True, DONE[press.verb], link)


async def may_decide(database: Database, user_id: int, press: Press, channel: str) -> Said | None:
    """What keeps this person from deciding, before they are asked for words; None when nothing does."""
    try:
        async with database.read() as session:
            actor = await actor_of_user(session, user_id, channel)
            if actor is None:
                return Said(False, "Your account is not active.", get_settings().origin)
            if await factors.roles_that_need_one(session, user_id):
                return _needs_factor()
            running = await service.check_asked(session, actor, press.step_id)
            _, step = running.state.find(press.step_id)
            if step.decided_at is not None:
                return await _refused(database, press, StepDecided())
            await service.check_seen(session, running.row, press.version)
    except Refusal as refusal:
        return await _refused(database, press, refusal)
    return None


def _needs_factor() -> Said:
    return Said(False, "Your role needs a second factor: decide this in Waypost.", f"{get_settings().origin}/approvals")


async def title_of(database: Database, step_id: int) -> str:
    """What is to be decided, for somebody who may decide it."""
    async with database.read() as session:
        found = await session.scalar(
            select(ApprovalWorkflow.subject)
            .join(ApprovalStep, ApprovalStep.workflow_id == ApprovalWorkflow.id)
            .where(ApprovalStep.id == step_id)
        )
    subject: dict[str, Any] = found or {}
    return " ".join(str(subject.get(k) or "") for k in ("ticket_number", "title")).strip() or "This request"


async def _refused(database: Database, press: Press, refusal: Refusal) -> Said:
    link = f"{get_settings().origin}/approvals"
    if refusal.kind is not Kind.NOT_FOUND:
        async with database.read() as session:
            ticket_id = await session.scalar(select(ApprovalStep.subject_id).where(ApprovalStep.id == press.step_id))
        link = _link(ticket_id) if ticket_id else link
    return Said(False, in_words(refusal), link, lacks_words=refusal.code == "comment_needed")


def in_words(refusal: Refusal) -> str:
    """A refusal as one says it, with what reads differently when the request was changed. Pure."""
    changes = refusal.facts.get("changes")
    if not isinstance(changes, list) or not changes:
        return refusal.detail
    said = "; ".join(f"{c['label']}: {_short(c['before'])} → {_short(c['after'])}" for c in changes[:MOST_CHANGES])
    more = f"; and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
    return f"The request was changed since you were asked. {said}{more}. Please look again."


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _link(ticket_id: int) -> str:
    return f"{get_settings().origin}/approvals?ticket={ticket_id}"
