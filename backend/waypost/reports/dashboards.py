"""Dashboards: which a reader may open, and their numbers, read from the sums under the reader's own permissions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import count_pending
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.reports.errors import DashboardNotFound
from waypost.reports.percentiles import percentile
from waypost.reports.reading import Board, Cell, sums
from waypost.reports.seasons import season
from waypost.reports.unfollowed import states, still_holds, unfollowed
from waypost.sla.measuring import State
from waypost.tickets.lifecycle import Priority, Status

EVER = date(1, 1, 1)
TREND_DAYS = 30  # of the contract's dashboard
SEASON_DAYS = 91  # thirteen weeks
AGES = (1, 6, 13, 29, 89)  # the oldest a class of open requests is, in days; the last class is older
WEEKS = (0, 1, 3)  # the same of whose work it is, in weeks that begin on Monday
TRIES = 3  # of reading what belongs together while the worker goes on
MOST_ROWS = 15  # of people and teams in one chart
MOST_BEHIND = 1000  # events that are counted, of those the sums do not know yet
_STANDS = text(
    "SELECT p.rebuild_next, p.rebuild_last, p.followed_at, (SELECT count(*) FROM (SELECT 1 FROM events e WHERE"
    " (e.txid, e.id) > (p.txid, p.event_id) AND e.object_type = 'ticket' ORDER BY e.txid, e.id LIMIT :most) AS later)"
    " AS behind FROM report_position p"
)


class Kind(StrEnum):
    """For whom a dashboard is made."""

    EMPLOYEE = "EMPLOYEE"
    AGENT = "AGENT"
    MANAGER = "MANAGER"
    EXECUTIVE = "EXECUTIVE"


BOARDS = {
    Kind.EMPLOYEE: Board.OWN,
    Kind.AGENT: Board.TEAM,
    Kind.MANAGER: Board.EVERYTHING,
    Kind.EXECUTIVE: Board.EVERYTHING,
}


def kinds_for(actor: Actor) -> list[Kind]:
    """The dashboards this person may open, the one made for them first."""
    reach = min(actor.scope(Permission.REPORTS_READ) or 0, actor.scope(Permission.TICKETS_READ) or 0)
    if not reach:
        return []
    kinds = []
    if reach >= Scope.ALL:
        kinds.append(Kind.EXECUTIVE)
    elif reach >= Scope.LINE and (actor.report_ids or (reach >= Scope.DEPARTMENT and actor.department_ids)):
        kinds.append(Kind.MANAGER)
    if reach >= Scope.TEAM and actor.team_ids and actor.may(Permission.TICKETS_WORK):
        kinds.insert(0 if reach < Scope.ALL else len(kinds), Kind.AGENT)
    return [*kinds, Kind.EMPLOYEE]


def _edges(today: date) -> tuple[list[date], list[date]]:
    """The days before which a class of age begins, ascending, as `reading.sums` takes them."""
    monday = today - timedelta(days=today.weekday())
    return (
        [today - timedelta(days=n) for n in reversed(AGES)],
        [monday - timedelta(weeks=n) for n in reversed(WEEKS)],
    )


def _spans(edges: Sequence[date]) -> list[tuple[date | None, date | None]]:
    """The first and last day of each class of age, the newest class first."""
    firsts = [None, *edges]
    lasts = [*(e - timedelta(days=1) for e in edges), None]
    return list(reversed(list(zip(firsts, lasts, strict=True))))


async def contract_dashboard(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """The contract's six members, of all the reader may see.

    `sla_compliance` is the share (0 to 1) of completed tickets whose service level was kept, or, without one, their due date;
    `average_resolution_hours` runs from submission to completion; both are null when there is nothing to judge.
    `trend` has one entry for each of the last 30 days (UTC).
    """
    today = now().date()
    first = today - timedelta(days=TREND_DAYS - 1)
    wanted = {"state": EVER, "created": first, "completed": EVER, "took": EVER}
    cells = await _up_to_now(session, actor, Board.EVERYTHING, wanted, first=first)
    took = _span(cells, "took")
    return {
        **_states(cells),
        "pending_approvals": await count_pending(session, actor),
        "sla_compliance": _kept(cells)["share"],
        "average_resolution_hours": None if took["average"] is None else round(took["average"] / 3600, 2),
        "trend": _trend(cells, first, TREND_DAYS),
    }


async def dashboard(session: AsyncSession, actor: Actor, kind: Kind, days: int) -> dict[str, Any]:
    """One dashboard's numbers. Raises `DashboardNotFound` for one that is not made for this reader."""
    if kind not in kinds_for(actor):
        raise DashboardNotFound
    at = now()
    today, board = at.date(), BOARDS[kind]
    first, season_first = today - timedelta(days=days - 1), today - timedelta(days=SEASON_DAYS - 1)
    ages, weeks = _edges(today)
    windowed = (
        "resolution",
        "response",
        "response_net",
        "resolve_net",
        "approval",
        "work",
        "requester",
        "decided",
        "stage",
    )
    wanted = (
        dict.fromkeys(("state", "sla", "type", "open", "load", "waiting"), EVER)
        | {"created": min(first, season_first), "completed": min(first, season_first), "arrived": season_first}
        | dict.fromkeys(windowed, first)
    )
    cells = await _up_to_now(session, actor, board, wanted, first=EVER, ages=ages, weeks=weeks)
    in_window = [c for c in cells if c.day is None or c.day >= first]
    created = _by_day(cells, "created")
    counts = [(day, created[day]) for day in _days(season_first, SEASON_DAYS)]
    found = season(counts)
    return {
        "kind": kind.value,
        "days": days,
        "as_of": rfc3339(at),
        **await _standing(session),
        "narrow": _narrow(actor, board),
        **_states(cells),
        "pending_approvals": await count_pending(session, actor),
        "by_type": [
            {"ticket_type": word, "count": n} for word, n in _counter(cells, "type", more="OPEN").most_common(MOST_ROWS)
        ],
        "service_level": _kept(in_window),
        "first_response": _span(cells, "response"),
        "first_response_working": _span(cells, "response_net"),
        "first_response_level": _kept(in_window, "response_net"),
        "resolution": _span(cells, "resolution"),
        "resolution_working": _span(cells, "resolve_net"),
        "open_by_level": _by_level(cells),
        "parts": [
            {"part": part, "seconds": sum(c.total for c in cells if c.what == what)}
            for part, what in (("APPROVAL", "approval"), ("WORK", "work"), ("REQUESTER", "requester"))
        ],
        "backlog": _backlog(cells, ages),
        "trend": _trend(cells, first, days, smooth=dict(zip([d for d, _ in counts], found.smooth, strict=True))),
        "season": {"weekdays": [round(n, 2) for n in found.weekdays], "change": found.change},
        "arrivals": [
            {"weekday": int(c.word), "hour": int(c.more), "count": c.n} for c in cells if c.what == "arrived" and c.n
        ],
        "load": await _load(session, cells, weeks, by_team=kind is Kind.EXECUTIVE),
        **await _approvals(session, cells),
    }


