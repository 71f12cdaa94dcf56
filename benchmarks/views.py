"""What saved views cost: 50 rows of each on 100,000 tickets, one request at a time, and their exact counts.

    make bench-views                  # an agent of two teams, and somebody who sees everything
    ONLY=due WHO=executive make bench-views

`ratio` is a view's p95 over that of the plain list of the same reader in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import time
import urllib.request
from typing import Any

PASSWORD = "demo-Passw0rd-2026"
ONLY = os.environ.get("ONLY", "")
TIMES = int(os.environ.get("TIMES", "60"))


def _leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


VIEWS: dict[str, Any] = {
    "my team's open work": {
        "all": [_leaf("team_id", "eq", "my_teams"), _leaf("status", "in", ["APPROVED", "IN_PROGRESS"])]
    },
    "assigned to me": _leaf("assignee_id", "eq", "me"),
    "urgent, not closed": {
        "all": [_leaf("priority", "in", ["HIGH", "CRITICAL"]), {"not": _leaf("status", "eq", "CLOSED")}]
    },
    "last seven days": _leaf("created_at", "gte", "-7d"),
    "title contains a frequent word": _leaf("title", "contains", "laptop"),
    "title contains a rare word": _leaf("title", "contains", "padora 99"),
    "title contains nothing there is": _leaf("title", "contains", "zebrafinch"),
    "title contains two letters nobody uses": _leaf("title", "contains", "qx"),
    "amount in a narrow range": {"all": [_leaf("amount", "gte", "8990"), _leaf("amount", "lt", "8992")]},
    "amount above everything": _leaf("amount", "gte", "100000"),
    "a tag few have": _leaf("tags", "contains", "vpn"),
    "a tag nobody has": _leaf("tags", "contains", "nothing"),
    "a form's field, few": _leaf("custom.budget_code", "eq", "B-77"),
    "a form's field, nobody": _leaf("custom.budget_code", "eq", "X"),
    "a form's text contains": _leaf("custom.budget_code", "contains", "-1999"),
    "a form's text contains nothing there is": _leaf("custom.budget_code", "contains", "zzz"),
    "due in a past minute": {"all": [_leaf("due_date", "gte", "-1d"), _leaf("due_date", "lt", "-1430m")]},
    "no due date and an amount": {"all": [_leaf("due_date", "is_empty"), _leaf("amount", "is_not_empty")]},
    "either of two rare things": {"any": [_leaf("amount", "gte", "100000"), _leaf("custom.budget_code", "eq", "B-77")]},
    "neither of most": {"not": {"any": [_leaf("amount", "lt", "8990"), _leaf("amount", "is_empty")]}},
}
# the same list in every other order, and narrowed, since a condition few fulfil costs most in an order it has no index in
SORTS = ("-updated_at", "-priority", "priority", "due_date", "-due_date")
SORTED = ("my team's open work", "urgent, not closed", "amount above everything", "title contains a frequent word")


class _Person:
    def __init__(self, base: str, username: str) -> None:
        self.base = base + "/api/v1"
        self.token = ""
        body = json.dumps({"username": username, "password": PASSWORD}).encode()
        self.token = str(self.call("POST", "/auth/login", body)["access_token"])

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.base + path, body, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def times(self, path: str) -> tuple[float, float, Any]:
        """Median and 95th percentile in milliseconds, and the last answer."""
        took, answer = [], None
        for n in range(TIMES + 8):
            start = time.perf_counter()
            answer = self.call("GET", path)
            if n >= 8:  # prepared statements settle on a plan after five
                took.append((time.perf_counter() - start) * 1000)
        return statistics.median(took), statistics.quantiles(took, n=20)[-1], answer


def measure_views(base: str) -> None:
    """Measure as somebody of two teams and as somebody who sees everything."""
    for username in os.environ.get("WHO", "agent,executive").split(","):
        person = _Person(base, username)
        plain = person.times("/tickets?limit=50")
        print(f"\n{username}: plain list p50 {plain[0]:.1f} p95 {plain[1]:.1f} ms, {TIMES} requests each")
        print(f"{'view':<58}{'rows':>5}{'p50 ms':>8}{'p95 ms':>8}{'ratio':>7}{'count':>9}{'p95 ms':>8}")
        for sort in SORTS:
            if ONLY in sort:
                _print(sort, *person.times(f"/tickets?limit=50&sort={sort}"), plain[1])
        for name, condition in VIEWS.items():
            if ONLY not in name:
                continue
            body = json.dumps({"name": name, "condition": condition}).encode()
            view = person.call("POST", "/saved-views", body)
            rows = f"/saved-views/{view['id']}/tickets?limit=50"
            counted = person.times(f"/saved-views/counts?ids={view['id']}")
            _print(name, *person.times(rows), plain[1], counted)
            for sort in SORTS if name in SORTED else ():
                _print(f"  {name} by {sort}", *person.times(f"{rows}&sort={sort}"), plain[1])
            person.call("DELETE", f"/saved-views/{view['id']}")


def _print(name: str, median: float, high: float, page: Any, plain: float, counted: Any = None) -> None:
    line = f"{name:<58}{len(page['items']):>5}{median:>8.1f}{high:>8.1f}{high / plain:>6.1f}x"
    if counted:
        found = counted[2]["items"][0]
        line += f"{str(found['count']) + ('+' if found['more'] else ''):>9}{counted[1]:>8.1f}"
    print(line, flush=True)
