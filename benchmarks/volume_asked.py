"""What is asked of a company with many tickets: each operation of the screens people use, by readers who see little and all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from benchmarks.company import Words

SEARCH, LIST, DASHBOARD, OTHER = "search", "list", "dashboard", "other"
# milliseconds in which 95 of 100 answers are to come, for one reader at a time; of other things nothing is said
BOUNDS: dict[str, float | None] = {SEARCH: 150, LIST: 50, DASHBOARD: 100, OTHER: None}
READERS = ("employee", "agent", "admin")
LEADERS = ("manager", "head")  # who were asked about a twentieth of all tickets, and whose people ask for as many


@dataclass(frozen=True)
class Asked:
    """One kind of request by one reader; each text is asked in turn, so that no answer is only a cache's."""

    kind: str
    name: str
    who: str
    paths: tuple[str, ...]
    body: Any = None
    reads_all: bool = (
        False  # counts every ticket anew, and says so: a table that is read as a whole is no mistake there
    )
    more: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Places:
    """What is there to ask for."""

    own_team: int
    person: int
    tickets: tuple[int, ...]
    own_tickets: tuple[int, ...]
    team_tickets: tuple[int, ...]


def searches() -> list[Asked]:
    """Every kind of search, as each reader."""
    words = Words("en").words
    often, seldom = words[2:22], words[8000:8020]
    texts = {
        "common word": often,
        "rare word": seldom,
        "two common words": [f"{a} {b}" for a, b in zip(often, often[7:], strict=False)],
        "common and rare": [f"{a} {b}" for a, b in zip(often, seldom, strict=False)],
        "prefix": [f"{w[:4]}*" for w in words[40:60]],
        "short prefix": [f"{w[:2]}*" for w in words[40:60]],
        "phrase": [f'"{a} {b}"' for a, b in zip(often, often[3:], strict=False)],
        "without a word": [f"{a} -{b}" for a, b in zip(often, often[5:], strict=False)],
        "word and filter": [f"{w} status:in_progress" for w in often],
        "rare word and filter": [f"{w} team:it priority:high" for w in seldom],
        "number": [f"VOL-2026-{n * 37:07d}" for n in range(1, 20)],
        "mistyped": [f"{w[:3]}{w[4:5]}{w[3:4]}{w[5:]}" for w in words[60:80]],
        "nothing there is": ["qqqzzzxx", "nowhereword"],
    }
    found = [
        Asked(SEARCH, name, who, tuple(f"/search?limit=25&q={quote(t)}" for t in of))
        for name, of in texts.items()
        for who in (*READERS, "manager")
    ]
    typed = tuple(f"/search/suggestions?q={quote(w[:4])}" for w in words[40:60])
    similar = tuple(
        f"/search/similar?title={quote(f'{a} {b} {c}')}" for a, b, c in zip(often, seldom, often[9:], strict=False)
    )
    for who in READERS:
        found += [Asked(SEARCH, "suggestions", who, typed), Asked(SEARCH, "similar requests", who, similar)]
    return found