async def _standing(session: AsyncSession) -> dict[str, Any]:
    """When the numbers were counted, of how many events they do not know yet, and how far they are while made anew."""
    row = (await session.execute(_STANDS, {"most": MOST_BEHIND})).one()
    is_whole = row.rebuild_next is None
    return {
        "counted_at": rfc3339(row.followed_at),
        "behind": row.behind,
        "progress": None if is_whole else {"done": max(0, row.rebuild_next), "of": row.rebuild_last},
    }


def _narrow(actor: Actor, board: Board) -> dict[str, list[int]]:
    """The list's filters that show exactly this board's tickets."""
    if board is Board.OWN:
        return {"requester_id": [actor.user_id]}
    return {"team_id": sorted(actor.team_ids)} if board is Board.TEAM else {}


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def _counter(cells: Sequence[Cell], what: str, *, more: str | None = None) -> Counter[str]:
    found: Counter[str] = Counter()
    for c in cells:
        if c.what == what and (more is None or c.more == more):
            found[c.word] += c.n
    return +found


def _by_day(cells: Sequence[Cell], what: str) -> Counter[date]:
    found: Counter[date] = Counter()
    for c in cells:
        if c.what == what and c.day is not None:
            found[c.day] += c.n
    return found


async def _up_to_now(
    session: AsyncSession, actor: Actor, board: Board, wanted: Mapping[str, date], **of: Any
) -> list[Cell]:
    """The reader's sums, with the states of what the worker has not come to yet. Read again when it came in between."""
    cells: list[Cell] = []
    for _ in range(TRIES):
        found = await unfollowed(session)
        cells = [*await states(session, actor, board, found), *await sums(session, actor, board, wanted, **of)]
        if await still_holds(session, found):
            break
    return cells


def _states(cells: Sequence[Cell]) -> dict[str, dict[str, int]]:
    by_status: Counter[str] = Counter()
    by_priority: Counter[str] = Counter()
    for c in cells:
        if c.what == "state":
            by_status[c.word] += c.n
            by_priority[c.more] += c.n
    return {
        "tickets_by_status": {s.value: by_status[s.value] for s in Status},
        "tickets_by_priority": {p.value: by_priority[p.value] for p in Priority},
    }


