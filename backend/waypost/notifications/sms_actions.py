"""What people answer by text message: decisions with a code, STOP and START, and what we do not understand.

Who it is, is known by the phone the message comes from, which its owner proved to be theirs, and by the code, which only
that phone was sent; what they may do is looked at as everywhere else. An unknown phone gets no answer at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.queries import actor_of_user
from waypost.approvals import service
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.states import ASKED, StepStatus, Verb
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.db import Database, is_busy
from waypost.kernel.errors import Refusal
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications.deciding import DONE, in_words
from waypost.notifications.events import PhoneResumed, PhoneStopped, ReplyCodesVoided, SmsAnswered
from waypost.notifications.models import ContactPoint, Delivery
from waypost.notifications.numbers import hidden
from waypost.notifications.phones import points_of, text_delivery
from waypost.notifications.reply_codes import CHANNEL, find_code, sign_in_for, void_codes
from waypost.notifications.settling import outcome_of
from waypost.notifications.sms_models import IncomingSms, ReplyCode
from waypost.notifications.sms_reading import Answer, Wish, read
from waypost.notifications.words import Words

log = get_logger(__name__)
ANSWERED = "sms.answer"
MOST_WRONG = 5  # codes nobody sent to a phone, after which those it was sent are void
QUIET = timedelta(hours=1)  # in which what is not understood is answered once
BUSY = "BUSY"
_VERBS = {Wish.APPROVE: Verb.APPROVE, Wish.REJECT: Verb.REJECT}
_OPEN = frozenset(status.value for status in ASKED)
HELP = (
    "Waypost tells you here what waits for you. Answer a request with APPROVE or REJECT, its code and, to reject, the "
    "reason. STOP ends these messages, START begins them again."
)
UNCLEAR = "We did not understand that. Answer APPROVE and the code of the request, or REJECT, the code and the reason."
STOPPED = "You get no more text messages from Waypost. Answer START to get them again."
STARTED = "You get text messages from Waypost again."
WRONG = "We sent no such code to this phone. Please look at the message again."
SPENT = "Too many wrong codes: none that was sent to this phone is good any more. Please decide in Waypost:"
NO_REASON = "Please say why: REJECT, the code, and the reason."
SIGN_IN = "This one is decided in Waypost only. Open it there:"
EXPIRED = "This code is over. Please decide in Waypost:"
NOT_NOW = "That could not be taken just now. Please send it again in a minute."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as its provider brought it. `is_answered`: the network answers STOP, START and HELP by itself."""

    provider: str
    id: str
    phone: str
    text: str
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What becomes of it: a word for it, and what its sender reads, from whose name (None: nothing)."""

    outcome: str
    words: str = ""
    user_id: int | None = None
    step_id: int | None = None


async def react(database: Database, message: Incoming) -> None:
    """Do what a verified message asks for, once, however often it is brought."""
    try:
        async with database.transaction() as session:
            await _take(session, message)
    except DBAPIError as error:
        if not is_busy(error):
            raise
        log.warning("a message waited too long for somebody else", phone=hidden(message.phone))
        async with database.transaction() as session:
            if await _claim(session, message) and (points := await points_of(session, message.phone)):
                await _answer(session, message, Said(BUSY, NOT_NOW, points[0].user_id))


async def _take(session: AsyncSession, message: Incoming) -> None:
    if not await _claim(session, message):
        return
    points = await points_of(session, message.phone)
    if not points:
        return
    answer = read(message.text)
    if answer.wish in (Wish.STOP, Wish.START):
        said = await _switch(session, points, message, is_on=answer.wish is Wish.START)
    elif all(point.stopped_at is not None for point in points):
        said = Said("STOPPED")  # who wants nothing from us is answered nothing
    elif answer.wish is Wish.HELP:
        said = Said("HELP", "" if message.is_answered else HELP, points[0].user_id)
    elif answer.wish in _VERBS:
        said = await _decide(session, points, message, answer)
    else:
        said = Said("UNCLEAR", "" if await _was_unclear(session, message) else UNCLEAR, points[0].user_id)
    await _answer(session, message, said)


async def _claim(session: AsyncSession, message: Incoming) -> bool:
    """Whether it is taken now for the first time. Who brings it again meanwhile waits for the first to end."""
    values = {"provider": message.provider, "provider_id": message.id[:128], "phone": message.phone}
    claim = (
        insert(IncomingSms)
        .values(**values, outcome="UNKNOWN", received_at=now())
        .on_conflict_do_nothing(index_elements=["provider", "provider_id"])
        .returning(IncomingSms.id)
    )
    return await session.scalar(claim) is not None


async def _answer(session: AsyncSession, message: Incoming, said: Said) -> None:
    key = (IncomingSms.provider == message.provider, IncomingSms.provider_id == message.id[:128])
    row = (await session.scalars(select(IncomingSms).where(*key))).one()
    row.outcome = said.outcome
    await session.flush()
    if not said.words or said.user_id is None:
        return
    answered = SmsAnswered(user_id=said.user_id, outcome=said.outcome, step_id=said.step_id)
    event_id = await record(session, answered, actor=SYSTEM)
    words = Words("Answer to a text message", said.words)
    await session.execute(
        insert(Delivery).values(**text_delivery(event_id, said.user_id, message.phone, ANSWERED, words))
    )


async def _switch(session: AsyncSession, points: Sequence[ContactPoint], message: Incoming, *, is_on: bool) -> Said:
    """STOP and START, for everybody whose phone it is."""
    at, by_user = now(), {point.user_id: point for point in points}
    for user_id, point in by_user.items():
        if (point.stopped_at is None) is is_on:
            continue
        point.stopped_at = None if is_on else at
        event = PhoneResumed if is_on else PhoneStopped
        await record(session, event(user_id=user_id, point_id=point.id), actor=SYSTEM, at=at)
    await session.flush()
    words = "" if message.is_answered else STARTED if is_on else STOPPED
    return Said("STARTED" if is_on else "STOPPED", words, points[0].user_id)


async def _was_unclear(session: AsyncSession, message: Incoming) -> bool:
    """Whether they were told of late that we do not understand."""
    of_late = (
        IncomingSms.phone == message.phone,
        IncomingSms.outcome == "UNCLEAR",
        IncomingSms.received_at > now() - QUIET,
    )
    return await session.scalar(select(IncomingSms.id).where(*of_late).limit(1)) is not None


async def _decide(session: AsyncSession, points: Sequence[ContactPoint], message: Incoming, answer: Answer) -> Said:
    code = await find_code(session, message.phone, answer.code)
    owner = next((p for p in points if code is not None and p.user_id == code.user_id), None)
    if code is None or owner is None:
        return await _wrong(session, points, message.phone)
    said = await _with(session, code, answer)
    if said.outcome == "DECIDED":
        code.used_at = now()
        owner.details = {k: v for k, v in owner.details.items() if k != "wrong"}
        await session.flush()
    return said


async def _wrong(session: AsyncSession, points: Sequence[ContactPoint], phone: str) -> Said:
    """Somebody guesses. Counted where the phone is held, so that many at once are counted one by one."""
    first = points[0]
    wrong = int(first.details.get("wrong", 0)) + 1
    first.details = {**first.details, "wrong": wrong if wrong < MOST_WRONG else 0}
    await session.flush()
    if wrong < MOST_WRONG:
        return Said("WRONG", WRONG, first.user_id)
    await void_codes(session, phone)
    for user_id in dict.fromkeys(point.user_id for point in points):
        await record(session, ReplyCodesVoided(user_id=user_id, phone=hidden(phone)), actor=SYSTEM)
    return Said("VOIDED", f"{SPENT} {get_settings().origin}/approvals", first.user_id)


async def _with(session: AsyncSession, code: ReplyCode, answer: Answer) -> Said:
    """Decide with a code, as its person; or say why not."""

    def said(outcome: str, words: str) -> Said:
        return Said(outcome, words, code.user_id, code.step_id)

    found = (
        await session.execute(
            select(ApprovalStep, ApprovalWorkflow)
            .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
            .where(ApprovalStep.id == code.step_id)
        )
    ).one()
    step, workflow = found
    link = f"{get_settings().origin}/approvals?ticket={step.subject_id}"
    if step.status not in _OPEN:
        return said("ALREADY", await _outcome(session, step))
    if code.used_at is not None or code.voided_at is not None or code.expires_at <= now():
        return said("EXPIRED", f"{EXPIRED} {link}")
    if await sign_in_for(session, code.user_id, workflow) is not None:
        return said("SIGN_IN", f"{SIGN_IN} {link}")
    if answer.wish is Wish.REJECT and not answer.words:
        return said("NO_REASON", NO_REASON)
    verb = _VERBS[answer.wish]
    try:
        async with session.begin_nested():
            actor = await actor_of_user(session, code.user_id, CHANNEL)
            if actor is None:
                return said("REFUSED", "Your account is not active.")
            await service.decide(session, actor, code.step_id, verb, comments=answer.words, version=code.seen)
    except Refusal as refusal:
        await session.refresh(step)
        if step.status not in _OPEN:
            return said("ALREADY", await _outcome(session, step))
        return said("REFUSED", f"{in_words(refusal)} {link}")
    return said("DECIDED", f"{DONE[verb]} {_title(workflow)}")


async def _outcome(session: AsyncSession, step: ApprovalStep) -> str:
    """What became of a step, and by whom."""
    ids = (step.decided_by_id, step.on_behalf_of_id)
    people = await names.people(session, [i for i in ids if i is not None])
    by, behalf = (str(people[i]["name"]) if i in people else "" for i in ids)
    return f"This is settled already. {outcome_of(StepStatus(step.status), by, behalf)}."


def _title(workflow: ApprovalWorkflow) -> str:
    return " ".join(str(workflow.subject.get(k) or "") for k in ("ticket_number", "title")).strip()
