"""What the sums should be, counted slowly: every table is read whole, every request looked at by itself, every number added
by hand. It shares no line, no word of SQL and no bucket arithmetic with what it judges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NO_DAY = date(1, 1, 1)
OPEN = {"SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"}
WHERE_TIME_GOES = {
    "approval": {"SUBMITTED", "IN_REVIEW"},
    "work": {"APPROVED", "IN_PROGRESS"},
    "requester": {"PENDING_INFO"},
}
MOVES = {
    "ticket.submitted",
    "ticket.review_started",
    "ticket.approved",
    "ticket.rejected",
    "ticket.info_requested",
    "ticket.info_provided",
    "ticket.work_started",
    "ticket.completed",
    "ticket.reopened",
    "ticket.closed",
    "ticket.withdrawn",
    "ticket.merged",
}
Key = tuple[str, int, str, date, int, str, str, int]
ALSO_BY_MONTH = ("resolution", "response", "response_net", "resolve_net", "decided", "stage")
Line = tuple[str, date, str, str, int, int]  # what, day, word, more, bucket, seconds


def whole(took: timedelta) -> int:
    micro = Decimal(took // timedelta(microseconds=1))
    return max(0, int((micro / 1_000_000).quantize(Decimal(1), ROUND_HALF_UP)))


def bucket(seconds: int) -> int:
    """The first bucket that holds it, each being 5 % wider than the one before."""
    found, most = 0, 1.0
    while most < seconds:
        found, most = found + 1, most * 1.05
    return found


def day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def monday(at: datetime) -> date:
    return day(at) - timedelta(days=day(at).weekday())


async def _rows(session: AsyncSession, statement: str) -> Sequence[Any]:
    return (await session.execute(text(statement))).all()


async def _by_ticket(session: AsyncSession, statement: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in await _rows(session, statement):
        found[row.ticket_id].append(row)
    return found


async def counted_by_hand(session: AsyncSession) -> Counter[Any]:
    """The sums, from tickets, comments, approvals, clocks and the log: `(number, seconds)` for each key there is."""
    tickets = await _rows(session, "SELECT * FROM tickets")
    log = await _by_ticket(
        session, "SELECT object_id AS ticket_id, type, data, at FROM events WHERE object_type = 'ticket' ORDER BY id"
    )
    said = await _by_ticket(session, "SELECT ticket_id, author_id, visibility, created_at FROM ticket_comments")
    clocks = await _by_ticket(session, "SELECT * FROM sla_clocks")
    steps = await _by_ticket(
        session,
        "SELECT s.subject_id AS ticket_id, s.approver_id, s.status, s.requested_at, s.decided_at, g.name AS stage"
        " FROM approval_steps s JOIN approval_stages g ON g.id = s.stage_id WHERE s.subject_type = 'ticket'",
    )
    readers = await _rows(session, "SELECT * FROM report_readers WHERE NOT is_stale")
    numbers: Counter[Key] = Counter()
    seconds: Counter[Key] = Counter()
    for t in tickets:
        shade = (2 if t.is_confidential else 0) + (1 if t.status == "DRAFT" else 0)
        lines = [
            *lines_of(t, log[t.id], said[t.id], clocks[t.id]),
            *(line for step in steps[t.id] for line in lines_of_step(step)),
        ]
        places = [("A", 0)]
        places += [("T", t.team_id)] if t.team_id is not None else []
        places += [("D", t.department_id)] if t.department_id is not None else []
        asked = {step.approver_id for step in steps[t.id] if step.requested_at is not None}
        places += [("P", r.user_id) for r in readers if has_to_do_with(r, t, asked)]
        for place, place_id in places:
            owner = t.team_id if place == "A" else t.assignee_id
            load = [("load", monday(t.created_at), str(owner or ""), "", 0, 0)] if t.status in OPEN else []
            every = [*lines, *load]
            by_month = [(f"{what}_m", on.replace(day=1), *of) for what, on, *of in every if what in ALSO_BY_MONTH]
            for what, on, word, more, in_bucket, took in [*every, *by_month]:
                key = (place, place_id, what, on, shade, word, more, in_bucket)
                numbers[key] += 1
                seconds[key] += took
    return Counter({key: (n, seconds[key]) for key, n in numbers.items()})


def has_to_do_with(reader: Any, t: Any, asked: set[int]) -> bool:
    """Whether a request is in the sums that are kept for a reader."""
    if reader.user_id in (t.requester_id, t.created_by_id):
        return True
    if t.status == "DRAFT":
        return False
    if reader.user_id == t.assignee_id or reader.user_id in asked or t.team_id in reader.team_ids:
        return True
    theirs = t.requester_id in reader.report_ids or t.department_id in reader.department_ids
    return theirs and not t.is_confidential


def lines_of(t: Any, log: list[Any], said: list[Any], clocks: list[Any]) -> Iterator[Line]:
    """All that one request is counted as, but whose work it is."""
    is_open = t.status in OPEN
    yield "state", NO_DAY, t.status, t.priority, 0, 0
    yield "type", NO_DAY, t.ticket_type, "OPEN" if is_open else "", 0, 0
    if is_open:
        yield "open", day(t.created_at), t.priority, "", 0, 0
    yield "created", day(t.created_at), "", "", 0, 0
    at = t.created_at.astimezone(UTC)
    yield "arrived", monday(at), str(at.weekday()), str(at.hour), 0, 0
    if t.completed_at is not None:
        yield "completed", day(t.completed_at), kept(t, clocks), "", 0, 0
    if is_open and t.sla_state in ("RUNNING", "PAUSED", "BREACHED", "MET"):
        yield "sla", NO_DAY, t.sla_state, "", 0, 0
    for clock in clocks:  # working time, of what is over
        worked = int(Decimal(clock.used_seconds).quantize(Decimal(1), ROUND_HALF_EVEN))
        if clock.metric == "FIRST_RESPONSE" and clock.stopped_at is not None:
            in_time = "KEPT" if clock.breached_at is None else "LATE"
            yield "response_net", day(clock.stopped_at), in_time, "", bucket(worked), worked
        if clock.metric == "RESOLUTION" and clock.stopped_at is not None and t.completed_at is not None:
            yield "resolve_net", day(t.completed_at), "", "", bucket(worked), worked
    if t.submitted_at is None:
        return
    answers = [c.created_at for c in said if c.visibility == "PUBLIC" and is_of_another(c.author_id, t)]
    answered = min([*answers, *([t.completed_at] if t.completed_at is not None else [])], default=None)
    if answered is not None:
        answered = max(answered, t.submitted_at)
        took = whole(answered - t.submitted_at)
        yield "response", day(answered), "", "", bucket(took), took
    if t.completed_at is not None:
        took, on = whole(t.completed_at - t.submitted_at), day(t.completed_at)
        yield "took", on, "", "", 0, took
        yield "resolution", on, "", "", bucket(took), took
        for what, spent in spent_in(log).items():
            yield what, on, "", "", 0, whole(spent)


def is_of_another(author_id: int | None, t: Any) -> bool:
    return author_id is not None and author_id not in (t.requester_id, t.created_by_id)


def kept(t: Any, clocks: list[Any]) -> str:
    for clock in clocks:
        if clock.metric == "RESOLUTION":
            return "KEPT" if clock.breached_at is None else "LATE"
    if t.due_date is None:
        return ""
    return "KEPT" if t.completed_at <= t.due_date else "LATE"


def spent_in(log: list[Any]) -> dict[str, timedelta]:
    """How long it has been in which states: from each move to the next one; the last one is not over."""
    spent = dict.fromkeys(WHERE_TIME_GOES, timedelta())
    moves = [line for line in log if line.type in MOVES]
    for n in range(len(moves) - 1):
        for what, states in WHERE_TIME_GOES.items():
            if moves[n].data["new_status"] in states:
                spent[what] += moves[n + 1].at - moves[n].at
    return spent


def lines_of_step(step: Any) -> Iterator[Line]:
    """An approver's part: what was waited for, or how long it took."""
    if step.requested_at is None:
        return
    if step.status in ("PENDING", "INFO_REQUESTED"):
        yield "waiting", date(1, 1, 1), str(step.approver_id), step.stage, 0, 0
    if step.status in ("APPROVED", "REJECTED", "DELEGATED", "ESCALATED") and step.decided_at is not None:
        took, on = whole(step.decided_at - step.requested_at), day(step.decided_at)
        yield "decided", on, str(step.approver_id), step.stage, 0, took
        yield "stage", on, step.stage, "", bucket(took), took
