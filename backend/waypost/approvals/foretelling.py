"""What will happen by itself if nobody answers, rung by rung to the end, each at its instant. Pure.

The engine itself is run ahead of time: at the instant of the next timer it says what it would do, and so on. So what a
waiting person reads is what the timers will do, as the company is now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from waypost.approvals import engine
from waypost.approvals.states import ASKED, Ended, Happened, Receiver, State, What, WorkflowStatus

MOST = 200  # timers looked ahead; a ladder has at most 15 for each step
Receivers = Callable[[State, int], tuple[list[Receiver], list[Receiver]]]


class Next(StrEnum):
    """The word for it. Nothing is ever approved by time."""

    REMIND = "REMIND"
    ASK_FURTHER = "ASK_FURTHER"
    ASK_ADMINISTRATORS = "ASK_ADMINISTRATORS"
    REJECT = "REJECT"


@dataclass(frozen=True, slots=True)
class Ahead:
    """One thing to come. `late` are those who did not answer, in the steps `step_ids`; `people` are who is reminded,
    or asked as well then. Steps that are to come have ids below zero."""

    at: datetime
    what: Next
    stage: str
    step_ids: tuple[int, ...]
    late: tuple[int, ...]
    people: tuple[int, ...]


def foretell(state: State, receivers: Receivers) -> list[Ahead]:
    """Everything to come, in its order; what happens to several at one instant is one thing."""
    found: list[Ahead] = []
    for _ in range(MOST):
        due = _next(state)
        if due is None:
            break
        at, step_id = due
        stage, step = state.find(step_id)
        above, administrators = receivers(state, step_id)
        state, effects = engine.on_time(state, step_id, above, administrators, at)
        what, people = _said(effects, {r.person for r in above} if step.climbs < stage.ladder.repeat else set())
        own = (step.approver,)
        found.append(Ahead(at, what, stage.name, _told_steps(effects) or (step_id,), own, people or own))
    return _together(found)


def _next(state: State) -> tuple[datetime, int] | None:
    if state.status is not WorkflowStatus.RUNNING:
        return None
    due = [(s.timer_at, s.id) for stage in state.stages for s in stage.steps if s.timer_at and s.status in ASKED]
    # of the same instant the oldest; what is to come is younger than everything there is
    return min(due, key=lambda d: (d[0], d[1] < 0, abs(d[1]))) if due else None


def _said(effects: Sequence[object], above: Collection[int]) -> tuple[Next, tuple[int, ...]]:
    asked = tuple(e.to.approver for e in effects if isinstance(e, Happened) and e.what is What.CLIMBED and e.to)
    if any(isinstance(e, Ended) or (isinstance(e, Happened) and e.what is What.REJECTED) for e in effects):
        return Next.REJECT, ()
    if not asked:
        return Next.REMIND, tuple(e.step.approver for e in _reminders(effects))
    return (Next.ASK_FURTHER if set(asked) & set(above) else Next.ASK_ADMINISTRATORS), asked


def _reminders(effects: Sequence[object]) -> list[Happened]:
    return [e for e in effects if isinstance(e, Happened) and e.what is What.REMINDED]


def _told_steps(effects: Sequence[object]) -> tuple[int, ...]:
    return tuple(e.step.id for e in _reminders(effects))


def _together(found: Sequence[Ahead]) -> list[Ahead]:
    merged: list[Ahead] = []
    for one in found:
        last = merged[-1] if merged else None
        if last is not None and (last.at, last.what, last.stage) == (one.at, one.what, one.stage):
            late = tuple(dict.fromkeys([*last.late, *one.late]))
            people = tuple(dict.fromkeys([*last.people, *one.people]))
            merged[-1] = Ahead(one.at, one.what, one.stage, (*last.step_ids, *one.step_ids), late, people)
        else:
            merged.append(one)
    return merged
