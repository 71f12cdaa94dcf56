"""What happened to a request, as marks of its clocks. Pure.

Four clocks read one history. *First response* runs until somebody who works on it has answered outwardly, once and never
again. *Next update* runs while the requester has spoken last, each time anew, and not before the first response. *Resolution*
runs until it is done; opened again, it goes on without the time it was done, begins anew, or stays over, as the policy says.
*Own time* of a team is resolution's while the team has it.

Source: domain rules of service levels (lifecycle of targets, what a first response is, re-opening).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from waypost.sla.clock import Mark, Run


class Metric(StrEnum):
    """What a target is about."""

    FIRST_RESPONSE = "FIRST_RESPONSE"
    NEXT_UPDATE = "NEXT_UPDATE"
    RESOLUTION = "RESOLUTION"
    OWN_TIME = "OWN_TIME"


class Reopening(StrEnum):
    """What becomes of resolution's clock when a request that was done is opened again."""

    RESUME = "RESUME"
    RESTART = "RESTART"
    STAY = "STAY"


class What(StrEnum):
    """What can happen that a clock goes by."""

    MOVED = "MOVED"  # to another status
    ANSWERED = "ANSWERED"  # outwardly, by somebody who works on it; no automatic words
    ASKED = "ASKED"  # the requester spoke
    HANDED = "HANDED"  # to another team, or to none


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: the status after it, and the team after it, where it changed them."""

    at: datetime
    what: What
    status: str = ""
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a policy concerns the clocks: in which statuses they have not begun, are paused, and are over."""

    before: frozenset[str]
    paused: frozenset[str]
    over: frozenset[str]
    reopening: Reopening = Reopening.RESUME


def marks(metric: Metric, rules: Rules, history: Iterable[Happening], team_id: int | None = None) -> list[Mark]:
    """The marks of one clock, from the earliest that counts; `team_id` is whose own time is asked for.

    Next update gives those of the time since the requester spoke last; a restarted resolution those since then.
    """
    made: list[Mark] = []
    status, team = "", None
    has_begun = was_over = is_answered = is_asked = False
    for one in history:
        if one.what is What.MOVED:
            status = one.status
            has_begun = has_begun or status not in rules.before
        elif one.what is What.HANDED:
            team = one.team_id
        if not has_begun:
            continue
        is_over = status in rules.over
        if metric is Metric.FIRST_RESPONSE:
            is_answered = is_answered or is_over or one.what is What.ANSWERED
            run = Run.STOPPED if is_answered else _run(rules, status)
        elif metric is Metric.NEXT_UPDATE:
            if is_over or one.what is What.ANSWERED:
                is_answered, is_asked = True, False
            elif one.what is What.ASKED and is_answered and not is_asked:
                is_asked, made = True, []
            run = _run(rules, status) if is_asked else Run.STOPPED
        else:
            if was_over and not is_over and rules.reopening is Reopening.RESTART:
                made = []
            stays = was_over and rules.reopening is Reopening.STAY
            was_over = is_over or stays
            run = Run.STOPPED if was_over else _run(rules, status)
            if metric is Metric.OWN_TIME and run is Run.RUNNING and team != team_id:
                run = Run.PAUSED
        _mark(made, Mark(one.at, run, status if run is not Run.STOPPED else ""))
    return made if any(mark.run is not Run.STOPPED for mark in made) else []


def _run(rules: Rules, status: str) -> Run:
    """What was taken back before it was done waits, as a draft, for its requester: its time is not charged."""
    return Run.PAUSED if status in rules.paused or status in rules.before else Run.RUNNING


def _mark(made: list[Mark], new: Mark) -> None:
    """Add what is otherwise than before; of several at one instant the last one is meant."""
    if made and made[-1].at == new.at:
        made.pop()
    if not made or (made[-1].run, made[-1].why) != (new.run, new.why):
        made.append(new)
