"""Small running approvals for worked examples, and what happens to them in words and exact instants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from waypost.approvals import engine
from waypost.approvals.definition import Mode
from waypost.approvals.states import (
    Action,
    Dropped,
    Effect,
    Ended,
    Happened,
    Ladder,
    QuestionsClosed,
    Receiver,
    Reopened,
    Stage,
    StageStatus,
    State,
    Step,
    StepStatus,
    Verb,
    WorkflowStatus,
)

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Reminded four hours before it is due and then; two hours later somebody further up, hourly, twice.
LADDER = Ladder((4 * HOUR, 0 * HOUR), 2 * HOUR, HOUR, 2)


def clock(words: str) -> datetime:
    """ "13:00" of the day on which everything begins, "+1 13:00" of the day after."""
    days, _, time = words.rpartition(" ")
    hour, minute = time.split(":")
    return AT.replace(hour=int(hour), minute=int(minute)) + int(days or 0) * DAY


def time(at: datetime | None) -> str | None:
    if at is None:
        return None
    days = (at.date() - AT.date()).days
    return f"{f'+{days} ' if days else ''}{at:%H:%M}"


def stage(*people: int, needed: int | None = None, **more: Any) -> Stage:
    """Everybody is asked at once and all must say yes, until five in the afternoon, unless said otherwise."""
    steps = tuple(Step(-n, n, n, person, StepStatus.WAITING) for n, person in enumerate(people, 1))
    values: dict[str, Any] = {
        "name": "Stage",
        "mode": Mode.PARALLEL,
        "first_answer_counts": False,
        "due_in": 8 * HOUR,
        "status": StageStatus.WAITING if people else StageStatus.SKIPPED,
        "ladder": LADDER,
    }
    return Stage(id=-1, position=1, needed=len(people) if needed is None else needed, steps=steps, **values | more)


def planned(*stages: Stage, barred: Sequence[int] = ()) -> State:
    """As planning makes it: positions, seats and steps counted through, ids below zero."""
    made, count = [], 0
    for position, one in enumerate(stages, 1):
        steps = []
        for step in one.steps:
            count += 1
            steps.append(changed(step, id=-count, seat=count, order=count))
        made.append(changed(one, id=-position, position=position, name=f"Stage {position}", steps=tuple(steps)))
    return State(WorkflowStatus.RUNNING, tuple(made), frozenset(barred))


def kept(state: State) -> State:
    """As read from rows: ids above zero."""
    stages = [changed(s, id=abs(s.id), steps=tuple(changed(t, id=abs(t.id)) for t in s.steps)) for s in state.stages]
    return changed(state, stages=tuple(stages))


def begun(*stages: Stage, barred: Sequence[int] = ()) -> State:
    """Begun at nine, and kept in rows."""
    return engine.begin(kept(planned(*stages, barred=barred)), AT)[0]


def changed(value: Any, **values: Any) -> Any:
    return replace(value, **values)


def of(state: State, person: int) -> Step:
    """The newest step of somebody: the one asked, if there is one."""
    found = [s for one in state.stages for s in one.steps if s.approver == person]
    return next((s for s in found if s in state.asked()), found[-1])


def does(state: State, verb: Verb, by: int, at: datetime = AT, **more: Any) -> State:
    return doing(state, verb, by, at, **more)[0]


def doing(state: State, verb: Verb, by: int, at: datetime = AT, **more: Any) -> tuple[State, list[str]]:
    values = {"step_id": of(state, by).id, "comments": "because"} | more
    state, effects = engine.act(state, Action(verb, by=by, **values), at)
    return state, words(effects)


def people(state: State) -> list[tuple[int, str]]:
    return [(s.approver, s.status.value) for one in state.stages for s in one.steps]


def places(state: State) -> list[tuple[int, str]]:
    return [(s.position, s.status.value) for s in state.stages]


def words(effects: Sequence[Effect]) -> list[str]:
    return [_word(e) for e in effects]


def _word(effect: Effect) -> str:
    match effect:
        case Happened():
            to = f" to {effect.to.approver}" if effect.to else ""
            return f"{effect.what.value} {effect.step.approver}{to}{' (again)' if effect.again else ''}"
        case Ended():
            by = f" by {effect.overridden_by}" if effect.overridden_by else ""
            return f"ENDED {effect.status.value}{by}: {effect.comments}"
        case QuestionsClosed():
            lapsed = " (lapsed)" if effect.lapsed else ""
            return f"QUESTIONS CLOSED {', '.join(map(str, effect.askers))}: {effect.comments}{lapsed}"
        case Reopened():
            return f"REOPENED {effect.stage.name}"
        case Dropped():
            return f"DROPPED {effect.stage.name}"


Bosses = Callable[[int], Sequence[int]]


def late(state: State, person: int, at: datetime, above: Sequence[int] = (), admins: Sequence[int] = ()) -> Any:
    """The clock comes to somebody's step."""
    return engine.on_time(state, of(state, person).id, receivers(above), receivers(admins), at)


def receivers(people: Sequence[int]) -> list[Receiver]:
    return [Receiver(p, f"boss {p}") for p in people]


def unanswered(state: State, bosses: Bosses, admins: Sequence[int] = (90,)) -> tuple[State, list[str]]:
    """Nobody ever answers: everything that happens, each with its instant."""
    said: list[str] = []
    for _ in range(100):
        due = [(s.timer_at, abs(s.id), s) for s in state.asked() if s.timer_at]
        if not due:
            return state, said
        at, _number, step = min(due)
        above = receivers(bosses(step.approver))
        state, effects = engine.on_time(state, step.id, above, receivers(admins), at)
        said += [f"{time(at)} {word}" for word in words(effects)]
    raise AssertionError("it never ends")
