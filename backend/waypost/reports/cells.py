"""What each ticket adds to which sums: said once, in SQL, for keeping the sums and for reading the few tickets beside them.

A cell is `(place, place_id, what, day, shade, word, more, bucket)` with a count and a total of seconds. Whatever is counted
of a ticket is a row of `_CELLS`, so that the sums are those of `cells_of` over all facts, whenever and however they were made.

Durations are kept in buckets each 5 % wider than the one before: sums of histograms are histograms, and a percentile read
from one is within 2.5 % of the true one (`percentiles.py`).
"""

from __future__ import annotations

from waypost.tickets.lifecycle import OPEN

NO_DAY = "DATE '0001-01-01'"
GROWTH = 1.05
OPEN_WORDS = ", ".join(f"'{s.value}'" for s in sorted(OPEN))
COLUMNS = "place, place_id, what, day, shade, word, more, bucket"


def _day(instant: str) -> str:
    return f"CAST(timezone('UTC', {instant}) AS date)"


def _week(instant: str) -> str:
    return f"CAST(date_trunc('week', timezone('UTC', {instant})) AS date)"


def _seconds(start: str, end: str) -> str:
    return f"greatest(0, round(extract(epoch FROM {end} - {start})))::bigint"


def _bucket(seconds: str) -> str:
    return f"ceil(ln(greatest({seconds}, 1)) / ln({GROWTH}))::smallint"


SHADE = "((CASE WHEN f.is_confidential THEN 2 ELSE 0 END) + (CASE WHEN f.status = 'DRAFT' THEN 1 ELSE 0 END))::smallint"
_SLA = "CASE WHEN f.response_kept THEN 'KEPT' ELSE 'LATE' END"
_IS_OPEN = f"f.status IN ({OPEN_WORDS})"
_TOOK = _seconds("f.submitted_at", "f.completed_at")
_ANSWERED = _seconds("f.submitted_at", "f.responded_at")
_WAITED = _seconds("d.requested_at", "d.decided_at")
_IS_DONE = "f.completed_at IS NOT NULL AND f.submitted_at IS NOT NULL"
_HAS_ANSWER = "f.answered_at IS NOT NULL"
_WEEKDAY = "extract(isodow FROM timezone('UTC', f.created_at))::int - 1"
_HOUR = "extract(hour FROM timezone('UTC', f.created_at))::int"
_KEPT = "CASE WHEN f.was_kept THEN 'KEPT' WHEN f.was_kept IS FALSE THEN 'LATE' ELSE '' END"

# (what, day, word, more, bucket, seconds, condition): one row each of what is counted of a ticket
_CELLS = (
    ("state", NO_DAY, "f.status", "f.priority", "0", "0", "true"),
    ("type", NO_DAY, "f.ticket_type", f"CASE WHEN {_IS_OPEN} THEN 'OPEN' ELSE '' END", "0", "0", "true"),
    ("open", _day("f.created_at"), "f.priority", "''", "0", "0", _IS_OPEN),
    (
        "load",
        _week("f.created_at"),
        "CASE WHEN p.place = 'A' THEN coalesce(f.team_id::text, '') ELSE coalesce(f.assignee_id::text, '') END",
        "''",
        "0",
        "0",
        _IS_OPEN,
    ),
    ("created", _day("f.created_at"), "''", "''", "0", "0", "true"),
    ("arrived", _week("f.created_at"), f"({_WEEKDAY})::text", f"({_HOUR})::text", "0", "0", "true"),
    ("completed", _day("f.completed_at"), _KEPT, "''", "0", "0", "f.completed_at IS NOT NULL"),
    (
        "took",
        _day("f.completed_at"),
        "''",
        "''",
        "0",
        _TOOK,
        _IS_DONE,
    ),  # the same without buckets, for averages of years
    ("resolution", _day("f.completed_at"), "''", "''", _bucket(_TOOK), _TOOK, _IS_DONE),
    (
        "response",
        _day("f.responded_at"),
        "''",
        "''",
        _bucket(_ANSWERED),
        _ANSWERED,
        "f.responded_at IS NOT NULL AND f.submitted_at IS NOT NULL",
    ),
    # the same in working time, as the clocks of service levels have it
    ("response_net", _day("f.answered_at"), _SLA, "''", _bucket("f.response_worked"), "f.response_worked", _HAS_ANSWER),
    (
        "resolve_net",
        _day("f.completed_at"),
        "''",
        "''",
        _bucket("f.resolution_worked"),
        "f.resolution_worked",
        "f.completed_at IS NOT NULL AND f.resolution_worked IS NOT NULL",
    ),
    ("sla", NO_DAY, "f.sla_state", "''", "0", "0", f"{_IS_OPEN} AND f.sla_state <> 'NONE'"),
    ("approval", _day("f.completed_at"), "''", "''", "0", "f.approval_seconds", _IS_DONE),
    ("work", _day("f.completed_at"), "''", "''", "0", "f.work_seconds", _IS_DONE),
    ("requester", _day("f.completed_at"), "''", "''", "0", "f.requester_seconds", _IS_DONE),
)
# the same of each approver's part in a ticket
_DECISIONS = (
    ("decided", _day("d.decided_at"), "d.approver_id::text", "d.stage", "0", _WAITED, "d.decided_at IS NOT NULL"),
    ("stage", _day("d.decided_at"), "d.stage", "''", _bucket(_WAITED), _WAITED, "d.decided_at IS NOT NULL"),
    ("waiting", NO_DAY, "d.approver_id::text", "d.stage", "0", "0", "d.is_open"),
)
# What has many different rows a day is added up by month as well, for windows of many days: `what` with `BY_MONTH` behind it,
# and the first of the month as its day.
BY_MONTH = "_m"
WITH_MONTHS = frozenset({"resolution", "response", "response_net", "resolve_net", "decided", "stage"})