def lists(places: Places) -> list[Asked]:
    """Every list people look at."""
    every = "/tickets?limit=50"
    team = f"{every}&team_id={places.own_team}"
    kinds: dict[str, tuple[str, ...]] = {
        "tickets, newest": (every,),
        **{
            f"tickets by {sort}": (f"{every}&sort={sort}",)
            for sort in ("-updated_at", "-priority", "due_date", "-due_date", "sla_due_at")
        },
        "one status": (f"{every}&status=IN_PROGRESS", f"{every}&status=PENDING_INFO"),
        "one status by priority": (f"{every}&status=IN_PROGRESS&sort=-priority",),
        "open, by due date": (f"{every}&status=APPROVED&status=IN_PROGRESS&sort=due_date",),
        "one type and priority": (f"{every}&ticket_type=HR&priority=CRITICAL",),
        "one requester": tuple(f"{every}&requester_id={places.person + n}" for n in range(10)),
        "one assignee": (f"{every}&assignee_id={places.person}",),
        "one department": (f"{every}&department_id=4",),
        "words in the list": (f"{every}&q=laptop", f"{every}&q=stasigo", f"{every}&q=printer+screen"),
    }
    found = [Asked(LIST, name, who, paths) for name, paths in kinds.items() for who in (*READERS, *LEADERS)]
    for name, path in {
        "own team": team,
        "own team's open work": f"{team}&status=APPROVED&status=IN_PROGRESS",
        **{
            f"own team's open work by {s}": f"{team}&status=APPROVED&status=IN_PROGRESS&sort={s}"
            for s in ("-priority", "due_date", "sla_due_at", "-updated_at")
        },
        "own team by due_date": f"{team}&sort=due_date",
        "own team, nobody's": f"{team}&assignee_id=none&status=APPROVED",
    }.items():
        found += [Asked(LIST, name, who, (path,)) for who in ("agent", "admin")]
    for who in (*READERS, *LEADERS):
        found.append(Asked(LIST, "count of a list", who, ("/tickets/count?status=IN_PROGRESS", "/tickets/count")))
    for name, who, path in (
        ("my requests", "employee", "/my-requests?limit=50"),
        ("notifications", "employee", "/notifications?limit=50"),
        ("unread notifications", "employee", "/notifications?unread=true&limit=50"),
        ("approvals pending", "manager", "/approvals/pending?limit=50"),
        ("approvals pending, summary", "manager", "/approvals/pending/summary"),
        ("queues", "agent", "/queues"),
        ("audit trail", "auditor", "/audit?limit=50"),
        ("audit trail, one kind", "auditor", "/audit?limit=50&action=ticket.closed"),
        ("audit trail, a family", "auditor", "/audit?limit=50&family=comment"),
        ("audit trail, one person", "auditor", f"/audit?limit=50&actor_id={places.person}"),
        ("audit trail, one person's kind", "auditor", f"/audit?limit=50&actor_id={places.person}&action=ticket.closed"),
        ("audit trail, a ticket", "auditor", f"/audit?limit=50&object_type=ticket&object_id={places.tickets[0]}"),
        ("audit trail, words", "auditor", "/audit?limit=50&q=laptop"),
        ("audit trail, rare words", "auditor", "/audit?limit=50&q=VOL-2026-0000123"),
        ("people", "admin", "/users?limit=50"),
        ("people by name", "admin", "/people?q=person17"),
        ("saved views", "agent", "/saved-views?limit=50"),
    ):
        found.append(Asked(LIST, name, who, (path,)))
    for who, ids in (("employee", places.own_tickets), ("agent", places.team_tickets), ("admin", places.tickets)):
        found.append(Asked(LIST, "a ticket", who, tuple(f"/tickets/{i}" for i in ids)))
        found.append(Asked(LIST, "a ticket's history", who, tuple(f"/tickets/{i}/history" for i in ids)))
        found.append(Asked(LIST, "a ticket's comments", who, tuple(f"/tickets/{i}/comments" for i in ids)))
    return found


VIEWS: dict[str, Any] = {
    "urgent, not closed": {
        "all": [
            {"field": "priority", "op": "in", "value": ["HIGH", "CRITICAL"]},
            {"not": {"field": "status", "op": "eq", "value": "CLOSED"}},
        ]
    },
    "my team's open work": {
        "all": [
            {"field": "team_id", "op": "eq", "value": "my_teams"},
            {"field": "status", "op": "in", "value": ["APPROVED", "IN_PROGRESS"]},
        ]
    },
    "assigned to me": {"field": "assignee_id", "op": "eq", "value": "me"},
    "last seven days": {"field": "created_at", "op": "gte", "value": "-7d"},
    "a tag few have": {"field": "tags", "op": "contains", "value": "vpn"},
    "a form's field": {"field": "custom.budget_code", "op": "eq", "value": "B-77"},
}

Call = Callable[..., Any]


async def views(call: Call) -> list[Asked]:
    """Saved views, made for each reader: their rows and their counts."""
    found = []
    for who in ("agent", "admin"):
        ids = []
        for name, condition in VIEWS.items():
            view = await call(who, "POST", "/saved-views", {"name": name, "condition": condition})
            ids.append(view["id"])
            found.append(
                Asked(
                    LIST,
                    f"view: {name}",
                    who,
                    (f"/saved-views/{view['id']}/tickets?limit=50",),
                    more={"view": view["id"]},
                )
            )
        found.append(
            Asked(LIST, "counts of six views", who, (f"/saved-views/counts?{'&'.join(f'ids={i}' for i in ids)}",))
        )
    return found


async def boards(call: Call) -> list[Asked]:
    """Every dashboard there is for each reader."""
    found = []
    for who in ("employee", "agent", "manager", "head", "executive", "admin"):
        found.append(Asked(DASHBOARD, "home", who, ("/reports/dashboard",)))
        for word in (await call(who, "GET", "/reports/dashboards"))["kinds"]:
            found += [
                Asked(DASHBOARD, f"{word.lower()}, {days} days", who, (f"/reports/dashboards/{word}?days={days}",))
                for days in (30, 365)
            ]
    return found


def reports() -> list[Asked]:
    """Reports people make: of some months, and of everything there is."""
    months = {"all": [{"field": "created_at", "op": "gte", "value": "-90d"}]}
    lately = {
        "measures": ["count", "resolution_p50"],
        "rows": "team",
        "columns": None,
        "condition": months,
        "chart": "BAR",
    }
    whole = {"measures": ["count"], "rows": "created_month", "columns": "status", "condition": None, "chart": "STACKED"}
    path = ("/reports/preview",)
    return [
        *(Asked(OTHER, "report, 90 days by team", who, path, {"definition": lately}) for who in ("agent", "admin")),
        Asked(OTHER, "report, all months by status", "agent", path, {"definition": whole}),
        Asked(OTHER, "report, all months by status", "admin", path, {"definition": whole}, reads_all=True),
    ]
