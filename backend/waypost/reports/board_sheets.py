"""A dashboard's numbers as tables that leave the house, each with its picture: the same charts as on the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from waypost.kernel.formats import Formats
from waypost.reports.dashboards import Kind
from waypost.reports.export_tables import Column, Sheet, Value
from waypost.reports.shapes import Unit
from waypost.sla.measuring import State
from waypost.tickets.lifecycle import OPEN, Priority

MOST_DAYS = 31  # that are told day by day; of a longer time it is weeks
PARTS = {"APPROVAL": "Waiting for approval", "WORK": "With the team", "REQUESTER": "Waiting for the requester"}
STANDING = {State.RUNNING: "In time", State.PAUSED: "Paused", State.BREACHED: "Late", State.MET: "Met"}
_WAITING = ("SUBMITTED", "IN_REVIEW")
COUNTS = {
    Kind.EMPLOYEE: "What this person asked for",
    Kind.AGENT: "The work of this person's teams",
    Kind.MANAGER: "All requests this person may see",
    Kind.EXECUTIVE: "All requests this person may see",
}
Board = Mapping[str, Any]
Rows = Iterable[tuple[str, tuple[Value, ...]]]


def sheets_of(d: Board, types: Mapping[str, str], formats: Formats, *, decides: bool) -> list[Sheet]:
    """Every table of a dashboard as `dashboards.dashboard` tells it; `types` are the names of kinds of requests by key.

    `formats` is how its reader reads dates; `decides`: they are one who decides, so what waits for them is told.
    """
    made = (
        _short(d, decides=decides),
        _trend(d, formats),
        _backlog(d, formats),
        *(make(d) for make in (_status, _times, _parts, _level, _standing, _approvers, _stages)),
        _load(d, formats),
        _week(d, formats),
        _arrivals(d, formats),
        _types(d, types),
    )
    return [sheet for sheet in made if sheet.rows]


def _sheet(title: str, corner: str, columns: Sequence[tuple[str, Unit]], rows: Rows, chart: str = "BAR") -> Sheet:
    return Sheet(title, corner, tuple(Column(*c) for c in columns), tuple(rows), chart)


def _counts(*labels: str) -> list[tuple[str, Unit]]:
    return [(label, Unit.COUNT) for label in labels]


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _short(d: Board, *, decides: bool) -> Sheet:
    days = d["days"]
    states = d["tickets_by_status"]
    rows = [
        ("Open", sum(states[s] for s in OPEN)),
        ("Open and critical", sum(a["by_priority"]["CRITICAL"] for a in d["backlog"])),
        ("Open and past their service level", d["open_by_level"]["BREACHED"]),
        ("Waiting for approval", sum(states[s] for s in _WAITING)),
        (f"Created in {days} days", sum(p["created"] for p in d["trend"])),
        (f"Completed in {days} days", sum(p["completed"] for p in d["trend"])),
        ("Completed in time", d["service_level"]["kept"]),
        ("Completed late", d["service_level"]["late"]),
        ("Answered late", d["first_response_level"]["late"]),
    ]
    if decides:
        rows.insert(0, ("Waiting for your decision", d["pending_approvals"]))
    return _sheet("In short", "What", _counts("Requests"), ((label, (n,)) for label, n in rows), "TABLE")


def _trend(d: Board, formats: Formats) -> Sheet:
    days = [(date.fromisoformat(p["date"]), p) for p in d["trend"]]
    if len(days) <= MOST_DAYS:
        rows = [(_day(day, d, formats), (p["created"], p["completed"])) for day, p in days]
        return _sheet("What comes and what is done", "Day (UTC)", _counts("Created", "Completed"), rows, "LINE")
    weeks: dict[date, list[int]] = {}
    for day, p in days:
        week = weeks.setdefault(day - timedelta(days=day.weekday()), [0, 0])
        week[0] += p["created"]
        week[1] += p["completed"]
    told = ((_day(week, d, formats), (n[0], n[1])) for week, n in weeks.items())
    return _sheet("What comes and what is done, by week", "Week from", _counts("Created", "Completed"), told, "LINE")


def _backlog(d: Board, formats: Formats) -> Sheet:
    order = (Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW)
    rows = ((_span(a, d, formats), tuple(a["by_priority"][p] for p in order)) for a in d["backlog"])
    return _sheet("Open requests by age", "Created", _counts(*(_words(p) for p in order)), rows, "STACKED")


def _span(span: Mapping[str, Any], d: Board, formats: Formats) -> str:
    first, last = (span[end] and _day(date.fromisoformat(span[end]), d, formats) for end in ("from", "to"))
    if first and last:
        return str(first) if first == last else f"{first} – {last}"
    return f"until {last}" if last else f"since {first}"


def _day(day: date, d: Board, formats: Formats) -> str:
    """A day, with its year when it is not the one the numbers were counted in."""
    return formats.day(day, with_year=not d["as_of"].startswith(f"{day:%Y}"))


def _status(d: Board) -> Sheet:
    rows = ((_words(status), (n,)) for status, n in d["tickets_by_status"].items())
    return _sheet("Requests by status", "Status", _counts("Requests"), rows)


def _times(d: Board) -> Sheet:
    columns = [("Half within", Unit.SECONDS), ("90% within", Unit.SECONDS), ("Average", Unit.SECONDS)]
    told = (
        ("First response, working time", "first_response_working"),
        ("First response", "first_response"),
        ("Resolution, working time", "resolution_working"),
        ("Resolution", "resolution"),
    )
    rows = ((label, (*(d[key][of] for of in ("p50", "p90", "average")), d[key]["count"])) for label, key in told)
    return _sheet("How long it takes", "What", [*columns, *_counts("Requests")], rows)


def _parts(d: Board) -> Sheet:
    whole = sum(p["seconds"] for p in d["parts"])
    rows = ((PARTS[p["part"]], (p["seconds"] / whole if whole else None, p["seconds"])) for p in d["parts"])
    return _sheet("Where the time goes", "With whom", [("Share", Unit.SHARE), ("Time", Unit.SECONDS)], rows)


def _level(d: Board) -> Sheet:
    columns = [*_counts("In time", "Late"), ("In time, share", Unit.SHARE)]
    told = (("First response", d["first_response_level"]), ("Resolution", d["service_level"]))
    rows = ((label, (level["kept"], level["late"], level["share"])) for label, level in told)
    return _sheet("Kept their service level", "What", columns, rows, "STACKED")


def _standing(d: Board) -> Sheet:
    rows = ((label, (d["open_by_level"][state],)) for state, label in STANDING.items())
    return _sheet("Open requests by service level", "Service level", _counts("Requests"), rows)


def _approvers(d: Board) -> Sheet:
    rows = (
        (
            f"{a['approver']['name'] if a['approver'] else '–'} · {a['stage']}",
            (a["average"], a["decided"], a["waiting"]),
        )
        for a in d["approvers"]
    )
    columns = [("Average wait", Unit.SECONDS), *_counts("Decided", "Waiting now")]
    return _sheet("Approvals by person and stage", "Approver", columns, rows)


def _stages(d: Board) -> Sheet:
    columns = [("Half within", Unit.SECONDS), ("90% within", Unit.SECONDS), *_counts("Decided")]
    rows = ((s["stage"], (s["p50"], s["p90"], s["count"])) for s in d["stages"])
    return _sheet("Approvals by stage", "Stage", columns, rows)


def _load(d: Board, formats: Formats) -> Sheet:
    load = d["load"]
    rows = ((row["name"] or "Nobody", tuple(row["counts"])) for row in load["rows"])
    corner = "Team" if load["by"] == "TEAM" else "Assignee"
    return _sheet("Open work by age", corner, _counts(*(_span(s, d, formats) for s in load["spans"])), rows, "HEAT")


def _week(d: Board, formats: Formats) -> Sheet:
    counts = [sum(a["count"] for a in d["arrivals"] if a["weekday"] == n) for n in range(7)]
    rows = zip(formats.weekdays(), ((n,) for n in counts), strict=True)
    return _sheet("Created by weekday, over thirteen weeks", "Weekday (UTC)", _counts("Requests"), rows)


def _arrivals(d: Board, formats: Formats) -> Sheet:
    counted = {(a["weekday"], a["hour"]): a["count"] for a in d["arrivals"]}
    rows = ((name, tuple(counted.get((n, hour), 0) for hour in range(24))) for n, name in enumerate(formats.weekdays()))
    title = "When requests come, over thirteen weeks"
    return _sheet(title, "Weekday, hour (UTC)", _counts(*(f"{hour:02}" for hour in range(24))), rows, "HEAT")


def _types(d: Board, types: Mapping[str, str]) -> Sheet:
    rows = ((types.get(t["ticket_type"], t["ticket_type"]), (t["count"],)) for t in d["by_type"])
    return _sheet("Open requests by kind", "Kind", _counts("Requests"), rows)