def _by_level(cells: Sequence[Cell]) -> dict[str, int]:
    """Open requests by how they stand by their service level; those without one are in none."""
    found = _counter(cells, "sla")
    return {s.value: found[s.value] for s in State}


def _kept(cells: Sequence[Cell], what: str = "completed") -> dict[str, Any]:
    kept, late = (sum(c.n for c in cells if c.what == what and c.word == word) for word in ("KEPT", "LATE"))
    return {"kept": kept, "late": late, "share": round(kept / (kept + late), 4) if kept + late else None}


def _histogram(cells: Sequence[Cell]) -> dict[str, Any]:
    buckets: Counter[int] = Counter()
    for c in cells:
        buckets[c.bucket] += c.n
    count, total = sum(buckets.values()), sum(c.total for c in cells)
    half, most = percentile(buckets, 0.5), percentile(buckets, 0.9)
    return {
        "count": count,
        "average": round(total / count) if count else None,
        "p50": None if half is None else round(half),
        "p90": None if most is None else round(most),
    }


def _span(cells: Sequence[Cell], what: str) -> dict[str, Any]:
    return _histogram([c for c in cells if c.what == what])


def _trend(
    cells: Sequence[Cell], first: date, days: int, *, smooth: dict[date, float | None] | None = None
) -> list[dict[str, Any]]:
    created, completed = _by_day(cells, "created"), _by_day(cells, "completed")
    lines = []
    for day in _days(first, days):
        line: dict[str, Any] = {"date": day.isoformat(), "created": created[day], "completed": completed[day]}
        if smooth is not None:
            mean = smooth.get(day)
            line["smooth"] = None if mean is None else round(mean, 2)
        lines.append(line)
    return lines


def _backlog(cells: Sequence[Cell], ages: Sequence[date]) -> list[dict[str, Any]]:
    """What is open by age, the newest first; each class with the first and last day on which its requests were made."""
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for c in cells:
        if c.what == "open":
            counted[len(ages) - c.bucket][c.word] += c.n
    return [
        {
            "from": first and first.isoformat(),
            "to": last and last.isoformat(),
            "count": counted[n].total(),
            "by_priority": {p.value: counted[n][p.value] for p in Priority},
        }
        for n, (first, last) in enumerate(_spans(ages))
    ]


async def _load(
    session: AsyncSession, cells: Sequence[Cell], weeks: Sequence[date], *, by_team: bool
) -> dict[str, Any]:
    """Whose open work it is, and how old: by team for who sees all, by person for everybody else."""
    rows: dict[str, Counter[int]] = defaultdict(Counter)
    for c in cells:
        if c.what == "load":
            rows[c.word][len(weeks) - c.bucket] += c.n
    most = sorted(rows, key=lambda word: (-rows[word].total(), word))[:MOST_ROWS]
    find = names.teams if by_team else names.people
    known = await find(session, [int(word) for word in most if word])
    return {
        "by": "TEAM" if by_team else "ASSIGNEE",
        "spans": [{"from": f and f.isoformat(), "to": t and t.isoformat()} for f, t in _spans(weeks)],
        "rows": [
            {
                "id": int(word) if word else None,
                "name": known.get(int(word), {}).get("name") if word else None,
                "counts": [rows[word][n] for n in range(len(weeks) + 1)],
            }
            for word in most
        ],
        "more": max(0, len(rows) - MOST_ROWS),
    }


async def _approvals(session: AsyncSession, cells: Sequence[Cell]) -> dict[str, Any]:
    """How long approvals wait, by stage and by approver: the time people are asked, not the time of work."""
    times: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    stages: dict[str, list[Cell]] = defaultdict(list)
    for c in cells:
        if c.what == "decided":
            times[c.word, c.more][0] += c.n
            times[c.word, c.more][1] += c.total
        elif c.what == "waiting":
            times[c.word, c.more][2] += c.n
        elif c.what == "stage":
            stages[c.word].append(c)
    slowest = sorted(times, key=lambda key: (-(times[key][0] + times[key][2]), key))[:MOST_ROWS]
    people = await names.people(session, [int(approver) for approver, _ in slowest])
    return {
        "approvers": [
            {
                "approver": people.get(int(approver)),
                "stage": stage,
                "decided": times[approver, stage][0],
                "average": round(times[approver, stage][1] / times[approver, stage][0])
                if times[approver, stage][0]
                else None,
                "waiting": times[approver, stage][2],
            }
            for approver, stage in slowest
        ],
        "stages": [{"stage": stage, **_histogram(rows)} for stage, rows in sorted(stages.items())][:MOST_ROWS],
    }