def _with_months(rows: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    months = tuple(
        (f"{what}{BY_MONTH}", f"CAST(date_trunc('month', CAST({day} AS timestamp)) AS date)", *more)
        for what, day, *more in rows
        if what in WITH_MONTHS
    )
    return (*rows, *months)


_OF_TICKETS, _OF_DECISIONS = _with_months(_CELLS), _with_months(_DECISIONS)


def _union(rows: tuple[tuple[str, ...], ...], only: tuple[str, ...] | None) -> str:
    return " UNION ALL ".join(
        f"SELECT '{what}' AS what, {day} AS day, {word} AS word, {more} AS more, {bucket}::smallint AS bucket,"
        f" {seconds}::bigint AS total WHERE {condition}"
        for what, day, word, more, bucket, seconds, condition in rows
        if only is None or what in only
    )


def has_to_do_with(me: str, teams: str, reports: str, departments: str, *, f: str = "f") -> str:
    """SQL of the requests a person has to do with, of which sums of their own are kept: each is one they see.

    It is what they asked for or made for others, are assigned, were asked about or have in their teams; and of their people
    and departments what is not confidential. The words are SQL of the person's id and of three arrays of ids.
    """
    return (
        f"({f}.requester_id = {me} OR {f}.created_by_id = {me} OR {f}.status <> 'DRAFT' AND ({f}.assignee_id = {me}"  # noqa: S608
        f" OR {f}.team_id = ANY({teams}) OR NOT {f}.is_confidential AND ({f}.requester_id = ANY({reports})"
        f" OR {f}.department_id = ANY({departments})) OR {me} = ANY(ARRAY(SELECT asked.approver_id FROM report_decisions asked"
        f" WHERE asked.ticket_id = {f}.ticket_id))))"
    )


OF_READER = has_to_do_with("r.user_id", "r.team_ids", "r.report_ids", "r.department_ids")
_PLACES = (
    "(SELECT * FROM (VALUES ('A', 0::bigint), ('T', f.team_id), ('D', f.department_id)) AS of_all (place, place_id)"  # noqa: S608
    f" UNION ALL SELECT 'P', r.user_id FROM report_readers r WHERE f.ticket_id <= r.counted_to AND {OF_READER})"
    " AS p (place, place_id)"
)


def cells_of(source: str, *, place: str | None = None, place_id: str = "0", only: tuple[str, ...] | None = None) -> str:
    """SQL of the cells of the facts in `source` (a FROM item called `f`), each with `n` = 1; in every place, or one."""
    places = _PLACES if place is None else f"(VALUES ('{place}', CAST({place_id} AS bigint))) AS p (place, place_id)"
    parts = []
    head = f"SELECT p.place, p.place_id, c.what, c.day, {SHADE} AS shade, c.word, c.more, c.bucket, 1::bigint AS n, c.total"
    if own := _union(_OF_TICKETS, only):
        parts.append(
            f"{head} FROM {source} CROSS JOIN {_lateral(places)} CROSS JOIN LATERAL ({own}) AS c"
            " WHERE p.place_id IS NOT NULL"
        )
    if decisions := _union(_OF_DECISIONS, only):
        parts.append(
            f"{head} FROM {source} JOIN report_decisions d ON d.ticket_id = f.ticket_id CROSS JOIN {_lateral(places)}"
            f" CROSS JOIN LATERAL ({decisions}) AS c WHERE p.place_id IS NOT NULL"
        )
    return " UNION ALL ".join(parts)


def _lateral(places: str) -> str:
    return f"LATERAL {places}"
