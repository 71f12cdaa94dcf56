"""Which clock runs when: told as stories, and for every history that can be made up."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sla.test_calendar import utc
from waypost.sla.calendar import ALWAYS
from waypost.sla.clock import Mark, Run, used
from waypost.sla.marking import Happening, Metric, Reopening, Rules, What, marks

RULES = Rules(frozenset({"DRAFT"}), frozenset({"PENDING_INFO", "ON_HOLD"}), frozenset({"COMPLETED", "CLOSED"}))
STATUSES = ("DRAFT", "SUBMITTED", "IN_PROGRESS", "PENDING_INFO", "ON_HOLD", "COMPLETED", "CLOSED")
NINE = utc(2026, 11, 26, 9)
HOUR = timedelta(hours=1)


def story(*lines: str) -> list[Happening]:
    """`"3 IN_PROGRESS"`, `"4 answered"`, `"5 asked"`, `"6 team 7"`: what happened in which hour."""
    made = []
    for line in lines:
        hour, *words = line.split()
        at = NINE + HOUR * int(hour)
        if words[0] == "team":
            made.append(Happening(at, What.HANDED, team_id=int(words[1]) or None))
        elif words[0].islower():
            made.append(Happening(at, What(words[0].upper())))
        else:
            made.append(Happening(at, What.MOVED, status=words[0]))
    return made


def told(made: list[Mark]) -> list[str]:
    return [f"{(mark.at - NINE) // HOUR} {mark.run}" for mark in made]


def test_a_first_response_is_given_once() -> None:
    history = story("0 DRAFT", "1 SUBMITTED", "2 team 7", "3 PENDING_INFO", "4 asked", "4 IN_PROGRESS", "5 answered")
    expected = ["1 RUNNING", "3 PAUSED", "4 RUNNING", "5 STOPPED"]
    assert told(marks(Metric.FIRST_RESPONSE, RULES, history)) == expected
    history += story("6 asked", "7 COMPLETED", "8 IN_PROGRESS")
    assert told(marks(Metric.FIRST_RESPONSE, RULES, history)) == expected, "never again"


def test_what_is_done_needs_no_response_any_more() -> None:
    history = story("0 SUBMITTED", "3 COMPLETED", "4 IN_PROGRESS")
    assert told(marks(Metric.FIRST_RESPONSE, RULES, history)) == ["0 RUNNING", "3 STOPPED"]


def test_the_next_update_is_due_when_the_requester_has_spoken_last() -> None:
    history = story("0 SUBMITTED", "1 asked")
    assert marks(Metric.NEXT_UPDATE, RULES, history) == [], "the first response comes first"
    history += story("2 answered", "4 asked", "5 asked")
    assert told(marks(Metric.NEXT_UPDATE, RULES, history)) == ["4 RUNNING"], "since the first of them"
    history += story("6 PENDING_INFO", "7 answered")
    assert told(marks(Metric.NEXT_UPDATE, RULES, history)) == ["4 RUNNING", "6 PAUSED", "7 STOPPED"]
    history += story("9 asked")
    assert told(marks(Metric.NEXT_UPDATE, RULES, history)) == ["9 PAUSED"], "each time anew"
    history += story("10 COMPLETED", "11 IN_PROGRESS")
    assert told(marks(Metric.NEXT_UPDATE, RULES, history)) == ["9 PAUSED", "10 STOPPED"]


@pytest.mark.parametrize(
    ("reopening", "expected"),
    [
        (Reopening.RESUME, ["0 RUNNING", "2 STOPPED", "5 RUNNING"]),
        (Reopening.RESTART, ["5 RUNNING"]),
        (Reopening.STAY, ["0 RUNNING", "2 STOPPED"]),
    ],
)
def test_what_is_opened_again(reopening: Reopening, expected: list[str]) -> None:
    rules = Rules(RULES.before, RULES.paused, RULES.over, reopening)
    history = story("0 SUBMITTED", "2 COMPLETED", "5 IN_PROGRESS")
    assert told(marks(Metric.RESOLUTION, rules, history)) == expected


def test_a_team_s_own_time_is_while_it_has_it() -> None:
    history = story("0 SUBMITTED", "0 team 7", "2 team 8", "3 ON_HOLD", "4 team 7", "5 IN_PROGRESS", "6 COMPLETED")
    assert told(marks(Metric.OWN_TIME, RULES, history, 7)) == [
        "0 RUNNING",
        "2 PAUSED",
        "3 PAUSED",
        "5 RUNNING",
        "6 STOPPED",
    ]
    assert used(ALWAYS, marks(Metric.OWN_TIME, RULES, history, 7), NINE + 9 * HOUR) == 3 * HOUR
    assert used(ALWAYS, marks(Metric.OWN_TIME, RULES, history, 8), NINE + 9 * HOUR) == HOUR
    assert used(ALWAYS, marks(Metric.RESOLUTION, RULES, history), NINE + 9 * HOUR) == 4 * HOUR


def test_what_has_not_begun_has_no_clock() -> None:
    for metric in Metric:
        assert marks(metric, RULES, []) == []
        assert marks(metric, RULES, story("0 DRAFT", "1 asked", "2 team 7")) == []


@st.composite
def histories(draw: Any) -> list[Happening]:
    at, made = NINE, []
    for _ in range(draw(st.integers(0, 12))):
        at += HOUR * draw(st.integers(0, 3))
        what = draw(st.sampled_from(What))
        status = draw(st.sampled_from(STATUSES)) if what is What.MOVED else ""
        made.append(Happening(at, what, status, draw(st.sampled_from([None, 7, 8])) if what is What.HANDED else None))
    return made


@given(histories(), st.sampled_from(Reopening))
def test_every_history(history: list[Happening], reopening: Reopening) -> None:
    rules = Rules(RULES.before, RULES.paused, RULES.over, reopening)
    end = NINE + 100 * HOUR
    made = {metric: marks(metric, rules, history, 7) for metric in Metric}
    for lines in made.values():
        assert all(a.at < b.at for a, b in pairwise(lines))
        assert all((a.run, a.why) != (b.run, b.why) for a, b in pairwise(lines))
    first = made[Metric.FIRST_RESPONSE]
    assert all(mark.run is not Run.STOPPED for mark in first[:-1]), "it stops once"
    teams = [marks(Metric.OWN_TIME, rules, history, team) for team in (None, 7, 8)]
    whole = used(ALWAYS, made[Metric.RESOLUTION], end)
    if reopening is not Reopening.RESTART:
        assert sum((used(ALWAYS, own, end) for own in teams), timedelta()) == whole, "somebody always has it"
    for n in range(len(history)):  # what is known at an instant does not depend on what comes later
        part = marks(Metric.FIRST_RESPONSE, rules, history[: n + 1])
        at = history[n].at
        if n + 1 == len(history) or history[n + 1].at > at:
            assert used(ALWAYS, part, at) == used(ALWAYS, first, at)
